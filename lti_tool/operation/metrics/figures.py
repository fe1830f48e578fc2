"""Figures of the whole installation, read from the database. None is of a school or a person.

Each is had by an index or from a small table, as they are asked for every few seconds.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerHead
from lti_tool.evidence.packs.models import FAILED, MAKING, WAITING, Pack
from lti_tool.lti.models import BLOCKED, DEAD, PENDING, SENDING, Reachability, ScoreOutbox
from lti_tool.lti.services.breaker import OPENS_AFTER
from lti_tool.operation.beating import alive, last_beat
from lti_tool.training.cycles.models import Cycle
from lti_tool.training.reminders import models as reminders
from lti_tool.training.reminders.models import Reminder

SIZES: Final = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


@dataclass(frozen=True)
class Figure:
    """One figure, or one for each value of its label."""

    name: str
    about: str
    numbers: Mapping[str, float]
    label: str = ""


def read(database: Database, *, now: datetime) -> Iterator[Figure]:
    """All figures; where the database does not answer, that alone."""
    try:
        with database.reading() as session:
            found = list(_read(session, now))
    except SQLAlchemyError:
        yield Figure("database_up", "Whether the database answers.", {"": 0})
        return
    yield Figure("database_up", "Whether the database answers.", {"": 1})
    yield from found


def _read(session: Session, now: datetime) -> Iterator[Figure]:
    scores = _counts(session, ScoreOutbox.state, (PENDING, SENDING, BLOCKED, DEAD))
    yield Figure("scores", "Scores not delivered.", scores, "state")
    yield Figure(
        "score_due_seconds",
        "How long the score has been due that has been due longest.",
        {"": _age(oldest_due(session, now=now), now)},
    )
    mails = _counts(session, Reminder.state, (reminders.WAITING, reminders.SENDING))
    yield Figure("mails", "E-mails on their way.", mails, "state")
    packs = _counts(session, Pack.state, (WAITING, MAKING, FAILED))
    yield Figure("packs", "Packs of evidence not made.", packs, "state")
    yield Figure("workers", "Workers seen at work lately.", {"": alive(session, now=now)})
    beat = last_beat(session)
    if beat is not None:
        about = "How long ago any worker was seen at work."
        yield Figure("worker_beat_age_seconds", about, {"": _age(beat, now)})
    is_away = Reachability.failures >= OPENS_AFTER
    yield Figure("platforms_away", "Platforms that do not answer.", {"": _count(session, is_away)})
    today = now.date()
    is_open = (Cycle.opens_on <= today) & (Cycle.closes_on >= today)
    yield Figure("cycles_open", "School years that are open.", {"": _count(session, is_open)})
    entries = session.scalar(select(func.sum(LedgerHead.sequence))) or 0
    yield Figure("ledger_entries", "Entries of all ledgers.", {"": int(entries)})
    size = session.connection().exec_driver_sql(SIZES[session.get_bind().dialect.name])
    yield Figure("database_bytes", "Size of the database.", {"": int(size.scalar_one())})


def _counts(
    session: Session, state: InstrumentedAttribute[str], states: tuple[str, ...]
) -> dict[str, float]:
    asked: Any = select(state, func.count()).where(state.in_(states)).group_by(state)
    return {one: 0.0 for one in states} | dict(session.execute(asked).all())


def _count(session: Session, which: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(which)) or 0


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Since when the score has been due that has been due longest."""
    due = select(func.min(ScoreOutbox.next_at)).where(
        ScoreOutbox.state == PENDING, ScoreOutbox.next_at <= now
    )
    return session.scalar(due)
