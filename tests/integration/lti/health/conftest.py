"""A platform that somebody has come from."""

from collections.abc import Iterator

import pytest

from tests.conformance.world import World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind will do: what is asked of a platform is no matter of the database."""
    return sqlite_url


@pytest.fixture
def connected(tool: World) -> Iterator[World]:
    """Somebody has come, so we know what the platform promised."""
    assert tool.launch().status_code == 303
    yield tool
    tool.platform.faults.clear()
