"""Tables of the school's year: its dates, its cycles, and what each person owes in them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Calendar(Table):
    """A school's own dates. Months and days recur every year."""

    __tablename__ = "calendar"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    began_on: Mapped[date]
    """When the school began with the tool: whoever starts later is new."""
    opens_month: Mapped[int] = mapped_column(default=9)
    opens_day: Mapped[int] = mapped_column(default=1)
    closes_month: Mapped[int] = mapped_column(default=10)
    closes_day: Mapped[int] = mapped_column(default=31)
    induction_days: Mapped[int] = mapped_column(default=10)
    """School days from a person's start to the day the induction is due."""
    grace_days: Mapped[int] = mapped_column(default=90)
    """An induction done at most so many days before the refresh opens counts for it."""
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class Holiday(Table):
    """Days on which the school is closed, both ends included; taken back, never deleted."""

    __tablename__ = "holiday"
    __table_args__ = (Index("ix_holiday_school", "school_id", "starts_on"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(80))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    entered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class PolicyOpening(Table):
    """A version of the policy that came into use at a school. The latest is the one in use."""

    __tablename__ = "policy_opening"
    __table_args__ = (Index("ix_policy_opening_school", "school_id", "opened_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(20))
    sha256: Mapped[str] = mapped_column(String(64))
    before: Mapped[str] = mapped_column(String(20), default="")
    """The version that was in use until then; empty for the school's first."""
    weight: Mapped[str] = mapped_column(String(10))
    """``first``; ``major`` obliges people again for the changed clauses, ``minor`` nobody."""
    proposed: Mapped[str] = mapped_column(String(10), default="")
    """What the comparison of the two versions made it."""
    reason: Mapped[str] = mapped_column(String(1000), default="")
    """Why a manager made it something else."""
    clauses: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The clauses that changed or are new, of those in the new version."""
    binds: Mapped[list[str]] = mapped_column(JSON, default=list)
    """The role groups that any changed clause binds."""
    due_on: Mapped[date | None] = mapped_column(default=None)
    opened_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class Cycle(Table):
    """One annual refresh of one school, opened."""

    __tablename__ = "cycle"
    __table_args__ = (UniqueConstraint("school_id", "name"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(20))
    """The school year, ``2026-27``."""
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    opened_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    """Empty where it opened on its set date."""


class Obligation(Table):
    """What one person owes: one training, once a cycle. Ended, never deleted."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("school_id", "person_id", "module", "cycle"),
        Index("ix_obligation_cycle", "school_id", "cycle", "module"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    module: Mapped[str] = mapped_column(String(40))
    """induction, annual-refresh, before-you-start or policy-update."""
    cycle: Mapped[str] = mapped_column(String(20))
    """The school year it counts for; for policy-update ``policy-<number>``."""
    opens_on: Mapped[date]
    due_on: Mapped[date]
    reason: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Why then: a code and what its words need; see ``words.reason_words``."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(String(20), default="")
    """Empty while it is open; done, left-incomplete, lapsed (the next cycle took its place) or
    withdrawn (the facts no longer ask for it)."""
    ended_on: Mapped[date | None] = mapped_column(default=None)
    completion_id: Mapped[UUID | None] = mapped_column(ForeignKey("completion.id"), default=None)
    """The record that fulfils it."""


class DueDateMove(Table):
    """A manager gave a person another date, and why. The latest counts; no record changes."""

    __tablename__ = "due_date_move"
    __table_args__ = (Index("ix_due_date_move_obligation", "obligation_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    obligation_id: Mapped[UUID] = mapped_column(ForeignKey("obligation.id"))
    from_on: Mapped[date]
    to_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(1000))
    moved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    moved_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
