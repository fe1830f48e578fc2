"""Who is overdue or due soon, by how long, and why then: the list a manager works through."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, and_, func, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import OPEN
from lti_tool.training.cycles.states import state
from lti_tool.training.reminders.models import PERHAPS, SENT, Reminder

SOON: Final = timedelta(days=14)
PAGE: Final = 50
CHUNK: Final = 500


@dataclass(frozen=True)
class ChaseFilters:
    """Whom to show. An empty value leaves a filter out."""

    when: str = ""
    """overdue or soon; empty for both."""
    module: str = ""
    role_group: str = ""
    site: str = ""


@dataclass(frozen=True)
class Chased:
    """One thing that somebody owes and that is overdue or due soon."""

    obligation_id: UUID
    membership_id: UUID
    name: str
    reference: str
    email: str
    role_group: str
    site: str
    module: str
    cycle: str
    state: str
    due_on: date
    days: int
    """Until it is due; below zero once it is overdue."""
    reason: Mapping[str, Any]
    reminded_on: date | None

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


def page(
    session: Session, *, school_id: str, filters: ChaseFilters, number: int, today: date
) -> tuple[list[Chased], int]:
    """One page, the longest overdue first, and how many there are.

    Nobody who is away from work is on it. Raises ``ToolError`` page-not-found past the last page.
    """
    asked = _owed(school_id, filters, today).limit(PAGE).offset((number - 1) * PAGE)
    rows = session.execute(asked).all()
    if not rows and number > 1:
        raise ToolError("page-not-found")
    return _lines(rows, today), rows[0].total if rows else 0


def stream(
    session: Session, *, school_id: str, filters: ChaseFilters, today: date
) -> tuple[int, Iterator[list[Chased]]]:
    """How many there are, and all of them in chunks, from one statement; the session must stay
    open until the last."""
    asked = _owed(school_id, filters, today).execution_options(yield_per=CHUNK)
    chunks = session.execute(asked).partitions()
    first = next(chunks, [])

    def lines() -> Iterator[list[Chased]]:
        yield _lines(first, today)
        for chunk in chunks:
            yield _lines(chunk, today)

    return (first[0].total if first else 0), lines()


def chosen(
    session: Session, *, school_id: str, obligation_ids: Sequence[UUID], today: date
) -> list[Chased]:
    """These open obligations, whatever their dates; those of another school are not among them."""
    asked = _columns(school_id, today).where(
        Obligation.id.in_(obligation_ids), Obligation.school_id == school_id
    )
    return _lines(session.execute(asked.order_by(Obligation.due_on, Obligation.id)).all(), today)


def _owed(school_id: str, filters: ChaseFilters, today: date) -> Select[*tuple[Any, ...]]:
    wanted = {"overdue": ("overdue",), "soon": ("due", "in-progress")}
    states = wanted.get(filters.when, ("overdue", "due", "in-progress"))
    asked = _columns(school_id, today).where(
        Obligation.school_id == school_id,
        Obligation.due_on <= today + SOON,
        state(today, schools=[school_id]).in_(states),
    )
    for column, value in (
        (Obligation.module, filters.module),
        (Membership.role_group, filters.role_group),
        (Membership.site, filters.site),
    ):
        if value:
            asked = asked.where(column == value)
    return asked.order_by(
        Obligation.due_on, Person.name == "", func.lower(Person.name), Obligation.id
    )


def _columns(school_id: str, today: date) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Obligation.id.label("obligation_id"),
            Obligation.module,
            Obligation.cycle,
            Obligation.due_on,
            Obligation.reason,
            state(today, schools=[school_id]).label("state"),
            Membership.id.label("membership_id"),
            Membership.role_group,
            Membership.site,
            Person.id.label("person_id"),
            Person.name,
            Person.email,
            _reminded_on().label("reminded_on"),
            func.count().over().label("total"),
        )
        .join(
            Membership,
            and_(
                Membership.school_id == Obligation.school_id,
                Membership.person_id == Obligation.person_id,
            ),
        )
        .join(Person, Person.id == Obligation.person_id)
        .where(Obligation.outcome == OPEN)
    )


def _reminded_on() -> ScalarSelect[date | None]:
    """When the person was last sent a reminder, or may have been; of whatever they owed then."""
    return (
        select(func.max(Reminder.tried_on))
        .where(
            Reminder.school_id == Obligation.school_id,
            Reminder.person_id == Obligation.person_id,
            Reminder.kind != "digest",
            Reminder.state.in_((SENT, PERHAPS)),
        )
        .scalar_subquery()
    )


def _lines(rows: Sequence[Row[*tuple[Any, ...]]], today: date) -> list[Chased]:
    return [
        Chased(
            obligation_id=row.obligation_id,
            membership_id=row.membership_id,
            name=row.name,
            reference=Person(id=row.person_id).reference,
            email=row.email,
            role_group=row.role_group,
            site=row.site,
            module=row.module,
            cycle=row.cycle,
            state=row.state,
            due_on=row.due_on,
            days=(row.due_on - today).days,
            reason=row.reason,
            reminded_on=row.reminded_on,
        )
        for row in rows
    ]
