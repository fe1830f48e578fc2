"""The login a platform initiates (OIDC-1 to OIDC-6)."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import disable_platform
from sandbox_lms.platform import CLIENT_ID, OMIT
from tests.conformance.world import CORE, OTHER, SCHOOL, World, refused


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_oidc_1_login_by_get_and_by_post(tool: World, method: str) -> None:
    before = tool.counts()
    reply = tool.send_login(tool.parameters(), method=method)
    assert reply.status_code == 302
    assert reply.headers["Location"].startswith(f"{tool.platform.issuer}/auth?")
    assert tool.counts() == before


@pytest.mark.parametrize("name", ["iss", "login_hint", "target_link_uri"])
@pytest.mark.parametrize("value", [None, ""])
def test_oidc_2_required_parameter_missing(tool: World, name: str, value: str | None) -> None:
    before = tool.counts()
    reply = tool.send_login(tool.parameters(**{name: value}))
    refused(reply, 400, "login-incomplete")
    assert tool.counts() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://unknown.example"},
        {"client_id": "unknown"},
        {"client_id": CLIENT_ID.upper()},
    ],
)
def test_oidc_3_unknown_issuer_or_client(tool: World, changes: dict[str, str]) -> None:
    reply = tool.send_login(tool.parameters(**changes))
    refused(reply, 403, "platform-unknown")
    assert "Location" not in reply.headers


def test_oidc_3_no_client_id_and_one_registration(tool: World) -> None:
    assert tool.begin(client_id=None).query["client_id"] == CLIENT_ID


def test_oidc_3_no_client_id_and_several_registrations(tool: World) -> None:
    second = tool.register("other", OTHER, client_id="a-second-client")
    try:
        refused(tool.send_login(tool.parameters(client_id=None)), 400, "platform-ambiguous")
        assert tool.begin(client_id="a-second-client").query["client_id"] == "a-second-client"
    finally:
        _disable(tool, second)


def test_oidc_4_authentication_request(tool: World) -> None:
    parameters = tool.parameters(
        login_hint="a b&c=d/é", lti_message_hint='{"cmid":3,"launchid":"x_1"}'
    )
    query = dict(parse_qsl(urlsplit(tool.send_login(parameters).headers["Location"]).query))
    state, nonce = query.pop("state"), query.pop("nonce")
    assert query == {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{tool.url}/lti/launch",
        "login_hint": "a b&c=d/é",
        "lti_message_hint": '{"cmid":3,"launchid":"x_1"}',
    }
    assert len(state) > 40
    assert len(nonce) >= 32  # of 64 letters: 192 bits
    again = tool.begin()
    assert (again.state, again.nonce) != (state, nonce)


def test_oidc_4_no_message_hint_sends_none(tool: World) -> None:
    assert "lti_message_hint" not in tool.begin(lti_message_hint=None).query


def test_oidc_4_authentication_url_with_a_query(tool: World) -> None:
    url = f"{tool.platform.issuer}/auth?tenant=7"
    tool.register(SCHOOL, SCHOOL, auth_login_url=url)
    try:
        location = tool.send_login(tool.parameters()).headers["Location"]
        assert location.startswith(f"{url}&scope=openid&")
    finally:
        tool.register(SCHOOL, SCHOOL)


def test_oidc_4_cookie_is_bound_to_its_login(tool: World) -> None:
    reply = tool.send_login(tool.parameters())
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith("__Host-clauseway-login-")
    for rule in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/", "Max-Age=300"):
        assert rule in cookie
    first, second = tool.begin(), tool.begin()
    assert not first.cookies.keys() & second.cookies.keys()


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/lti/launch",
        "http://127.0.0.1:1/lti/launch",
        "javascript:alert(1)",
        "/lti/launch",
        "http://[",
    ],
)
def test_oidc_5_target_elsewhere(tool: World, target: str) -> None:
    refused(
        tool.send_login(tool.parameters(target_link_uri=target)), 400, "launch-target-elsewhere"
    )


@pytest.mark.parametrize("target", ["https://elsewhere.example/lti/launch", "same-host", OMIT, 7])
def test_oidc_5_target_of_the_launch_is_another(tool: World, target: object) -> None:
    before = tool.counts()
    given = f"{tool.url}/another" if target == "same-host" else target
    reply = tool.launch(**{f"{CORE}target_link_uri": given})
    assert reply.status_code == 400
    assert tool.counts() == before


def test_oidc_5_deployment_of_the_launch_is_another(tool: World) -> None:
    tool.register("second-deployment", SCHOOL)
    before = tool.counts()
    begun = tool.begin(lti_deployment_id="second-deployment")
    refused(tool.post(begun, tool.token(begun)), 401, "launch-token-invalid")
    assert tool.counts() == before


def test_oidc_5_no_deployment_hint(tool: World) -> None:
    begun = tool.begin(lti_deployment_id=None)
    assert tool.post(begun, tool.token(begun)).status_code == 303


@pytest.mark.parametrize("error", ["access_denied", "login_required", "<script>x</script>"])
def test_oidc_6_platform_returns_an_error(tool: World, error: str) -> None:
    before = tool.counts()
    reply = tool.http.post(
        f"{tool.url}/lti/launch",
        data={"error": error, "state": tool.begin().state},
        allow_redirects=False,
        timeout=30,
    )
    refused(reply, 400, "platform-refused")
    assert "<script>x" not in reply.text
    assert tool.counts() == before


def test_oidc_6_error_of_the_real_flow(tool: World) -> None:
    parameters = tool.parameters(login_hint="999999")
    auth = tool.http.get(tool.send_login(parameters).headers["Location"], timeout=30)
    assert "id_token" not in auth.text


def _disable(tool: World, registration_id: object) -> None:

    with tool.database.transaction() as session:
        disable_platform(
            session, session.get_one(Registration, registration_id), now=tool.lti.clock()
        )
    tool.lti.registry.forget()
