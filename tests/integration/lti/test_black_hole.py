"""A platform that takes the call and never answers, or a byte at a time (AGS-9)."""

import time

import pytest

from lti_tool.lti.services import connection, outbox
from lti_tool.lti.services.connection import Limits, Unreachable
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.black_hole import DRIPS, black_hole
from tests.factories.scoring import arrive, held, owe, where


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
