"""The whole tool over a database of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from lti_tool.core.database import Database
from tests.conftest import SetClock
from tests.factories.registers import running


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock) as app:
        yield app
