"""Reminders from a school's facts to a real mail server, and what is kept of them."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from lti_tool.core import ledger, mail
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.training.cycles.models import Holiday, Obligation
from lti_tool.training.reminders import batches, delivery
from lti_tool.training.reminders import settings as kept
from lti_tool.training.reminders.delivery import Post, post_of
from lti_tool.training.reminders.models import Reminder, ReminderBatch, ReminderSettings
from tests.conftest import SetClock
from tests.factories.post import MailServer, mail_server
from tests.factories.registers import (
    CATALOGUE,
    GLENMERE,
    HEMSWELL,
    Guest,
    arrive,
    make_manager,
    running,
    start_training,
)

ACTIVITY = "https://moodle.example.org/mod/lti/view.php?id=7"
MONDAY = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
DUE = date(2026, 10, 31)


@dataclass
class World:
    """Two schools with a mail server."""

    app: Flask
    database: Database
    clock: SetClock
    server: MailServer

    @property
    def post(self) -> Post:
        return post_of(self.app)

    def on(self, school_id: str = HEMSWELL, **values: Any) -> Guest:
        """Switch reminders on, as a manager did long ago."""
        head = make_manager(self.database, arrive(self.database, "Head", school_id))
        given = {"is_on": True, "activity_url": ACTIVITY, "has_digest": False} | values
        with self.database.transaction() as session:
            school = CATALOGUE.schools[school_id]
            kept.change(
                session,
                school=school,
                values=given,
                by=head.person_id,
                now=self.clock() - timedelta(days=1),
            )
        return head

    def somebody(self, name: str, school_id: str = HEMSWELL, **given: Any) -> Guest:
        """Somebody who owes the annual refresh."""
        due_on = given.pop("due_on", DUE)
        values = {"email": f"{name.split()[0].lower()}@example.org", "counted": True} | given
        guest = arrive(self.database, name, school_id, **values)
        self.owe(guest, due_on)
        return guest

    def owe(self, guest: Guest, due_on: date = DUE, **values: Any) -> UUID:
        given: dict[str, Any] = {
            "id": new_id(),
            "school_id": guest.school_id,
            "person_id": guest.person_id,
            "module": "annual-refresh",
            "cycle": "2026-27",
            "opens_on": date(2026, 9, 1),
            "due_on": due_on,
            "reason": {"code": "cycle", "closes": due_on.isoformat()},
            "created_at": datetime(2026, 9, 1, tzinfo=UTC),
        } | values
        with self.database.transaction() as session:
            session.add(Obligation(**given))
        number: UUID = given["id"]
        return number

    def run(self) -> int:
        """What the worker does each minute."""
        with self.app.app_context():
            return delivery.run(self.post)

    def reminders(self) -> list[Reminder]:
        with self.database.reading() as session:
            return list(session.scalars(select(Reminder).order_by(Reminder.day, Reminder.address)))

    @property
    def states(self) -> dict[str, str]:
        """By name."""
        with self.database.reading() as session:
            return dict(
                session.execute(
                    select(Person.name, Reminder.state)
                    .join(Person, Person.id == Reminder.person_id)
                    .order_by(Reminder.day)
                ).all()
            )

    def entries(self, kind: str) -> list[dict[str, Any]]:
        with self.database.reading() as session:
            bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind))
            return [json.loads(body) for body in bodies]

    def next_morning(self, days: int = 1) -> None:
        self.clock.now = self.clock.now.replace(hour=8, minute=0) + timedelta(days=days)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def server(shared_server: MailServer) -> MailServer:
    fresh = MailServer(shared_server.url)
    shared_server.__dict__.update(fresh.__dict__)
    return shared_server


def world_of(app: Flask, database: Database, clock: SetClock, server: MailServer) -> World:
    clock.now = MONDAY
    app.extensions["config"] = replace(
        app.extensions["config"], smtp_url=server.url, mail_from="training@example.org"
    )
    return World(app, database, clock, server)


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, clock: SetClock, server: MailServer) -> Iterator[World]:
    database = Database(sqlite_url)
    with running(tmp_path, database, clock) as app:
        yield world_of(app, database, clock, server)
    database.engine.dispose()


@pytest.fixture
def world_of_each(
    database: Database, tmp_path: Path, clock: SetClock, server: MailServer
) -> Iterator[World]:
    with running(tmp_path, database, clock) as app:
        yield world_of(app, database, clock, server)


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


def test_a_whole_term(world: World) -> None:
    """Overdue people hear once a week, not in the holidays; those who are done hear nothing."""
    world.on()
    world.somebody("Sam Ostler", due_on=date(2026, 10, 1))
    done = world.somebody("Dona Done", due_on=date(2026, 10, 1))
    with world.database.transaction() as session:
        session.execute(
            update(Obligation)
            .where(Obligation.person_id == done.person_id)
            .values(outcome="done", ended_on=date(2026, 10, 2))
        )
        session.add(
            Holiday(
                school_id=HEMSWELL,
                name="Half term",
                starts_on=date(2026, 10, 26),
                ends_on=date(2026, 10, 30),
                entered_at=MONDAY,
            )
        )
    for _day in range(40):
        for hour in (3, 9, 19):
            world.clock.now = world.clock.now.replace(hour=hour)
            world.run()
        world.clock.move(days=1)
    assert [one.tried_on for one in world.reminders()] == [
        date(2026, 10, 5),
        date(2026, 10, 12),
        date(2026, 10, 19),
        date(2026, 11, 2),
        date(2026, 11, 9),
    ]
    assert world.server.recipients == ["sam@example.org"] * 5


@pytest.mark.parametrize("hindrance", ["away", "left", "gone", "waiting", "unfit", "off", "other"])
def test_who_hears_nothing(world: World, hindrance: str) -> None:
    if hindrance != "off":
        world.on()
    if hindrance == "other":
        world.on(GLENMERE)
    guest = world.somebody(
        "Sam Ostler",
        email="sam@" if hindrance == "unfit" else "sam@example.org",
        counted=hindrance != "waiting",
    )
    with world.database.transaction() as session:
        member = session.get_one(Membership, guest.membership_id)
        if hindrance == "left":
            member.left_at = MONDAY
        elif hindrance == "gone":
            member.ends_on = date(2026, 10, 4)
        elif hindrance in ("away", "other"):
            session.add(
                Absence(
                    school_id=HEMSWELL,
                    person_id=guest.person_id,
                    starts_on=date(2026, 10, 1),
                    entered_at=MONDAY,
                )
            )
    assert world.run() == 0
    assert world.server.taken == []
    assert world.reminders() == []


def test_one_person_under_two_identities_gets_one_mail(world: World) -> None:
    world.on()
    here = world.somebody("Sam Ostler")
    there = world.somebody("S. Ostler", email="ostler@example.org")
    with world.database.transaction() as session:
        session.get_one(Person, there.person_id).one_with = here.person_id
    assert world.run() == 1
    assert world.server.recipients == ["sam@example.org"]


def test_two_that_turn_out_to_be_one_while_they_wait_get_one(world: World) -> None:
    world.on()
    here = world.somebody("Sam Ostler")
    there = world.somebody("S. Ostler", email="ostler@example.org")
    world.server.mail_from = "451 Not now"
    assert world.run() == 0
    with world.database.transaction() as session:
        session.get_one(Person, there.person_id).one_with = here.person_id
    world.server.mail_from = ""
    world.clock.move(hours=1)
    assert world.run() == 1
    assert len(world.server.taken) == 1
    assert sorted(world.states.values()) == ["dropped", "sent"]


@pytest.mark.parametrize("is_joined", [False, True])
def test_somebody_of_two_schools_hears_once_a_week_from_each_in_turn(
    world_of_each: World, is_joined: bool
) -> None:
    """Overdue at both, so that each would write every week; under one identity, and under two."""
    world = world_of_each
    world.on()
    world.on(GLENMERE)
    overdue = date(2026, 10, 1)
    sam = world.somebody("Sam Ostler", subject="sam", due_on=overdue)
    subject = "ostler" if is_joined else "sam"
    other = world.somebody("Sam Ostler", GLENMERE, subject=subject, due_on=overdue)
    assert (other.person_id != sam.person_id) is is_joined
    if is_joined:
        with world.database.transaction() as session:
            session.get_one(Person, other.person_id).one_with = sam.person_id
    world.somebody("Glen Alone", GLENMERE, due_on=overdue)
    for _day in range(15):
        world.run()
        world.clock.move(days=1)
    days = [one.tried_on for one in world.reminders() if one.address == "sam@example.org"]
    assert days == [date(2026, 10, 5) + timedelta(weeks=number) for number in range(3)]
    assert world.server.recipients.count("glen@example.org") == 3, "who is shared with nobody"
    senders = [str(mail["From"]) for to, mail in world.server.taken if to == "sam@example.org"]
    assert {one.partition(" <")[0] for one in senders} == {
        "Glenmere Primary School",
        "Hemswell Cliff Primary School",
    }


def test_what_another_school_wrote_before_two_turned_out_to_be_one_counts_too(
    world: World,
) -> None:
    overdue = date(2026, 10, 1)
    world.on(GLENMERE)
    there = world.somebody("S. Ostler", GLENMERE, email="ostler@example.org", due_on=overdue)
    assert world.run() == 1
    world.on()
    here = world.somebody("Sam Ostler", due_on=overdue)
    with world.database.transaction() as session:
        session.get_one(Person, there.person_id).one_with = here.person_id
    world.clock.move(days=1)
    assert world.run() == 0
    world.clock.move(days=6)
    assert world.run() == 1


def test_what_was_done_meanwhile_is_not_sent(world: World) -> None:
    world.on()
    sam = world.somebody("Sam Ostler")
    world.server.mail_from = "451 Not now"
    world.run()
    with world.database.transaction() as session:
        session.execute(
            update(Obligation)
            .where(Obligation.person_id == sam.person_id)
            .values(outcome="done", ended_on=date(2026, 10, 5))
        )
    world.server.mail_from = ""
    world.clock.move(hours=1)
    assert world.run() == 0
    assert world.server.taken == []
    (row,) = world.reminders()
    assert (row.state, row.reason) == ("dropped", "nothing-owed")
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"dropped": 1}


def test_a_temporary_answer_is_tried_again_later_and_later(world: World) -> None:
    world.on()
    world.somebody("Sam Ostler")
    world.server.to["sam@example.org"] = "450 Greylisted"
    assert world.run() == 0
    (row,) = world.reminders()
    assert (row.state, row.reason, row.status) == ("waiting", "later", 450)
    assert row.next_at == MONDAY + timedelta(minutes=5)
    world.run()
    assert world.server.lines == 1, "not before its time"
    world.clock.move(minutes=5)
    world.run()
    (row,) = world.reminders()
    assert row.next_at == world.clock() + timedelta(minutes=10)
    world.server.to.clear()
    world.clock.move(minutes=10)
    assert world.run() == 1
    (row,) = world.reminders()
    assert (row.state, row.attempts) == ("sent", 3)


def test_a_refusal_is_for_good_and_keeps_nobody_else_waiting(world: World) -> None:
    world.on()
    world.somebody("Ada First")
    world.somebody("Sam Ostler")
    world.server.to["ada@example.org"] = "550 No such user ada@example.org"
    assert world.run() == 1
    assert world.states == {"Ada First": "refused", "Sam Ostler": "sent"}
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"refused": 1, "sent": 1}
    world.next_morning()
    assert world.run() == 0, "once a week, whatever became of it"
    world.next_morning(6)
    world.server.to.clear()
    assert world.run() == 1
    assert world.server.recipients == ["sam@example.org", "ada@example.org"]


def test_while_the_server_is_away_everything_waits_and_nothing_is_lost(world: World) -> None:
    world.on()
    world.somebody("Ada First")
    world.somebody("Sam Ostler")
    url = world.server.url
    world.app.extensions["config"] = replace(
        world.app.extensions["config"], smtp_url="smtp+plain://127.0.0.1:9"
    )
    assert world.run() == 0
    rows = world.reminders()
    assert [(row.state, row.reason, row.attempts) for row in rows] == [("waiting", "away", 1)] * 2
    assert {row.next_at for row in rows} == {MONDAY + timedelta(minutes=5)}
    world.clock.move(minutes=5)
    world.run()
    assert {row.next_at for row in world.reminders()} == {world.clock() + timedelta(minutes=10)}
    world.app.extensions["config"] = replace(world.app.extensions["config"], smtp_url=url)
    world.clock.now = MONDAY + timedelta(days=2, hours=12)
    assert world.run() == 0, "quiet hours"
    world.clock.now = MONDAY + timedelta(days=3)
    assert world.run() == 2
    assert {row.tried_on for row in world.reminders()} == {date(2026, 10, 8)}
    world.clock.now = MONDAY + timedelta(days=7)
    assert world.run() == 0, "a week from the day it went"


def test_what_could_not_go_for_days_is_given_up(world: World) -> None:
    world.on()
    world.somebody("Sam Ostler")
    world.server.mail_from = "550 We do not know you"
    world.run()
    world.clock.now = MONDAY + timedelta(days=6)
    world.run()
    (row,) = world.reminders()
    assert (row.state, row.reason) == ("given-up", "sender")
    world.server.mail_from = ""
    world.clock.now = MONDAY + timedelta(days=7)
    assert world.run() == 1


def test_whoever_dies_over_a_mail_leaves_it_perhaps_sent(world: World) -> None:
    """Taken by the server, and the worker gone before it could note that: not sent twice."""

    class Killed(BaseException):
        pass

    world.on()
    world.somebody("Sam Ostler")
    noted = delivery._note

    def die(*_given: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delivery, "_note", die)
        with pytest.raises(Killed):
            world.run()
    assert delivery._note is noted
    assert world.server.recipients == ["sam@example.org"]
    assert world.states == {"Sam Ostler": "sending"}
    world.clock.move(minutes=9)
    world.run()
    assert world.states == {"Sam Ostler": "sending"}, "somebody may still be at it"
    world.clock.move(minutes=2)
    for _ in range(7):
        world.run()
        world.clock.move(hours=3)
    assert world.states == {"Sam Ostler": "perhaps"}
    assert world.server.recipients == ["sam@example.org"]
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"perhaps": 1}


def test_a_server_that_breaks_off_leaves_one_unsure_and_the_others_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    world.on()
    for name in ("Ada First", "Bea Second", "Cai Third"):
        world.somebody(name)
    hold = threading.Event()

    def hang() -> None:
        hold.wait(2)

    world.server.before_answer = hang
    assert world.run() == 0
    hold.set()
    assert sorted(world.states.values()) == ["perhaps", "waiting", "waiting"]
    world.server.before_answer = lambda: None
    world.clock.move(minutes=5)
    assert world.run() == 2
    assert sorted(world.states.values()) == ["perhaps", "sent", "sent"]
    assert len(set(world.server.recipients)) == len(world.server.recipients) == 3


def test_a_server_that_takes_a_few_on_a_line_is_called_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MOST_ON_A_LINE", 2)
    world.on()
    for number in range(5):
        world.somebody(f"Person{number} Name")
    assert world.run() == 5
    assert world.server.lines == 3


def test_two_workers_send_nothing_twice(world_of_each: World) -> None:
    world = world_of_each
    world.on()
    for number in range(12):
        world.somebody(f"Person{number} Name")
    faults: list[BaseException] = []

    def work() -> None:
        try:
            world.run()
        except BaseException as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert faults == []
    assert len(world.server.recipients) == len(set(world.server.recipients)) == 12
    assert len(world.entries("reminders-begun")) == 1
    assert len(world.entries("reminders-ended")) == 1


def test_switching_off_drops_what_waits(world: World) -> None:
    head = world.on()
    world.somebody("Sam Ostler")
    world.server.mail_from = "451 Not now"
    world.run()
    with world.database.transaction() as session:
        kept.change(
            session,
            school=CATALOGUE.schools[HEMSWELL],
            values={"is_on": False},
            by=head.person_id,
            now=world.clock(),
        )
    world.server.mail_from = ""
    world.clock.move(hours=1)
    assert world.run() == 0
    assert world.states == {"Sam Ostler": "dropped"}
    facts = [entry["facts"] for entry in world.entries("reminders-changed")]
    assert [fact["is_on"] for fact in facts] == ["yes", "no"]


def test_switched_on_today_the_first_go_by_themselves_on_the_next_school_day(
    world: World,
) -> None:
    head = world.on()
    world.somebody("Sam Ostler")
    with world.database.transaction() as session:
        session.execute(update(ReminderSettings).values(planned_on=None, is_on=False))
        kept.change(
            session,
            school=CATALOGUE.schools[HEMSWELL],
            values={"is_on": True},
            by=head.person_id,
            now=world.clock(),
        )
    assert world.run() == 0
    world.next_morning()
    assert world.run() == 1


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


def test_sending_now_sends_what_was_seen(world: World) -> None:
    head = world.on()
    world.somebody("Sam Ostler")
    school = CATALOGUE.schools[HEMSWELL]

    def look(act: Callable[[Any], Any]) -> Any:
        with world.database.transaction() as session:
            return act(session)

    given: dict[str, Any] = {"school": school, "has_server": True, "now": world.clock()}
    seen = look(lambda session: batches.outlook(session, **given)).fingerprint
    world.somebody("Ada Later")
    with pytest.raises(ToolError, match="reminders-changed"):
        look(lambda s: batches.send_now(s, seen=seen, by=head.person_id, **given))
    seen = look(lambda session: batches.outlook(session, **given)).fingerprint
    assert look(lambda s: batches.send_now(s, seen=seen, by=head.person_id, **given)) == 2
    with pytest.raises(ToolError, match="reminders-changed"):
        look(lambda s: batches.send_now(s, seen=seen, by=head.person_id, **given))
    assert world.entries("reminders-begun")[0]["facts"]["by"] == "manager"
    given["now"] = MONDAY.replace(hour=20)
    with pytest.raises(ToolError, match="reminders-shut"):
        look(lambda s: batches.send_now(s, seen=seen, by=head.person_id, **given))
    with world.database.reading() as session:
        assert session.scalars(select(ReminderBatch)).one().asked_by == head.person_id
    with world.app.app_context():
        assert delivery.send_due(world.post) == 2
