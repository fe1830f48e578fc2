"""What a page of a roster does to our rows, in transactions short enough for launches to pass."""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.rosters.models import READING, Roster, RosterEntry
from lti_tool.lti.services.members import Page, RosterUnfit
from lti_tool.people import staff_lists
from lti_tool.people.joins import families
from lti_tool.people.staff_lists import Listed

T = TypeVar("T")

BATCH: Final = 200
# SQLite lets whoever waits to write ask again every tenth of a second: then the door is open.
BREATH_SECONDS: Final = 0.11
# Longer than a page can take, its token and a second try included.
LEASE: Final = timedelta(minutes=6)
MOST_MEMBERS: Final = 100_000
# A try is lost only to somebody of the batch who arrived, or joined the school, meanwhile; each
# person does either once. So many are never needed, and each leaves one fewer to lose to.
TRIES: Final = 2 * BATCH + 1


class Overtaken(Exception):
    """The reading is no longer ours: unlinked meanwhile, or our lease ran out."""


@dataclass
class Claimed:
    """A course that is being read, and what has come of it so far."""

    id: UUID
    number: int
    school_id: str
    platform: Platform | None
    """Nothing where it is disconnected, or no longer serves the school."""
    realm: str
    memberships_url: str
    had: int
    """Active members when it was last read to its end."""
    expected: int
    title: str
    seen: int = 0
    joined: int = 0
    left: int = 0
    skipped: int = 0


def is_ours(claimed: Claimed) -> ColumnElement[bool]:
    """The roster, as long as no other reading has begun and it is linked."""
    return and_(
        Roster.id == claimed.id,
        Roster.number == claimed.number,
        Roster.state == READING,
        Roster.unlinked_at.is_(None),
    )


def take_in(lti: Lti, claimed: Claimed, page: Page) -> None:
    """Everybody on a page. Raises ``Overtaken``, ``RosterUnfit`` endless."""
    so_far = claimed.seen + len(page.members)
    if so_far > MOST_MEMBERS:
        raise RosterUnfit("endless")
    claimed.title = page.title or claimed.title
    claimed.skipped += page.skipped
    claimed.expected = so_far if page.is_last else max(claimed.expected, so_far)
    for batch in _batches(page.members):
        claimed.seen += len(batch)
        joined, gone = _transact(lti, claimed, partial(_enter, claimed=claimed, batch=batch))
        claimed.joined, claimed.left = claimed.joined + joined, claimed.left + gone


def see_off(lti: Lti, claimed: Claimed) -> None:
    """Show that whoever was not on any page has left. Raises ``Overtaken``."""
    missing = select(RosterEntry.person_id).where(
        RosterEntry.roster_id == claimed.id,
        RosterEntry.number < claimed.number,
        RosterEntry.left_at.is_(None),
    )
    with lti.database.reading() as session:
        gone = session.scalars(missing.order_by(RosterEntry.person_id)).all()
    for batch in _batches(gone):
        _transact(lti, claimed, partial(_leave, claimed=claimed, person_ids=batch))
        claimed.left += len(batch)


def counts(session: Session, claimed: Claimed) -> tuple[int, int]:
    """How many this reading found active, and how many not."""
    here = (RosterEntry.roster_id == claimed.id) & (RosterEntry.number == claimed.number)
    total, active = session.execute(
        select(func.count(), func.count().filter(RosterEntry.left_at.is_(None))).where(here)
    ).one()
    return active, total - active


def _transact(lti: Lti, claimed: Claimed, write: Callable[..., T]) -> T:
    """``write(session, now=…)`` in a short transaction, while the reading is ours."""
    for tries_left in reversed(range(TRIES)):
        now = lti.clock()
        try:
            with lti.database.transaction() as session:
                _hold(session, claimed, now)
                return write(session, now=now)
        except IntegrityError:
            # Somebody of this batch launched for the first time just now: then they are known.
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _hold(session: Session, claimed: Claimed, now: datetime) -> None:
    held = session.execute(
        update(Roster)
        .where(is_ours(claimed))
        .values(
            lease_until=now + LEASE,
            seen=claimed.seen,
            expected=claimed.expected,
            title=claimed.title,
        )
        .returning(Roster.id)
    ).one_or_none()
    if held is None:
        raise Overtaken


def _enter(
    session: Session, *, claimed: Claimed, batch: Sequence[Listed], now: datetime
) -> tuple[int, int]:
    """Returns how many joined the list, and how many became inactive on it."""
    is_active = staff_lists.enter(
        session,
        batch,
        school_id=claimed.school_id,
        realm=claimed.realm,
        list_id=claimed.id,
        now=now,
    )
    on_list = RosterEntry.person_id.in_(is_active) & (RosterEntry.roster_id == claimed.id)
    left = {
        row.person_id: row.left_at
        for row in session.execute(
            select(RosterEntry.person_id, RosterEntry.left_at).where(on_list)
        )
    }
    new = [
        {
            "roster_id": claimed.id,
            "person_id": person_id,
            "school_id": claimed.school_id,
            "number": claimed.number,
            "first_seen_at": now,
            "left_at": None if active else now,
        }
        for person_id, active in is_active.items()
        if person_id not in left
    ]
    if new:
        session.execute(insert(RosterEntry), new)
    _set(session, claimed, left, number=claimed.number)
    back = [who for who, at in left.items() if at is not None and is_active[who]]
    _set(session, claimed, back, left_at=None)
    gone = [who for who, at in left.items() if at is None and not is_active[who]]
    _leave(session, claimed=claimed, person_ids=gone, now=now)
    return sum(row["left_at"] is None for row in new) + len(back), len(gone)


def _leave(
    session: Session, *, claimed: Claimed, person_ids: Collection[UUID], now: datetime
) -> None:
    if not person_ids:
        return
    _set(session, claimed, person_ids, left_at=now)
    root_of = families(session, person_ids)
    on_another = session.scalars(
        select(RosterEntry.person_id)
        .join(Roster, Roster.id == RosterEntry.roster_id)
        .where(
            RosterEntry.person_id.in_(root_of),
            RosterEntry.left_at.is_(None),
            Roster.school_id == claimed.school_id,
            Roster.unlinked_at.is_(None),
        )
    )
    staff_lists.leave(
        session,
        {root_of[one] for one in person_ids} - {root_of[one] for one in on_another},
        school_id=claimed.school_id,
        list_id=claimed.id,
        now=now,
    )


def _set(session: Session, claimed: Claimed, person_ids: Collection[UUID], **values: Any) -> None:
    if person_ids:
        session.execute(
            update(RosterEntry)
            .where(RosterEntry.roster_id == claimed.id, RosterEntry.person_id.in_(person_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Some at a time, with a breath in between for others to write. At least one, be it empty:
    each holds the lease for the next page."""
    for start in range(0, len(items) or 1, BATCH):
        if start:
            time.sleep(BREATH_SECONDS)
        yield items[start : start + BATCH]
