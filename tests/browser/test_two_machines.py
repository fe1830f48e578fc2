"""The main job in a real browser, each request answered by another machine than the one before;
either has a worker as well."""

from collections.abc import Iterator

import pytest

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from sandbox_lms.serve import running_platform
from tests.browser.conftest import Running
from tests.browser.test_main_job import test_from_launch_to_the_heads_csv
from tests.factories.machines import SECRET, machines
from tests.factories.postgres import Server
from tests.factories.round_robin import RoundRobin
from tests.journeys.conftest import connect

__all__ = ["test_from_launch_to_the_heads_csv"]
pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@pytest.fixture(scope="module")
def database_url_of_all(postgres: Server) -> Iterator[str]:
    with postgres.lend() as url:
        yield url


@pytest.fixture(scope="module")
def proxy(
    database_url_of_all: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RoundRobin]:
    folder = tmp_path_factory.mktemp("machines")
    with machines(database_url_of_all, folder, workers=True) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def product(
    proxy: RoundRobin, database_url_of_all: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("third")
    config = Config(instance=folder, url=proxy.url, database_url=database_url_of_all, secret=SECRET)
    app = create_app(config, clock=utc_now)
    with running_platform(tool_url=proxy.url) as platform:
        connect(app, platform)
        app.extensions["queue"].storage.close()
        app.extensions["database"].engine.dispose()
        yield Running(proxy.url, platform.issuer, folder)


def test_both_machines_had_their_part(proxy: RoundRobin) -> None:
    first, second = proxy.served.values()
    assert first > 10
    assert abs(first - second) <= 1
