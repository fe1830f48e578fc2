"""Work that follows a commit, and the queue that wakes the worker.

A row in the database is always the truth of what is owed; a queued task only wakes somebody to
look at it, so losing the queue loses nothing but time.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from huey import PostgresHuey, SqliteHuey
from huey.api import Huey, Task
from sqlalchemy import event
from sqlalchemy.orm import Session

from lti_tool.config import Config
from lti_tool.core import logs
from lti_tool.core.lazily import Lazily

if TYPE_CHECKING:
    import psycopg
else:
    psycopg = Lazily("psycopg")

log = logging.getLogger(__name__)


def open_queue(config: Config) -> Huey:
    """The task queue: a file of its own beside SQLite, or PostgreSQL's own tables."""
    if config.database_url.startswith("sqlite"):
        queue = SqliteHuey("clauseway", filename=str(config.instance / "queue.sqlite3"))
    else:
        dsn = config.database_url.replace("+psycopg", "")
        queue = PostgresHuey("clauseway", dsn=dsn, create_tables=False, connect_timeout=5)
        prepare(queue)
    queue.pre_execute()(_begin)
    queue.post_execute()(_end)
    return queue


def prepare(queue: Huey) -> None:
    """Make the queue's own tables in PostgreSQL where they are missing. A database that is away
    keeps no process from starting, and whoever comes second finds them made."""
    if not isinstance(queue, PostgresHuey):
        return
    try:
        queue.storage.initialize_schema()
    except psycopg.Error:
        log.warning("the queue's tables could not be looked at", exc_info=True)
        queue.storage.close()


def _begin(task: Task) -> None:
    """A job's log lines bear its number as a request's do."""
    logs.request_id.set(task.id.replace("-", "")[:12])
    task.started = time.perf_counter()


def _end(task: Task, value: object, fault: BaseException | None) -> None:
    facts = {
        "job": task.name,
        "went_well": fault is None,
        "milliseconds": round((time.perf_counter() - task.started) * 1000, 1),
    }
    log.info("job", extra=facts)
    logs.request_id.set("")


def after_commit(session: Session, act: Callable[[], object]) -> None:
    """Do ``act`` once this session's transaction has been committed, and not otherwise."""
    session.info.setdefault("after_commit", []).append(act)


@event.listens_for(Session, "after_commit")
def _run(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for act in session.info.pop("after_commit", []):
        try:
            act()
        except Exception:
            # What was committed stands; the sweeper finds what this missed.
            log.exception("an act after the commit failed")


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("after_commit", None)
