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
    ScalarSelect,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    or_,
    select,
    type_coerce,
    union,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.types import NullType

from lti_tool.core.errors import ToolError
from lti_tool.evidence.schemas import POLICY, Filters
from lti_tool.lti.services.scores import Delivery, deliveries, with_deliveries
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
_Column = InstrumentedAttribute[str]


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
    columns: tuple[_Column, ...] = (Cycle.name, Obligation.cycle, Journey.cycle)
    found = session.scalars(union(*(_distinct(column, school_id) for column in columns)))
    names = {current, *found}
    policies = sorted((name for name in names if name.startswith(POLICY)), reverse=True)
    return [*sorted(names.difference(policies), reverse=True), *policies]


def _distinct(column: _Column, school_id: str) -> Select[tuple[str]]:
    """A school's values of a column, each sought by index after the one before: they are few, and
    the rows may be a million."""
    table = column.class_
    found = select(func.min(column).label("name")).where(table.school_id == school_id)
    names = found.cte(recursive=True)
    following = found.where(column > names.c.name).correlate(names).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    return select(names.c.name).where(names.c.name.is_not(None))


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


def exported(school_id: str, filters: Filters, today: date) -> Select[*tuple[Any, ...]]:
    """The statement of an export: everybody the filters find, in the order of the pages.

    Ids and moments come as the database's driver has them; to make objects of them would cost a
    third of an export's time. The first five columns differ from person to person: ``person_id``,
    ``name``, ``record_id``, ``signed_at``, ``left_at``. The others are alike for many.
    """
    raw = NullType()
    columns = select(
        type_coerce(Person.id, raw),
        Person.name,
        type_coerce(Completion.record_id, raw),
        type_coerce(Declaration.signed_at, raw),
        type_coerce(Membership.left_at, raw),
        type_coerce(Membership.ends_on, raw),
        Membership.role_group,
        Membership.site,
        _standing(today),
        _state(school_id, filters, today),
        type_coerce(Obligation.due_on, raw),
        cast(Obligation.reason, String),
        Completion.score,
        Completion.policy_number,
        Declaration.method,
    )
    statement = _found(columns, school_id, filters, today)
    return with_deliveries(statement, Completion.id).execution_options(yield_per=CHUNK)


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
    return _found(columns, school_id, filters, today)


def _found(
    columns: Select[*tuple[Any, ...]], school_id: str, filters: Filters, today: date
) -> Select[*tuple[Any, ...]]:
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
        .outerjoin(
            Completion,
            Completion.id == func.coalesce(Obligation.completion_id, _latest(school_id, filters)),
        )
        .where(Membership.school_id == school_id)
    )


# Looked for by index, and only where no obligation names it. As a subquery of everybody's it was
# joined without an index by SQLite, which takes minutes for a hundred thousand people.
def _latest(school_id: str, filters: Filters) -> ScalarSelect[UUID]:
    """What a human did last of this training in this cycle, under whichever identity."""
    done, who = aliased(Completion), aliased(Person)
    identities = union_all(
        select(who.id).where(who.id == Membership.person_id).correlate(Membership),
        select(who.id).where(who.one_with == Membership.person_id).correlate(Membership),
    )
    return (
        select(done.id)
        .where(
            done.person_id.in_(identities),
            func.coalesce(done.school_id, "") == school_id,  # not by the school's index
            done.module == filters.module,
            done.cycle == filters.cycle,
            done.withdrawn_at.is_(None),
        )
        .order_by(done.completed_at.desc(), done.id.desc())
        .limit(1)
        .correlate(Membership)
        .scalar_subquery()
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
