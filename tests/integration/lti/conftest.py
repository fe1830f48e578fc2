"""A tool and a platform of one's own for each test, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.world import World, world
from tests.conftest import SetClock


@pytest.fixture
def tool(database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[World]:
    with world(database_url, clock, tmp_path) as running:
        yield running
