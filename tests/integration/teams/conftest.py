"""One running organisation a file; each test has a minute of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SetClock
from tests.factories.keys import one_key
from tests.factories.registers import GLENMERE, HEMSWELL
from tests.factories.teams import TeamsWorld, teams_world


@pytest.fixture(scope="module")
def _running(
    migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TeamsWorld]:
    instance = tmp_path_factory.mktemp("teams")
    shutil.copyfile(migrated_sqlite, instance / "clauseway.sqlite3")
    with teams_world(f"sqlite:///{instance / 'clauseway.sqlite3'}", SetClock(), instance) as world:
        yield world


@pytest.fixture
def world(_running: TeamsWorld) -> TeamsWorld:
    _running.clock.move(minutes=10)  # keys are fetched twice a minute at most
    _running.issuer.keys = [one_key()]
    _running.platform.faults.clear()
    _running.let_in(HEMSWELL, GLENMERE)
    return _running
