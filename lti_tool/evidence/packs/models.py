"""The table of packs: a row is asked for by a manager, claimed by the worker, and kept."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

WAITING: Final = "waiting"
MAKING: Final = "making"
READY: Final = "ready"
FAILED: Final = "failed"
REMOVED: Final = "removed"


class Pack(Table):
    """One pack. Its file is there while it is ``ready``, and never half."""

    __tablename__ = "pack"
    __table_args__ = (Index("ix_pack_school", "school_id", "asked_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    """Where it was asked for."""
    schools: Mapped[list[str]] = mapped_column(JSON)
    """Whom it covers: the school, or every school of its trust that the manager manages."""
    audience: Mapped[str] = mapped_column(String(12))
    """governors, managers or inspector."""
    cycle: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(10), default=WAITING)
    """waiting, making, ready, failed or removed."""
    progress: Mapped[int] = mapped_column(default=0)
    """Per cent."""
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(40), default="")
    """Why it failed: a code of ``ui.errors``."""
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    ready_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    sha256: Mapped[str] = mapped_column(String(64), default="")
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
