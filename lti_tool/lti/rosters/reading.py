"""Reads linked courses: claimed under a lease, taken in by short transactions, page by page.

No call to a platform is made inside a transaction, and no batch is so large that a launch would
have to wait for it. A worker that dies leaves a lease that runs out; the course is then read
again from its beginning, which changes nothing for those who were taken in already. Nobody is
said to have left before the last page has come.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from huey import crontab
from huey.api import Huey
from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from lti_tool.lti.models import Deployment, DeploymentSchool, ResourceLink
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.rosters import taking_in
from lti_tool.lti.rosters.models import FAILED, READ, READING, Roster
from lti_tool.lti.rosters.taking_in import LEASE, Claimed, Overtaken
from lti_tool.lti.services.connection import TokenRefused, Unreachable
from lti_tool.lti.services.members import RosterUnfit, pages

log = logging.getLogger(__name__)

FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=6)
# A platform that goes on for longer would keep our workers from everybody else's work.
LONGEST_READING: Final = timedelta(hours=1)
NIGHT_BEGINS: Final = 1
NIGHT_SECONDS: Final = 4 * 60 * 60
# What may be over before the night: everything else waits for somebody to put it right.
PASSING: Final = frozenset(("unreachable", "fault"))


def read(lti: Lti, roster_id: UUID) -> str:
    """Read a course now, unless somebody is at it or it was unlinked; returns its new state, or
    nothing. It need not be due."""
    claimed = _claim(lti, Roster.id == roster_id)
    return _read(lti, claimed) if claimed else ""


def read_due(lti: Lti, *which: ColumnElement[bool]) -> int:
    """Read every course that is due, or was left behind by a worker; returns how many were."""
    number = 0
    while claimed := _claim(lti, Roster.next_at <= lti.clock(), *which):
        _read(lti, claimed)
        number += 1
    return number


def register_tasks(queue: Huey, lti: Lti) -> Callable[[str], object]:
    """Give the queue its tasks; returns what wakes the worker for one roster."""

    @queue.task(name="read_roster")  # type: ignore[untyped-decorator]
    def read_roster(roster_id: str) -> None:
        read_due(lti, Roster.id == UUID(roster_id))  # it may have been read while this waited

    @queue.periodic_task(crontab(minute="*"), name="read_rosters")  # type: ignore[untyped-decorator]
    def read_rosters() -> None:
        read_due(lti)

    wake: Callable[[str], object] = read_roster
    return wake


def next_night(roster_id: UUID, after: datetime) -> datetime:
    """When to read a course next: at night, each at a minute of its own."""
    spread = timedelta(seconds=roster_id.int % NIGHT_SECONDS)
    tonight = after.replace(hour=NIGHT_BEGINS, minute=0, second=0, microsecond=0) + spread
    return tonight if tonight > after else tonight + timedelta(days=1)


def is_under_way(roster: Roster, now: datetime) -> bool:
    """Whether somebody is reading the course, rather than died over it."""
    return roster.state == READING and roster.lease_until is not None and roster.lease_until > now


def _claim(lti: Lti, *which: ColumnElement[bool]) -> Claimed | None:
    now = lti.clock()
    with lti.database.transaction() as session:
        row = session.scalar(
            select(Roster)
            .where(
                Roster.unlinked_at.is_(None),
                or_(Roster.state != READING, Roster.lease_until < now),
                *which,
            )
            .order_by(Roster.next_at, Roster.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.state, row.reason, row.lease_until = READING, "", now + LEASE
        row.number, row.seen, row.expected = row.number + 1, 0, row.found
        # Should this worker die, whoever finds its lease run out takes over.
        row.next_at = now
        session.flush()
        platform = _platform(lti, session, row)
        return Claimed(
            id=row.id,
            number=row.number,
            school_id=row.school_id,
            platform=platform,
            realm=str(platform.id) if platform else "",
            memberships_url=_memberships_url(session, row),
            had=row.found,
            expected=row.found,
            title=row.title,
        )


def _platform(lti: Lti, session: Session, row: Roster) -> Platform | None:
    """The platform, if it may still launch and still serves the school."""
    serves = exists().where(
        DeploymentSchool.deployment_row_id == Deployment.id,
        DeploymentSchool.school_id == row.school_id,
    )
    registration_id = session.scalar(
        select(Deployment.registration_id).where(Deployment.id == row.deployment_row_id, serves)
    )
    return lti.registry.by_id(registration_id) if registration_id else None


def _memberships_url(session: Session, row: Roster) -> str:
    """As the latest launch from the course gave it: such addresses may change."""
    found = session.scalar(
        select(ResourceLink.context_memberships_url)
        .where(
            ResourceLink.deployment_row_id == row.deployment_row_id,
            ResourceLink.context_id == row.context_id,
            ResourceLink.context_memberships_url != "",
        )
        .order_by(ResourceLink.seen_at.desc())
        .limit(1)
    )
    return found or ""


def _read(lti: Lti, claimed: Claimed) -> str:
    wait = None
    try:
        _take_in(lti, claimed)
        state, reason = READ, ""
    except Overtaken:
        log.info("roster", extra={"roster": str(claimed.id), "state": "overtaken"})
        return ""
    except Unreachable as fault:
        state, reason, wait = FAILED, "unreachable", fault.wait
    except TokenRefused:
        state, reason = FAILED, "reconnect"
    except RosterUnfit as fault:
        state, reason = FAILED, fault.reason
    except Exception:
        log.exception("a roster could not be read", extra={"roster": str(claimed.id)})
        state, reason = FAILED, "fault"
    _finish(lti, claimed, state, reason, wait)
    log.info(
        "roster",
        extra={
            "roster": str(claimed.id),
            "state": state,
            "reason": reason,
            "seen": claimed.seen,
            "joined": claimed.joined,
            "left": claimed.left,
        },
    )
    return state


def _take_in(lti: Lti, claimed: Claimed) -> None:
    """The whole course. Raises what ``pages`` does, ``RosterUnfit`` and ``Overtaken``."""
    if claimed.platform is None:
        raise RosterUnfit("disconnected")
    if not claimed.memberships_url:
        raise RosterUnfit("no-service")
    until = lti.clock() + LONGEST_READING
    for page in pages(lti, claimed.platform, claimed.memberships_url):
        taking_in.take_in(lti, claimed, page)
        if not page.is_last and lti.clock() > until:
            raise RosterUnfit("endless")
    if not claimed.seen and claimed.had:
        # Nobody empties a staff course; a platform that lost its leave may show it empty.
        raise RosterUnfit("empty")
    taking_in.see_off(lti, claimed)


def _finish(
    lti: Lti, claimed: Claimed, state: str, reason: str, asked_for: timedelta | None
) -> None:
    """``asked_for`` is how long the platform wants us to stay away at least."""
    now = lti.clock()
    with lti.database.transaction() as session:
        row = session.scalar(select(Roster).where(taking_in.is_ours(claimed)).with_for_update())
        if row is None:
            return
        row.state, row.reason, row.lease_until = state, reason, None
        row.next_at = next_night(row.id, now)
        if state == FAILED:
            row.failures += 1
            if reason in PASSING:
                wait = min(FIRST_WAIT * 2 ** min(row.failures - 1, 10), LONGEST_WAIT)
                row.next_at = max(min(row.next_at, now + wait), now + (asked_for or timedelta()))
            return
        row.failures, row.read_at = 0, now
        row.found, row.inactive = taking_in.counts(session, claimed)
        row.joined, row.left, row.skipped = claimed.joined, claimed.left, claimed.skipped
