"""A row in every table for one school, made from the tables' own columns: whatever a new table
holds, there is something of it that another school must not reach."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    select,
)
from sqlalchemy import Table as Sheet
from sqlalchemy.types import JSON

from lti_tool.core.database import Database, Table, UtcDateTime
from lti_tool.core.ids import new_id
from tests.factories.registers import NOW, Guest

# What only the tool itself writes; and nobody becomes a manager.
LEFT_OUT: Final = ("ledger", "erasure", "checkpoint", "alembic", "manager_grant")

# What has to be one of a few.
KINDS: Final = {"disposal": "answers", "retention_period": "answers"}


def one_of_each(
    database: Database, guest: Guest, *, text: str = "x", chosen: Collection[str] = ()
) -> dict[str, UUID]:
    """For each table that has one, the id of a row of this guest's school; of persons, visits,
    identities and memberships the guest's own. ``text`` stands in every text that is not one of
    ``chosen`` or part of a key."""
    made: dict[str, UUID] = {}
    with database.transaction() as session:
        for sheet in Table.metadata.sorted_tables:
            if sheet.name.startswith(LEFT_OUT):
                continue
            held = _held(sheet, guest)
            row: Sequence[Any] | None = (held is not None and session.execute(held).first()) or None
            if row is None:
                values = {
                    c.name: _value(c, made, guest, "x" if c.name in chosen else text)
                    for c in sheet.c
                    if _needed(c) or (isinstance(c.type, String) and c.name not in chosen)
                }
                session.execute(sheet.insert().values(**values))
                row = [values.get("id")]
            if isinstance(row[0], UUID):
                made[sheet.name] = row[0]
    return made


def _held(sheet: Sheet, guest: Guest) -> Any:
    """A query for what arriving and training have made already."""
    if sheet.name == "visit":
        return select(sheet.c.id).where(sheet.c.id == guest.admission.visit_id)
    whose = {"person_id": guest.person_id, "school_id": guest.school_id}
    if sheet.name == "person":
        whose = {"id": guest.person_id}
    own = {name: value for name, value in whose.items() if name in sheet.c}
    if not own:
        return None
    return select(*sheet.primary_key).where(*(sheet.c[name] == own[name] for name in own))


def _needed(column: Column[Any]) -> bool:
    return column.primary_key or (not column.nullable and column.default is None)


def _value(column: Column[Any], made: dict[str, UUID], guest: Guest, text: str) -> Any:
    for key in column.foreign_keys:
        if key.column.table.name in made and key.column.name == "id":
            return made[key.column.table.name]
    own = {"school_id": guest.school_id, "schools": [guest.school_id]}
    if column.table.name in KINDS:
        own["kind"] = KINDS[column.table.name]
    if column.name in own:
        return own[column.name]
    kinds: tuple[tuple[type, Any], ...] = (
        (Uuid, new_id()),
        (UtcDateTime, NOW),
        (Date, date(2026, 9, 1)),
        (Boolean, False),
        (Integer, 1),
        (JSON, {}),
        (LargeBinary, text.encode()),
        (Text, text),
    )
    for kind, value in kinds:
        if isinstance(column.type, kind):
            return value
    longest = getattr(column.type, "length", None) or 40
    keys = [
        set(one.columns) for one in column.table.constraints if isinstance(one, UniqueConstraint)
    ]
    if column.unique or column.primary_key or any(column in key for key in keys):
        return new_id().hex[:longest]
    return text[:longest]
