"""The tables of certificates. Nothing in them changes; what is decided later is a row more."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

WITHDRAWN: Final = "withdrawn"
RESTORED: Final = "restored"


class Certificate(Table):
    """One completion's certificate, as it was issued."""

    __tablename__ = "certificate"

    completion_id: Mapped[UUID] = mapped_column(ForeignKey("completion.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80))
    number: Mapped[str] = mapped_column(String(12), unique=True)
    """As ``numbers.new_number`` makes it, without dashes."""
    issued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_to: Mapped[date]
    """The last day, by the rules of the day it was issued."""


class CertificateAct(Table):
    """A manager withdrew a certificate, or let it stand again. The latest counts."""

    __tablename__ = "certificate_act"
    __table_args__ = (Index("ix_certificate_act_completion", "completion_id"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    completion_id: Mapped[UUID] = mapped_column(ForeignKey("completion.id"))
    act: Mapped[str] = mapped_column(String(10))
    """withdrawn or restored."""
    reason: Mapped[str] = mapped_column(String(1000))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
