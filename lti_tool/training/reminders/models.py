"""Tables of the reminders: a school's settings, its sendings, and each mail of them."""

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

WAITING: Final = "waiting"
SENDING: Final = "sending"
SENT: Final = "sent"
PERHAPS: Final = "perhaps"
REFUSED: Final = "refused"
GIVEN_UP: Final = "given-up"
DROPPED: Final = "dropped"


class ReminderSettings(Table):
    """How one school reminds its people. Without a row nothing was ever switched on."""

    __tablename__ = "reminder_settings"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    activity_url: Mapped[str] = mapped_column(String(500), default="")
    """Where on the learning platform people open the training; never an address of ours."""
    sender_name: Mapped[str] = mapped_column(String(80), default="")
    quiet_from: Mapped[int] = mapped_column(default=18)
    """The hour, by the school's clocks, from which nothing is sent; the same as
    ``quiet_until`` for no quiet hours."""
    quiet_until: Mapped[int] = mapped_column(default=7)
    has_digest: Mapped[bool] = mapped_column(default=True)
    digest_weekday: Mapped[int] = mapped_column(default=0)
    """0 for Monday to 4 for Friday."""
    planned_on: Mapped[date | None] = mapped_column(default=None)
    """The last day for which the worker looked who is to be reminded, or need not."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class ReminderBatch(Table):
    """One sending of one school: of the worker, or of a manager who pressed the button."""

    __tablename__ = "reminder_batch"
    __table_args__ = (Index("ix_reminder_batch_school", "school_id", "asked_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """Empty for the worker."""
    planned: Mapped[dict[str, int]] = mapped_column(JSON)
    """How many of each kind."""
    left_out: Mapped[dict[str, int]] = mapped_column(JSON)
    """How many for each reason."""
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When the last of its mails had gone, or was given up."""


class Reminder(Table):
    """One mail to one person, and what became of it; never deleted.

    ``sending`` under a lease that ran out means that its worker died over it: it may have gone,
    and is ``perhaps``, for it is not sent twice.
    """

    __tablename__ = "reminder"
    __table_args__ = (
        Index(
            "uq_reminder_day",
            "school_id",
            "person_id",
            "day",
            unique=True,
            sqlite_where=text("state <> 'dropped'"),
            postgresql_where=text("state <> 'dropped'"),
        ),
        Index("ix_reminder_state", "state", "next_at"),
        Index("ix_reminder_batch", "batch_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("reminder_batch.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    """opened, due, overdue or digest."""
    day: Mapped[date]
    """For which it was planned."""
    state: Mapped[str] = mapped_column(String(20), default=WAITING)
    """waiting, sending, sent, perhaps, refused (for good), given-up or dropped (no longer
    called for)."""
    reason: Mapped[str] = mapped_column(String(40), default="")
    """Why it waits, was refused or was dropped, as a code."""
    status: Mapped[int] = mapped_column(default=0)
    """The mail server's latest number."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    tried_on: Mapped[date | None] = mapped_column(default=None)
    """The same by the school's calendar."""
    address: Mapped[str] = mapped_column(String(255), default="")
    """Where it was sent to."""
    duties: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """What it named: module, cycle and due date of each."""
