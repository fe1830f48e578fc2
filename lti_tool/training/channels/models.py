"""Tables of the channels: where a school's reminders are posted, and each post."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

WAITING: Final = "waiting"
SENT: Final = "sent"
FAILED: Final = "failed"
STOPPED: Final = "stopped"


class Channel(Table):
    """Where a school's reminders are posted: a Workflows webhook. Its address is a secret."""

    __tablename__ = "teams_channel"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    is_on: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class Post(Table):
    """A card that was to be posted to a school's channel, and what became of it."""

    __tablename__ = "teams_post"
    __table_args__ = (Index("ix_teams_post_due", "state", "next_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """reminder, or try: one that a manager asked for."""
    day: Mapped[date]
    card: Mapped[str] = mapped_column(Text)
    """As it goes out, JSON: counts and links, nobody's name."""
    state: Mapped[str] = mapped_column(String(10))
    """waiting, sent, failed, or stopped: switched off, or the channel forgotten, before it went."""
    attempts: Mapped[int] = mapped_column(default=0)
    last_status: Mapped[int] = mapped_column(default=0)
    """What the webhook answered; 0 where nothing came."""
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
