"""The main job, each request answered by another machine than the one before.

Two web servers share one PostgreSQL database and a secret, and nothing else. ``make machines`` goes
through everything else so.
"""

from collections.abc import Iterator

import pytest
import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from lti_tool.evidence.packs.making import make
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from tests.factories.postgres import Server
from tests.journeys import test_main_job as main_job
from tests.journeys.conftest import Product, serving
from tests.journeys.test_main_job import Arrive

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def product(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """When it ends, it is seen that each had half of the requests and keeps nothing."""
    folder = tmp_path_factory.mktemp("machines") / "one"
    with postgres.another() as url, serving(url, folder, number=2) as product:
        yield product


def test_from_launch_to_the_heads_csv(product: Product, arrive: Arrive) -> None:
    main_job.test_a_new_starter_from_launch_to_the_heads_csv(product, arrive, "glenmere")


def test_a_pack_made_on_one_machine_is_fetched_from_the_others(
    product: Product, arrive: Arrive
) -> None:
    head, url = arrive("glenmere", "head"), product.platform.tool_url
    page = head.get("/packs")
    form = {
        str(field["name"]): str(field.get("value", ""))
        for field in page.select("form input[type=hidden]")
    }
    form |= {
        "audience": "governors",
        "cycle": str(page.select("select[name=cycle] option")[0]["value"]),
    }
    asked = head.http.post(f"{url}/packs", data=form, timeout=30)
    assert asked.status_code == 200
    with product.database.reading() as session:
        (pack_id,) = session.scalars(select(Pack.id)).all()
    with product.app.app_context():
        assert make(maker_of(product.app), pack_id) == "ready"
    fetched = [head.http.get(f"{url}/packs/{pack_id}.zip", timeout=30) for _ in range(2)]
    assert [reply.status_code for reply in fetched] == [200, 200]
    assert fetched[0].content == fetched[1].content


def test_all_machines_sign_with_the_same_keys(product: Product) -> None:
    url = product.platform.tool_url
    sets = [requests.get(f"{url}/lti/jwks", timeout=10).json() for _ in range(2)]
    assert sets[0] == sets[1]
    pages = [requests.get(f"{url}/packs/keys", timeout=10) for _ in range(2)]
    shown = [BeautifulSoup(reply.text, "html.parser").select("main") for reply in pages]
    assert shown[0] == shown[1]
    product.app.extensions["lti"].tool_keys.rotate()
    sets = [requests.get(f"{url}/lti/jwks", timeout=10).json() for _ in range(2)]
    assert sets[0] == sets[1]
    assert len(sets[0]["keys"]) == 2
