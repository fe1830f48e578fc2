"""The facts that decide who owes what, read in bulk: one statement a table, whole schools or few.

Persons known to be one (``Person.one_with``) are one person here, under the id of the one they
turned out to be.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from lti_tool.people.joins import families
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.policies.policy import School
from lti_tool.training.cycles.calendars import terms_of
from lti_tool.training.cycles.models import Cycle, DueDateMove, Obligation, PolicyOpening
from lti_tool.training.cycles.owing import Done, Key, Opened, Owed, Standing, Terms, Window
from lti_tool.training.models import Completion
from lti_tool.ui.format import local

MOST_NAMED: Final = 1000
"""More people than this are not named one by one: the whole school is read."""
CYCLES_BACK: Final = 2

root_id: Final[ColumnElement[UUID]] = func.coalesce(Person.one_with, Person.id)
"""The person whom a row of ``person`` turned out to be."""


@dataclass(frozen=True)
class Held:
    """An obligation's row, as it is kept."""

    id: UUID
    person_id: UUID
    owed: Owed


@dataclass(frozen=True)
class Facts:
    """Everything that decides what a school's people owe."""

    school_id: str
    terms: Terms
    cycles: tuple[Window, ...]
    openings: tuple[Opened, ...]
    standings: Mapping[UUID, Standing]
    held: Mapping[UUID, Sequence[Held]]
    """By the person who owes."""


def read_facts(
    session: Session, *, school: School, now: datetime, person_ids: Collection[UUID] | None = None
) -> Facts:
    """The facts of a school, or of some people there and those they are one with.

    Of its cycles the last two: older ones are history, and stay as they ended.
    """
    among = _group(session, person_ids)
    held = _held(session, school.id, among)
    return Facts(
        school_id=school.id,
        terms=terms_of(session, school=school, now=now),
        cycles=read_cycles(session, school_id=school.id)[-CYCLES_BACK:],
        openings=read_openings(session, school_id=school.id),
        standings=_standings(session, school.id, among, held, local(now).date()),
        held=held,
    )


def read_cycles(session: Session, *, school_id: str) -> tuple[Window, ...]:
    """The annual refreshes that were opened, oldest first."""
    rows = session.execute(
        select(Cycle.name, Cycle.opens_on, Cycle.closes_on)
        .where(Cycle.school_id == school_id)
        .order_by(Cycle.opens_on, Cycle.name)
    )
    return tuple(Window(*row) for row in rows)


def read_openings(session: Session, *, school_id: str) -> tuple[Opened, ...]:
    """The policy versions that came into use, in that order."""
    rows = session.execute(
        select(
            PolicyOpening.number,
            PolicyOpening.weight,
            PolicyOpening.opened_on,
            PolicyOpening.binds,
            PolicyOpening.due_on,
        )
        .where(PolicyOpening.school_id == school_id)
        .order_by(PolicyOpening.opened_at, PolicyOpening.id)
    )
    return tuple(Opened(number, weight, on, frozenset(binds), due)
                 for number, weight, on, binds, due in rows)  # fmt: skip


def _group(session: Session, person_ids: Collection[UUID] | None) -> Collection[UUID] | None:
    """These people and whoever is one with any of them; None for everybody."""
    if person_ids is None or len(person_ids) > MOST_NAMED:
        return None
    return list(families(session, person_ids))


def _of(
    statement: Select[*tuple[Any, ...]], person: Any, among: Collection[UUID] | None
) -> Select[*tuple[Any, ...]]:
    return statement if among is None else statement.where(person.in_(among))


def _held(
    session: Session, school_id: str, among: Collection[UUID] | None
) -> dict[UUID, list[Held]]:
    columns = (
        Obligation.id, Obligation.person_id, Obligation.module, Obligation.cycle,
        Obligation.opens_on, Obligation.due_on, Obligation.reason, Obligation.outcome,
        Obligation.ended_on, Obligation.completion_id,
    )  # fmt: skip
    asked = select(*columns).where(Obligation.school_id == school_id)
    found = defaultdict(list)
    for id, person_id, *rest in session.execute(_of(asked, Obligation.person_id, among)):
        found[person_id].append(Held(id, person_id, Owed(*rest)))
    return dict(found)


def _standings(
    session: Session,
    school_id: str,
    among: Collection[UUID] | None,
    held: Mapping[UUID, Sequence[Held]],
    today: date,
) -> dict[UUID, Standing]:
    members = _by_person(
        session,
        _of(
            select(
                root_id, Membership.role_group, Membership.starts_on, Membership.ends_on,
                Membership.confirmed_at, Membership.left_at, Person.one_with,
            )
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.school_id == school_id),
            Membership.person_id,
            among,
        ),
    )  # fmt: skip
    away = _by_person(
        session,
        _of(
            select(root_id, Absence.starts_on, Absence.ends_on)
            .join(Person, Person.id == Absence.person_id)
            .where(Absence.school_id == school_id, Absence.removed_at.is_(None)),
            Absence.person_id,
            among,
        ),
    )
    done = _by_person(
        session,
        _of(
            select(
                root_id, Completion.id, Completion.module, Completion.cycle,
                Completion.completed_at, Completion.policy_number,
            )
            .join(Person, Person.id == Completion.person_id)
            .where(Completion.school_id == school_id, Completion.withdrawn_at.is_(None)),
            Completion.person_id,
            among,
        ),
    )  # fmt: skip
    moved = _moves(session, school_id, among)
    return {
        person_id: replace(
            _member(rows, today),
            away=frozenset((row.starts_on, row.ends_on) for row in away.get(person_id, ())),
            done=frozenset(
                Done(row.id, row.module, row.cycle, local(row.completed_at).date(),
                     row.policy_number)
                for row in done.get(person_id, ())
            ),
            moved=moved.get(person_id, {}),
            held=frozenset(one.owed.key for one in held.get(person_id, ())),
        )
        for person_id, rows in members.items()
    }  # fmt: skip


def _by_person(
    session: Session, statement: Select[*tuple[Any, ...]]
) -> Mapping[UUID, list[Row[*tuple[Any, ...]]]]:
    found = defaultdict(list)
    for row in session.execute(statement):
        found[row[0]].append(row)
    return found


def _member(rows: Sequence[Row[*tuple[Any, ...]]], today: date) -> Standing:
    """What a person is here by their own membership, which holds what joins brought; without one,
    by all of those they are one with, and they have left once they have left all that counted."""
    rows = [row for row in rows if row.one_with is None] or rows
    counted = [row for row in rows if row.confirmed_at is not None]
    last_days = [_last_day(row, today) for row in counted]
    return Standing(
        role_group=next((row.role_group for row in rows if row.role_group), ""),
        counted_on=min((local(row.confirmed_at).date() for row in counted), default=None),
        starts_on=min((row.starts_on for row in rows if row.starts_on), default=None),
        left_on=max((day for day in last_days if day), default=None) if all(last_days) else None,
    )


def _last_day(row: Row[*tuple[Any, ...]], today: date) -> date | None:
    """The day somebody left, if they have."""
    days: list[date] = []
    if row.left_at is not None:
        days.append(local(row.left_at).date())
    if row.ends_on is not None and row.ends_on < today:
        days.append(row.ends_on)
    return min(days, default=None)


def _moves(
    session: Session, school_id: str, among: Collection[UUID] | None
) -> dict[UUID, dict[Key, date]]:
    asked = (
        select(Obligation.person_id, Obligation.module, Obligation.cycle, DueDateMove.to_on)
        .join(Obligation, Obligation.id == DueDateMove.obligation_id)
        .where(DueDateMove.school_id == school_id)
        .order_by(DueDateMove.moved_at, DueDateMove.id)
    )
    found: dict[UUID, dict[Key, date]] = defaultdict(dict)
    for person_id, module, cycle, to_on in session.execute(_of(asked, Obligation.person_id, among)):
        found[person_id][module, cycle] = to_on
    return dict(found)


def everybody(facts: Facts) -> Iterable[UUID]:
    """All who owe, owed or may owe."""
    return {*facts.standings, *facts.held}
