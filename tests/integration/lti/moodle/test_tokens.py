"""Every way of Moodle's own with tokens, from recordings of it."""

from urllib.parse import parse_qs

import jwt
import pytest

from lti_tool.lti.services import outbox
from lti_tool.lti.services.reconciling import reconcile
from tests.conformance.world import World
from tests.conftest import SetClock
from tests.factories.moodle import RECORDED, Moodle
from tests.integration.lti.moodle.conftest import send_score


def test_a_token_comes_as_json_under_the_name_of_html(tool: World, platform: Moodle) -> None:
    assert RECORDED["a token"]["headers"]["Content-Type"].startswith("text/html")
    assert send_score(tool, platform) == "sent"
    assert platform.scores()[0].headers["Authorization"] == "Bearer TOKEN"


def test_a_token_of_an_hour_is_kept_until_a_minute_before_its_end(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    for subject, minutes in (("3", 0), ("4", 58.9), ("5", 0.2)):
        clock.move(minutes=minutes)
        send_score(tool, platform, subject=subject)
    assert len([asked for asked in platform.asked if "token" in asked.path]) == 2


def statement(platform: Moodle) -> str:
    """What we gave for our first token."""
    (given,) = parse_qs(platform.asked[0].body.decode())["client_assertion"]
    return given


def test_our_statement_says_what_moodle_does_not_check_too(tool: World, platform: Moodle) -> None:
    """It reads neither ``aud`` nor ``jti`` and takes a replay; others do not."""
    send_score(tool, platform)
    said = jwt.decode(statement(platform), options={"verify_signature": False})
    assert set(said) == {"iss", "sub", "aud", "iat", "exp", "jti"}


def test_no_clock_of_ours_may_run_ahead_of_moodles(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """It has no leeway for ``iat``, so ours lies ten seconds back."""
    send_score(tool, platform)
    said = jwt.decode(statement(platform), options={"verify_signature": False})
    assert said["iat"] == int(clock().timestamp()) - 10


def test_the_kid_is_one_of_our_published_keys(tool: World, platform: Moodle) -> None:
    send_score(tool, platform)
    published = tool.http.get(f"{tool.url}/lti/jwks", timeout=10).json()["keys"]
    assert jwt.get_unverified_header(statement(platform))["kid"] in [
        key["kid"] for key in published
    ]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no scope left", "invalid_scope"),
        ("an unknown client", "invalid_client"),
        ("a wrong signature", "Signature verification failed"),
        ("no kid", "errorError kid must be provided in JWT header"),
        ("an unknown kid", "error  kid invalid unable to lookup correct key"),
        ("from the future", "Cannot handle token with iat prior to 2026-11-21T034158"),
    ],
)
def test_a_refused_token_is_shown_with_moodles_words_in_the_log_and_mends_itself(
    tool: World,
    platform: Moodle,
    clock: SetClock,
    name: str,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One of these bodies is no valid JSON."""
    platform.plays(name)
    assert send_score(tool, platform) == "attention reconnect"
    logged = [record for record in caplog.records if record.message == "token refused"]
    assert error in str(logged[0].__dict__["error"])
    assert platform.scores() == []
    platform.plays("a token")
    clock.move(days=1)
    reconcile(tool.lti)
    assert outbox.sweep(tool.lti) == 1


def test_scopes_that_were_dropped_silently(tool: World, platform: Moodle) -> None:
    """Moodle leaves out what it does not allow, and says so in its reply alone."""
    platform.plays("a token for some of the scopes")
    assert send_score(tool, platform) == "attention reconnect"
    assert platform.scores() == []


def test_a_token_without_the_scope_is_401_like_any_other(tool: World, platform: Moodle) -> None:
    platform.plays("a token of another scope")
    assert send_score(tool, platform) == "attention reconnect"
    assert [asked.path.rpartition("/")[2] for asked in platform.asked] == [
        *("token.php", "scores?type_id=1", "token.php", "scores?type_id=1"),
    ]
