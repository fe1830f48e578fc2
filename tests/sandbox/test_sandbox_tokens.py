"""The token endpoint is strict and lenient where Moodle 4.5.6 was recorded to be."""

import json
from typing import Any

import pytest
import requests

from sandbox_lms.claims import SCOPE_MEMBERS, SCOPE_SCORE
from sandbox_lms.platform import Platform
from sandbox_lms.tokens import Key
from tests.conftest import SetClock
from tests.factories.keys import strangers_key
from tests.sandbox.fake_tool import ASSERTION_TYPE, FakeTool, Services

UNKNOWN_SCOPE = "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting"


def ask(
    platform: Platform, assertion: str, scope: str = SCOPE_SCORE, **changes: str | None
) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": scope,
        **changes,
    }
    return requests.post(f"{platform.issuer}/token", data=form, timeout=10)


def now(platform: Platform) -> int:
    return int(platform.clock().timestamp())


def test_a_token_is_json_that_calls_itself_html(platform: Platform, tool: FakeTool) -> None:
    reply = ask(platform, tool.assertion(now(platform)))
    assert reply.status_code == 200
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    body = reply.json()
    assert list(body) == ["access_token", "token_type", "expires_in", "scope"]
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == SCOPE_SCORE


def test_every_call_is_a_new_token_and_the_old_stays_good(
    platform: Platform, tool: FakeTool
) -> None:
    assertion = tool.assertion(now(platform))
    first, second = (ask(platform, assertion).json()["access_token"] for _ in range(2))
    assert first != second
    assert platform.token_allows(first, (SCOPE_SCORE,))
    assert platform.token_allows(second, (SCOPE_SCORE,))


def test_scopes_it_does_not_know_are_dropped(platform: Platform, tool: FakeTool) -> None:
    assertion = tool.assertion(now(platform))
    mixed = ask(platform, assertion, f"{SCOPE_MEMBERS} {UNKNOWN_SCOPE}")
    assert mixed.json()["scope"] == SCOPE_MEMBERS
    none_left = ask(platform, assertion, UNKNOWN_SCOPE)
    assert none_left.status_code == 400
    assert none_left.json() == {"error": "invalid_scope"}


@pytest.mark.parametrize(
    "lenient",
    [{"aud": "anything"}, {"exp": None, "jti": None}, {"aud": None}],
    ids=["wrong audience", "no expiry, no jti", "no audience"],
)
def test_what_moodle_does_not_look_at(
    platform: Platform, tool: FakeTool, lenient: dict[str, Any]
) -> None:
    assert ask(platform, tool.assertion(now(platform), **lenient)).status_code == 200


def test_bad_assertions(platform: Platform, tool: FakeTool) -> None:
    moment = now(platform)
    when = "2026-11-23T09:02:00+0000"
    for assertion, error in (
        (tool.assertion(moment, iat=moment + 120), f"Cannot handle token with iat prior to {when}"),
        (tool.assertion(moment, exp=moment - 1), "Expired token"),
        (tool.assertion(moment, iss="x", sub="x"), "invalid_client"),
        (tool.assertion(moment, kid=None), "error/Error: kid must be provided in JWT header."),
        ("nonsense", "invalid_request"),
    ):
        reply = ask(platform, assertion)
        assert (reply.status_code, reply.json()) == (400, {"error": error})


def test_another_key_under_our_kid_is_no_signature(platform: Platform, tool: FakeTool) -> None:
    forged = tool.assertion(now(platform), kid=tool.keys[0].kid, key=strangers_key())
    reply = ask(platform, forged)
    assert (reply.status_code, reply.json()) == (400, {"error": "Signature verification failed"})


def test_an_unknown_kid_is_answered_with_broken_json(platform: Platform, tool: FakeTool) -> None:
    reply = ask(platform, tool.assertion(now(platform), kid="unknown"))
    assert reply.status_code == 400
    assert reply.text == '{\n  "error" : ""kid" invalid, unable to lookup correct key"\n}'
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.text)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"client_assertion_type": "other"}, "unsupported_grant_type"),
    ],
)
def test_bad_requests(
    platform: Platform, tool: FakeTool, changes: dict[str, str | None], error: str
) -> None:
    reply = ask(platform, tool.assertion(now(platform)), **changes)  # type: ignore[arg-type]
    assert (reply.status_code, reply.json()) == (400, {"error": error})


def test_get_and_json_are_invalid_requests(platform: Platform) -> None:
    url = f"{platform.issuer}/token"
    for reply in (requests.get(url, timeout=5), requests.post(url, json={}, timeout=5)):
        assert (reply.status_code, reply.json()) == (400, {"error": "invalid_request"})


def test_a_withdrawn_key_goes_on_working_until_something_fails(
    platform: Platform, tool: FakeTool
) -> None:
    assert ask(platform, tool.assertion(now(platform))).status_code == 200
    old = tool.keys[0]
    tool.keys = [Key.generate()]
    fetches = tool.keyset_fetches
    assert ask(platform, tool.assertion(now(platform), key=old)).status_code == 200
    assert tool.keyset_fetches == fetches
    assert ask(platform, tool.assertion(now(platform))).status_code == 200
    assert tool.keyset_fetches == fetches + 1
    assert ask(platform, tool.assertion(now(platform), key=old)).status_code == 400


def test_a_token_lives_an_hour(platform: Platform, services: Services, clock: SetClock) -> None:
    clock.move(seconds=3599)
    assert services.score().status_code == 200
    clock.move(seconds=1)
    expired = services.score()
    assert (expired.status_code, expired.reason) == (401, "Unauthorized")
    assert expired.json()["request"]["method"] == "POST"


def test_missing_wrong_and_revoked_tokens_are_401(platform: Platform, services: Services) -> None:
    services.use_token(platform.issue_token([SCOPE_MEMBERS]))
    assert services.score().status_code == 401
    services.use_token("never seen")
    assert services.score().status_code == 401
    del services.session.headers["Authorization"]
    assert services.score().status_code == 401
    services.use_token(platform.issue_token([SCOPE_SCORE]))
    platform.revoke_tokens()
    assert services.score().status_code == 401
    assert platform.gradebook.grades == {}
