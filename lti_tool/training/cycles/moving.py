"""A manager gives people another date, and says why. No record changes by it."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.training.cycles.models import DueDateMove, Obligation
from lti_tool.ui.format import local

LATEST: Final = timedelta(days=366)
"""How far ahead a date may lie: past a school year it is a slip of the keyboard."""


def move(
    session: Session,
    *,
    school_id: str,
    obligation_ids: Collection[UUID],
    to_on: date,
    reason: str,
    by: UUID,
    now: datetime,
) -> int:
    """Give these open obligations another due date; returns how many have one now.

    What has been done or has ended meanwhile is passed over, and so is what is due then anyway.
    A date can be moved again: the latest counts, each is kept. Raises ``ToolError``:
    page-not-found for an obligation of another school, due-date-unfit for a day that has passed
    or lies more than a year ahead.
    """
    today = local(now).date()
    if not today <= to_on <= today + LATEST:
        raise ToolError("due-date-unfit")
    found = session.scalars(
        select(Obligation)
        .where(Obligation.id.in_(obligation_ids), Obligation.school_id == school_id)
        .order_by(Obligation.id)
        .with_for_update()
    ).all()
    if len(found) != len(set(obligation_ids)):
        raise ToolError("page-not-found")
    moved = [one for one in found if not one.outcome and one.due_on != to_on]
    for one in moved:
        _move(session, one, to_on, reason, by, now)
    session.flush()
    return len(moved)


def _move(
    session: Session, one: Obligation, to_on: date, reason: str, by: UUID, now: datetime
) -> None:
    session.add(
        DueDateMove(
            school_id=one.school_id,
            obligation_id=one.id,
            from_on=one.due_on,
            to_on=to_on,
            reason=reason,
            moved_at=now,
            moved_by=by,
        )
    )
    ledger.append(
        session,
        school_id=one.school_id,
        kind="due-date-moved",
        facts={
            "module": one.module,
            "cycle": one.cycle,
            "from": one.due_on.isoformat(),
            "to": to_on.isoformat(),
        },
        person_id=one.person_id,
        # A reason in free words may speak of the person.
        personal={"person": str(one.person_id), "actor": str(by), "reason": reason},
        now=now,
    )
    one.reason = {"moved_from": one.due_on.isoformat(), **one.reason}  # the first date is kept
    one.due_on = to_on
