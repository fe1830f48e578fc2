"""The circuit breaker: a platform that does not answer is left alone, but for one call at a time.

It opens after three calls in a row without an answer, for ten seconds at first and for a quarter
of an hour at most, or for as long as the platform asks (``Retry-After``, up to an hour). Then one
call tries; the first that is answered closes it. Its row is the same for every worker. Scores
that wait meanwhile use up none of their tries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.lti.models import BLOCKED, DEAD, PENDING, Reachability, ScoreOutbox

OPENS_AFTER: Final = 3
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=15)
LONGEST_ASKED_FOR: Final = timedelta(hours=1)
LONGEST_PROBE: Final = timedelta(minutes=10)
UNREACHABLE: Final = "unreachable"
RECONNECT: Final = "reconnect"


@dataclass(frozen=True)
class Breaker:
    """How a platform has answered of late."""

    is_open: bool = False
    failures: int = 0
    failing_since: datetime | None = None
    probe_at: datetime | None = None
    """While it is open: when it is tried again."""
    refused_at: datetime | None = None
    """When it last refused us a token, unless it has granted one since."""


def breaker_state(session: Session, registration_id: UUID) -> Breaker:
    """How a platform has answered of late."""
    row = session.get(Reachability, registration_id)
    if row is None:
        return Breaker()
    is_open = row.failures >= OPENS_AFTER
    return Breaker(
        is_open, row.failures, row.failing_since, row.probe_at if is_open else None, row.refused_at
    )


def is_left_alone(now: datetime) -> ColumnElement[bool]:
    """For a query of scores: whether their platform is not to be called just now."""
    return exists().where(
        Reachability.registration_id == ScoreOutbox.registration_id,
        Reachability.failures >= OPENS_AFTER,
        Reachability.probe_at > now,
    )


def may_call(session: Session, registration_id: UUID, *, now: datetime) -> bool:
    """Whether to call now; of all who ask an open breaker when its time has come, one may."""
    if not breaker_state(session, registration_id).is_open:
        return True
    taken = session.execute(
        update(Reachability)
        .where(Reachability.registration_id == registration_id, Reachability.probe_at <= now)
        .values(probe_at=now + LONGEST_PROBE)
        .returning(Reachability.registration_id)
    )
    return taken.one_or_none() is not None


def failed(
    session: Session, registration_id: UUID, *, now: datetime, wait: timedelta | None = None
) -> None:
    """Note a call without an answer; ``wait`` is how long the platform asked us to stay away."""
    row = row_of(session, registration_id)
    row.failures += 1
    row.failing_since = row.failing_since or now
    pause = FIRST_PAUSE * 2 ** max(0, min(row.failures - OPENS_AFTER, 10))
    if wait:
        row.failures = max(row.failures, OPENS_AFTER)
    row.probe_at = now + max(min(pause, LONGEST_PAUSE), min(wait or timedelta(), LONGEST_ASKED_FOR))


def refused(session: Session, registration_id: UUID, *, now: datetime) -> None:
    """Note that the platform gave us no token, or took none."""
    row_of(session, registration_id).refused_at = now


def answered(session: Session, registration_id: UUID, *, now: datetime) -> None:
    """Note that the platform took our token and answered: what waited for that is due at once,
    and what was given up for that has one more try."""
    row = session.get(Reachability, registration_id)
    if row is None or not (row.failures or row.refused_at):
        return
    of_it = ScoreOutbox.registration_id == registration_id
    session.execute(
        update(ScoreOutbox)
        .where(of_it, ScoreOutbox.state == PENDING, ScoreOutbox.reason == UNREACHABLE)
        .values(next_at=now)
    )
    session.execute(
        update(ScoreOutbox)
        .where(of_it, _given_up(), ScoreOutbox.was_renewed.is_(False))
        .values(state=PENDING, was_renewed=True, next_at=now)
    )
    row.refused_at = None
    close(session, registration_id)


def close(session: Session, registration_id: UUID) -> None:
    """Call the platform again as if nothing had been, because it answered or somebody says so."""
    session.execute(
        update(Reachability)
        .where(Reachability.registration_id == registration_id)
        .values(failures=0, failing_since=None, probe_at=None)
    )


def probe_what_was_given_up(session: Session, registration_id: UUID, *, now: datetime) -> None:
    """Let one of the scores that were given up, because the platform did not answer or gave us no
    token, find out whether it does now; if so, ``answered`` sees to the others."""
    row = session.scalar(
        select(ScoreOutbox)
        .where(ScoreOutbox.registration_id == registration_id, _given_up())
        .order_by(ScoreOutbox.next_at, ScoreOutbox.id)
        .limit(1)
    )
    if row is not None:
        row.state, row.next_at = PENDING, now


def _given_up() -> ColumnElement[bool]:
    return or_(
        (ScoreOutbox.state == DEAD) & (ScoreOutbox.reason == UNREACHABLE),
        (ScoreOutbox.state == BLOCKED) & (ScoreOutbox.reason == RECONNECT),
    )


def row_of(session: Session, registration_id: UUID) -> Reachability:
    """The platform's row, locked; made where there is none."""
    find = select(Reachability).where(Reachability.registration_id == registration_id)
    row = session.scalar(find.with_for_update())
    if row is None:
        try:
            with session.begin_nested():
                session.add(Reachability(registration_id=registration_id, failures=0))
        except IntegrityError:
            pass  # another worker has just made it
        row = session.scalars(find.with_for_update()).one()
    return row
