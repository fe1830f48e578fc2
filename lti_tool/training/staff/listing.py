"""A school's people, as those who look after them see them: each human once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.people.memberships import has_left, is_counted
from lti_tool.people.models import Absence, Membership, Person

PAGE: Final = 50
SHOWN: Final = ("counted", "away", "leaving", "left", "waiting", "all")


@dataclass(frozen=True)
class Line:
    """Somebody in the list."""

    membership_id: UUID
    name: str
    reference: str
    email: str
    role_group: str
    site: str
    payroll_number: str
    starts_on: date | None
    ends_on: date | None
    standing: str
    """counted, waiting (to be confirmed) or left."""
    is_away: bool

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


def page(
    session: Session, *, school_id: str, q: str, show: str, number: int, today: date
) -> tuple[list[Line], int]:
    """One page of the list, and how many it has. Raises ``ToolError`` page-not-found."""
    asked = _people(school_id, today).where(*_conditions(q, show, today))
    rows = session.execute(asked.limit(PAGE).offset((number - 1) * PAGE)).all()
    if not rows and number > 1:
        raise ToolError("page-not-found")
    lines = [
        Line(
            **{name: value for name, value in row._asdict().items() if name not in _OURS},
            reference=Person(id=row.person_id).reference,
        )
        for row in rows
    ]
    return lines, rows[0].total if rows else 0


_OURS: Final = frozenset(("person_id", "total"))


def _people(school_id: str, today: date) -> Select[*tuple[Any, ...]]:
    standing = case((has_left(today), "left"), (is_counted(today), "counted"), else_="waiting")
    return (
        select(
            Membership.id.label("membership_id"),
            Person.id.label("person_id"),
            Person.name,
            Person.email,
            Membership.role_group,
            Membership.site,
            Membership.payroll_number,
            Membership.starts_on,
            Membership.ends_on,
            standing.label("standing"),
            is_away(today).label("is_away"),
            func.count().over().label("total"),
        )
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.school_id == school_id, Person.one_with.is_(None))
        .order_by(Person.name == "", func.lower(Person.name), Person.id)
    )


def is_away(today: date) -> ColumnElement[bool]:
    """Whether the statement's member, or who is one with them, is away that day."""
    own = aliased(Person)
    return (
        exists()
        .where(
            Absence.school_id == Membership.school_id,
            Absence.person_id == own.id,
            or_(own.id == Membership.person_id, own.one_with == Membership.person_id),
            Absence.removed_at.is_(None),
            Absence.starts_on <= today,
            or_(Absence.ends_on.is_(None), Absence.ends_on >= today),
        )
        .correlate(Membership)
    )


def _conditions(q: str, show: str, today: date) -> Iterator[ColumnElement[bool]]:
    if q:
        yield or_(
            Person.name.icontains(q, autoescape=True),
            Person.email.icontains(q, autoescape=True),
            Membership.payroll_number == q,
        )
    if show == "waiting":
        yield and_(Membership.confirmed_at.is_(None), ~has_left(today))
    elif show == "left":
        yield has_left(today)
    elif show != "all":
        yield is_counted(today)
    if show == "away":
        yield is_away(today)
    if show == "leaving":
        yield Membership.ends_on.is_not(None)
