"""Sends what is owed, so that no score is lost: a platform that is away for a day loses nothing.

A row is claimed under a lease in one short transaction, sent without any, and its outcome
written in another. A worker that dies in between leaves a lease that runs out; the row is then
sent again with the timestamp it had, which a platform that took it the first time answers with
409.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from huey import crontab
from huey.api import Huey
from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.lti.claims import SCORE_SCOPE
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
from lti_tool.lti.services import breaker, placing
from lti_tool.lti.services.breaker import RECONNECT, UNREACHABLE
from lti_tool.lti.services.connection import TokenRefused, Unreachable
from lti_tool.lti.services.reconciling import reconcile
from lti_tool.lti.services.scores import (
    FORBIDDEN,
    GONE,
    NO_LINE_ITEM,
    NO_MARKS,
    NOT_GRANTED,
    give_way,
    renew,
)
from lti_tool.lti.services.sending import Outcome, Owed, attempt

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVE_UP: Final = timedelta(days=3)
MOST_RACES: Final = 5


def deliver(lti: Lti, row_id: UUID) -> Outcome | None:
    """Try once to send a score, if it is due and nobody else is at it."""
    owed = _claim(lti, ScoreOutbox.id == row_id)
    return _deliver(lti, owed) if owed else None


def send_due(lti: Lti, *, hurry: bool = False) -> int:
    """Try every score that is due, each once; returns how many were sent.

    A platform that does not answer is left alone for the rest of this round. ``hurry`` waits
    neither for the time that a failed score is due again nor for a breaker.
    """
    sent, tripped, tried = 0, set[UUID](), set[UUID]()
    if hurry:
        with lti.database.transaction() as session:
            for registration_id in session.scalars(select(Registration.id)):
                breaker.close(session, registration_id)
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
        if outcome.reason == UNREACHABLE:
            tripped.add(owed.platform.id)


def sweep(lti: Lti) -> int:
    """Find what was lost or is due again, and forget spent nonces; returns how many were sent."""
    now = lti.clock()
    with lti.database.transaction() as session:
        session.execute(delete(Nonce).where(Nonce.expires_at < now))
        _revive(session, now)
    return send_due(lti)


def _revive(session: Session, now: datetime) -> None:
    """A later launch may have brought what was missing: one more try; and where leave was
    missing, a try as soon as there is leave."""
    launched = exists().where(
        ResourceLink.id == ScoreOutbox.resource_link_row_id,
        ResourceLink.seen_at > ScoreOutbox.next_at,
    )
    may_score = exists().where(
        ResourceLink.id == ScoreOutbox.resource_link_row_id,
        ResourceLink.scopes.contains(SCORE_SCOPE, autoescape=True),
        or_(ResourceLink.line_item_url != "", ResourceLink.line_items_url != ""),
    )
    session.execute(
        update(ScoreOutbox)
        .where(
            ScoreOutbox.state.in_((BLOCKED, DEAD)),
            ScoreOutbox.reason.in_((FORBIDDEN, NO_LINE_ITEM, GONE)),
            ScoreOutbox.was_renewed.is_(False),
            launched,
        )
        .values(state=PENDING, was_renewed=True, next_at=now)
    )
    session.execute(
        update(ScoreOutbox)
        .where(
            ScoreOutbox.state == NOT_SCORED,
            ScoreOutbox.reason.in_((NOT_GRANTED, NO_MARKS)),
            may_score,
        )
        .values(state=PENDING, next_at=now)
    )


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

    @queue.periodic_task(crontab(hour="2", minute="23"), name="reconcile_scores")  # type: ignore[untyped-decorator]
    def reconcile_scores() -> None:
        reconcile(lti)

    wake: Callable[[str], object] = send_score
    return wake


def _claim(lti: Lti, *which: ColumnElement[bool], hurry: bool = False) -> Owed | None:
    """The score that is due first, taken upon us. Where another worker was quicker (with another
    score of that person, or with the one call to a platform that was away) the next is looked for.
    """
    for _ in range(MOST_RACES):
        try:
            with lti.database.transaction() as session:
                row = _first_due(session, lti.clock(), *which, hurry=hurry)
                platform = lti.registry.by_id(row.registration_id) if row else None
                if row is None or platform is None:
                    return None
                if breaker.may_call(session, platform.id, now=lti.clock()):
                    return _owed(session, row, platform, lti.clock() + LEASE)
        except IntegrityError:
            continue
    return None


def _first_due(
    session: Session, now: datetime, *which: ColumnElement[bool], hurry: bool
) -> ScoreOutbox | None:
    found: ScoreOutbox | None = session.scalar(
        select(ScoreOutbox)
        .join(Registration)
        .where(
            Registration.disabled_at.is_(None),
            ~breaker.is_left_alone(now),
            _is_due(now, hurry),
            *which,
        )
        .order_by(ScoreOutbox.next_at, ScoreOutbox.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ScoreOutbox)
    )
    return found


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
    row.state, row.lease_until = SENDING, lease_until
    row.attempts += 1
    session.flush()
    place, url = placing.keep(session, row)
    sent = session.execute(
        select(ScoreOutbox.cycle, ScoreOutbox.score).where(
            ScoreOutbox.registration_id == row.registration_id,
            ScoreOutbox.resource_link_row_id == row.resource_link_row_id,
            ScoreOutbox.subject == row.subject,
            or_(ScoreOutbox.state == SENT, ScoreOutbox.id == row.id),
        )
    ).all()
    session.flush()
    return Owed(
        id=row.id,
        platform=platform,
        place=place,
        subject=row.subject,
        score=row.score,
        payload=row.payload,
        line_item_url=url,
        attempts=row.attempts,
        was_renewed=row.was_renewed,
        replaces=row.replaces,
        sent_scores=frozenset(score for cycle, score in sent if cycle == row.cycle),
        older_scores=frozenset(score for cycle, score in sent if cycle != row.cycle),
        lease_until=lease_until,
    )


def _deliver(lti: Lti, owed: Owed) -> Outcome:
    try:
        outcome = attempt(lti, owed)
    except Unreachable as fault:
        outcome = Outcome(PENDING, UNREACHABLE, wait=fault.wait)
    except TokenRefused as fault:
        log.warning(
            "token refused",
            extra={
                "registration": str(owed.platform.id),
                "status": fault.status,
                "error": fault.error,
            },
        )
        outcome = Outcome(BLOCKED, RECONNECT, fault.status)
    except placing.BeingSought:
        outcome = Outcome(PENDING, "line-item-sought")
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


def _record(lti: Lti, owed: Owed, outcome: Outcome) -> Outcome:
    now = lti.clock()
    with lti.database.transaction() as session:
        _note_answer(session, owed.platform.id, outcome, now)
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
            is_open = breaker.breaker_state(session, owed.platform.id).is_open
            outcome = _wait_or_give_up(row, outcome, is_open, now)
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
            row.sent_at, row.replaces = now, False
            _remember(session, row, now)
    return outcome


def _note_answer(session: Session, registration_id: UUID, outcome: Outcome, now: datetime) -> None:
    """What the outcome says of the platform as a whole."""
    if outcome.reason == UNREACHABLE:
        breaker.failed(session, registration_id, now=now, wait=outcome.wait)
    elif outcome.reason == RECONNECT:
        breaker.refused(session, registration_id, now=now)
    elif outcome.status:
        breaker.answered(session, registration_id, now=now)


def _wait_or_give_up(row: ScoreOutbox, outcome: Outcome, is_open: bool, now: datetime) -> Outcome:
    """A score is given up for its own sake only, not while the whole platform is away."""
    if now - row.owed_at > GIVE_UP and row.attempts > 1 and not is_open:
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
