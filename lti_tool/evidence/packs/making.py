"""Makes packs: claimed under a lease, built apart, checked, and shown only when they are whole.

The order is: what was asked for is in the ledger already, in the transaction of the asking, so a
pack's own entry is true whatever becomes of it. Then each school is signed for, and that
checkpoint covers the entry. Then the files are built, checked as a stranger would check them, and
laid in their place under a name of this attempt's own. Last, one transaction says that the pack
is ready, with an entry that holds the SHA-256 of the zip, which the next checkpoint covers.

A worker that dies leaves a lease that runs out and files nobody can fetch; another begins anew.
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select

from lti_tool.core import ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.drawers import Drawer
from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.checkpoints import making as checkpoints
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.packs import contents, reading
from lti_tool.evidence.packs.asking import name_of
from lti_tool.evidence.packs.contents import Claimed
from lti_tool.evidence.packs.models import FAILED, MAKING, READY, WAITING, Pack
from lti_tool.evidence.packs.reading import Part
from lti_tool.evidence.proof import container
from lti_tool.evidence.proof.check import check
from lti_tool.policies.policy import School
from lti_tool.training.cycles.settling import settle

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
MOST_ATTEMPTS: Final = 3
MOST_READINGS: Final = 5


@dataclass(frozen=True)
class Maker:
    """All that making a pack needs."""

    database: Database
    keys: EvidenceKeys
    catalogue: Catalogue
    clock: Clock
    drawer: Drawer
    """Where packs lie once they are whole."""
    folder: Path
    """Where they are built, on this machine."""


def make(maker: Maker, pack_id: UUID) -> str:
    """Make a pack now, unless somebody is at it or it is made; its new state, or nothing."""
    claimed = _claim(maker, pack_id)
    if claimed is None:
        return ""
    try:
        _make(maker, claimed)
    except Exception as fault:
        reason = fault.code if isinstance(fault, ToolError) else "pack-failed"
        log.exception("a pack was not made", extra={"pack": str(pack_id), "code": reason})
        return _end(maker, claimed, FAILED, reason=reason)
    return READY


def make_due(maker: Maker) -> int:
    """Make every pack that waits, or that a worker left behind; how many were tried."""
    with maker.database.reading() as session:
        due = session.scalars(select(Pack.id).where(_is_due(maker.clock()))).all()
    return sum(bool(make(maker, pack_id)) for pack_id in due)


def _is_due(now: datetime) -> Any:
    return or_(Pack.state == WAITING, (Pack.state == MAKING) & (Pack.lease_until < now))


def _claim(maker: Maker, pack_id: UUID) -> Claimed | None:
    now = maker.clock()
    with maker.database.transaction() as session:
        pack = session.scalar(
            select(Pack).where(Pack.id == pack_id, _is_due(now)).with_for_update(skip_locked=True)
        )
        if pack is None:
            return None
        if pack.attempts >= MOST_ATTEMPTS:
            pack.state, pack.reason = FAILED, "pack-failed"
            return None
        pack.state, pack.reason, pack.progress = MAKING, "", 2
        pack.attempts, pack.lease_until = pack.attempts + 1, now + LEASE
        schools = [maker.catalogue.schools[one] for one in pack.schools]
        return Claimed(pack.id, schools, pack.audience, pack.cycle, pack.attempts)


def _make(maker: Maker, claimed: Claimed) -> None:
    name = name_of(claimed.id, claimed.attempt)
    with _workshop(maker.folder / name) as folder:
        signed, parts = {}, {}
        for number, school in enumerate(claimed.schools):
            signed[school.id], parts[school.id] = _read(maker, school, claimed.cycle)
            _progress(maker, claimed, 5 + 50 * (number + 1) // len(claimed.schools))
        names = contents.write(
            folder,
            maker.database,
            claimed=claimed,
            catalogue=maker.catalogue,
            keys=maker.keys,
            checkpoints=signed,
            parts=parts,
            now=maker.clock(),
            progress=lambda share: _progress(maker, claimed, 55 + share * 40 // 100),
        )
        whole = folder / "pack.zip"
        with whole.open("wb") as sink:
            container.write(sink, [folder / name for name in names])
        data = whole.read_bytes()
        _must_hold(maker, data)
        maker.drawer.put(name, data)
    digest = sha256(data).hexdigest()
    codes = {school_id: one.code for school_id, one in signed.items()}
    _finish(maker, claimed, digest, len(data), codes)


@contextmanager
def _workshop(place: Path) -> Iterator[Path]:
    """A folder of this attempt's own to build in, gone afterwards.
    Readable by its owner alone."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = place.with_suffix(".making")
    made.mkdir(mode=0o700)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _read(maker: Maker, school: School, cycle: str) -> tuple[Checkpoint, Part]:
    """What is settled, signed for and read of one school, all of one moment."""
    with maker.database.transaction() as session:
        settle(session, school=school, now=maker.clock())
    for _ in range(MOST_READINGS):
        now = maker.clock()
        made = checkpoints.make(
            maker.database, maker.keys, school_id=school.id, why="pack", now=now
        )
        if made is None:
            break
        with maker.database.reading() as session:
            part = reading.read(session, school=school, cycle=cycle, checkpoint=made, now=now)
        if part is not None:
            return made, part
    raise ToolError("pack-failed", log=f"{school.id} does not hold still")


def _must_hold(maker: Maker, data: bytes) -> None:
    """No pack is handed out that a stranger would find altered."""
    report = check(data, key=maker.keys.fingerprint())
    if report.verdict != "genuine":
        found = "; ".join(f"{one.code} {json.dumps(one.where)}" for one in report.findings[:5])
        raise ToolError("pack-unsound", log=found)


def _progress(maker: Maker, claimed: Claimed, per_cent: int) -> None:
    """Say how far it is, and that somebody is still at it."""
    with maker.database.transaction() as session:
        pack = session.get_one(Pack, claimed.id)
        if pack.attempts == claimed.attempt:
            pack.progress, pack.lease_until = per_cent, maker.clock() + LEASE


def _finish(
    maker: Maker, claimed: Claimed, digest: str, size: int, codes: Mapping[str, str]
) -> None:
    now = maker.clock()
    with maker.database.transaction() as session:
        pack = session.get_one(Pack, claimed.id, with_for_update=True)
        if pack.attempts != claimed.attempt or pack.state != MAKING:
            raise ToolError("pack-failed", log="another worker took it over")
        pack.state, pack.progress, pack.lease_until = READY, 100, None
        pack.sha256, pack.size, pack.ready_at = digest, size, now
        for school_id, code in codes.items():
            ledger.append(
                session,
                school_id=school_id,
                kind="pack-made",
                facts={
                    "pack": str(claimed.id),
                    "audience": claimed.audience,
                    "cycle": claimed.cycle,
                    "sha256": digest,
                    "bytes": size,
                    "code": code,
                },
                now=now,
            )


def _end(maker: Maker, claimed: Claimed, state: str, *, reason: str) -> str:
    with maker.database.transaction() as session:
        pack = session.get_one(Pack, claimed.id, with_for_update=True)
        if pack.attempts == claimed.attempt and pack.state == MAKING:
            pack.state, pack.reason, pack.lease_until = state, reason, None
    maker.drawer.remove(name_of(claimed.id, claimed.attempt))
    return state
