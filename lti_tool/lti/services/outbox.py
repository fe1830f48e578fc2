"""Sends what is owed, so that no score is lost: a platform that is away for a day loses nothing.

A row is claimed under a lease in one short transaction, sent without any, and its outcome
written in another. A worker that dies in between leaves a lease that runs out; the row is then
sent again with the timestamp it had, which a platform that took it the first time answers with
409.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

from huey import crontab
from huey.api import Huey
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.lti.claims import RESULT_SCOPE
from lti_tool.lti.models import (
    BLOCKED,
    DEAD,
    NOT_SCORED,
    PENDING,
    SENDING,
    SENT,
    Nonce,
    Registration,
    ResourceLink,
    ScoreOutbox,
)
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services import line_items
from lti_tool.lti.services.connection import Reply, TokenRefused, Unreachable
from lti_tool.lti.services.scores import give_way, renew

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(hours=1)
LONGEST_RETRY_AFTER: Final = timedelta(days=1)
GIVE_UP: Final = timedelta(days=3)
WORTH_RETRYING: Final = frozenset((408, 425, 429))
FORBIDDEN: Final = "forbidden"
# How platforms word that a person can have no score in the course: Moodle, Blackboard, D2L.
NOT_GRADABLE: Final = (
    "incorrect score received",
    "user could not be found",
    "not enrolled in the org unit",
    "not gradable",
)


@dataclass(frozen=True)
class Owed:
    """A claimed score, as the sending needs it."""

    id: UUID
    platform: Platform
    place: line_items.Place
    subject: str
    score: int
    payload: str
    line_item_url: str
    attempts: int
    was_renewed: bool
    sent_scores: frozenset[int]
    lease_until: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt."""

    state: str
    reason: str = ""
    status: int = 0
    wait: timedelta | None = None
    """For PENDING: how long the platform wants us to stay away at least."""
    renews: bool = False
    """For PENDING: at once, and with a later timestamp."""
    not_before: datetime | None = None
    """The platform's own timestamp, which ours must pass."""
    line_item_url: str = ""


def deliver(lti: Lti, row_id: UUID) -> Outcome | None:
    """Try once to send a score, if it is due and nobody else is at it."""
    owed = _claim(lti, ScoreOutbox.id == row_id)
    return _deliver(lti, owed) if owed else None


def send_due(lti: Lti, *, hurry: bool = False) -> int:
    """Try every score that is due, each once; returns how many were sent.

    A platform that does not answer is left alone for the rest of this round. ``hurry`` does not
    wait for the time that a failed score is due again.
    """
    sent, tripped, tried = 0, set[UUID](), set[UUID]()
    while True:
        owed = _claim(
            lti,
            ScoreOutbox.registration_id.not_in(tripped),
            ScoreOutbox.id.not_in(tried),
            hurry=hurry,
        )
        if owed is None:
            return sent
        outcome = _deliver(lti, owed)
        sent += outcome.state == SENT
        if not outcome.renews:
            tried.add(owed.id)
        if outcome.reason == "unreachable":
            tripped.add(owed.platform.id)


def sweep(lti: Lti) -> int:
    """Find what was lost or is due again, and forget spent nonces; returns how many were sent."""
    now = lti.clock()
    with lti.database.transaction() as session:
        session.execute(delete(Nonce).where(Nonce.expires_at < now))
        # A later launch may have brought what was missing: one more try.
        seen_since = exists().where(
            ResourceLink.id == ScoreOutbox.resource_link_row_id,
            ResourceLink.seen_at > ScoreOutbox.next_at,
        )
        session.execute(
            update(ScoreOutbox)
            .where(
                ScoreOutbox.state == BLOCKED,
                ScoreOutbox.reason == FORBIDDEN,
                ScoreOutbox.was_renewed.is_(False),
                seen_since,
            )
            .values(state=PENDING, was_renewed=True, next_at=now)
        )
    return send_due(lti)


def register_tasks(queue: Huey, lti: Lti) -> Callable[[str], object]:
    """Give the queue its tasks; returns what wakes the worker for one row."""

    @queue.task(name="send_score")  # type: ignore[untyped-decorator]
    def send_score(row_id: str) -> None:
        outcome = deliver(lti, UUID(row_id))
        if outcome is not None and outcome.state == PENDING:
            # The sweeper would find it too, within a minute of its time.
            delay = 0 if outcome.renews else (outcome.wait or FIRST_WAIT).total_seconds() + 1
            send_score.schedule((row_id,), delay=delay)

    @queue.periodic_task(crontab(minute="*"), name="sweep_scores")  # type: ignore[untyped-decorator]
    def sweep_scores() -> None:
        sweep(lti)

    wake: Callable[[str], object] = send_score
    return wake


def judge(reply: Reply, now: datetime) -> Outcome:
    """What a reply to a score means, but for 401, 404 and 409, which need a second look."""
    status = reply.status
    if reply.is_ok:
        return Outcome(SENT, "", status)
    if status in WORTH_RETRYING or status >= 500:
        return Outcome(PENDING, "unreachable", status, wait=_retry_after(reply, now))
    said = reply.said.lower()
    if status in (400, 403, 404) and any(words in said for words in NOT_GRADABLE):
        return Outcome(NOT_SCORED, "not-gradable", status)
    if status == 404:
        return Outcome(DEAD, "line-item-gone", status)
    return Outcome(BLOCKED, {401: "reconnect", 403: FORBIDDEN}.get(status, "refused"), status)


def _claim(lti: Lti, *which: ColumnElement[bool], hurry: bool = False) -> Owed | None:
    now = lti.clock()
    try:
        with lti.database.transaction() as session:
            row = session.scalar(
                select(ScoreOutbox)
                .join(Registration)
                .where(Registration.disabled_at.is_(None), _is_due(now, hurry), *which)
                .order_by(ScoreOutbox.next_at, ScoreOutbox.id)
                .limit(1)
                .with_for_update(skip_locked=True, of=ScoreOutbox)
            )
            platform = lti.registry.by_id(row.registration_id) if row else None
            if row is None or platform is None:
                return None
            row.state, row.lease_until = SENDING, now + LEASE
            row.attempts += 1
            session.flush()
            return _owed(session, row, platform, now + LEASE)
    except IntegrityError:
        return None  # another score of this person has just been claimed: theirs goes first


def _is_due(now: datetime, hurry: bool) -> ColumnElement[bool]:
    """Waiting and due, or left behind by a worker; never two of one person at one time."""
    other = ScoreOutbox.__table__.alias("other")
    is_busy = exists().where(
        other.c.registration_id == ScoreOutbox.registration_id,
        other.c.subject == ScoreOutbox.subject,
        other.c.state == SENDING,
        other.c.id != ScoreOutbox.id,
    )
    waits = ScoreOutbox.state == PENDING
    return or_(
        and_(waits if hurry else and_(waits, ScoreOutbox.next_at <= now), ~is_busy),
        and_(ScoreOutbox.state == SENDING, ScoreOutbox.lease_until < now),
    )


def _owed(session: Session, row: ScoreOutbox, platform: Platform, lease_until: datetime) -> Owed:
    link = session.get_one(ResourceLink, row.resource_link_row_id)
    sent = session.scalars(
        select(ScoreOutbox.score).where(
            ScoreOutbox.registration_id == row.registration_id,
            ScoreOutbox.resource_link_row_id == row.resource_link_row_id,
            ScoreOutbox.subject == row.subject,
            or_(ScoreOutbox.state == SENT, ScoreOutbox.id == row.id),
        )
    )
    place = line_items.Place(
        resource_link_id=link.resource_link_id,
        line_item_url=link.line_item_url,
        line_items_url=link.line_items_url,
        scopes=tuple(link.scopes.split()),
        module=row.module,
        cycle=row.cycle,
    )
    return Owed(
        id=row.id,
        platform=platform,
        place=place,
        subject=row.subject,
        score=row.score,
        payload=row.payload,
        # The latest launch knows best: these URLs may change (AGS §3.1).
        line_item_url=link.line_item_url or row.line_item_url,
        attempts=row.attempts,
        was_renewed=row.was_renewed,
        sent_scores=frozenset(sent),
        lease_until=lease_until,
    )


def _deliver(lti: Lti, owed: Owed) -> Outcome:
    try:
        outcome = _attempt(lti, owed)
    except Unreachable:
        outcome = Outcome(PENDING, "unreachable")
    except TokenRefused as fault:
        outcome = Outcome(BLOCKED, "reconnect", fault.status)
    outcome = _record(lti, owed, outcome)
    log.info(
        "score",
        extra={
            "outbox": str(owed.id),
            "registration": str(owed.platform.id),
            "state": outcome.state,
            "reason": outcome.reason,
            "status": outcome.status,
            "attempt": owed.attempts,
        },
    )
    return outcome


def _attempt(lti: Lti, owed: Owed) -> Outcome:
    url = owed.line_item_url or line_items.find_line_item(lti, owed.platform, owed.place)
    if not url:
        return Outcome(BLOCKED, "no-line-item")
    reply = line_items.post_score(lti, owed.platform, url, owed.payload)
    if reply.status == 404:
        again = line_items.find_line_item(lti, owed.platform, owed.place)
        if again and again != url:
            url, reply = again, line_items.post_score(lti, owed.platform, again, owed.payload)
    if reply.status == 409:
        return replace(_look_after_conflict(lti, owed, url), line_item_url=url)
    return replace(judge(reply, lti.clock()), line_item_url=url)


def _look_after_conflict(lti: Lti, owed: Owed, url: str) -> Outcome:
    """The platform holds something as new or newer. Ours, from a try whose answer was lost; or
    somebody's who changed it by hand; or its clock is ahead, and a later timestamp helps."""
    if RESULT_SCOPE in owed.place.scopes:
        result = line_items.read_result(lti, owed.platform, url, owed.subject)
    else:
        result = None
    if result is not None and result.percent >= owed.score:
        return Outcome(SENT, "held-already", 409)
    if result is not None and not any(abs(result.percent - ours) < 1 for ours in owed.sent_scores):
        return Outcome(BLOCKED, "overridden", 409)
    if RESULT_SCOPE not in owed.place.scopes and owed.attempts > 1:
        return Outcome(SENT, "held-already", 409)
    if owed.was_renewed:
        return Outcome(BLOCKED, "overridden", 409)
    return Outcome(PENDING, "conflict", 409, renews=True, not_before=result.at if result else None)


def _record(lti: Lti, owed: Owed, outcome: Outcome) -> Outcome:
    now = lti.clock()
    with lti.database.transaction() as session:
        row = session.scalar(
            select(ScoreOutbox)
            .where(
                ScoreOutbox.id == owed.id,
                ScoreOutbox.state == SENDING,
                ScoreOutbox.lease_until == owed.lease_until,
            )
            .with_for_update()
        )
        if row is None:
            return outcome  # our lease ran out: whoever took it over has the last word
        if outcome.state == PENDING and not outcome.renews:
            outcome = _wait_or_give_up(row, outcome, now)
        row.state, row.reason, row.last_status = outcome.state, outcome.reason, outcome.status
        row.line_item_url = outcome.line_item_url or row.line_item_url
        row.lease_until, row.next_at = None, now + (outcome.wait or timedelta())
        if outcome.renews:
            later = outcome.not_before or now
            renew(session, row, now=max(now, later + timedelta(seconds=1)))
            row.was_renewed = True
        if row.state == PENDING:
            give_way(session, row)  # a better one may have been owed meanwhile
        elif row.state == SENT:
            row.sent_at = now
            _remember(session, row, now)
    return outcome


def _wait_or_give_up(row: ScoreOutbox, outcome: Outcome, now: datetime) -> Outcome:
    if now - row.owed_at > GIVE_UP and row.attempts > 1:
        return replace(outcome, state=DEAD)
    wait = min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)
    # Spread, so that a platform that comes back is not met by everybody at once.
    spread = wait * random.uniform(0.75, 1.25)  # noqa: S311
    return replace(outcome, wait=max(spread, outcome.wait or timedelta()))


def _remember(session: Session, row: ScoreOutbox, now: datetime) -> None:
    ledger.append(
        session,
        school_id=row.school_id,
        kind="score-sent",
        facts={
            "completion": str(row.completion_id),
            "module": row.module,
            "cycle": row.cycle,
            "registration": str(row.registration_id),
            "line_item": row.line_item_url,
            "status": row.last_status,
            "timestamp": row.timestamp.isoformat(timespec="milliseconds"),
        },
        person_id=row.person_id,
        personal={"person": str(row.person_id), "score": row.score},
        now=now,
    )


def _retry_after(reply: Reply, now: datetime) -> timedelta | None:
    """Seconds or a date (RFC 9110 §10.2.3)."""
    given = reply.headers.get("Retry-After", "")
    if given.isdecimal() and len(given) < 9:
        return min(timedelta(seconds=int(given)), LONGEST_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(given)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        return None
    return min(max(moment - now, timedelta()), LONGEST_RETRY_AFTER)
