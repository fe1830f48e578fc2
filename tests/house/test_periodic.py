"""What the worker does by itself, and how often; a task that nobody registered would be missed by
no test that calls its function."""

from datetime import datetime, timedelta
from pathlib import Path

from lti_tool.core.database import Database
from tests.conftest import SetClock
from tests.factories.registers import running

# Times a day, by name.
DUE = {
    "beat": 1440,
    "daily_checkpoints": 1,
    "dispose": 1,
    "erase_waiting": 48,
    "owe_elsewhere": 288,
    "post_to_channels": 144,
    "read_rosters": 1440,
    "reconcile_scores": 1,
    "remind": 1440,
    "settle_schools": 144,
    "sweep_packs": 1440,
    "sweep_scores": 1440,
}


def test_every_periodic_task_is_registered_and_as_often_as_it_should(
    tmp_path: Path, database: Database, clock: SetClock
) -> None:
    midnight = datetime(2026, 11, 23)  # noqa: DTZ001 (Huey's own have no zone)
    day = [midnight + timedelta(minutes=one) for one in range(1440)]
    with running(tmp_path, database, clock) as app:
        tasks = app.extensions["queue"]._registry.periodic_tasks
        due = {one.name: sum(one.validate_datetime(at) for at in day) for one in tasks}
    assert due == DUE
