"""The register: who at one school has done which training, and one person's record.

One statement a page, over membership, person, journey, completion and declaration. Every function
takes the school from the visit, so no address reaches another school's people.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.schemas import Filters
from lti_tool.lti.services.scores import Delivery, deliveries
from lti_tool.people.joins import everybody_who_is
from lti_tool.people.memberships import has_left
from lti_tool.people.models import Membership, Person
from lti_tool.training.models import Completion, Declaration, Journey

PAGE: Final = 50
CHUNK: Final = 500
REFERENCE_LETTERS: Final = 8


@dataclass(frozen=True)
class Line:
    """One person in the register, for one training in one school year."""

    membership_id: UUID
    name: str
    """Empty where the platform withheld it."""
    reference: str
    role_group: str
    site: str
    standing: str
    """counted, waiting (to be confirmed) or left."""
    left_at: datetime | None
    ends_on: date | None
    """The leaving date, to come or passed."""
    state: str
    score: int | None
    declared_at: datetime | None
    policy_number: str
    record_id: UUID | None
    delivery: Delivery | None

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


@dataclass(frozen=True)
class Counts:
    """How many of the school's own people stand where; ``waiting`` are not counted yet, ``left``
    no longer."""

    done: int
    in_progress: int
    not_started: int
    waiting: int
    left: int

    @property
    def people(self) -> int:
        return self.done + self.in_progress + self.not_started


@dataclass(frozen=True)
class Taken:
    """One journey of a person and what came of it. No answers and no sureness."""

    module: str
    cycle: str
    started_at: datetime
    completed_at: datetime | None
    declared_at: datetime | None
    score: int | None
    policy_number: str
    record_id: UUID | None
    sequence: int | None
    hash: str
    delivery: Delivery | None


@dataclass(frozen=True)
class Record:
    """Everything a manager may see of one person."""

    membership_id: UUID
    name: str
    reference: str
    role_group: str
    site: str
    arrived_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    starts_on: date | None
    ends_on: date | None
    taken: Sequence[Taken]

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


_state = case(
    (Completion.id.is_not(None), "done"), (Journey.id.is_not(None), "in-progress"),
    else_="not-started",
)  # fmt: skip


def _standing(today: date) -> ColumnElement[str]:
    return case(
        (has_left(today), "left"), (Membership.confirmed_at.is_(None), "waiting"), else_="counted"
    )


def count(session: Session, *, school_id: str, filters: Filters, today: date) -> Counts:
    """The school's figures for the filters' training and year, whatever else they hold."""
    statement = _joined(
        select(_standing(today).label("standing"), _state.label("state"), func.count()),
        school_id,
        filters,
    ).group_by("standing", "state")
    found: dict[tuple[str, str], int] = {
        (standing, state): number for standing, state, number in session.execute(statement)
    }

    def of(standing: str) -> int:
        return sum(number for (where, _), number in found.items() if where == standing)

    return Counts(
        done=found.get(("counted", "done"), 0),
        in_progress=found.get(("counted", "in-progress"), 0),
        not_started=found.get(("counted", "not-started"), 0),
        waiting=of("waiting"),
        left=of("left"),
    )


def cycles(session: Session, *, school_id: str, current: str) -> list[str]:
    """The school years that have anything to show, the current one among them, newest first."""
    found = session.scalars(select(Journey.cycle).where(Journey.school_id == school_id).distinct())
    return sorted({current, *found}, reverse=True)


def page(
    session: Session, *, school_id: str, filters: Filters, number: int, today: date
) -> tuple[list[Line], int]:
    """One page of the register and how many people the filters find.

    People who are counted come first, those who left last; then by name, without a name last.
    Raises ``ToolError`` page-not-found for a page past the last.
    """
    asked = _people(school_id, filters, today).limit(PAGE).offset((number - 1) * PAGE)
    rows = session.execute(asked).all()
    if not rows and number > 1:
        raise ToolError("page-not-found")
    return _lines(session, rows), rows[0].total if rows else 0


def stream(
    session: Session, *, school_id: str, filters: Filters, today: date
) -> tuple[int, Iterator[list[Line]]]:
    """How many people the filters find, and all of them in chunks, from one statement.

    The count and the rows are of the same moment. The session must stay open until the last
    chunk has been taken.
    """
    asked = _people(school_id, filters, today).execution_options(yield_per=CHUNK)
    chunks = session.execute(asked).partitions()
    first = next(chunks, [])

    def lines() -> Iterator[list[Line]]:
        yield _lines(session, first)
        for chunk in chunks:
            yield _lines(session, chunk)

    return (first[0].total if first else 0), lines()


def record(session: Session, *, school_id: str, membership_id: UUID) -> Record:
    """One person's record. Raises ``ToolError`` page-not-found for anybody of another school."""
    found = session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id == membership_id, Membership.school_id == school_id)
    ).one_or_none()
    if found is None:
        raise ToolError("page-not-found")
    member, person = found
    return Record(
        membership_id=member.id,
        name=person.name,
        reference=person.reference,
        role_group=member.role_group,
        site=member.site,
        arrived_at=member.created_at,
        confirmed_at=member.confirmed_at,
        left_at=member.left_at,
        starts_on=member.starts_on,
        ends_on=member.ends_on,
        taken=_taken(session, school_id, everybody_who_is(session, person.id)),
    )


def _taken(session: Session, school_id: str, person_ids: Collection[UUID]) -> list[Taken]:
    rows = session.execute(
        select(Journey, Completion, Declaration.signed_at, LedgerEntry.sequence, LedgerEntry.hash)
        .outerjoin(Completion, Completion.journey_id == Journey.id)
        .outerjoin(Declaration, Declaration.id == Completion.declaration_id)
        .outerjoin(LedgerEntry, LedgerEntry.record_id == Completion.record_id)
        .where(Journey.school_id == school_id, Journey.person_id.in_(person_ids))
        .order_by(Journey.started_at.desc())
    ).all()
    sent = _deliveries(session, [done.id for _, done, *_ in rows if done is not None])
    return [
        Taken(
            module=journey.module,
            cycle=journey.cycle,
            started_at=journey.started_at,
            completed_at=done.completed_at if done else None,
            declared_at=signed_at,
            score=done.score if done else None,
            policy_number=journey.policy_number,
            record_id=done.record_id if done else None,
            sequence=sequence,
            hash=digest or "",
            delivery=sent.get(done.id) if done else None,
        )
        for journey, done, signed_at, sequence, digest in rows
    ]


def _people(school_id: str, filters: Filters, today: date) -> Select[*tuple[Any, ...]]:
    columns = select(
        Membership.id.label("membership_id"),
        Membership.role_group,
        Membership.site,
        Membership.left_at,
        Membership.ends_on,
        _standing(today).label("standing"),
        Person.id.label("person_id"),
        Person.name,
        _state.label("state"),
        Completion.id.label("completion_id"),
        Completion.score,
        Completion.policy_number,
        Completion.record_id,
        Declaration.signed_at,
        func.count().over().label("total"),
    )
    return (
        _joined(columns, school_id, filters)
        .outerjoin(Declaration, Declaration.id == Completion.declaration_id)
        .where(*_conditions(filters, today))
        .order_by(
            has_left(today),
            Membership.confirmed_at.is_(None),
            Person.name == "",
            func.lower(Person.name),
            Person.id,
        )
    )


def _joined(
    columns: Select[*tuple[Any, ...]], school_id: str, filters: Filters
) -> Select[*tuple[Any, ...]]:
    """A row for each human at the school. Of journeys that persons began before they were known
    to be one, the one that was finished counts, else their own."""
    own, other = aliased(Journey), _of_joined(school_id, filters)
    which = case(
        (other.c.id.is_(None), own.id),
        (own.id.is_(None), other.c.id),
        (own.completed_at.is_(None) & other.c.completed_at.is_not(None), other.c.id),
        else_=own.id,
    )
    return (
        columns.select_from(Membership)
        .join(Person, Person.id == Membership.person_id)
        .outerjoin(
            own, and_(own.person_id == Membership.person_id, *_meant(own, school_id, filters))
        )
        .outerjoin(other, and_(other.c.root == Membership.person_id, other.c.place == 1))
        .outerjoin(Journey, Journey.id == which)
        .outerjoin(Completion, Completion.journey_id == Journey.id)
        .where(Membership.school_id == school_id, Person.one_with.is_(None))
    )


def _of_joined(school_id: str, filters: Filters) -> Subquery:
    """The journeys of those who are one with another, few as they are, by the other."""
    joined, theirs = aliased(Person), aliased(Journey)
    order = (theirs.completed_at.is_(None), theirs.started_at)
    place = func.row_number().over(partition_by=joined.one_with, order_by=order)
    return (
        select(joined.one_with.label("root"), theirs.id, theirs.completed_at, place.label("place"))
        .join(theirs, theirs.person_id == joined.id)
        .where(joined.one_with.is_not(None), *_meant(theirs, school_id, filters))
        .subquery()
    )


def _meant(
    journey: type[Journey], school_id: str, filters: Filters
) -> Iterator[ColumnElement[bool]]:
    yield journey.school_id == school_id
    yield journey.module == filters.module
    yield journey.cycle == filters.cycle


def _conditions(filters: Filters, today: date) -> Iterator[ColumnElement[bool]]:
    if filters.q:
        yield _named(filters.q)
    if filters.state:
        yield _state == filters.state
    if filters.role_group:
        yield Membership.role_group == filters.role_group
    if filters.site:
        yield Membership.site == filters.site
    if filters.people:
        yield _standing(today) == filters.people


def _named(text: str) -> ColumnElement[bool]:
    name = Person.name.icontains(text, autoescape=True)
    if len(text) != REFERENCE_LETTERS:
        return name
    return or_(name, cast(Person.id, String).iendswith(text, autoescape=True))


def _lines(session: Session, rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Line]:
    sent = _deliveries(session, [row.completion_id for row in rows if row.completion_id])
    return [
        Line(
            membership_id=row.membership_id,
            name=row.name,
            reference=Person(id=row.person_id).reference,
            role_group=row.role_group,
            site=row.site,
            standing=row.standing,
            left_at=row.left_at,
            ends_on=row.ends_on,
            state=row.state,
            score=row.score,
            declared_at=row.signed_at,
            policy_number=row.policy_number or "",
            record_id=row.record_id,
            delivery=sent.get(row.completion_id),
        )
        for row in rows
    ]


def _deliveries(session: Session, completion_ids: Iterable[UUID]) -> Mapping[UUID, Delivery]:
    wanted = list(completion_ids)
    return deliveries(session, completion_ids=wanted) if wanted else {}
