"""Sends what is owed, so that no score is lost: a platform that is away for a day loses nothing.

Some rows of one activity are claimed under a lease in one short transaction, sent one after
another without any, and their outcomes written in another. A worker that dies in between leaves a
lease that runs out; the rows are then sent again with the timestamps they had, which a platform
that took them the first time answers with 409. Where sending takes long, what was sent is written
and the rest given back, so that nobody's score waits for others'.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from huey import crontab
from huey.api import Huey
from sqlalchemy import bindparam, delete, exists, or_, select, update
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
from lti_tool.lti.platforms import Lti
from lti_tool.lti.services import breaker, placing
from lti_tool.lti.services.breaker import RECONNECT, UNREACHABLE
from lti_tool.lti.services.claiming import claim
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

FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(hours=1)
GIVE_UP: Final = timedelta(days=3)
AT_A_TIME: Final = 25
"""Scores under one lease: what a worker that dies may leave to be sent again."""
UNRECORDED: Final = 2.0
"""Seconds that scores which were sent may wait for others' to be, before they are recorded."""
GIVEN_BACK: Final = Outcome(PENDING, "given-back")
"""Of a score that was claimed and not tried: it is due as it was."""

Tried = list[tuple[Owed, Outcome]]

_outbox = ScoreOutbox.metadata.tables["score_outbox"]
KEEP_SENT: Final = (
    update(_outbox)
    .where(_outbox.c.id == bindparam("row"))
    .values(
        state=SENT,
        reason=bindparam("why"),
        last_status=bindparam("status"),
        line_item_url=bindparam("url"),
        lease_until=None,
        next_at=bindparam("at"),
        sent_at=bindparam("at"),
        replaces=False,
    )
)


def deliver(lti: Lti, row_id: UUID) -> Outcome | None:
    """Try once to send a score, if it is due and nobody else is at it."""
    tried = _deliver(lti, claim(lti, ScoreOutbox.id == row_id))
    return tried[0][1] if tried else None


def send_due(lti: Lti, *, hurry: bool = False) -> int:
    """Try every score that is due, each once; returns how many were sent.

    A platform that does not answer is left alone for the rest of this round. ``hurry`` waits
    neither for the time that a failed score is due again nor for a breaker.
    """
    sent, most, tripped, failed = 0, AT_A_TIME, set[UUID](), set[UUID]()
    if hurry:
        with lti.database.transaction() as session:
            for registration_id in session.scalars(select(Registration.id)):
                breaker.close(session, registration_id)
    while True:
        here = ScoreOutbox.registration_id.not_in(tripped)
        claimed = claim(lti, here, most=most, but=failed, hurry=hurry)
        if not claimed:
            return sent
        tried = [each for each in _deliver(lti, claimed) if each[1] is not GIVEN_BACK]
        # As many as a slow platform took in time; more again where it took all.
        most = len(tried) if len(tried) < len(claimed) else min(2 * most, AT_A_TIME)
        for owed, outcome in tried:
            sent += outcome.state == SENT
            if outcome.state != SENT and not outcome.renews:
                failed.add(owed.id)
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
        """And with it some others that are due: where many wait, it is done with many at once."""
        claimed = claim(lti, ScoreOutbox.id == UUID(row_id), most=AT_A_TIME)
        for owed, outcome in _deliver(lti, claimed):
            if outcome is GIVEN_BACK:
                send_score(str(owed.id))
                break  # the others that were given back go with it
            if outcome.state == PENDING:
                # The sweeper would find it too, within a minute of its time.
                delay = 0 if outcome.renews else (outcome.wait or FIRST_WAIT).total_seconds() + 1
                send_score.schedule((str(owed.id),), delay=delay)

    @queue.periodic_task(crontab(minute="*"), name="sweep_scores")  # type: ignore[untyped-decorator]
    def sweep_scores() -> None:
        sweep(lti)

    @queue.periodic_task(crontab(hour="2", minute="23"), name="reconcile_scores")  # type: ignore[untyped-decorator]
    def reconcile_scores() -> None:
        reconcile(lti)

    wake: Callable[[str], object] = send_score
    return wake


def _deliver(lti: Lti, claimed: Sequence[Owed]) -> Tried:
    """Try one after another, as long as the platform answers and quickly; record all."""
    ahead, tried, until = list(claimed), Tried(), time.monotonic() + UNRECORDED
    try:
        while ahead:
            owed = ahead.pop(0)
            outcome = _try(lti, owed)
            tried.append((owed, outcome))
            if outcome.reason == UNREACHABLE or time.monotonic() > until:
                break
    finally:
        tried += [(owed, GIVEN_BACK) for owed in ahead]
        tried = _record(lti, tried) if tried else tried
    for owed, outcome in tried:
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
    return tried


def _try(lti: Lti, owed: Owed) -> Outcome:
    try:
        return attempt(lti, owed)
    except Unreachable as fault:
        return Outcome(PENDING, UNREACHABLE, wait=fault.wait)
    except TokenRefused as fault:
        log.warning(
            "token refused",
            extra={
                "registration": str(owed.platform.id),
                "status": fault.status,
                "error": fault.error,
            },
        )
        return Outcome(BLOCKED, RECONNECT, fault.status)
    except placing.BeingSought:
        return Outcome(PENDING, "line-item-sought")


def _record(lti: Lti, tried: Tried) -> Tried:
    """What became of scores under one lease; returns that, with how long to wait."""
    now, recorded, sent = lti.clock(), Tried(), list[dict[str, Any]]()
    with lti.database.transaction() as session:
        _note_answers(session, tried, now)
        ours = _still_ours(session, tried)
        for owed, outcome in tried:
            row = ours.get(owed.id)
            if row is None:  # our lease ran out: whoever took it over has the last word
                recorded.append((owed, outcome))
                continue
            url = outcome.line_item_url or row.line_item_url
            if outcome.state == SENT:
                sent.append(_sent(owed, outcome, url, now))
                _remember(session, row, outcome.status, url, now)
            else:
                outcome = _keep(session, owed, outcome, url, now)
            recorded.append((owed, outcome))
        if sent:
            session.flush()
            session.connection().execute(KEEP_SENT, sent)
    return recorded


def _still_ours(session: Session, tried: Tried) -> dict[UUID, Any]:
    of_it = _outbox.c
    found = session.execute(
        select(
            *(of_it.id, of_it.school_id, of_it.person_id, of_it.completion_id, of_it.module),
            *(of_it.cycle, of_it.registration_id, of_it.score, of_it.timestamp),
            of_it.line_item_url,
        )
        .where(
            of_it.id.in_([owed.id for owed, _ in tried]),
            of_it.state == SENDING,
            of_it.lease_until == tried[0][0].lease_until,
        )
        .with_for_update()
    )
    return {row.id: row for row in found}


def _sent(owed: Owed, outcome: Outcome, url: str, now: datetime) -> dict[str, Any]:
    return {
        "row": owed.id,
        "why": outcome.reason,
        "status": outcome.status,
        "url": url,
        "at": now,
    }


def _keep(session: Session, owed: Owed, outcome: Outcome, url: str, now: datetime) -> Outcome:
    """What became of a score that is not with the platform."""
    row = session.get_one(ScoreOutbox, owed.id)
    row.state, row.lease_until = outcome.state, None
    if outcome is GIVEN_BACK:
        row.attempts -= 1
        give_way(session, row)
        return outcome
    if outcome.state == PENDING and not outcome.renews:
        is_open = breaker.breaker_state(session, owed.platform.id).is_open
        outcome = _wait_or_give_up(row, outcome, is_open, now)
    row.state, row.reason, row.last_status = outcome.state, outcome.reason, outcome.status
    row.line_item_url, row.next_at = url, now + (outcome.wait or timedelta())
    if outcome.renews:
        later = outcome.not_before or now
        renew(session, row, now=max(now, later + timedelta(seconds=1)))
        row.was_renewed = True
    if row.state == PENDING:
        give_way(session, row)  # a better one may have been owed meanwhile
    return outcome


def _note_answers(session: Session, tried: Tried, now: datetime) -> None:
    """What the outcomes say of the platform as a whole, in their order; the same again says
    nothing new."""
    for (registration_id, says), alike in groupby(tried, _says):
        if says == UNREACHABLE:
            breaker.failed(session, registration_id, now=now, wait=next(alike)[1].wait)
        elif says == RECONNECT:
            breaker.refused(session, registration_id, now=now)
        elif says:
            breaker.answered(session, registration_id, now=now)


def _says(tried: tuple[Owed, Outcome]) -> tuple[UUID, str]:
    owed, outcome = tried
    of_platform = outcome.reason in (UNREACHABLE, RECONNECT)
    says = outcome.reason if of_platform else "answered" if outcome.status else ""
    return owed.platform.id, says


def _wait_or_give_up(row: ScoreOutbox, outcome: Outcome, is_open: bool, now: datetime) -> Outcome:
    """A score is given up for its own sake only, not while the whole platform is away."""
    if now - row.owed_at > GIVE_UP and row.attempts > 1 and not is_open:
        return replace(outcome, state=DEAD)
    wait = min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)
    # Spread, so that a platform that comes back is not met by everybody at once.
    spread = wait * random.uniform(0.75, 1.25)  # noqa: S311
    return replace(outcome, wait=max(spread, outcome.wait or timedelta()))


def _remember(session: Session, row: Any, status: int, url: str, now: datetime) -> None:
    ledger.append(
        session,
        school_id=row.school_id,
        kind="score-sent",
        facts={
            "completion": str(row.completion_id),
            "module": row.module,
            "cycle": row.cycle,
            "registration": str(row.registration_id),
            "line_item": url,
            "status": status,
            "timestamp": row.timestamp.isoformat(timespec="milliseconds"),
        },
        person_id=row.person_id,
        personal={"person": str(row.person_id), "score": row.score},
        now=now,
    )
