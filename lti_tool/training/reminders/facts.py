"""Loads what the planner needs of one school, in a handful of statements whatever its size."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.config import is_mail_address
from lti_tool.people.models import Absence, Grant, Membership, Person
from lti_tool.training.cycles.calendars import holidays
from lti_tool.training.cycles.facts import root_id
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import DONE, INDUCTION, OPEN
from lti_tool.training.models import Journey
from lti_tool.training.reminders import planning
from lti_tool.training.reminders.models import (
    DROPPED,
    GIVEN_UP,
    PERHAPS,
    REFUSED,
    SENT,
    Reminder,
    ReminderSettings,
)
from lti_tool.training.reminders.planning import WEEK, Duty, Figures, Reader, Terms

_went_on: Final = func.coalesce(Reminder.tried_on, Reminder.day)
"""The day of a mail: the one it was planned for, until it has gone."""


def terms(session: Session, settings: ReminderSettings) -> Terms:
    """A school's settings and holidays, as the planner takes them."""
    closed = holidays(session, school_id=settings.school_id)
    return Terms(
        is_on=settings.is_on,
        quiet_from=settings.quiet_from,
        quiet_until=settings.quiet_until,
        has_digest=settings.has_digest,
        digest_weekday=settings.digest_weekday,
        holidays=tuple((one.name, one.starts_on, one.ends_on) for one in closed),
    )


@dataclass(frozen=True)
class Narrowed:
    """To whose rows the facts are kept: a whole school's, or one person's there."""

    school_id: str
    person_id: UUID | None = None

    def __call__(self, statement: Select[*tuple[Any, ...]], table: Any) -> Select[Any]:
        """``statement`` of this school's rows of ``table``, joined with their person."""
        narrowed = (
            statement.select_from(table)
            .join(Person, Person.id == table.person_id)
            .where(table.school_id == self.school_id)
        )
        if self.person_id is not None:
            who = self.person_id
            narrowed = narrowed.where(or_(Person.id == who, Person.one_with == who))
        return narrowed


def load(
    session: Session,
    *,
    school_id: str,
    today: date,
    person_id: UUID | None = None,
    apart_from: UUID | None = None,
) -> list[Reader]:
    """Everybody who is or was at a school, by name; or one of them.

    Identities that were joined are one reader, under the id of the person they turned out to be.
    ``apart_from`` is a mail that does not count as sent.
    """
    of = Narrowed(school_id, person_id)
    members: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in session.execute(_members(of)):
        members[row.root].append(row)
    away = set(session.scalars(_away(of, today)))
    managers = set(session.scalars(of(select(root_id), Grant).where(Grant.revoked_at.is_(None))))
    duties, languages = _duties(session, of)
    mailed = {row.root: row for row in session.execute(_mailed(of, apart_from))}
    own = {root: row.mailed_on for root, row in mailed.items()}
    elsewhere = _mailed_elsewhere(session, of, today)
    readers = [
        Reader(
            person_id=root,
            name=next((row.name for row in rows if row.name), ""),
            address=next((row.email for row in rows if is_mail_address(row.email)), ""),
            language=languages.get(root, "en"),
            standing=_standing(rows, today, is_away=root in away),
            duties=tuple(duties.get(root, ())),
            is_manager=root in managers,
            mailed_on=max(
                (one for one in (own.get(root), elsewhere.get(root)) if one), default=None
            ),
            told_at=mailed[root].told_at if root in mailed else None,
        )
        for root, rows in members.items()
    ]
    return sorted(readers, key=lambda one: (not one.name, one.name.casefold(), one.person_id))


def figures(session: Session, readers: Iterable[Reader], *, school_id: str, today: date) -> Figures:
    """How a school's people stand, and what happened in the last seven days."""
    since = today - WEEK
    finished = select(func.count()).where(
        Obligation.school_id == school_id,
        Obligation.outcome == DONE,
        Obligation.ended_on > since,
    )
    failed = select(func.count()).where(
        Reminder.school_id == school_id,
        Reminder.state.in_((REFUSED, GIVEN_UP)),
        Reminder.day > since,
    )
    return planning.figures(
        readers,
        today=today,
        finished=session.scalars(finished).one(),
        failed=session.scalars(failed).one(),
    )


def _members(of: Narrowed) -> Select[Any]:
    columns = select(
        root_id.label("root"),
        Person.name,
        Person.email,
        Membership.confirmed_at,
        Membership.left_at,
        Membership.ends_on,
    )
    # Whoever the others turned out to be comes first: theirs are the name and address that hold.
    return of(columns, Membership).order_by(Person.one_with.is_not(None), Person.id)


def _standing(rows: Iterable[Row[*tuple[Any, ...]]], today: date, *, is_away: bool) -> str:
    here = [
        row for row in rows if row.left_at is None and (row.ends_on is None or row.ends_on >= today)
    ]
    if not here:
        return "left"
    if all(row.confirmed_at is None for row in here):
        return "waiting"
    return "away" if is_away else "counted"


def _away(of: Narrowed, today: date) -> Select[Any]:
    return of(select(root_id), Absence).where(
        Absence.removed_at.is_(None),
        Absence.starts_on <= today,
        or_(Absence.ends_on.is_(None), Absence.ends_on >= today),
    )


def _duties(session: Session, of: Narrowed) -> tuple[dict[UUID, list[Duty]], dict[UUID, str]]:
    """What is still open, by person; and the language in which each trained last."""
    journeys = of(select(root_id, Journey.module, Journey.cycle, Journey.language), Journey)
    begun: set[tuple[UUID, str, str]] = set()
    languages: dict[UUID, str] = {}
    for root, module, cycle, language, completed_at in session.execute(
        journeys.add_columns(Journey.completed_at).order_by(Journey.started_at)
    ):
        languages[root] = language
        if completed_at is None:
            # An induction that is not finished goes on in the next year.
            begun.add((root, module, cycle if module != INDUCTION else ""))
    duties: dict[UUID, list[Duty]] = defaultdict(list)
    owed = of(select(root_id.label("root"), Obligation), Obligation).where(
        Obligation.outcome == OPEN
    )
    for root, row in session.execute(owed):
        duties[root].append(
            Duty(
                module=row.module,
                cycle=row.cycle,
                opens_on=row.opens_on,
                due_on=row.due_on,
                since=row.created_at,
                is_begun=(root, row.module, row.cycle if row.module != INDUCTION else "") in begun,
                reason=row.reason,
            )
        )
    return duties, languages


def _mailed(of: Narrowed, apart_from: UUID | None) -> Select[Any]:
    """When each was mailed last, whatever became of it, and when perhaps with success."""
    arrived = case((Reminder.state.in_((SENT, PERHAPS)), Reminder.tried_at))
    statement = of(
        select(
            root_id.label("root"),
            func.max(_went_on).label("mailed_on"),
            func.max(arrived).label("told_at"),
        ),
        Reminder,
    ).where(Reminder.state != DROPPED)
    if apart_from is not None:
        statement = statement.where(Reminder.id != apart_from)
    return statement.group_by(root_id)


def _mailed_elsewhere(session: Session, of: Narrowed, today: date) -> dict[UUID, date]:
    """On which of the last days another school wrote to each who is also at this one. That it
    wrote is all that is asked: which school, and what about, stays there.

    Asked of the person themselves and of who is one with them apart: in one question, a database
    goes through everybody there is.
    """
    same = aliased(Person)
    of_people = of(select(root_id, func.max(_went_on)), Membership)
    found: dict[UUID, date] = {}
    for joined in (
        of_people.join(Reminder, Reminder.person_id == root_id),
        of_people.join(same, same.one_with == root_id).join(
            Reminder, Reminder.person_id == same.id
        ),
    ):
        statement = joined.where(
            Reminder.school_id != of.school_id,
            Reminder.state != DROPPED,
            _went_on > today - WEEK,
        )
        for root, day in session.execute(statement.group_by(root_id)):
            found[root] = max(day, found.get(root, day))
    return found
