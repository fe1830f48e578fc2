"""What was erased when a retention period had run out: so that a value that is gone is told from
one that somebody took away.

A *disposal* is one run of one rule at one school. Each value it takes out of the ledger's
disclosures leaves an *erasure*, which says nothing but which value is gone and by which disposal.
When it ends, an entry of the ledger holds how many there were and a hash over all of them, so
that no erasure can be added later. ``migrations/guards.py`` lets a disclosure go for an erasure of
a disposal that has not ended, and for nothing else.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    ForeignKey,
    Index,
    String,
    Uuid,
    delete,
    func,
    select,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.expression import TableClause

from lti_tool.core.database import Table, UtcDateTime
from lti_tool.core.ids import new_id

DISPOSED: Final = "disposed"
"""The kind of the ledger's entry about a disposal."""
CHUNK: Final = 1000


class Disposal(Table):
    """One rule carried out at one school; under way until ``ended_at``, within one transaction."""

    __tablename__ = "disposal"
    __table_args__ = (Index("ix_disposal_school", "school_id", "began_at"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=new_id)
    school_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    """Of what: the rule's name."""
    months: Mapped[int]
    """The period that the school had set."""
    before: Mapped[datetime] = mapped_column(UtcDateTime)
    """What began to count before then was due."""
    began_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime, default=None)
    record_id: Mapped[UUID | None] = mapped_column(Uuid, default=None)
    """The ledger's entry about it."""


class Erasure(Table):
    """A value of the ledger that is gone, with its salt."""

    __tablename__ = "erasure"
    __table_args__ = (Index("ix_erasure_disposal", "disposal_id"),)

    record_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    field: Mapped[str] = mapped_column(String(60), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80))
    disposal_id: Mapped[UUID] = mapped_column(ForeignKey("disposal.id"))


def deleted(
    session: Session, *what: tuple[type[Table] | TableClause, ColumnElement[bool]]
) -> Counter[str]:
    """Delete these rows of these tables, in this order; how many of each went."""
    gone = Counter[str]()
    for table, where in what:
        done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
            delete(table).where(where).execution_options(synchronize_session=False)
        )
        gone[str(getattr(table, "__tablename__", table))] += done.rowcount
    return gone


def erased(session: Session, record_ids: Collection[UUID]) -> dict[UUID, dict[str, UUID]]:
    """Of these records: the fields that were erased, with the ledger's entry about it."""
    found: dict[UUID, dict[str, UUID]] = {}
    wanted = list(record_ids)
    for at in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(Erasure.record_id, Erasure.field, Disposal.record_id)
            .join(Disposal, Disposal.id == Erasure.disposal_id)
            .where(Erasure.record_id.in_(wanted[at : at + CHUNK]), Disposal.record_id.is_not(None))
        )
        for record_id, field, about in rows:
            found.setdefault(record_id, {})[field] = UUID(str(about))
    return found


def count(session: Session, *, school_id: str) -> int:
    """How many values of a school's ledger were erased."""
    asked = select(func.count()).select_from(Erasure).where(Erasure.school_id == school_id)
    return session.scalar(asked) or 0


def digest(session: Session, disposal_id: UUID) -> tuple[int, str]:
    """How many values a disposal erased, and SHA-256 over all of them, in hex."""
    count, hashed = 0, hashlib.sha256()
    rows = session.execute(
        select(Erasure.record_id, Erasure.field)
        .where(Erasure.disposal_id == disposal_id)
        .order_by(Erasure.record_id, Erasure.field)
        .execution_options(yield_per=CHUNK)
    )
    with closing(rows):
        for record_id, field in rows:
            hashed.update(f"{record_id} {field}\n".encode())
            count += 1
    return count, hashed.hexdigest()


def is_as_said(session: Session, disposal: Disposal, body: bytes) -> bool:
    """Whether what a disposal erased is what its entry of the ledger says."""
    facts = json.loads(body)["facts"]
    said = (facts.get("disposal"), facts.get("values"), facts.get("values_sha256"))
    return said == (str(disposal.id), *digest(session, disposal.id))
