"""The sandbox beside a fake tool, both really listening."""

from collections.abc import Iterator

import pytest
import requests

from sandbox_lms.platform import Platform
from sandbox_lms.schools import Person
from sandbox_lms.serve import running, running_platform
from tests.conftest import SetClock
from tests.sandbox.fake_tool import FakeTool, Services


@pytest.fixture(scope="module")
def _pair() -> Iterator[tuple[Platform, FakeTool]]:
    """One running pair a file: making keys and threads for each test would be slow."""
    tool = FakeTool()
    with (
        running(tool.app()) as tool.url,
        running_platform(tool_url=tool.url, clock=SetClock()) as platform,
    ):
        tool.issuer = platform.issuer
        yield platform, tool


@pytest.fixture
def platform(_pair: tuple[Platform, FakeTool], clock: SetClock) -> Platform:
    platform = _pair[0]
    platform.clock = clock
    platform.faults.clear()
    platform.gradebook.grades.clear()
    platform.requests_seen.clear()
    return platform


@pytest.fixture
def tool(_pair: tuple[Platform, FakeTool]) -> FakeTool:
    _pair[1].asks = {}
    return _pair[1]


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def starter(platform: Platform) -> Person:
    return platform.person("hemswell-cliff", "starter")


@pytest.fixture
def services(platform: Platform, session: requests.Session) -> Services:
    return Services(platform, session)
