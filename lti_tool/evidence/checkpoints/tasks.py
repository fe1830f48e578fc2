"""The worker's checkpoints: one a day for every school with something new."""

from huey import crontab
from huey.api import Huey

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.making import make_daily


def register_tasks(queue: Huey, database: Database, keys: EvidenceKeys, clock: Clock) -> None:
    """Give the queue its task."""

    @queue.periodic_task(crontab(hour="3", minute="11"), name="daily_checkpoints")  # type: ignore[untyped-decorator]
    def daily_checkpoints() -> None:
        make_daily(database, keys, now=clock())
