"""What a reminder and a digest say, and what they and our logs keep to themselves."""

import logging
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people.models import Absence, Person
from tests.factories.registers import HEMSWELL, start_training
from tests.integration.training.reminders.conftest import ACTIVITY, MONDAY, World


def test_one_who_owes_is_written_to_once(world_of_each: World) -> None:
    world = world_of_each
    world.on()
    sam = world.somebody("Sam Ostler")
    start_training(world.database, sam, module="annual-refresh")
    world.somebody("Ada Overdue", due_on=date(2026, 10, 1))
    assert world.run() == 2
    assert world.run() == 0, "nobody twice"
    mails = dict(world.server.taken)
    assert sorted(mails) == ["ada@example.org", "sam@example.org"]
    message = mails["sam@example.org"]
    assert message["To"] == "sam@example.org"
    assert message["From"] == "Hemswell Cliff Primary School <training@example.org>"
    assert (
        message["Subject"]
        == "Hemswell Cliff Primary School: social media policy training, to be done by "
        "31 October 2026"
    )
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = (part.get_content() for part in message.iter_parts())
    for text in (plain, html):
        assert "Dear Sam Ostler," in text
        assert "Annual refresh: due on 31 October 2026. This year" in text, "and why"
        assert "You have begun; it goes on where you stopped." in text
        assert ACTIVITY.replace("&", "&amp;") in text
        assert "Ask at school: Headteacher, 01632 960 021" in text
        assert "localhost" not in text
        assert "training.example.org" not in text, "never into the tool itself"
    assert "<img" not in html
    assert "src=" not in html
    assert "Ostler" not in mails["ada@example.org"]["Subject"]
    assert "it was due on 1 October 2026" in mails["ada@example.org"].as_string()
    ada, of_sam = world.reminders()
    assert (ada.kind, ada.state, ada.status, ada.address) == (
        "overdue",
        "sent",
        250,
        "ada@example.org",
    )
    assert of_sam.duties == [
        {"module": "annual-refresh", "cycle": "2026-27", "due_on": "2026-10-31"}
    ]
    assert message["Message-ID"] == f"<{of_sam.id}@example.org>"
    (begun,), (ended,) = world.entries("reminders-begun"), world.entries("reminders-ended")
    assert begun["facts"]["planned"] == {"overdue": 1, "opened": 1}
    assert begun["facts"]["left_out"] == {"nothing-owed": 1}
    assert begun["facts"]["by"] == "worker"
    assert ended["facts"]["outcomes"] == {"sent": 2}
    with world.database.reading() as session:
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None


def test_managers_get_a_digest_with_their_own_in_it(world: World) -> None:
    head = world.on(has_digest=True, digest_weekday=1)
    world.owe(head, date(2026, 10, 20))
    with world.database.transaction() as session:
        session.get_one(Person, head.person_id).email = "head@example.org"
    world.somebody("Ada Overdue", due_on=date(2026, 10, 1))
    away = world.somebody("Abe Away")
    with world.database.transaction() as session:
        session.add(
            Absence(
                school_id=HEMSWELL,
                person_id=away.person_id,
                starts_on=date(2026, 10, 1),
                entered_at=MONDAY,
            )
        )
    assert world.run() == 1
    assert world.server.recipients == ["ada@example.org"]
    world.next_morning()
    world.server.mail_from = "451 Not now"
    assert world.run() == 0
    world.next_morning()
    world.server.mail_from = ""
    assert world.run() == 1, "a digest that could not go on its day goes on the next"
    to, message = world.server.taken[-1]
    assert to == "head@example.org"
    text = message.get_body(("plain",))
    assert text is not None
    said = text.get_content().replace("\r\n", "\n")
    assert "1 person is overdue" in said
    assert "1 person still has time; 0 of them on the way" in said
    assert "1 person is away from work" in said
    assert "You have still to do yourself:\n\n- Annual refresh: due on 20 October 2026. " in said
    assert "Ada" not in said
    world.clock.now = datetime(2026, 10, 13, 8, 0, tzinfo=UTC)
    world.run()
    assert world.server.recipients.count("head@example.org") == 1, "six days later"


def test_nothing_personal_is_logged_or_recorded_in_the_open(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("lti_tool"), "propagate", True)
    world.on()
    world.somebody("Sam Ostler")
    world.somebody("Ada First")
    world.server.to["ada@example.org"] = "550 No such user: ada@example.org"
    with caplog.at_level(logging.DEBUG):
        world.run()
    noted = {one.__dict__["reminder"] for one in caplog.records if one.message == "reminder"}
    assert len(noted) == 2
    written = "".join(
        str(record.__dict__) for record in caplog.records if "lti_tool" in record.name
    )
    with world.database.reading() as session:
        for body in session.scalars(select(LedgerEntry.body)):
            written += body.decode()
    assert "reminders-ended" in written
    for word in ("example.org>", "sam@", "ada@", "Ostler"):
        assert word not in written


@pytest.mark.parametrize(
    "name", ["Sam\r\nBcc: all@example.org", "Sam\nX: y", "=?utf-8?q?Sam?=", "Ünïcode Ökonom" * 20]
)
def test_a_name_cannot_reach_the_headers(world: World, name: str) -> None:
    world.on(sender_name="Büro der Schule, Hemswell Cliff")
    guest = world.somebody("Sam Ostler")
    with world.database.transaction() as session:
        session.get_one(Person, guest.person_id).name = name
    assert world.run() == 1
    ((to, message),) = world.server.taken
    assert to == message["To"] == "sam@example.org"
    assert message["Bcc"] is None
    assert message["X"] is None
    assert message["From"].addresses[0].display_name == "Büro der Schule, Hemswell Cliff"
