"""Days on which somebody is away from work. Why is never asked."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.people.models import Absence


def of(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Sequence[Absence]:
    """When one human is, was or will be away, latest first; mistakes left out."""
    return session.scalars(
        select(Absence)
        .where(
            Absence.school_id == school_id,
            Absence.person_id.in_(person_ids),
            Absence.removed_at.is_(None),
        )
        .order_by(Absence.starts_on.desc())
    ).all()


def find(
    session: Session, *, school_id: str, person_ids: Collection[UUID], absence_id: UUID
) -> Absence:
    """One of them, locked. Raises ``ToolError`` page-not-found."""
    found = session.scalar(
        select(Absence)
        .where(
            Absence.id == absence_id,
            Absence.school_id == school_id,
            Absence.person_id.in_(person_ids),
            Absence.removed_at.is_(None),
        )
        .with_for_update()
    )
    if found is None:
        raise ToolError("page-not-found")
    return found


def enter(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    person_ids: Collection[UUID],
    starts_on: date,
    ends_on: date | None,
    by: UUID,
    now: datetime,
) -> Absence:
    """Somebody is away from one day to another, both included, or until further notice.

    Raises ``ToolError``: absence-ends-early, absence-overlaps.
    """
    _check(session, school_id, person_ids, starts_on, ends_on, None)
    made = Absence(
        id=new_id(),
        school_id=school_id,
        person_id=person_id,
        starts_on=starts_on,
        ends_on=ends_on,
        entered_at=now,
        entered_by=by,
    )
    session.add(made)
    _record(session, "absence-entered", made, by, now)
    return made


def end(
    session: Session,
    absence: Absence,
    *,
    person_ids: Collection[UUID],
    ends_on: date | None,
    by: UUID,
    now: datetime,
) -> None:
    """Give an absence its last day, or another. Raises as ``enter`` does."""
    _check(session, absence.school_id, person_ids, absence.starts_on, ends_on, absence.id)
    absence.ends_on = ends_on
    _record(session, "absence-changed", absence, by, now)


def remove(session: Session, absence: Absence, *, by: UUID, now: datetime) -> None:
    """It was entered by mistake, and counts no more."""
    absence.removed_at = now
    _record(session, "absence-removed", absence, by, now)


def _check(
    session: Session,
    school_id: str,
    person_ids: Collection[UUID],
    starts_on: date,
    ends_on: date | None,
    own: UUID | None,
) -> None:
    if ends_on is not None and ends_on < starts_on:
        raise ToolError("absence-ends-early")
    others = select(Absence.id).where(
        Absence.school_id == school_id,
        Absence.person_id.in_(person_ids),
        Absence.removed_at.is_(None),
        or_(Absence.ends_on.is_(None), Absence.ends_on >= starts_on),
    )
    if own is not None:
        others = others.where(Absence.id != own)
    if ends_on is not None:
        others = others.where(Absence.starts_on <= ends_on)
    if session.scalar(others.limit(1)) is not None:
        raise ToolError("absence-overlaps")


def _record(session: Session, kind: str, absence: Absence, by: UUID, now: datetime) -> None:
    session.flush()
    ledger.append(
        session,
        school_id=absence.school_id,
        kind=kind,
        facts={"by": "manager"},
        person_id=absence.person_id,
        personal={
            "person": str(absence.person_id),
            "actor": str(by),
            "starts_on": absence.starts_on.isoformat(),
            "ends_on": absence.ends_on.isoformat() if absence.ends_on else "",
        },
        now=now,
    )
