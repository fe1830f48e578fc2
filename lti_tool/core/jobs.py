"""Work that follows a commit, and the queue that wakes the worker.

A row in the database is always the truth of what is owed; a queued task only wakes somebody to
look at it, so losing the queue loses nothing but time.
"""

import logging
from collections.abc import Callable

from huey import PostgresHuey, SqliteHuey
from huey.api import Huey
from sqlalchemy import event
from sqlalchemy.orm import Session

from lti_tool.config import Config

log = logging.getLogger(__name__)


def open_queue(config: Config) -> Huey:
    """The task queue: a file of its own beside SQLite, or PostgreSQL's own tables."""
    if config.database_url.startswith("sqlite"):
        return SqliteHuey("clauseway", filename=str(config.instance / "queue.sqlite3"))
    return PostgresHuey("clauseway", dsn=config.database_url.replace("+psycopg", ""))


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
