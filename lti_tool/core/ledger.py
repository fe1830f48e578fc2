"""The ledger: what happened, appended and never changed.

Each entry keeps its exact canonical bytes (RFC 8785) and is chained to the one before it, per
school, by SHA-256. Personal values enter only as commitments, SHA-256(salt || value); the salt
and value (a *disclosure*, the word of RFC 9901, SD-JWT) lie in a table of their own, so that
erasing them leaves the chain whole. ``migrations`` guards the tables against every change.
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import rfc8785
from sqlalchemy import (
    BigInteger,
    Index,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    event,
    insert,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column
from sqlalchemy.types import NullType

from lti_tool.core import erasure
from lti_tool.core.database import Table, UtcDateTime, insert_missing
from lti_tool.core.erasure import DISPOSED, Disposal
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id, written

FORMAT = 1
SALT_BYTES = 16
NO_HASH = "0" * 64
CHUNK = 500
# No name or value after these holds a quotation mark, so their last occurrence is the entry's own.
PERSONAL = b',"personal":'
NOTHING_PERSONAL = b',"personal":{},"previous":"'

Value = str | int | Sequence["Value"] | Mapping[str, "Value"]
"""What an entry may hold: text, whole numbers, and lists and objects of them (no floats, no
booleans, no nulls: they are the values on which JSON writers differ)."""


class LedgerEntry(Table):
    """One thing that happened at one school. ``body`` holds the exact bytes that were hashed."""

    __tablename__ = "ledger_entry"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Uuid, unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[str] = mapped_column(String(64))


class LedgerHead(Table):
    """The last entry of each school's chain; locked last before a commit."""

    __tablename__ = "ledger_head"

    school_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[str] = mapped_column(String(64))


# What every act with an entry asks.
_entry, _head = (Table.metadata.tables[name] for name in ("ledger_entry", "ledger_head"))
ADD_ENTRIES: Final = insert(_entry)
_of_school = _head.c.school_id == bindparam("school")
LOCK_HEAD: Final = Hot(select(_head.c.sequence, _head.c.hash).where(_of_school).with_for_update())
MOVE_HEAD: Final = Hot(update(_head).where(_of_school), "sequence", "hash")


class Disclosure(Table):
    """The salt and value behind one commitment; erased when the personal record is."""

    __tablename__ = "disclosure"
    __table_args__ = (Index("ix_disclosure_person", "school_id", "person_id"),)

    record_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    field: Mapped[str] = mapped_column(String(60), primary_key=True)
    school_id: Mapped[str] = mapped_column(String(80))
    person_id: Mapped[UUID] = mapped_column(Uuid)
    salt: Mapped[bytes] = mapped_column(LargeBinary(SALT_BYTES))
    value: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True)
class Pending:
    """An entry that waits for the commit of its transaction."""

    school_id: str
    record_id: UUID
    kind: str
    recorded_at: datetime
    content: Mapping[str, Value]
    savepoint: SessionTransaction | None
    """The savepoint it was appended in; a rollback to it takes the entry back."""


def append(
    session: Session,
    *,
    school_id: str,
    kind: str,
    facts: Mapping[str, Value],
    now: datetime,
    person_id: UUID | None = None,
    personal: Mapping[str, Value] | None = None,
) -> UUID:
    """Record what happened, in the caller's transaction; returns the record's id.

    ``facts`` are kept in the open, ``personal`` values as salted commitments under
    ``personal`` in the entry, each with a ``Disclosure`` row that belongs to ``person_id``.
    The entry itself is written just before the commit, because the school's head row must be
    the last lock taken (several schools in the order of their ids), else writers block
    one another.

    Raises ``TypeError`` for a value the ledger cannot hold.
    """
    if not session.in_transaction():
        session.begin()  # so that a rollback is heard even where nothing else was done
    record_id = new_id()
    commitments: dict[str, Value] = {}
    for field, value in (personal or {}).items():
        if person_id is None:
            raise ValueError("personal values need the person they belong to")
        salt, raw = secrets.token_bytes(SALT_BYTES), canonical(value)
        commitments[field] = commitment(salt, raw)
        session.add(
            Disclosure(
                record_id=record_id,
                field=field,
                school_id=school_id,
                person_id=person_id,
                salt=salt,
                value=raw,
            )
        )
    content = {"facts": facts, "personal": commitments}
    canonical(content)  # a bad value must fail here, where its maker is on the stack
    pending = session.info.setdefault("ledger", [])
    savepoint = session.get_nested_transaction()
    pending.append(Pending(school_id, record_id, kind, now, content, savepoint))
    return record_id


def canonical(value: Value) -> bytes:
    """The canonical JSON bytes of a value (RFC 8785)."""
    _check(value)
    return rfc8785.dumps(value)


def commitment(salt: bytes, value: bytes) -> str:
    """SHA-256 of salt and canonical value, in hex."""
    return hashlib.sha256(salt + value).hexdigest()


def _check(value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _check(key)
            _check(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item)
    elif isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"the ledger holds text and whole numbers, not {type(value).__name__}")


@event.listens_for(Session, "before_commit")
def _write_pending(session: Session) -> None:
    if session.in_nested_transaction() or not session.info.get("ledger"):
        return
    session.flush()
    pending: list[Pending] = session.info.pop("ledger")
    for school_id in sorted({entry.school_id for entry in pending}):
        _extend(session, school_id, [entry for entry in pending if entry.school_id == school_id])


@event.listens_for(Session, "after_soft_rollback")
def _forget_pending(session: Session, previous: SessionTransaction) -> None:
    pending: list[Pending] = session.info.pop("ledger", [])
    if previous.nested:
        session.info["ledger"] = [item for item in pending if not _is_within(item, previous)]


def _is_within(pending: Pending, savepoint: SessionTransaction) -> bool:
    found = pending.savepoint
    while found is not None and found is not savepoint:
        found = found.parent
    return found is savepoint


def _extend(session: Session, school_id: str, entries: Sequence[Pending]) -> None:
    sequence, previous = _lock_head(session, school_id)
    rows = []
    for entry in entries:
        sequence += 1
        body = canonical(
            {
                "format": FORMAT,
                "school": school_id,
                "sequence": sequence,
                "record": str(entry.record_id),
                "kind": entry.kind,
                "at": entry.recorded_at.astimezone(UTC).isoformat(timespec="milliseconds"),
                "previous": previous,
                **entry.content,
            }
        )
        previous = hashlib.sha256(body).hexdigest()
        rows.append(
            {
                "school_id": school_id,
                "sequence": sequence,
                "record_id": entry.record_id,
                "kind": entry.kind,
                "recorded_at": entry.recorded_at,
                "body": body,
                "hash": previous,
            }
        )
    session.connection().execute(ADD_ENTRIES, rows)
    MOVE_HEAD.run(session, {"school": school_id, "sequence": sequence, "hash": previous})


def _lock_head(session: Session, school_id: str) -> tuple[int, str]:
    found = LOCK_HEAD.one(session, {"school": school_id})
    if found is None:
        first = {"school_id": school_id, "sequence": 0, "hash": NO_HASH}
        session.execute(insert_missing(session, LedgerHead).values(first))
        found = LOCK_HEAD.one(session, {"school": school_id})
    return found.sequence, found.hash


@dataclass(frozen=True)
class Break:
    """Where a chain stops being what was written."""

    sequence: int
    record_id: str
    reason: str


@dataclass(frozen=True)
class Link:
    """An entry of a chain, as it is stored."""

    sequence: int
    record: str
    kind: str
    body: bytes
    hash: str

    def fault(self, school_id: str, expected: int, previous: str) -> str:
        """Why it cannot be the entry after ``previous``; empty where it can.

        What its columns say is looked for at its end, where the canonical order of the names
        puts it, so that no entry has to be parsed.
        """
        if self.sequence != expected:
            return f"entry {expected} is missing"
        if hashlib.sha256(self.body).hexdigest() != self.hash:
            return "its bytes do not give its hash"
        head, _, tail = self.body.rpartition(PERSONAL)
        commitments, found, said = tail.partition(b',"previous":"')
        if not found or not commitments.endswith(b"}"):
            return "its bytes are not those of an entry"
        if not said.startswith(previous.encode()):
            return "it does not link to the entry before it"
        columns = f'","record":"{self.record}","school":"{school_id}","sequence":{expected}}}'
        if said[len(previous) :] != columns.encode() or not head.endswith(
            f'"format":{FORMAT},"kind":"{self.kind}"'.encode()
        ):
            return "its columns differ from its bytes"
        return ""

    def commitments(self) -> dict[str, str]:
        """The salted hash of each personal value; empty where the bytes are not an entry's."""
        try:
            said = json.loads(self.body.rpartition(PERSONAL)[2].partition(b',"previous":"')[0])
        except ValueError:
            return {}
        return said if isinstance(said, dict) else {}


def walk(
    session: Session, *, school_id: str, after: int = 0, until: int | None = None
) -> Generator[list[Link]]:
    """A school's entries past number ``after``, in order and by the chunk."""
    asked = (
        select(
            LedgerEntry.sequence,
            type_coerce(LedgerEntry.record_id, NullType()),  # to make a UUID of it costs a fifth
            LedgerEntry.kind,
            LedgerEntry.body,
            LedgerEntry.hash,
        )
        .where(LedgerEntry.school_id == school_id, LedgerEntry.sequence > after)
        .order_by(LedgerEntry.sequence)
        .execution_options(yield_per=CHUNK)
    )
    if until is not None:
        asked = asked.where(LedgerEntry.sequence <= until)
    with closing(session.execute(asked)) as found:
        for rows in found.partitions():
            yield [Link(row[0], written(row[1]), row[2], row[3], row[4]) for row in rows]


def verify(
    session: Session, *, school_id: str, seen: Callable[[Link], None] | None = None
) -> tuple[int, Break | None]:
    """Walk a school's chain; returns how many entries hold, and the first break if any.

    Checks, in order, for each entry: its number follows, its bytes give its hash, its link is
    the hash before, its columns say what its bytes say, each of its commitments is opened by a
    disclosure or was erased by a disposal; at the end that the head is the last entry, and that
    the disposals erased what the ledger says. ``seen`` is told of each entry that holds.
    """
    count, previous = 0, NO_HASH
    with closing(walk(session, school_id=school_id)) as chunks:
        for links in chunks:
            opened = _unopened(session, links)
            for link in links:
                reason = link.fault(school_id, count + 1, previous) or opened.get(link.record)
                if reason:
                    return count, Break(link.sequence, link.record, reason)
                count, previous = link.sequence, link.hash
                if seen is not None:
                    seen(link)
    head = session.get(LedgerHead, school_id)
    last = (head.sequence, head.hash) if head else (0, NO_HASH)
    if last != (count, previous):
        return count, Break(count + 1, "", "entries are missing at the end of the chain")
    return count, _unfounded(session, school_id)


def _unfounded(session: Session, school_id: str) -> Break | None:
    """A disposal that erased something else than the ledger says, if there is one."""
    rows = session.execute(
        select(Disposal, LedgerEntry)
        .outerjoin(
            LedgerEntry,
            (LedgerEntry.record_id == Disposal.record_id) & (LedgerEntry.kind == DISPOSED),
        )
        .where(Disposal.school_id == school_id)
        .order_by(Disposal.began_at)
    ).all()
    for disposal, entry in rows:
        if entry is None:
            return Break(0, "", "a disposal has no entry in the ledger")
        if not erasure.is_as_said(session, disposal, entry.body):
            reason = "the disposal that it tells of erased something else"
            return Break(entry.sequence, str(entry.record_id), reason)
    return None


def _unopened(session: Session, links: Sequence[Link]) -> dict[str, str]:
    """The entries among these with a kept value that is not the one recorded, or one that is gone
    and was not erased, and why."""
    personal = {link.record: link for link in links if NOTHING_PERSONAL not in link.body}
    if not personal:
        return {}
    kept = select(Disclosure.record_id, Disclosure.field, Disclosure.salt, Disclosure.value).where(
        Disclosure.record_id.in_([UUID(record) for record in personal])
    )
    reasons: dict[str, str] = {}
    said: dict[str, dict[str, str]] = {}
    for record_id, field, salt, value in session.execute(kept):
        record = str(record_id)
        if record not in said:
            said[record] = personal[record].commitments()
        if said[record].pop(field, "") != hashlib.sha256(salt + value).hexdigest():
            reasons[record] = f"the kept value of “{field}” is not the one recorded"
    gone = {
        record: fields
        for record, link in personal.items()
        if record not in reasons and (fields := said.get(record, link.commitments()))
    }
    known = erasure.erased(session, [UUID(record) for record in gone]) if gone else {}
    for record, fields in gone.items():
        if missing := sorted(fields.keys() - known.get(UUID(record), {}).keys()):
            reasons[record] = f"the kept value of “{missing[0]}” is gone, and was not disposed of"
    return reasons


def schools(session: Session) -> Iterator[str]:
    """The schools that have a chain, in order."""
    yield from session.scalars(select(LedgerHead.school_id).order_by(LedgerHead.school_id))
