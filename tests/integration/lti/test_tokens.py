"""Access tokens: kept, renewed, refused (AGS-8, SEC-10)."""

import json
import threading
from urllib.parse import parse_qs
from uuid import UUID

import jwt
import pytest
from flask import Flask, Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lti_tool.lti.claims import RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.models import AccessToken
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services import connection, outbox
from sandbox_lms.serve import running
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, owe, where


def test_ags_8_a_token_that_is_refused_is_renewed_once(tool: World) -> None:
    visit = arrive(tool)
    owe(tool, visit, 80)
    outbox.send_due(tool.lti)
    tool.platform.revoke_tokens()
    owe(tool, visit, 90)
    assert outbox.send_due(tool.lti) == 1
    assert len(asked(tool, "/token")) == 2


def test_ags_8_a_token_refused_twice_needs_attention(tool: World) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "401")
    outbox.send_due(tool.lti)
    assert len(asked(tool, "/scores")) == 2
    assert where(tool, completion_id).reason_code == "reconnect"


@pytest.mark.parametrize(
    ("kind", "state"), [("400", "attention"), ("503", "waiting"), ("reset", "waiting")]
)
def test_token_service_in_trouble(tool: World, kind: str, state: str) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("token", kind)
    outbox.send_due(tool.lti)
    assert where(tool, completion_id).state == state
    assert not asked(tool, "/scores")


def test_a_token_is_kept_until_shortly_before_its_end(tool: World, clock: SetClock) -> None:
    visit = arrive(tool)
    for number, minutes in enumerate((0, 30, 28, 1.5)):
        clock.move(minutes=minutes)
        owe(tool, visit, 80 + number)
        assert outbox.send_due(tool.lti) == 1
    assert len(asked(tool, "/token")) == 2
    with tool.database.reading() as session:
        kept = session.scalars(select(AccessToken)).one()
        assert kept.scopes == SCORE_SCOPE


def known(tool: World, registration_id: UUID | None = None) -> Platform:
    platform = tool.lti.registry.by_id(registration_id or tool.registration_id)
    assert platform is not None
    return platform


def test_a_token_in_memory_ends_with_its_life(tool: World, clock: SetClock) -> None:
    """Also where the clock alone says so, and nothing was asked of the database meanwhile."""
    platform = known(tool)
    first = connection.access_token(tool.lti, platform, [SCORE_SCOPE])
    clock.move(minutes=58)
    assert connection.access_token(tool.lti, platform, [SCORE_SCOPE]) == first
    clock.move(minutes=1)
    assert connection.access_token(tool.lti, platform, [SCORE_SCOPE]) != first
    assert len(asked(tool, "/token")) == 2


def test_a_token_in_memory_is_for_its_scopes_and_its_platform(tool: World) -> None:
    another = known(tool, tool.register("theirs", SCHOOL, client_id="of-another"))
    both = [SCORE_SCOPE, RESULT_SCOPE]
    tokens = [
        connection.access_token(tool.lti, known(tool), scopes)
        for scopes in ([SCORE_SCOPE], [RESULT_SCOPE], both, both[::-1])
    ]
    assert len(set(tokens)) == 3
    assert tokens[2] == tokens[3]
    with pytest.raises(connection.TokenRefused):  # a client that the platform does not know
        connection.access_token(tool.lti, another, [SCORE_SCOPE])


def test_a_token_that_another_process_renewed_is_taken_up(tool: World, clock: SetClock) -> None:
    other, platform = Lti(tool.lti.config, tool.database, clock), known(tool)
    old = connection.access_token(tool.lti, platform, [SCORE_SCOPE])
    assert connection.access_token(other, platform, [SCORE_SCOPE]) == old
    tool.platform.revoke_tokens()
    new = connection.access_token(other, platform, [SCORE_SCOPE], refused=old)
    assert connection.access_token(tool.lti, platform, [SCORE_SCOPE], refused=old) == new
    assert connection.access_token(tool.lti, platform, [SCORE_SCOPE]) == new
    assert len(asked(tool, "/token")) == 2
    other.http.close()


def test_only_a_token_that_the_database_keeps_is_in_memory(
    tool: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two processes that ask at once one keeps its token. Would the other go on with its own, a
    platform that revoked both would refuse it twice in a row."""

    def too_late(table: object) -> None:
        raise IntegrityError("another process was quicker", None, ValueError())

    with monkeypatch.context() as patch:
        patch.setattr(connection, "insert", too_late)
        first = connection.access_token(tool.lti, known(tool), [SCORE_SCOPE])
    assert connection.access_token(tool.lti, known(tool), [SCORE_SCOPE]) != first
    assert len(asked(tool, "/token")) == 2


def test_sec_10_client_assertion(tool: World) -> None:
    owe(tool, arrive(tool))
    outbox.send_due(tool.lti)
    (request,) = asked(tool, "/token")
    assertion = parse_qs(request.body.decode())["client_assertion"][0]
    header = jwt.get_unverified_header(assertion)
    said = jwt.decode(assertion, options={"verify_signature": False})
    registration = tool.registration()
    assert header["alg"] == "RS256"
    assert header["kid"] == tool.lti.tool_keys.kids()[-1]
    assert said["iss"] == said["sub"] == registration.client_id
    assert said["aud"] == registration.auth_token_url
    assert 0 < said["exp"] - said["iat"] <= 300
    assert len(said["jti"]) >= 32


class _NoLocks(dict[object, threading.Lock]):
    """As if each thread were a process of its own."""

    def setdefault(self, key: object, default: threading.Lock, /) -> threading.Lock:
        return default


@pytest.mark.parametrize("processes", [1, 4])
def test_several_workers_that_want_a_token_neither_storm_nor_stumble(
    tool: World, processes: int
) -> None:
    arrive(tool)
    platform = known(tool)
    if processes > 1:
        tool.lti.token_locks = _NoLocks()  # type: ignore[assignment]
    gate, tokens = threading.Barrier(4), list[str]()

    def work() -> None:
        gate.wait()
        tokens.append(connection.access_token(tool.lti, platform, [SCORE_SCOPE]))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 4
    assert len(asked(tool, "/token")) <= processes
    with tool.database.reading() as session:
        assert session.scalars(select(AccessToken)).one().token in tokens


def test_ags_8_of_two_workers_with_a_token_that_ended_one_renews_it(tool: World) -> None:
    arrive(tool)
    platform = known(tool)
    old = connection.access_token(tool.lti, platform, [SCORE_SCOPE])
    tool.platform.revoke_tokens()
    renewed = {
        connection.access_token(tool.lti, platform, [SCORE_SCOPE], refused=old) for _ in range(2)
    }
    assert len(renewed) == 1
    assert old not in renewed
    assert len(asked(tool, "/token")) == 2


@pytest.mark.parametrize(
    ("said", "is_token"),
    [
        ({"access_token": "t"}, True),
        ({"access_token": "t", "expires_in": "3600"}, True),
        ({"access_token": "t", "expires_in": -1}, True),
        ({"access_token": "t", "expires_in": [1]}, True),
        ({"access_token": "t", "expires_in": "soon", "scope": ""}, True),
        ({"access_token": "t", "scope": f"other {SCORE_SCOPE}"}, True),
        ({"access_token": "t", "scope": "other"}, False),
        ({"access_token": "t\nX-Evil: 1"}, False),
        ({"access_token": ""}, False),
        ({"access_token": 5}, False),
        ({}, False),
        ([], False),
    ],
)
def test_what_is_a_token(tool: World, said: object, is_token: bool) -> None:
    app = Flask("tokens")
    app.add_url_rule("/", "token", lambda: Response(json.dumps(said)), methods=["POST"])
    with running(app) as url:
        tool.register(SCHOOL, SCHOOL, auth_token_url=f"{url}/")
        completion_id = owe(tool, arrive(tool))
        tool.platform.token_allows = lambda token, scopes: True  # type: ignore[method-assign]
        outbox.send_due(tool.lti)
    assert where(tool, completion_id).state == ("sent" if is_token else "attention")
