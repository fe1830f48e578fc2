"""How long a school keeps what, and of whom nothing goes for now. Both are recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.evidence.retention.kinds import KINDS, MOST_MONTHS
from lti_tool.evidence.retention.models import Hold, RetentionPeriod
from lti_tool.people.joins import everybody_who_is
from lti_tool.people.models import Membership, Person


@dataclass(frozen=True)
class Held:
    """Somebody of whom nothing goes for now."""

    hold_id: UUID
    membership_id: UUID | None
    name: str
    reason: str
    placed_at: datetime
    placed_by: str
    lifted_at: datetime | None
    lifted_by: str
    lifted_reason: str


def set_period(
    session: Session,
    *,
    school_id: str,
    kind: str,
    months: int | None,
    by: UUID | None,
    now: datetime,
) -> bool:
    """How long a kind is kept from now on; None for not set, so that nothing of it goes. Returns
    whether anything differs. Raises ``ToolError``: retention-kind-unknown, retention-too-short,
    retention-too-long."""
    if kind not in KINDS:
        raise ToolError("retention-kind-unknown", kind=kind)
    if months is not None and months < KINDS[kind].fewest:
        raise ToolError("retention-too-short", fewest=KINDS[kind].fewest)
    if months is not None and months > MOST_MONTHS:
        raise ToolError("retention-too-long", most=MOST_MONTHS)
    found = session.get(RetentionPeriod, (school_id, kind), with_for_update=True)
    before = found.months if found else None
    if before == months:
        return False
    if months is None:
        session.delete(found)
    elif found is None:
        session.add(
            RetentionPeriod(school_id=school_id, kind=kind, months=months, set_at=now, set_by=by)
        )
    else:
        found.months, found.set_at, found.set_by = months, now, by
    ledger.append(
        session,
        school_id=school_id,
        kind="retention-set",
        facts={
            "rule": kind,
            "months": "not set" if months is None else months,
            "before": "not set" if before is None else before,
            "by": "manager" if by else "command line",
        },
        person_id=by,
        personal={"actor": str(by)} if by else None,
        now=now,
    )
    session.flush()
    return True


def place_hold(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    reason: str,
    by: UUID | None,
    now: datetime,
) -> Hold:
    """Nothing about them is disposed of from now on. Raises ``ToolError`` hold-again."""
    if standing(session, school_id=school_id, person_id=person_id) is not None:
        raise ToolError("hold-again")
    hold = Hold(
        id=new_id(),
        school_id=school_id,
        person_id=person_id,
        reason=reason,
        placed_at=now,
        placed_by=by,
    )
    session.add(hold)
    _record(session, "hold-placed", hold, reason, by, now)
    return hold


def lift_hold(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    reason: str,
    by: UUID | None,
    now: datetime,
) -> None:
    """What is due may go again. Raises ``ToolError`` hold-none."""
    hold = standing(session, school_id=school_id, person_id=person_id)
    if hold is None:
        raise ToolError("hold-none")
    hold.lifted_at, hold.lifted_by, hold.lifted_reason = now, by, reason
    _record(session, "hold-lifted", hold, reason, by, now)


def standing(session: Session, *, school_id: str, person_id: UUID) -> Hold | None:
    """The hold on a person, whichever of their identities it was placed on."""
    return session.scalar(
        select(Hold).where(
            Hold.school_id == school_id,
            Hold.person_id.in_(everybody_who_is(session, person_id)),
            Hold.lifted_at.is_(None),
        )
    )


def holds(session: Session, *, school_id: str) -> Sequence[Held]:
    """All holds of a school, those that stand first, then the latest."""
    placer, lifter = aliased(Person), aliased(Person)
    rows = session.execute(
        select(Hold, Membership.id, Person, func.coalesce(placer.name, ""), lifter.name)
        .join(Person, Person.id == Hold.person_id)
        .outerjoin(
            Membership,
            (Membership.person_id == Hold.person_id) & (Membership.school_id == school_id),
        )
        .outerjoin(placer, placer.id == Hold.placed_by)
        .outerjoin(lifter, lifter.id == Hold.lifted_by)
        .where(Hold.school_id == school_id)
        .order_by(Hold.lifted_at.is_not(None), Hold.placed_at.desc(), Hold.id)
    )
    return [
        Held(
            hold.id,
            member_id,
            person.name or person.reference,
            hold.reason,
            hold.placed_at,
            placed_by,
            hold.lifted_at,
            lifted_by or "",
            hold.lifted_reason,
        )
        for hold, member_id, person, placed_by, lifted_by in rows
    ]


def _record(
    session: Session, kind: str, hold: Hold, reason: str, by: UUID | None, now: datetime
) -> None:
    session.flush()
    ledger.append(
        session,
        school_id=hold.school_id,
        kind=kind,
        facts={"by": "manager" if by else "command line"},
        person_id=hold.person_id,
        personal={"person": str(hold.person_id), "reason": reason}
        | ({"actor": str(by)} if by else {}),
        now=now,
    )
