"""A course that is linked, and the server that gives its list."""

from collections.abc import Iterator

import pytest

from tests.conformance.world import World
from tests.factories.rosters import PATH, Course, Lists, container, link, lists, member


@pytest.fixture
def moodle() -> Iterator[Lists]:
    with lists() as told:
        yield told


@pytest.fixture
def course(tool: World, moodle: Lists) -> Course:
    moodle.says(container(member(1), member(2), member(3)))
    return link(tool, f"{moodle.url}{PATH}")
