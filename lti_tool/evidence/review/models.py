"""What was decided on the points for a policy's review, and figures that outlive the answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class ReviewDecision(Table):
    """A manager decided on a point; the latest counts, and none is changed."""

    __tablename__ = "review_decision"
    __table_args__ = (Index("ix_review_decision_school", "school_id", "policy_number"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    policy_number: Mapped[str] = mapped_column(String(20))
    """The version that the point is about."""
    point: Mapped[str] = mapped_column(String(32))
    """The point's key: what it is, with its clauses and topics."""
    decision: Mapped[str] = mapped_column(String(10))
    """accepted, noted or mend."""
    mend_in: Mapped[str] = mapped_column(String(20), default="")
    """The number of the version that is to mend it."""
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))


class ReviewFigures(Table):
    """What first answers under a version came to, from just before the first of them were disposed
    of. Counts alone, of ten people or more: they tell of nobody, so they stay."""

    __tablename__ = "review_figures"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    policy_number: Mapped[str] = mapped_column(String(20), primary_key=True)
    kept_at: Mapped[datetime] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
