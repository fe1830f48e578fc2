"""The register: who at one school owes which training by when, and who has done it.

One statement a page, over membership, person, obligation, completion and declaration. Every
function takes the school from the visit, so no address reaches another school's people.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    union,
)
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.evidence.schemas import POLICY, Filters
from lti_tool.lti.services.scores import Delivery, deliveries
from lti_tool.people.memberships import has_left
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.facts import root_id
from lti_tool.training.cycles.models import Cycle, Obligation
from lti_tool.training.cycles.owing import WITHDRAWN
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration, Journey
from lti_tool.training.paper.entering import PAPER

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
    """One of ``states.STATES``; not-due also where nothing is owed."""
    due_on: date | None
    due_reason: Mapping[str, Any]
    score: int | None
    declared_at: datetime | None
    on_paper: bool
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

    states: Mapping[str, int]
    waiting: int
    left: int

    @property
    def done(self) -> int:
        return self.states.get("done", 0)

    @property
    def people(self) -> int:
        """Of whom this training is asked, or who did it."""
        return sum(number for name, number in self.states.items() if name != "not-due")


def count(session: Session, *, school_id: str, filters: Filters, today: date) -> Counts:
    """The school's figures for the filters' training and year, whatever else they hold."""
    standing, where = _standing(today), _state(school_id, filters, today)
    statement = _joined(
        select(standing.label("standing"), where.label("state"), func.count()),
        school_id,
        filters,
    ).group_by("standing", "state")
    found: dict[tuple[str, str], int] = {
        (standing, state): number for standing, state, number in session.execute(statement)
    }

    def of(standing: str) -> int:
        return sum(number for (where, _), number in found.items() if where == standing)

    return Counts(
        states={name: number for (where, name), number in found.items() if where == "counted"},
        waiting=of("waiting"),
        left=of("left"),
    )


def cycles(session: Session, *, school_id: str, current: str) -> list[str]:
    """What there is to show, the current school year first: years, then policy versions, newest
    first. A year's refresh that was opened early makes it the current one."""
    tables = ((Cycle, Cycle.name), (Obligation, Obligation.cycle), (Journey, Journey.cycle))
    found = session.scalars(
        union(*(select(name).where(table.school_id == school_id) for table, name in tables))
    )
    names = {current, *found}
    policies = sorted((name for name in names if name.startswith(POLICY)), reverse=True)
    return [*sorted(names.difference(policies), reverse=True), *policies]


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


def _state(school_id: str, filters: Filters, today: date) -> ColumnElement[str]:
    """By what is owed; whoever does, or did, what they do not owe has a state by that."""
    begun = (
        select(root_id)
        .join_from(Journey, Person, Person.id == Journey.person_id)
        .where(
            Journey.school_id == school_id,
            Journey.module == filters.module,
            Journey.cycle == filters.cycle,
        )
    )
    return case(
        (Obligation.id.is_not(None), state(today, schools=[school_id])),
        (Completion.id.is_not(None), "done"),
        (Membership.person_id.in_(begun), "in-progress"),
        else_="not-due",
    )


def _standing(today: date) -> ColumnElement[str]:
    return case(
        (has_left(today), "left"), (Membership.confirmed_at.is_(None), "waiting"), else_="counted"
    )


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
        _state(school_id, filters, today).label("state"),
        Obligation.due_on,
        Obligation.reason,
        Completion.id.label("completion_id"),
        Completion.score,
        Completion.policy_number,
        Completion.record_id,
        Declaration.signed_at,
        Declaration.method,
        func.count().over().label("total"),
    )
    return (
        _joined(columns, school_id, filters)
        .outerjoin(Declaration, Declaration.id == Completion.declaration_id)
        .where(*_conditions(school_id, filters, today))
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
    """Everybody once, whatever identities they have, with what they owe and what fulfilled it."""
    latest = _latest(school_id, filters)
    owed = and_(
        Obligation.school_id == Membership.school_id,
        Obligation.person_id == Membership.person_id,
        Obligation.module == filters.module,
        Obligation.cycle == filters.cycle,
        Obligation.outcome != WITHDRAWN,
    )
    return (
        columns.select_from(Membership)
        .join(Person, and_(Person.id == Membership.person_id, Person.one_with.is_(None)))
        .outerjoin(Obligation, owed)
        .outerjoin(latest, and_(latest.c.root == Membership.person_id, latest.c.place == 1))
        .outerjoin(
            Completion, Completion.id == func.coalesce(Obligation.completion_id, latest.c.id)
        )
        .where(Membership.school_id == school_id)
    )


# Made once for the statement: to look for it row by row takes minutes for twenty thousand people.
def _latest(school_id: str, filters: Filters) -> Subquery:
    """What each human did last of this training in this cycle, under whichever identity."""
    done, who = aliased(Completion), aliased(Person)
    root = func.coalesce(who.one_with, who.id)
    order = (done.completed_at.desc(), done.id.desc())
    return (
        select(
            done.id,
            root.label("root"),
            func.row_number().over(partition_by=root, order_by=order).label("place"),
        )
        .join(who, who.id == done.person_id)
        .where(
            done.school_id == school_id,
            done.module == filters.module,
            done.cycle == filters.cycle,
            done.withdrawn_at.is_(None),
        )
        .subquery()
    )


def _conditions(school_id: str, filters: Filters, today: date) -> Iterator[ColumnElement[bool]]:
    if filters.q:
        yield _named(filters.q)
    if filters.state:
        yield _state(school_id, filters, today) == filters.state
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
            due_on=row.due_on,
            due_reason=row.reason or {},
            score=row.score,
            declared_at=row.signed_at,
            on_paper=row.method == PAPER,
            policy_number=row.policy_number or "",
            record_id=row.record_id,
            delivery=sent.get(row.completion_id),
        )
        for row in rows
    ]


def _deliveries(session: Session, completion_ids: Iterable[UUID]) -> Mapping[UUID, Delivery]:
    wanted = list(completion_ids)
    return deliveries(session, completion_ids=wanted) if wanted else {}
