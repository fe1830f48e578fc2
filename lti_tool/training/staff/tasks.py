"""What the worker erases: files that nobody applied, and codes that nobody used."""

from huey import crontab
from huey.api import Huey

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.people.imports import importing
from lti_tool.people.joining import codes


def erase_waiting(database: Database, clock: Clock) -> None:
    """Erase what has waited longer than its pages say."""
    with database.transaction() as session:
        importing.forget(session, now=clock())
        codes.forget(session, now=clock())


def register_tasks(queue: Huey, database: Database, clock: Clock) -> None:
    """Give the queue its task."""

    @queue.periodic_task(crontab(minute="7,37"), name="erase_waiting")  # type: ignore[untyped-decorator]
    def erase() -> None:
        erase_waiting(database, clock)
