"""What one person owes and has done at one school, whichever identity they did it under."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.people.joins import everybody_who_is
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import LAPSED, LEFT, OPEN
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration


@dataclass(frozen=True)
class Duty:
    """Something that is owed, or was and was never done."""

    id: UUID
    module: str
    cycle: str
    opens_on: date
    due_on: date
    reason: Mapping[str, Any]
    state: str
    ended_on: date | None


@dataclass(frozen=True)
class Done:
    """A training that was completed."""

    id: UUID
    """Of the completion."""
    module: str
    cycle: str
    completed_at: datetime
    policy_number: str
    reference: str
    method: str


def duties(
    session: Session, *, school_id: str, person_id: UUID, today: date
) -> tuple[list[Duty], list[Duty]]:
    """What is open, the first due first; and what ended without being done, the latest first."""
    rows = session.execute(
        select(Obligation, state(today, schools=[school_id]))
        .where(
            Obligation.school_id == school_id,
            Obligation.person_id == person_id,
            Obligation.outcome.in_((OPEN, LAPSED, LEFT)),
        )
        .order_by(Obligation.due_on, Obligation.id)
    ).all()
    every = [
        Duty(
            one.id, one.module, one.cycle, one.opens_on, one.due_on, one.reason, said, one.ended_on
        )
        for one, said in rows
    ]
    still = [one for one in every if one.ended_on is None]
    return still, [one for one in reversed(every) if one.ended_on is not None]


def completions(session: Session, *, school_id: str, person_id: UUID) -> Sequence[Done]:
    """What was completed, the latest first."""
    rows = session.execute(
        select(Completion, Declaration.method)
        .join(Declaration, Declaration.id == Completion.declaration_id)
        .where(
            Completion.school_id == school_id,
            Completion.person_id.in_(everybody_who_is(session, person_id)),
            Completion.withdrawn_at.is_(None),
        )
        .order_by(Completion.completed_at.desc(), Completion.id.desc())
    )
    return [
        Done(
            one.id,
            one.module,
            one.cycle,
            one.completed_at,
            one.policy_number,
            one.record_id.hex[-8:].upper(),
            method,
        )
        for one, method in rows
    ]
