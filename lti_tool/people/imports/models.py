"""Tables of the staff files that managers brought, and of what each changed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id


class StaffImport(Table):
    """One staff file: waiting to be applied, applied, or put aside.

    ``content`` holds only the columns we know, and only until the file is applied, put aside or a
    visit's length old: in the database, so that every process of the tool finds it and a reload
    loses nothing.
    """

    __tablename__ = "staff_import"
    __table_args__ = (Index("ix_staff_import_school", "school_id", "uploaded_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    uploaded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    applied_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)
    added: Mapped[int] = mapped_column(default=0)
    changed: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[int] = mapped_column(default=0)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    undone_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), default=None)


class StaffImportChange(Table):
    """What one staff file did to one person; kept so that it can be undone."""

    __tablename__ = "staff_import_change"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("staff_import.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    school_id: Mapped[str] = mapped_column(String(80))
    line: Mapped[int]
    is_new: Mapped[bool]
    changed: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """By field, [before, after]."""
