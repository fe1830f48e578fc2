"""Tables of the rosters: which course is a school's staff list, and who was found on it."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

WAITING: Final = "waiting"
READING: Final = "reading"
READ: Final = "read"
FAILED: Final = "failed"


class Roster(Table):
    """A course that a manager linked: its active members are the school's staff.

    The row is the truth of when it is due; ``number`` and ``lease_until`` keep two workers from
    reading it at once.
    """

    __tablename__ = "roster"
    __table_args__ = (UniqueConstraint("school_id", "deployment_row_id", "context_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    deployment_row_id: Mapped[UUID] = mapped_column(ForeignKey("deployment.id"))
    context_id: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(255), default="")
    linked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    linked_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    unlinked_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    state: Mapped[str] = mapped_column(String(20), default=WAITING)
    reason: Mapped[str] = mapped_column(String(40), default="")
    """Why the latest reading failed, as a code."""
    failures: Mapped[int] = mapped_column(default=0)
    """How many readings have failed since one succeeded."""
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    number: Mapped[int] = mapped_column(default=0)
    """Of the latest reading that was begun."""
    seen: Mapped[int] = mapped_column(default=0)
    """How many members the reading under way has taken in."""
    expected: Mapped[int] = mapped_column(default=0)
    """How many it will be, as far as anybody knows; 0 for no idea."""
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When the course was last read to its end; what follows is of that reading."""
    found: Mapped[int] = mapped_column(default=0)
    """Active members."""
    inactive: Mapped[int] = mapped_column(default=0)
    joined: Mapped[int] = mapped_column(default=0)
    """New, or back again."""
    left: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    """Without a number by which we could know them."""


class RosterEntry(Table):
    """Somebody who is or was on a roster; never deleted."""

    __tablename__ = "roster_entry"

    roster_id: Mapped[UUID] = mapped_column(ForeignKey("roster.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    school_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[int]
    """Of the latest reading that found them."""
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """Since when they are gone from the course, or suspended in it; empty while active."""
