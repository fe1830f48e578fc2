"""Access tokens: kept, renewed, refused (AGS-8, SEC-10)."""

from urllib.parse import parse_qs

import jwt
import pytest
from sqlalchemy import select

from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import AccessToken
from lti_tool.lti.services import outbox
from tests.conformance.world import World
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
