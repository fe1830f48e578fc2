"""Who hears of what they owe, how often, and when from nobody any more."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lti_tool.core.errors import ToolError
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.training.reminders import batches, delivery
from lti_tool.training.reminders import settings as kept
from lti_tool.training.reminders.models import ReminderBatch, ReminderSettings
from tests.factories.registers import CATALOGUE, GLENMERE, HEMSWELL
from tests.integration.training.reminders.conftest import MONDAY, World


def test_a_whole_term(world: World) -> None:
    """Overdue people hear once a week, not in the holidays; those who are done hear nothing."""
    world.on()
    world.somebody("Sam Ostler", due_on=date(2026, 10, 1))
    done = world.somebody("Dona Done", due_on=date(2026, 10, 1))
    world.done(done, date(2026, 10, 2))
    world.half_term()
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
    world.done(sam, date(2026, 10, 5))
    world.server.mail_from = ""
    world.clock.move(hours=1)
    assert world.run() == 0
    assert world.server.taken == []
    (row,) = world.reminders()
    assert (row.state, row.reason) == ("dropped", "nothing-owed")
    assert world.entries("reminders-ended")[0]["facts"]["outcomes"] == {"dropped": 1}


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
