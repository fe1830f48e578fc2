"""Tables of what people did. Each has ``school_id``; nothing here is ever reset."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Journey(Table):
    """One person's way through one training module in one school year.

    It keeps the policy version it began with, so that a version that changes meanwhile cannot
    change what was asked.
    """

    __tablename__ = "journey"
    __table_args__ = (
        UniqueConstraint("school_id", "person_id", "module", "cycle"),
        Index("ix_journey_cycle", "school_id", "cycle"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    module: Mapped[str] = mapped_column(String(40))
    """What carries a declaration on paper has ``/paper-<n>`` behind it: nobody goes that way, and
    the person's own journey is left as it is."""
    cycle: Mapped[str] = mapped_column(String(20))
    """The school year it counts for, ``2026-27``; for policy-update ``policy-<number>``."""
    since_number: Mapped[str] = mapped_column(String(20), default="")
    """The version this person declared before; empty where they have declared none here."""
    since_sha256: Mapped[str] = mapped_column(String(64), default="")
    since_role_group: Mapped[str] = mapped_column(String(20), default="")
    since_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When they declared it, as what."""
    beside_school: Mapped[str] = mapped_column(String(80), default="")
    """Another school of the trust whose policy they have declared: here they learn what differs."""
    beside_number: Mapped[str] = mapped_column(String(20), default="")
    beside_sha256: Mapped[str] = mapped_column(String(64), default="")
    beside_role_group: Mapped[str] = mapped_column(String(20), default="")
    beside_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    changes_read_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When “what changed”, or what differs, was read."""
    policy_number: Mapped[str] = mapped_column(String(20))
    policy_sha256: Mapped[str] = mapped_column(String(64))
    role_group: Mapped[str] = mapped_column(String(20))
    language: Mapped[str] = mapped_column(String(5))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When “who to tell” was read."""
    learned_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When the scenarios were passed."""
    completed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class SectionRead(Table):
    """A section of the policy that the person has read to its end."""

    __tablename__ = "section_read"

    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"), primary_key=True)
    section: Mapped[str] = mapped_column(String(80), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80))
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Round(Table):
    """One sitting of scenarios: the first asks all topics, later ones those missed."""

    __tablename__ = "round"
    __table_args__ = (UniqueConstraint("journey_id", "number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    number: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Question(Table):
    """One scenario put to one person, and the answer once it is given.

    ``option_order`` holds option ids as they were shown. ``position`` counts from one through
    the whole journey. An answer is written once; the verdict is kept as it was given.
    """

    __tablename__ = "question"
    __table_args__ = (
        UniqueConstraint("journey_id", "position"),
        Index("ix_question_round", "round_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    round_id: Mapped[UUID] = mapped_column(ForeignKey("round.id"))
    position: Mapped[int]
    topic: Mapped[str] = mapped_column(String(60))
    scenario: Mapped[str] = mapped_column(String(80))
    scenario_sha256: Mapped[str] = mapped_column(String(64))
    option_order: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(10))
    """settled, silent or conflict: what the policy makes of it."""
    is_first_asking: Mapped[bool]
    """Whether the topic had not been asked before in this journey."""
    choice: Mapped[str] = mapped_column(String(20), default="")
    sureness: Mapped[str] = mapped_column(String(20), default="")
    """sure, fairly-sure, not-sure, or empty: optional, never scored."""
    verdict: Mapped[str] = mapped_column(String(20), default="")
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)


class Declaration(Table):
    """What a person declared, under which name, in which words."""

    __tablename__ = "declaration"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"), unique=True)
    printed_name: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(String(4000))
    language: Mapped[str] = mapped_column(String(5))
    policy_number: Mapped[str] = mapped_column(String(20))
    policy_sha256: Mapped[str] = mapped_column(String(64))
    document_sha256: Mapped[str] = mapped_column(String(64))
    signed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    method: Mapped[str] = mapped_column(String(20))
    """``online``; or ``paper``, entered by a manager."""
    entered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    entered_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    entered_reason: Mapped[str] = mapped_column(String(1000), default="")
    """Why it was on paper, in the manager's words."""


class Completion(Table):
    """The training done: what the register shows and the platform is told."""

    __tablename__ = "completion"
    __table_args__ = (Index("ix_completion_school", "school_id", "completed_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"), unique=True)
    declaration_id: Mapped[UUID] = mapped_column(ForeignKey("declaration.id"), unique=True)
    record_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    """The ledger's record of it; its last eight letters are the person's reference."""
    module: Mapped[str] = mapped_column(String(40))
    cycle: Mapped[str] = mapped_column(String(20))
    score: Mapped[int | None]
    """Per cent of topics right at their latest asking; empty for a declaration on paper."""
    first_score: Mapped[int | None]
    """Per cent of topics right at their first asking: for the person and for statistics."""
    pass_mark: Mapped[int | None]
    policy_number: Mapped[str] = mapped_column(String(20))
    completed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    """When a declaration on paper turned out to be entered by mistake: it is shown, and counts
    no more."""
    withdrawn_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    withdrawn_reason: Mapped[str] = mapped_column(String(1000), default="")
