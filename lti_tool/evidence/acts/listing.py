"""Who did what as a manager, and what concerned whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.evidence.acts.words import ACTS
from lti_tool.people.acts.models import Act, ActConcerns
from lti_tool.people.joins import everybody_who_is
from lti_tool.people.models import Membership, Person
from lti_tool.ui.format import LOCAL

PAGE: Final = 50
MOST_NAMED: Final = 3


@dataclass(frozen=True)
class Filters:
    """What of the log to show. An empty value leaves a filter out."""

    kind: str = ""
    actor: UUID | None = None
    member: UUID | None = None
    """The membership of the person whom it is to be about."""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Line:
    """One act."""

    at: datetime
    actor: str
    """The manager's name, or reference."""
    what: str
    names_everybody: bool
    concerns: Sequence[tuple[UUID | None, str]] = ()
    """The first few it was about: membership, where there is one, and name."""
    number: int = 0
    """How many it was about."""


def page(
    session: Session, *, school_id: str, filters: Filters, number: int
) -> tuple[list[Line], int]:
    """One page of a school's log, the latest first, and how many acts there are.

    Raises ``ToolError`` page-not-found past the last page.
    """
    wanted = list(_conditions(session, school_id, filters))
    total = session.scalar(select(func.count()).select_from(Act).where(*wanted)) or 0
    acts = session.execute(
        select(Act, Person)
        .join(Person, Person.id == Act.actor_id)
        .where(*wanted)
        .order_by(Act.at.desc(), Act.id.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    if not acts and number > 1:
        raise ToolError("page-not-found")
    named = _concerned(session, school_id, [act.id for act, _ in acts])
    return [
        Line(
            act.at,
            actor.name or actor.reference,
            act.what,
            act.names_everybody,
            named.get(act.id, [])[:MOST_NAMED],
            len(named.get(act.id, ())),
        )
        for act, actor in acts
    ], total


def actors(session: Session, *, school_id: str) -> list[tuple[UUID, str]]:
    """Everybody who did something at the school as a manager, by name."""
    found = session.scalars(
        select(Person)
        .where(Person.id.in_(select(Act.actor_id).where(Act.school_id == school_id)))
        .order_by(func.lower(Person.name), Person.id)
    )
    return [(one.id, one.name or one.reference) for one in found]


def of(session: Session, *, school_id: str, person_id: UUID, most: int = 0) -> list[Line]:
    """What concerned one person at a school, whichever identity it was about, the latest first;
    and every list with names that was taken away since they are known there."""
    known_since = (
        select(func.min(Membership.created_at))
        .where(
            Membership.school_id == school_id,
            Membership.person_id.in_(everybody_who_is(session, person_id)),
        )
        .scalar_subquery()
    )
    about = _is_about(session, school_id, person_id)
    asked = (
        select(Act, Person)
        .join(Person, Person.id == Act.actor_id)
        .where(
            Act.school_id == school_id,
            or_(about, Act.names_everybody & (Act.at >= known_since)),
        )
        .order_by(Act.at.desc(), Act.id.desc())
    )
    rows = session.execute(asked.limit(most) if most else asked)
    return [Line(act.at, actor.name, act.what, act.names_everybody) for act, actor in rows]


def _conditions(
    session: Session, school_id: str, filters: Filters
) -> Iterator[ColumnElement[bool]]:
    yield Act.school_id == school_id
    if filters.kind:
        yield Act.what.in_([what for what, one in ACTS.items() if one.kind == filters.kind])
    if filters.actor is not None:
        yield Act.actor_id == filters.actor
    if filters.member is not None:
        person_id = session.scalar(
            select(Membership.person_id).where(
                Membership.id == filters.member, Membership.school_id == school_id
            )
        )
        if person_id is None:
            raise ToolError("page-not-found")
        yield _is_about(session, school_id, person_id)
    if filters.since is not None:
        yield Act.at >= datetime.combine(filters.since, time(), LOCAL)
    if filters.until is not None:
        yield Act.at < datetime.combine(filters.until + timedelta(days=1), time(), LOCAL)


def _is_about(session: Session, school_id: str, person_id: UUID) -> ColumnElement[bool]:
    return Act.id.in_(
        select(ActConcerns.act_id).where(
            ActConcerns.school_id == school_id,
            ActConcerns.person_id.in_(everybody_who_is(session, person_id)),
        )
    )


def _concerned(
    session: Session, school_id: str, act_ids: Sequence[UUID]
) -> Mapping[UUID, list[tuple[UUID | None, str]]]:
    found: dict[UUID, list[tuple[UUID | None, str]]] = {}
    rows = session.execute(
        select(ActConcerns.act_id, Membership.id, Person)
        .join(Person, Person.id == ActConcerns.person_id)
        .outerjoin(
            Membership,
            (Membership.person_id == Person.id) & (Membership.school_id == school_id),
        )
        .where(ActConcerns.act_id.in_(act_ids))
        .order_by(func.lower(Person.name), Person.id)
    )
    for act_id, member_id, person in rows:
        found.setdefault(act_id, []).append((member_id, person.name or person.reference))
    return found
