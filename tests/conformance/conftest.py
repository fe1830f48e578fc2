"""One running tool and platform a file; its clock stands at the same moment in every test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from lti_tool.core.limits import Tally
from lti_tool.lti.models import Registration
from tests.conformance.world import World, world
from tests.conftest import SetClock
from tests.factories.platforms import Pretender, pretending


@pytest.fixture(scope="module")
def _running(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, SetClock]]:
    instance, clock = tmp_path_factory.mktemp("instance"), SetClock()
    shutil.copyfile(migrated_sqlite, instance / "clauseway.sqlite3")
    with world(f"sqlite:///{instance / 'clauseway.sqlite3'}", clock, instance) as running:
        yield running, clock


@pytest.fixture
def clock(_running: tuple[World, SetClock]) -> SetClock:
    """The clock of tool and platform. It only goes forward, as key fetches are counted by it."""
    _running[1].move(minutes=10)
    return _running[1]


@pytest.fixture
def tool(_running: tuple[World, SetClock], clock: SetClock) -> World:
    running = _running[0]
    running.platform.faults.clear()
    running.platform.requests_seen.clear()
    running.platform.tools.clear()
    running.app.extensions["tally"] = Tally()  # a file asks more in a minute than one may
    return running


@pytest.fixture
def pretender(tool: World) -> Iterator[Pretender]:
    with pretending() as found:
        # Its port may have been another test's.
        with tool.database.transaction() as session:
            for row in session.scalars(
                select(Registration).where(Registration.issuer == found.url)
            ):
                row.issuer = f"https://earlier.example/{row.id}"
        yield found
