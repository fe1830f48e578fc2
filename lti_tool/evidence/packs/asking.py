"""A manager asks for a pack; what was asked for is shown, fetched, and removed after a time."""

import shutil
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.drawers import Drawer
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.evidence.packs.models import FAILED, MAKING, READY, REMOVED, WAITING, Pack
from lti_tool.evidence.proof.entries import ASKED
from lti_tool.people.memberships import manages
from lti_tool.people.models import Visit

KEPT: Final = timedelta(days=30)
MOST_UNDER_WAY: Final = 3


def ask(
    session: Session,
    *,
    school_id: str,
    schools: Collection[str],
    audience: str,
    cycle: str,
    by: UUID,
    now: datetime,
) -> Pack:
    """Ask for a pack: its row, and an entry in the ledger of each school it covers.

    Whoever calls has made sure that ``by`` manages every one of them. Raises ``ToolError``
    packs-under-way where the school waits for several already.
    """
    under_way = select(Pack.id).where(
        Pack.school_id == school_id, Pack.state.in_((WAITING, MAKING))
    )
    if len(session.scalars(under_way).all()) >= MOST_UNDER_WAY:
        raise ToolError("packs-under-way")
    pack = Pack(
        id=new_id(),
        school_id=school_id,
        schools=sorted(schools),
        audience=audience,
        cycle=cycle,
        asked_at=now,
        asked_by=by,
    )
    session.add(pack)
    session.flush()
    for one in pack.schools:
        ledger.append(
            session,
            school_id=one,
            kind=ASKED,
            facts={
                "pack": str(pack.id),
                "audience": audience,
                "cycle": cycle,
                "schools": list(pack.schools),
            },
            person_id=by,
            personal={"actor": str(by)},
            now=now,
        )
    return pack


def listed(session: Session, visit: Visit) -> Sequence[Pack]:
    """The packs asked for at the visit's school that its sign-in may open, the newest first.

    A pack of several schools is for those alone who manage each of them.
    """
    asked = select(Pack).where(Pack.school_id == visit.school_id)
    packs = session.scalars(asked.order_by(Pack.asked_at.desc(), Pack.id)).all()
    others = {one for pack in packs for one in pack.schools} - {visit.school_id}
    open_to = {one for one in others if manages(session, visit, school_id=one)}
    return [pack for pack in packs if open_to.issuperset({*pack.schools} - {visit.school_id})]


def found(session: Session, visit: Visit, *, pack_id: UUID) -> Pack:
    """One of them. Raises ``ToolError`` page-not-found."""
    for pack in listed(session, visit):
        if pack.id == pack_id:
            return pack
    raise ToolError("page-not-found")


def content_of(drawer: Drawer, pack: Pack) -> bytes:
    """The file of a pack. Raises ``ToolError`` pack-gone where it is not ready, or not any more."""
    content = drawer.read(name_of(pack.id, pack.attempts)) if pack.state == READY else None
    if content is None:
        raise ToolError("pack-gone")
    return content


def name_of(pack_id: UUID, attempt: int) -> str:
    """Each attempt has a file of its own, so that none can spoil another's."""
    return f"{pack_id}-{attempt}.zip"


def remove_old(database: Database, drawer: Drawer, folder: Path, *, now: datetime) -> int:
    """Take away the files of old packs, and what dead workers left; how many packs went.

    The row says so first: a file that outlives its row is found again the next time.
    """
    with database.transaction() as session:
        old = session.scalars(
            select(Pack).where(
                or_(Pack.ready_at < now - KEPT, Pack.state == FAILED), Pack.removed_at.is_(None)
            )
        ).all()
        for pack in old:
            pack.removed_at = now
            pack.state = REMOVED if pack.state == READY else pack.state
        kept = {
            name_of(pack.id, pack.attempts)
            for pack in session.scalars(select(Pack).where(Pack.state.in_((READY, MAKING))))
        }
    for name in drawer.names(".zip"):
        if name not in kept:
            drawer.remove(name)
    for path in folder.glob("*.making"):
        if path.with_suffix(".zip").name not in kept:
            shutil.rmtree(path, ignore_errors=True)
    return len(old)
