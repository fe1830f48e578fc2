"""The whole journey, each request answered by another machine than the one before.

Two web servers share one PostgreSQL database and a secret, and nothing else; what the test does by
itself, such as sending scores, is done by a third.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from lti_tool.evidence.packs.making import make
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from sandbox_lms.serve import running_platform
from tests.factories.machines import SECRET, machines
from tests.factories.postgres import Server
from tests.factories.round_robin import RoundRobin
from tests.journeys import test_main_job as main_job
from tests.journeys.conftest import Product, connect
from tests.journeys.test_main_job import Arrive

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machines")


@pytest.fixture(scope="module")
def database_url_of_all(postgres: Server) -> Iterator[str]:
    with postgres.lend() as url:
        yield url


@pytest.fixture(scope="module")
def proxy(database_url_of_all: str, folder: Path) -> Iterator[RoundRobin]:
    with machines(database_url_of_all, folder) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def product(proxy: RoundRobin, database_url_of_all: str, folder: Path) -> Iterator[Product]:
    config = Config(
        instance=folder / "third", url=proxy.url, database_url=database_url_of_all, secret=SECRET
    )
    app = create_app(config, clock=utc_now)
    with running_platform(tool_url=proxy.url) as platform:
        connect(app, platform)
        yield Product(app, platform)
    app.extensions["queue"].storage.close()
    app.extensions["database"].engine.dispose()


@pytest.mark.parametrize("school", ["hemswell-cliff", "glenmere"])
def test_from_launch_to_the_heads_csv(product: Product, arrive: Arrive, school: str) -> None:
    main_job.test_a_new_starter_from_launch_to_the_heads_csv(product, arrive, school)


def test_what_was_missed_comes_again(product: Product, arrive: Arrive) -> None:
    main_job.test_what_was_missed_comes_again_until_it_is_right(product, arrive)


def test_going_on_elsewhere(product: Product) -> None:
    main_job.test_going_on_elsewhere(product)


def test_a_platform_away_for_a_day(product: Product, proxy: RoundRobin, arrive: Arrive) -> None:
    for _ in range(2):  # so that each machine has taken a launch, and knows the platform's keys
        arrive("llanidloes", "starter")
        arrive("llanidloes", "starter")
        requests.get(f"{proxy.url}/healthz", timeout=10)
    main_job.test_a_platform_away_for_a_day_loses_nothing(product)


def test_a_pack_made_on_one_machine_is_fetched_from_the_others(
    product: Product, proxy: RoundRobin, arrive: Arrive
) -> None:
    head = arrive("glenmere", "head")
    page = head.get("/packs")
    form = {
        str(field["name"]): str(field.get("value", ""))
        for field in page.select("form input[type=hidden]")
    }
    form |= {
        "audience": "governors",
        "cycle": str(page.select("select[name=cycle] option")[0]["value"]),
    }
    asked = head.http.post(f"{proxy.url}/packs", data=form, timeout=30)
    assert asked.status_code == 200
    with product.database.reading() as session:
        (pack_id,) = session.scalars(select(Pack.id)).all()
    with product.app.app_context():
        assert make(maker_of(product.app), pack_id) == "ready"
    fetched = [head.http.get(f"{proxy.url}/packs/{pack_id}.zip", timeout=30) for _ in range(2)]
    assert [reply.status_code for reply in fetched] == [200, 200]
    assert fetched[0].content == fetched[1].content


def test_all_machines_sign_with_the_same_keys(product: Product, proxy: RoundRobin) -> None:
    sets = [requests.get(f"{proxy.url}/lti/jwks", timeout=10).json() for _ in range(2)]
    assert sets[0] == sets[1]
    pages = [requests.get(f"{proxy.url}/packs/keys", timeout=10) for _ in range(2)]
    shown = [BeautifulSoup(reply.text, "html.parser").select("main") for reply in pages]
    assert shown[0] == shown[1]
    product.app.extensions["lti"].tool_keys.rotate()
    sets = [requests.get(f"{proxy.url}/lti/jwks", timeout=10).json() for _ in range(2)]
    assert sets[0] == sets[1]
    assert len(sets[0]["keys"]) == 2


def test_each_machine_has_had_half_and_keeps_nothing(proxy: RoundRobin, folder: Path) -> None:
    """Last in this file: what the others have left."""
    first, second = proxy.served.values()
    assert first + second > 100
    assert abs(first - second) <= 1
    for machine in ("0", "1"):
        left = {
            path.relative_to(folder / machine).parts[0]
            for path in (folder / machine).rglob("*")
            if path.is_file()
        }
        # What it was last good, made from its own files, and what it counted for Prometheus.
        assert left <= {"log", "kept", "metrics"}
        faults = [
            line
            for line in (folder / machine / "log").read_text().splitlines()
            if '"level": "ERROR"' in line
        ]
        assert faults == []
