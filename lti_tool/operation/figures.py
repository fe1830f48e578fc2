"""Figures of the whole installation, read from the database. None is of a school or a person.

Each is had by an index or from a small table, as they are asked for every few seconds.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.lti.models import PENDING, ScoreOutbox


def oldest_due(session: Session, *, now: datetime) -> datetime | None:
    """Since when the score has been due that has been due longest."""
    due = select(func.min(ScoreOutbox.next_at)).where(
        ScoreOutbox.state == PENDING, ScoreOutbox.next_at <= now
    )
    return session.scalar(due)
