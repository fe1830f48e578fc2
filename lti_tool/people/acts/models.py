"""Tables of the access log: appended, never changed (``migrations/guards.py``)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class Act(Table):
    """One thing that somebody did as a manager, or with what managers look after."""

    __tablename__ = "act"
    __table_args__ = (Index("ix_act_school", "school_id", "at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    what: Mapped[str] = mapped_column(String(60))
    """``person-viewed``; or the view's name, ``staff.change``."""
    names_everybody: Mapped[bool] = mapped_column(default=False)
    """A list with names was taken away, which may name anybody at the school."""


class ActConcerns(Table):
    """A person whom an act was about."""

    __tablename__ = "act_concerns"
    __table_args__ = (Index("ix_act_concerns_person", "school_id", "person_id"),)

    act_id: Mapped[UUID] = mapped_column(ForeignKey("act.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80))
