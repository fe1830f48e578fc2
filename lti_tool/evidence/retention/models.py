"""Tables of how long a school keeps what, and of whom nothing may go for now."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class RetentionPeriod(Table):
    """How long a school keeps one kind. Without a row it has set none, and nothing of it goes."""

    __tablename__ = "retention_period"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    months: Mapped[int]
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """Empty for the command line."""


class Hold(Table):
    """Nothing about this person is disposed of at the school until it is lifted."""

    __tablename__ = "retention_hold"
    __table_args__ = (Index("ix_retention_hold_school", "school_id", "person_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str] = mapped_column(String(1000))
    placed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    placed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """Empty for the command line."""
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    lifted_reason: Mapped[str] = mapped_column(String(1000), default="")
