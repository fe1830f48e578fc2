"""A tool and a platform of one's own for each test, on each kind of database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lti_tool.people import memberships
from tests.conformance.world import SCHOOL, World, world
from tests.conftest import SetClock


@pytest.fixture
def tool(database_url: str, clock: SetClock, tmp_path: Path) -> Iterator[World]:
    with world(database_url, clock, tmp_path) as running:
        yield running


def make_manager(tool: World, school_id: str = SCHOOL) -> None:
    with tool.database.transaction() as session:
        person_id = tool.visits()[-1].person_id
        memberships.grant(session, person_id=person_id, school_id=school_id, now=tool.lti.clock())
