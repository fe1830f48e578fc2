"""The table of workers, by which others see that somebody works off the queue."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.database import Table, UtcDateTime


class WorkerBeat(Table):
    """A worker that was alive at ``beat_at``; one row for each, forgotten after a day."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    """Its machine and process, such as ``web-1:4711``."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    beat_at: Mapped[datetime] = mapped_column(UtcDateTime)
