"""One person's record at one school: what they owe and owed, what they did, what was moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.lti.services.scores import Delivery, deliveries
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.models import DueDateMove, Obligation
from lti_tool.training.cycles.owing import WITHDRAWN
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration, Journey
from lti_tool.training.paper.entering import PAPER


@dataclass(frozen=True)
class Paper:
    """Who entered a declaration on paper, and why; and who took it back, if it was."""

    completion_id: UUID
    entered_by: str
    entered_at: datetime | None
    reason: str
    withdrawn_by: str
    withdrawn_at: datetime | None
    withdrawn_reason: str


@dataclass(frozen=True)
class Taken:
    """One journey of a person and what came of it. No answers and no sureness."""

    module: str
    cycle: str
    started_at: datetime
    completion_id: UUID | None
    completed_at: datetime | None
    declared_at: datetime | None
    score: int | None
    policy_number: str
    record_id: UUID | None
    sequence: int | None
    hash: str
    delivery: Delivery | None
    paper: Paper | None


@dataclass(frozen=True)
class Move:
    """A manager gave another date."""

    from_on: date
    to_on: date
    reason: str
    moved_at: datetime
    moved_by: str


@dataclass(frozen=True)
class Owed:
    """One thing owed, or that was."""

    id: UUID
    module: str
    cycle: str
    state: str
    due_on: date
    reason: Mapping[str, Any]
    is_open: bool
    moves: Sequence[Move]


@dataclass(frozen=True)
class Record:
    """Everything a manager may see of one person."""

    membership_id: UUID
    person_id: UUID
    name: str
    reference: str
    role_group: str
    site: str
    arrived_at: datetime
    starts_on: date | None
    confirmed_at: datetime | None
    left_at: datetime | None
    ends_on: date | None
    owed: Sequence[Owed]
    taken: Sequence[Taken]

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


def record(session: Session, *, school_id: str, membership_id: UUID, today: date) -> Record:
    """One person's record. Raises ``ToolError`` page-not-found for anybody of another school."""
    found = session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id == membership_id, Membership.school_id == school_id)
    ).one_or_none()
    if found is None:
        raise ToolError("page-not-found")
    member, person = found
    root = person.one_with or person.id
    return Record(
        membership_id=member.id,
        person_id=person.id,
        name=person.name,
        reference=person.reference,
        role_group=member.role_group,
        site=member.site,
        arrived_at=member.created_at,
        starts_on=member.starts_on,
        confirmed_at=member.confirmed_at,
        left_at=member.left_at,
        ends_on=member.ends_on,
        owed=_owed(session, school_id, root, today),
        taken=_taken(session, school_id, root),
    )


def _owed(session: Session, school_id: str, root: UUID, today: date) -> list[Owed]:
    rows = session.execute(
        select(Obligation, state(today, schools=[school_id]).label("state"))
        .where(
            Obligation.school_id == school_id,
            Obligation.person_id == root,
            Obligation.outcome != WITHDRAWN,
        )
        .order_by(Obligation.due_on.desc(), Obligation.id)
    ).all()
    moves = _moves(session, [one.id for one, _ in rows])
    return [
        Owed(
            id=one.id,
            module=one.module,
            cycle=one.cycle,
            state=stands,
            due_on=one.due_on,
            reason=one.reason,
            is_open=not one.outcome,
            moves=moves.get(one.id, ()),
        )
        for one, stands in rows
    ]


def _moves(session: Session, obligation_ids: Sequence[UUID]) -> Mapping[UUID, list[Move]]:
    found: dict[UUID, list[Move]] = {}
    rows = session.execute(
        select(DueDateMove, Person.name)
        .join(Person, Person.id == DueDateMove.moved_by)
        .where(DueDateMove.obligation_id.in_(obligation_ids))
        .order_by(DueDateMove.moved_at, DueDateMove.id)
    )
    for one, name in rows:
        move = Move(one.from_on, one.to_on, one.reason, one.moved_at, name)
        found.setdefault(one.obligation_id, []).append(move)
    return found


def _taken(session: Session, school_id: str, root: UUID) -> list[Taken]:
    enterer, withdrawer, whole = aliased(Person), aliased(Person), aliased(Person)
    rows = session.execute(
        select(
            Journey,
            Completion,
            Declaration,
            LedgerEntry.sequence,
            LedgerEntry.hash,
            func.coalesce(enterer.name, ""),
            func.coalesce(withdrawer.name, ""),
        )
        .join(whole, whole.id == Journey.person_id)
        .outerjoin(Completion, Completion.journey_id == Journey.id)
        .outerjoin(Declaration, Declaration.id == Completion.declaration_id)
        .outerjoin(LedgerEntry, LedgerEntry.record_id == Completion.record_id)
        .outerjoin(enterer, enterer.id == Declaration.entered_by)
        .outerjoin(withdrawer, withdrawer.id == Completion.withdrawn_by)
        .where(Journey.school_id == school_id, or_(whole.id == root, whole.one_with == root))
        .order_by(Journey.started_at.desc(), Journey.id.desc())
    ).all()
    done = [row[1].id for row in rows if row[1] is not None]
    sent = deliveries(session, completion_ids=done) if done else {}
    return [
        _one(journey, done, said, sequence, digest, sent, by, withdrawn_by)
        for journey, done, said, sequence, digest, by, withdrawn_by in rows
    ]


def _one(
    journey: Journey,
    done: Completion | None,
    said: Declaration | None,
    sequence: int | None,
    digest: str | None,
    sent: Mapping[UUID, Delivery],
    entered_by: str,
    withdrawn_by: str,
) -> Taken:
    if done is None or said is None:
        return Taken(
            journey.module, journey.cycle, journey.started_at, None, None, None, None,
            journey.policy_number, None, None, "", None, None,
        )  # fmt: skip
    paper = None
    if said.method == PAPER:
        paper = Paper(
            completion_id=done.id,
            entered_by=entered_by,
            entered_at=said.entered_at,
            reason=said.entered_reason,
            withdrawn_by=withdrawn_by,
            withdrawn_at=done.withdrawn_at,
            withdrawn_reason=done.withdrawn_reason,
        )
    return Taken(
        module=done.module,
        cycle=done.cycle,
        started_at=journey.started_at,
        completion_id=done.id,
        completed_at=done.completed_at,
        declared_at=said.signed_at,
        score=done.score,
        policy_number=journey.policy_number,
        record_id=done.record_id,
        sequence=sequence,
        hash=digest or "",
        delivery=sent.get(done.id),
        paper=paper,
    )
