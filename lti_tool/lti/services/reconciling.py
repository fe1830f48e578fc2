"""Compares, each night, what we sent in the last twelve months with what the platforms hold.

What a platform has lost is sent again, three times at most. What somebody changed there by hand
stays as they made it, and is shown so.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.lti.claims import RESULT_SCOPE
from lti_tool.lti.models import (
    BLOCKED,
    PENDING,
    SENT,
    LineItem,
    Registration,
    ResourceLink,
    ScoreOutbox,
)
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services import breaker
from lti_tool.lti.services.connection import Refused, TokenRefused, Unreachable
from lti_tool.lti.services.line_items import Result, read_results
from lti_tool.lti.services.scores import LOST, OVERRIDDEN, again

log = logging.getLogger(__name__)

ONCE_IN: Final = timedelta(hours=12)
LOOKED_BACK: Final = timedelta(days=366)
"""Not by cycle: a policy's update has one of its own, and schools begin their years apart."""
SETTLING: Final = timedelta(minutes=10)
"""A platform that says 202 may take a while."""
MOST_LOSSES: Final = 3
AT_A_TIME: Final = 200
"""Scores in one transaction: others want to write too."""
OUTCOMES: Final = ("held", "lost", "changed", "restored", "unreadable", "no-leave")


@dataclass(frozen=True)
class _Column:
    """One line item and the scores that it should hold."""

    url: str
    may_read: bool
    row_ids: tuple[UUID, ...]


def reconcile(lti: Lti, *, at_once: bool = False) -> Counter[str]:
    """Compare with every platform that was not compared with in the last twelve hours, or with
    every one ``at_once``; returns how many scores came out how (``OUTCOMES``)."""
    total = Counter[str](dict.fromkeys(OUTCOMES, 0))
    for registration_id in _registrations(lti):
        platform = lti.registry.by_id(registration_id)
        if platform is not None and _begin(lti, registration_id, at_once):
            found = _compare_platform(lti, platform)
            total.update(found)
            log.info("reconciled", extra={"registration": str(registration_id), **found})
    return total


def _registrations(lti: Lti) -> list[UUID]:
    with lti.database.reading() as session:
        return list(session.scalars(select(Registration.id).order_by(Registration.id)))


def _begin(lti: Lti, registration_id: UUID, at_once: bool) -> bool:
    """Take a platform's comparison upon us: of several workers one does it, once a night."""
    now = lti.clock()
    with lti.database.transaction() as session:
        row = breaker.row_of(session, registration_id)
        if row.compared_at and now - row.compared_at < ONCE_IN and not at_once:
            return False
        probe_at = breaker.breaker_state(session, registration_id).probe_at
        if probe_at and probe_at > now:
            return False
        row.compared_at = now
        breaker.probe_what_was_given_up(session, registration_id, now=now)
        return True


def _compare_platform(lti: Lti, platform: Platform) -> Counter[str]:
    counts = Counter[str]()
    for column in _columns(lti, platform):
        if not column.may_read:
            counts["no-leave"] += len(column.row_ids)
            continue
        try:
            held: Mapping[str, Result] | None = read_results(lti, platform, column.url)
        except Unreachable as fault:
            counts["unreadable"] += len(column.row_ids)
            with lti.database.transaction() as session:
                breaker.failed(session, platform.id, now=lti.clock(), wait=fault.wait)
            return counts  # and the other columns another night
        except TokenRefused:
            counts["unreadable"] += len(column.row_ids)
            with lti.database.transaction() as session:
                breaker.refused(session, platform.id, now=lti.clock())
            return counts
        except Refused as fault:
            held = {} if fault.reply.status == 404 else None
        if held is None:
            counts["unreadable"] += len(column.row_ids)
        else:
            counts.update(_settle(lti, platform.id, column, held))
    return counts


def _columns(lti: Lti, platform: Platform) -> list[_Column]:
    """The line items that were scored of late, each with the latest score of every person."""
    now = lti.clock()
    is_settled = or_(
        and_(ScoreOutbox.state == SENT, ScoreOutbox.sent_at < now - SETTLING),
        and_(ScoreOutbox.state == BLOCKED, ScoreOutbox.reason == OVERRIDDEN),
    )
    url = func.coalesce(func.nullif(LineItem.url, ""), ScoreOutbox.line_item_url)
    latest: dict[tuple[str, bool], dict[str, UUID]] = {}
    with lti.database.reading() as session:
        rows = session.execute(
            select(ScoreOutbox.id, url, ScoreOutbox.subject, ResourceLink.scopes)
            .join(ResourceLink, ResourceLink.id == ScoreOutbox.resource_link_row_id)
            .outerjoin(
                LineItem,
                and_(
                    LineItem.resource_link_row_id == ResourceLink.id,
                    LineItem.module == ScoreOutbox.module,
                    LineItem.cycle == ScoreOutbox.cycle,
                ),
            )
            .where(
                ScoreOutbox.registration_id == platform.id,
                ScoreOutbox.timestamp > now - LOOKED_BACK,
                url != "",
                is_settled,
            )
            .order_by(ScoreOutbox.timestamp)
        )
        for row_id, at, subject, scopes in rows:
            latest.setdefault((at, RESULT_SCOPE in scopes.split()), {})[subject] = row_id
    return [_Column(at, may_read, tuple(of.values())) for (at, may_read), of in latest.items()]


def _settle(
    lti: Lti, registration_id: UUID, column: _Column, held: Mapping[str, Result]
) -> Counter[str]:
    now = lti.clock()
    counts = Counter[str]()
    with lti.database.transaction() as session:
        breaker.answered(session, registration_id, now=now)
    for start in range(0, len(column.row_ids), AT_A_TIME):
        counts.update(_settle_some(lti, column.row_ids[start : start + AT_A_TIME], held))
    return counts


def _settle_some(lti: Lti, row_ids: Sequence[UUID], held: Mapping[str, Result]) -> Counter[str]:
    now = lti.clock()
    counts = Counter[str]()
    with lti.database.transaction() as session:
        for row_id in row_ids:
            row = session.get_one(ScoreOutbox, row_id, with_for_update=True)
            if row.state == SENT or (row.state, row.reason) == (BLOCKED, OVERRIDDEN):
                counts[_compare(session, row, held.get(row.subject), now)] += 1
    return counts


def _compare(session: Session, row: ScoreOutbox, result: Result | None, now: datetime) -> str:
    was_changed = row.reason == OVERRIDDEN
    if result is not None and result.is_about(row.score):
        if not was_changed:
            return "held"
        row.state, row.reason = SENT, ""  # as ours as ever
        return "restored"
    if result is not None or was_changed:
        row.state, row.reason = BLOCKED, OVERRIDDEN
        return "changed"
    row.losses += 1
    if row.losses > MOST_LOSSES:
        row.state = BLOCKED
    else:
        again(session, row, now=now)
        row.state = PENDING
    row.reason = LOST
    return "lost"
