"""How built assets are served, and what is said when there are none."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import brotli
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from lti_tool.ui import assets


@pytest.fixture
def client() -> Client:
    return Client(assets.wrap(Response("the app")))


def test_an_asset_is_compressed_immutable_and_ours_alone(client: Client) -> None:
    response = client.get(
        assets.asset_url("clauseway.css"), headers={"Accept-Encoding": "gzip, br"}
    )
    assert response.status_code == 200
    assert response.headers["Content-Encoding"] == "br"
    assert "immutable" in response.headers["Cache-Control"]
    assert response.headers["Content-Type"].startswith("text/css")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response.headers
    response.close()


@pytest.mark.parametrize("name", sorted(assets.manifest()))
@pytest.mark.parametrize(
    ("encoding", "unpack"), [("br", brotli.decompress), ("gzip", gzip.decompress), ("", bytes)]
)
def test_every_asset_goes_out_compressed_to_whoever_can_read_it(
    client: Client, name: str, encoding: str, unpack: Callable[[bytes], bytes]
) -> None:
    response = client.get(assets.asset_url(name), headers={"Accept-Encoding": encoding})
    assert response.status_code == 200
    assert response.headers.get("Content-Encoding", "") == encoding
    assert "Accept-Encoding" in response.headers["Vary"]
    plain = (assets.STATIC / assets.manifest()[name]).read_bytes()
    assert unpack(response.data) == plain
    assert len(response.data) == int(response.headers["Content-Length"])
    assert (len(response.data) < len(plain)) is bool(encoding)
    response.close()


def test_scripts_have_a_type_a_module_may_have(client: Client) -> None:
    response = client.get(assets.asset_url("clauseway.js"))
    assert response.headers["Content-Type"].startswith("text/javascript")
    response.close()


def test_everything_else_is_the_apps(client: Client) -> None:
    for path in ("/", "/static/clauseway.css", "/static/../assets.py"):
        assert client.get(path).text == "the app"


@pytest.fixture
def _no_assets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    assets.manifest.cache_clear()
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    yield
    assets.manifest.cache_clear()


@pytest.mark.usefixtures("_no_assets")
def test_without_assets_the_start_stops_with_one_sentence() -> None:
    with pytest.raises(assets.AssetsMissingError, match=r"not built\. Run make assets\.$"):
        assets.wrap(Response("the app"))
