"""One-time invitations to connect a platform."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.lti.connect.models import Invitation, InvitationSchool
from lti_tool.lti.models import Registration
from lti_tool.people.arrive import digest
from lti_tool.people.models import Person

LIFE: Final = timedelta(days=7)
HOLD: Final = timedelta(seconds=30)
"""Longer than a registration can take; a process that died in one holds nothing for longer."""
SHOWN_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class Line:
    """An invitation as the list of them shows it. ``state``: open, used, withdrawn or expired."""

    id: UUID
    state: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    schools: tuple[str, ...]
    platform: str


def invite(
    session: Session,
    *,
    schools: Collection[str],
    now: datetime,
    made_by: UUID | None = None,
) -> str:
    """Make an invitation for these schools; returns its secret, which cannot be had again."""
    secret = secrets.token_urlsafe(32)
    row = Invitation(
        secret_hash=digest(secret), made_at=now, made_by=made_by, expires_at=now + LIFE
    )
    session.add(row)
    session.flush()
    for school_id in sorted(set(schools)):
        session.add(InvitationSchool(invitation_id=row.id, school_id=school_id))
    session.flush()
    return secret


def find(session: Session, secret: str, *, now: datetime) -> Invitation:
    """The invitation with this secret.

    Raises ``ToolError``: invitation-unknown, invitation-used, invitation-withdrawn,
    invitation-expired.
    """
    row = session.scalar(select(Invitation).where(Invitation.secret_hash == digest(secret)))
    if row is None:
        raise ToolError("invitation-unknown")
    state = _state(row, now)
    if state != "open":
        raise ToolError(f"invitation-{state}", log=f"invitation {row.id}")
    return row


def schools_of(session: Session, invitation: Invitation) -> tuple[str, ...]:
    """The schools an invitation names, in order."""
    return tuple(
        session.scalars(
            select(InvitationSchool.school_id)
            .where(InvitationSchool.invitation_id == invitation.id)
            .order_by(InvitationSchool.school_id)
        )
    )


def hold(session: Session, secret: str, *, now: datetime) -> UUID:
    """Begin to use an invitation: until ``release`` or half a minute later nobody else can.

    Returns its id. Raises as ``find`` does, and invitation-busy.
    """
    row = find(session, secret, now=now)
    held = session.execute(
        update(Invitation)
        .where(
            Invitation.id == row.id,
            Invitation.used_at.is_(None),
            or_(Invitation.held_until.is_(None), Invitation.held_until <= now),
        )
        .values(held_until=now + HOLD)
        .returning(Invitation.id)
    ).one_or_none()
    if held is None:
        raise ToolError("invitation-busy", log=f"invitation {row.id}")
    return row.id


def release(session: Session, invitation_id: UUID) -> None:
    """Let the next try begin: this one came to nothing."""
    session.execute(
        update(Invitation).where(Invitation.id == invitation_id).values(held_until=None)
    )


def use_up(session: Session, invitation: Invitation, *, led_to: UUID, now: datetime) -> None:
    """Note what an invitation has led to.

    It may have been withdrawn while the platform was asked. Raises ``ToolError``:
    invitation-used, invitation-withdrawn.
    """
    session.refresh(invitation, with_for_update=True)
    if invitation.used_at is not None or invitation.withdrawn_at is not None:
        raise ToolError(f"invitation-{_state(invitation, now)}", log=f"invitation {invitation.id}")
    invitation.used_at, invitation.registration_id, invitation.held_until = now, led_to, None
    session.flush()


def withdraw(session: Session, invitation_id: UUID, *, school_id: str, now: datetime) -> None:
    """Make an invitation that names this school useless; one that was used stays as it is.

    Raises ``ToolError`` invitation-unknown.
    """
    names_it = select(InvitationSchool.invitation_id).where(InvitationSchool.school_id == school_id)
    found = session.scalar(
        select(Invitation).where(Invitation.id == invitation_id, Invitation.id.in_(names_it))
    )
    if found is None:
        raise ToolError("invitation-unknown")
    if found.used_at is None and found.withdrawn_at is None:
        found.withdrawn_at = now
    session.flush()


def listed(session: Session, *, school_id: str, now: datetime) -> Sequence[Line]:
    """The invitations of a school that were made in the last thirty days, the newest first."""
    rows = session.execute(
        select(Invitation, Person.name, Registration.name)
        .join(InvitationSchool)
        .outerjoin(Person, Person.id == Invitation.made_by)
        .outerjoin(Registration, Registration.id == Invitation.registration_id)
        .where(InvitationSchool.school_id == school_id, Invitation.made_at > now - SHOWN_FOR)
        .order_by(Invitation.made_at.desc(), Invitation.id.desc())
    ).all()
    return [
        Line(
            id=row.id,
            state=_state(row, now),
            made_at=row.made_at,
            made_by=maker or "",
            expires_at=row.expires_at,
            schools=schools_of(session, row),
            platform=platform or "",
        )
        for row, maker, platform in rows
    ]


def _state(row: Invitation, now: datetime) -> str:
    if row.used_at is not None:
        return "used"
    if row.withdrawn_at is not None:
        return "withdrawn"
    return "open" if row.expires_at > now else "expired"
