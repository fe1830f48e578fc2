"""Obligations on a real database: settled, ended, joined, counted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.training.cycles import opening
from lti_tool.training.cycles.models import Calendar, DueDateMove, Obligation
from lti_tool.training.cycles.owing import Owed, state_of
from lti_tool.training.cycles.settling import is_settled, settle
from lti_tool.training.cycles.states import has_begun, is_away, state
from lti_tool.training.models import Completion, Declaration, Journey
from lti_tool.ui.format import local
from tests.factories.little_school import little_school

SCHOOL = replace(little_school().schools["little-school"])
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
OPENS = datetime(2026, 9, 1, 5, 0, tzinfo=UTC)


@pytest.fixture
def school(database: Database) -> Database:
    with database.transaction() as session:
        session.add(Calendar(school_id=SCHOOL.id, began_on=date(2026, 6, 1), changed_at=BEGAN))
    return database


def person(database: Database, **given: Any) -> UUID:
    """Somebody whom the school counts; ``given`` are values of the membership."""
    one = Person(id=new_id(), name="P", created_at=BEGAN)
    values = {"role_group": "teaching", "created_at": BEGAN, "confirmed_at": BEGAN} | given
    with database.transaction() as session:
        session.add(one)
        session.flush()
        session.add(Membership(school_id=SCHOOL.id, person_id=one.id, **values))
    return one.id


def began(database: Database, who: UUID, module: str, cycle: str) -> UUID:
    journey = Journey(
        id=new_id(), school_id=SCHOOL.id, person_id=who, module=module, cycle=cycle,
        policy_number="2026-03", policy_sha256="0" * 64, role_group="teaching", language="en",
        started_at=BEGAN,
    )  # fmt: skip
    with database.transaction() as session:
        session.add(journey)
    return journey.id


def completed(database: Database, who: UUID, module: str, cycle: str, at: datetime) -> UUID:
    journey_id = began(database, who, module, cycle)
    declaration = Declaration(
        id=new_id(), school_id=SCHOOL.id, person_id=who, journey_id=journey_id, printed_name="P",
        text="T", language="en", policy_number="2026-03", policy_sha256="0" * 64,
        document_sha256="", signed_at=at, method="online",
    )  # fmt: skip
    completion = Completion(
        id=new_id(), school_id=SCHOOL.id, person_id=who, journey_id=journey_id,
        declaration_id=declaration.id, record_id=new_id(), module=module, cycle=cycle, score=90,
        first_score=90, pass_mark=80, policy_number="2026-03", completed_at=at,
    )  # fmt: skip
    with database.transaction() as session:
        session.get_one(Journey, journey_id).completed_at = at
        session.add(declaration)
        session.flush()
        session.add(completion)
    return completion.id


def away(database: Database, who: UUID, first: date, last: date | None) -> None:
    with database.transaction() as session:
        session.add(
            Absence(
                school_id=SCHOOL.id, person_id=who, starts_on=first, ends_on=last, entered_at=BEGAN
            )
        )


def settled(database: Database, now: datetime, *who: UUID) -> Counter[str]:
    with database.transaction() as session:
        return settle(session, school=SCHOOL, now=now, person_ids=who or None)


def opened(database: Database, now: datetime = OPENS) -> opening.Opening | None:
    with database.transaction() as session:
        return opening.open_due(session, school=SCHOOL, now=now)


def owing(database: Database) -> dict[UUID, list[tuple[str, str, str]]]:
    with database.reading() as session:
        found: dict[UUID, list[tuple[str, str, str]]] = {}
        for one in session.scalars(
            select(Obligation).order_by(Obligation.module, Obligation.cycle)
        ):
            found.setdefault(one.person_id, []).append((one.module, one.cycle, one.outcome))
        return found


def test_a_cycle_opens_on_its_set_date_once_and_everybody_there_owes_it(school: Database) -> None:
    old = person(school)
    new = person(school, starts_on=date(2026, 8, 27))
    person(school, confirmed_at=None)
    gone = person(school, left_at=BEGAN)
    assert opened(school, OPENS - timedelta(days=1)) is None
    made = opened(school)
    assert made is not None
    assert made.people == 1  # the other owes the induction
    assert opened(school) is None
    assert owing(school) == {
        old: [("annual-refresh", "2026-27", "")],
        new: [("induction", "2025-26", "")],
    }
    assert gone not in owing(school)
    with school.reading() as session:
        assert ledger.verify(session, school_id=SCHOOL.id) == (1, None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_hour_after_midnight_belongs_to_the_new_day_also_where_the_clocks_change(
    school: Database,
) -> None:
    """A refresh that opens on the day on which the clocks go back, and closes on the one on which
    they go forward. In summer time half past midnight is still yesterday by UTC."""
    with school.transaction() as session:
        calendar = session.scalars(select(Calendar)).one()
        calendar.opens_month, calendar.opens_day = 10, 25
        calendar.closes_month, calendar.closes_day = 3, 28
    early, late, new = person(school), person(school), person(school, starts_on=date(2027, 3, 29))

    def at(day: int, month: int, hour: int) -> datetime:
        return datetime(2027 if month == 3 else 2026, month, day, hour, 30, tzinfo=UTC)

    assert opened(school, at(24, 10, 22)) is None, "23.30 on the day before"
    made = opened(school, at(24, 10, 23))
    assert made is not None, "00.30 on the day"
    assert made.people == 2
    completed(school, early, "annual-refresh", "2026-27", at(24, 10, 23))
    settled(school, at(25, 10, 23))
    with school.reading() as session:
        rows = {one.person_id: one for one in session.scalars(select(Obligation))}
        assert (rows[early].outcome, rows[early].ended_on) == ("done", date(2026, 10, 25))
        assert (rows[late].outcome, rows[late].due_on) == ("", date(2027, 3, 28))
    for hour, states in ((22, ("due", "not-due")), (23, ("overdue", "due"))):
        settled(school, at(28, 3, hour))
        today = state(local(at(28, 3, hour)).date(), schools=[SCHOOL.id])
        with school.reading() as session:
            found = {
                one: session.scalars(select(today).where(Obligation.person_id == one)).one()
                for one in (late, new)
            }
        assert found == dict(zip((late, new), states, strict=True))
    for who in (early, late):
        assert len(owing(school)[who]) == 1


def test_settling_again_writes_nothing(school: Database) -> None:
    who = person(school)
    opened(school)
    assert settled(school, OPENS) == Counter()
    with school.reading() as session:
        assert is_settled(session, school=SCHOOL, person_id=who, now=OPENS)
        later = OPENS + timedelta(days=400)
        assert is_settled(session, school=SCHOOL, person_id=who, now=later)


def test_completing_ends_what_was_owed_and_nothing_undoes_it(school: Database) -> None:
    who = person(school)
    opened(school)
    done = completed(school, who, "annual-refresh", "2026-27", OPENS)
    assert settled(school, OPENS, who) == {"done": 1}
    with school.transaction() as session:
        member = session.scalars(select(Membership)).one()
        member.starts_on, member.confirmed_at = date(2026, 8, 30), OPENS
        calendar = session.scalars(select(Calendar)).one()
        calendar.closes_month, calendar.grace_days = 12, 0
    settled(school, OPENS + timedelta(days=3))
    with school.reading() as session:
        row = session.scalars(select(Obligation)).one()
        assert (row.outcome, row.completion_id) == ("done", done)
        assert row.due_on == date(2026, 10, 31)


def test_who_leaves_leaves_it_incomplete_which_is_recorded_and_may_come_back(
    school: Database,
) -> None:
    who = person(school)
    opened(school)
    with school.transaction() as session:
        session.scalars(select(Membership)).one().left_at = OPENS + timedelta(days=2)
    assert settled(school, OPENS + timedelta(days=2)) == {"left-incomplete": 1}
    assert settled(school, OPENS + timedelta(days=9)) == Counter()
    with school.reading() as session:
        kinds = select(ledger.LedgerEntry.kind).order_by(ledger.LedgerEntry.sequence)
        assert session.scalars(kinds).all() == ["cycle-opened", "obligation-left-incomplete"]
    with school.transaction() as session:
        session.scalars(select(Membership)).one().left_at = None
    assert settled(school, OPENS + timedelta(days=10)) == {"open": 1}
    assert owing(school) == {who: [("annual-refresh", "2026-27", "")]}


def test_persons_joined_count_as_one_and_can_be_parted_again(school: Database) -> None:
    root, other = person(school), person(school, role_group="")
    opened(school)
    completed(school, other, "annual-refresh", "2026-27", OPENS)
    settled(school, OPENS)
    join(school, other, root)
    settled(school, OPENS, other)
    assert owing(school) == {
        root: [("annual-refresh", "2026-27", "done")],
        other: [("annual-refresh", "2026-27", "done")],
    }
    join(school, other, None)
    settled(school, OPENS, other, root)
    assert owing(school) == {
        root: [("annual-refresh", "2026-27", "")],
        other: [("annual-refresh", "2026-27", "done")],
    }


def test_what_the_joined_person_owed_is_owed_once(school: Database) -> None:
    root, other = person(school), person(school)
    opened(school)
    join(school, other, root)
    settled(school, OPENS, other)
    assert owing(school)[other] == [("annual-refresh", "2026-27", "withdrawn")]
    join(school, other, None)
    settled(school, OPENS, other)
    assert owing(school)[other] == [("annual-refresh", "2026-27", "")]


def join(database: Database, other: UUID, root: UUID | None) -> None:
    with database.transaction() as session:
        session.get_one(Person, other).one_with = root


def test_the_next_cycle_takes_the_place_of_the_last(school: Database) -> None:
    who = person(school)
    opened(school)
    opened(school, OPENS + timedelta(days=365))
    assert owing(school) == {
        who: [("annual-refresh", "2026-27", "lapsed"), ("annual-refresh", "2027-28", "")]
    }


def test_the_state_in_sql_is_the_state_in_python(school: Database) -> None:
    people = {
        "due": person(school),
        "in-progress": person(school),
        "away": person(school),
        "back": person(school),
        "done": person(school),
        "left": person(school),
        "new": person(school, starts_on=date(2026, 8, 27)),
        "new, began last year": person(school, starts_on=date(2026, 8, 27)),
        "starts later": person(school, starts_on=date(2026, 11, 2)),
        "one with the next": person(school),
        "another": person(school),
    }
    away(school, people["away"], date(2026, 9, 1), None)
    away(school, people["back"], date(2026, 7, 1), date(2026, 9, 4))
    began(school, people["in-progress"], "annual-refresh", "2026-27")
    began(school, people["due"], "annual-refresh", "2025-26")
    began(school, people["new, began last year"], "induction", "2024-25")
    join(school, people["another"], people["one with the next"])
    away(school, people["another"], date(2026, 9, 1), date(2026, 9, 2))
    began(school, people["another"], "annual-refresh", "2026-27")
    opened(school)
    completed(school, people["done"], "annual-refresh", "2026-27", OPENS)
    with school.transaction() as session:
        member = select(Membership).where(Membership.person_id == people["left"])
        session.scalars(member).one().left_at = OPENS
    settled(school, OPENS)
    seen = set()
    for today in (date(2026, 9, 2), date(2026, 9, 7), date(2026, 11, 2)):
        for said, worked_out in both(school, today):
            assert said == worked_out
            seen.add(said)
    assert seen == {"not-due", "due", "in-progress", "done", "overdue", "paused", "left-incomplete"}
    settled(school, OPENS + timedelta(days=365))
    opened(school, OPENS + timedelta(days=365))
    for said, worked_out in both(school, date(2027, 9, 2)):
        assert said == worked_out


def both(database: Database, today: date) -> list[tuple[str, str]]:
    with database.reading() as session:
        rows = session.execute(
            select(Obligation, state(today, schools=None), is_away(today), has_begun())
        ).all()
    return [
        (
            said,
            state_of(
                Owed(
                    one.module, one.cycle, one.opens_on, one.due_on, one.reason, one.outcome,
                    one.ended_on, one.completion_id,
                ),
                is_away=is_off,
                has_begun=is_on,
                today=today,
            ),
        )
        for one, said, is_off, is_on in rows
    ]  # fmt: skip


def test_two_workers_open_a_cycle_once(school: Database) -> None:
    for _ in range(20):
        person(school)
    ready = Barrier(2)

    def work(_: int) -> opening.Opening | None:
        ready.wait()
        return opened(school)

    with ThreadPoolExecutor(2) as workers:
        made = [one for one in workers.map(work, range(2)) if one is not None]
    assert [one.people for one in made] == [20]
    assert len(owing(school)) == 20


def test_who_completes_while_the_school_is_settled_has_done_it(school: Database) -> None:
    people = [person(school) for _ in range(20)]
    opened(school)
    ready = Barrier(3)

    def settle_school(_: int) -> None:
        ready.wait()
        settled(school, OPENS + timedelta(days=1))

    def complete_all(_: int) -> None:
        ready.wait()
        for who in people:
            completed(school, who, "annual-refresh", "2026-27", OPENS)
            settled(school, OPENS + timedelta(days=1), who)

    with ThreadPoolExecutor(3) as workers:
        acts = [workers.submit(act, 0) for act in (settle_school, complete_all, settle_school)]
        for one in acts:
            one.result()
    assert set(owing(school)) == set(people)
    assert {one for found in owing(school).values() for one in found} == {
        ("annual-refresh", "2026-27", "done")
    }


def test_a_date_that_a_manager_moved_stays_moved(school: Database) -> None:
    who = person(school)
    opened(school)
    with school.transaction() as session:
        row = session.scalars(select(Obligation)).one()
        for to_on in (date(2026, 12, 1), date(2026, 12, 4)):
            session.add(
                DueDateMove(
                    school_id=SCHOOL.id, obligation_id=row.id, from_on=row.due_on, to_on=to_on,
                    reason="Jury service", moved_at=OPENS + timedelta(days=to_on.day),
                    moved_by=who,
                )
            )  # fmt: skip
        session.flush()
        assert settle(session, school=SCHOOL, now=OPENS, person_ids=[who]) == {"open": 1}
        assert row.due_on == date(2026, 12, 4)  # the row that the session held is read anew
    assert settled(school, OPENS + timedelta(days=9)) == Counter()
    completed(school, who, "annual-refresh", "2026-27", OPENS)
    settled(school, OPENS + timedelta(days=9))
    with school.reading() as session:
        row = session.scalars(select(Obligation)).one()
        assert (row.outcome, row.due_on) == ("done", date(2026, 12, 4))
        assert row.reason["moved_from"] == "2026-10-31"
