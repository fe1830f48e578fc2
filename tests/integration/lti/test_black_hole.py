"""A platform that takes the call and never answers, or a byte at a time (AGS-9)."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest
import requests

from lti_tool.lti.services import connection, outbox
from lti_tool.lti.services.connection import Limits, Unreachable
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.black_hole import DRIPS, black_hole
from tests.factories.connecting import ALL, invite, look, press
from tests.factories.platforms import Said, pretending
from tests.factories.scoring import arrive, held, owe, where
from tests.integration.lti.conftest import make_manager

LONGEST: Final = 5.0
"""Seconds that a request of a person may wait for a platform."""


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.mark.parametrize("kind", DRIPS)
def test_a_call_has_an_end(tool: World, kind: str) -> None:
    with black_hole(kind) as url:
        begun = time.monotonic()
        with pytest.raises(Unreachable):
            connection._call(tool.lti, "GET", url, {}, None, Limits(call_seconds=1))
        assert time.monotonic() - begun < 60, "and not the half hour of its bytes"


@pytest.mark.parametrize("kind", DRIPS)
def test_a_score_for_a_black_hole_is_delivered_later(
    tool: World, clock: SetClock, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(connection, "USUAL", Limits(call_seconds=1))
    completion_id = owe(tool, arrive(tool))
    with black_hole(kind) as url:
        tool.register(SCHOOL, SCHOOL, auth_token_url=f"{url}/token")
        assert outbox.send_due(tool.lti) == 0
    assert where(tool, completion_id).reason_code == "unreachable"
    tool.register(SCHOOL, SCHOOL)
    clock.move(minutes=1)
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90


def _waited(tool: World, cookie: str) -> dict[str, float]:
    """How many seconds each door held somebody, all at once."""
    found: dict[str, float] = {}

    def wait(door: str, status: int, send: Callable[[], requests.Response]) -> None:
        began = time.monotonic()
        assert send().status_code == status, door
        found[door] = time.monotonic() - began

    with black_hole() as url, pretending() as pretender, requests.Session() as http:
        confirm = look(tool, invite(tool), pretender.config_url)
        pretender.answer, invited = Said("{}", seconds=6), invite(tool)
        tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/jwks", auth_token_url=f"{url}/token")
        first, second = ((begun, tool.token(begun)) for begun in (tool.begin(), tool.begin()))
        health = partial(http.get, f"{tool.url}/health/", headers={"Cookie": cookie}, timeout=30)
        doors: dict[str, tuple[int, Callable[[], requests.Response]]] = {
            "a launch": (503, lambda: tool.post(*first)),
            "another at once": (503, lambda: tool.post(*second)),
            "the health page": (200, health),
            "connecting": (503, lambda: look(tool, invited, f"{url}/configuration")),
            "registering": (503, lambda: press(tool, confirm, *ALL)),
        }
        threads = [threading.Thread(target=wait, args=(one, *doors[one])) for one in doors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(found) == set(doors)
    return found


def test_no_request_of_a_person_waits_longer_than_five_seconds(
    tool: World, clock: SetClock
) -> None:
    """With the waits as they are shipped, at each door at which somebody waits for a platform.
    What a busy machine adds is not ours: of three tries, the shortest counts."""
    begun = tool.begin()
    entered = tool.post(begun, tool.token(begun))
    (cookie,) = [line for line in entered.raw.headers.getlist("Set-Cookie") if "visit" in line]
    make_manager(tool)
    for _ in range(3):
        found = _waited(tool, cookie.split(";")[0])
        assert min(found.values()) > 1, "each did wait"
        if max(found.values()) < LONGEST:
            return
        clock.move(minutes=1)
    raise AssertionError(found)
