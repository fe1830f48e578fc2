"""Makes checkpoints: what has been appended since the last is checked, hashed and signed for."""

import json
import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import Database, insert_missing
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerHead, Link
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.models import Checkpoint, LedgerTile
from lti_tool.evidence.checkpoints.tree import WIDTH, Tree, rows_over
from lti_tool.evidence.proof.codes import code_of
from lti_tool.evidence.proof.entries import COMPLETION
from lti_tool.evidence.proof.merkle import leaf_hash
from lti_tool.evidence.proof.statements import CHECKPOINT

log = logging.getLogger(__name__)

FORMAT = 1


@dataclass
class _New:
    """What was appended since the last checkpoint: its whole tiles, its records, its last hash."""

    records: Counter[str]
    head: str
    tiles: list[dict[str, object]] = field(default_factory=list)
    open: dict[int, tuple[int, list[bytes]]] = field(default_factory=dict)
    """By level, the number of the tile that is being filled, and its hashes so far."""


def make(
    database: Database, keys: EvidenceKeys, *, school_id: str, why: str, now: datetime
) -> Checkpoint | None:
    """Sign for all that the school's ledger holds; the last one again where nothing was added.

    Reads without a lock, and writes in one short transaction. Nothing where nothing has been
    recorded yet. Raises ``ToolError`` ledger-broken, and signs nothing, where an entry added since
    is not what was written, or the tree is not the one signed for before.
    """
    with database.reading() as session:
        head, last = session.get(LedgerHead, school_id), latest(session, school_id=school_id)
        if head is None or (last is not None and last.size == head.sequence):
            return last
        new = _read(session, school_id, last, head)
    with database.transaction() as session:
        # Two makers at once take turns, and the second finds what the first has signed.
        session.scalar(
            select(LedgerHead.hash).where(LedgerHead.school_id == school_id).with_for_update()
        )
        _store(session, new.tiles)
        return _sign(session, keys, new, (school_id, head.sequence), last, why, now)


def latest(session: Session, *, school_id: str) -> Checkpoint | None:
    """A school's newest checkpoint."""
    return session.scalar(
        select(Checkpoint)
        .where(Checkpoint.school_id == school_id)
        .order_by(Checkpoint.size.desc())
        .limit(1)
    )


def make_daily(database: Database, keys: EvidenceKeys, *, now: datetime) -> int:
    """One for every school with something new; how many schools' ledgers turned out broken."""
    with database.reading() as session:
        known = list(ledger.schools(session))
    broken = 0
    for school_id in known:
        try:
            make(database, keys, school_id=school_id, why="daily", now=now)
        except ToolError as fault:
            broken += 1
            log.error("no checkpoint was signed", extra={"school": school_id, "why": fault.log})
    return broken


def _read(session: Session, school_id: str, last: Checkpoint | None, head: LedgerHead) -> _New:
    said: dict[str, Any] = {"records": {}, "head": ledger.NO_HASH}
    if last is not None:
        said = json.loads(last.text)
    size = last.size if last else 0
    new = _New(Counter(said["records"]), said["head"])
    _take_up(new, Tree(session, school_id=school_id, size=size))
    for links in ledger.walk(session, school_id=school_id, after=size, until=head.sequence):
        for link in links:
            fault = link.fault(school_id, size + 1, new.head)
            if fault:
                raise ToolError("ledger-broken", log=f"{school_id}, entry {size + 1}: {fault}")
            size, new.head = size + 1, link.hash
            _count(new.records, link)
            _add(new, school_id, 0, leaf_hash(bytes.fromhex(link.hash)))
    if (size, new.head) != (head.sequence, head.hash):
        raise ToolError("ledger-broken", log=f"{school_id}: entries are missing at the end")
    return new


def _take_up(new: _New, tree: Tree) -> None:
    """Begin with the tiles that the last checkpoint left unfinished."""
    level, whole = 0, tree.size
    while whole:
        number, filled = divmod(whole, WIDTH)
        new.open[level] = (number, tree.hashes(level, number)[:filled] if filled else [])
        level, whole = level + 1, number


def _count(records: Counter[str], link: Link) -> None:
    """Completions by training and cycle, so that none can be left out of a pack unseen."""
    if link.kind == COMPLETION:
        facts = json.loads(link.body)["facts"]
        records[f"{facts.get('module', '')} {facts.get('cycle', '')}"] += 1


def _add(new: _New, school_id: str, level: int, hash_: bytes) -> None:
    number, hashes = new.open.get(level, (0, []))
    hashes.append(hash_)
    if len(hashes) < WIDTH:
        new.open[level] = (number, hashes)
        return
    root = rows_over(hashes)[-1][0]
    new.open[level] = (number + 1, [])
    new.tiles.append(
        {
            "school_id": school_id,
            "level": level,
            "number": number,
            "root": root,
            "hashes": b"".join(hashes),
        }
    )
    _add(new, school_id, level + 1, root)


def _store(session: Session, tiles: list[dict[str, object]]) -> None:
    """What another maker has stored is the same."""
    if tiles:
        session.execute(insert_missing(session, LedgerTile), tiles)


def _sign(
    session: Session,
    keys: EvidenceKeys,
    new: _New,
    where: tuple[str, int],
    last: Checkpoint | None,
    why: str,
    now: datetime,
) -> Checkpoint:
    school_id, size = where
    found = latest(session, school_id=school_id)
    if found is not None and found.size >= size:
        return found
    tree = Tree(session, school_id=school_id, size=size)
    if last is not None and tree.subtree(0, last.size).hex() != last.root:
        raise ToolError("ledger-broken", log=f"{school_id}: not the tree signed for at {last.size}")
    root = tree.root().hex()
    text = ledger.canonical(
        {
            "what": CHECKPOINT,
            "format": FORMAT,
            "school": school_id,
            "size": size,
            "root": root,
            "head": new.head,
            "records": dict(new.records),
            "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "why": why,
            "previous": sha256(last.text).hexdigest() if last else "",
            "key": keys.fingerprint(),
        }
    )
    signed = keys.sign(text)
    checkpoint = Checkpoint(
        school_id=school_id,
        size=size,
        root=root,
        text=text,
        signature=signed.signature,
        key=keys.fingerprint(),
        public_key=signed.public_key,
        code=code_of(text, signed.signature),
        why=why,
        made_at=now,
    )
    session.add(checkpoint)
    session.flush()
    return checkpoint
