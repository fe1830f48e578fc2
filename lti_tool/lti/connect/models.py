"""Tables of connecting a platform."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Invitation(Table):
    """Leave to connect one platform, once, for the schools it names.

    Only the hash of its secret is kept. Used or withdrawn, the row stays: it says who let which
    platform in.
    """

    __tablename__ = "invitation"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """The manager who made it; empty for the command line."""
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """While one registration is under way, no second one may begin."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    registration_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("registration.id"), default=None
    )
    """What it led to."""


class InvitationSchool(Table):
    """A school that the platform may serve."""

    __tablename__ = "invitation_school"

    invitation_id: Mapped[UUID] = mapped_column(ForeignKey("invitation.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80), primary_key=True, index=True)
