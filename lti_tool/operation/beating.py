"""Workers say that they are alive, each minute, by a task of the queue like any other: so what is
seen is not only that a process exists, but that work is done."""

import os
import socket
from datetime import datetime, timedelta
from typing import Final

from huey import crontab
from huey.api import Huey
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.operation.models import WorkerBeat

REMEMBERED: Final = timedelta(days=1)
LATE: Final = timedelta(minutes=5)
"""After so long without a beat the worker is taken to be dead."""


def register_tasks(queue: Huey, database: Database, clock: Clock) -> None:
    """Give the queue its task."""

    @queue.periodic_task(crontab(minute="*"), name="beat")  # type: ignore[untyped-decorator]
    def note() -> None:
        with database.transaction() as session:
            beat(session, now=clock())


def beat(session: Session, *, now: datetime) -> None:
    """Note that this process works, and forget those long silent."""
    name = f"{socket.gethostname()[:100]}:{os.getpid()}"
    row = session.get(WorkerBeat, name)
    if row is None:
        session.add(WorkerBeat(name=name, started_at=now, beat_at=now))
    else:
        row.beat_at = now
    session.execute(delete(WorkerBeat).where(WorkerBeat.beat_at < now - REMEMBERED))
    session.flush()


def last_beat(session: Session) -> datetime | None:
    """When any worker was last seen at work."""
    return session.scalar(select(func.max(WorkerBeat.beat_at)))


def alive(session: Session, *, now: datetime) -> int:
    """How many workers were seen lately."""
    lately = select(func.count()).where(WorkerBeat.beat_at > now - LATE)
    return session.scalar(lately) or 0
