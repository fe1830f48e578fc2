"""Tools register themselves as at Moodle: its answers, its refusals, pending until activated."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox_lms.platform import Platform
from sandbox_lms.tools import registration
from sandbox_lms.tools.registration import TOOL
from tests.factories.platforms import RECORDED
from tests.sandbox.fake_tool import FakeTool

RECORDED_REFUSALS = {one["case"]: one for one in RECORDED["refusals"]}


def request_of(tool: FakeTool) -> dict[str, Any]:
    domain = tool.url.removeprefix("http://")
    return {
        "response_types": ["id_token"],
        "initiate_login_uri": f"{tool.url}/lti/login",
        "redirect_uris": [f"{tool.url}/lti/launch"],
        "client_name": "A tool",
        "jwks_uri": f"{tool.url}/lti/jwks",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "https://purl.imsglobal.org/spec/lti-ags/scope/score unknown",
        TOOL: {
            "domain": domain,
            "target_link_uri": f"{tool.url}/lti/launch",
            "claims": ["iss", "sub", "name", "unknown"],
            "messages": [{"type": "LtiDeepLinkingRequest"}],
        },
    }


def send(
    platform: Platform, body: object, token: str | None, method: str = "POST"
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = registration.configuration(platform)["registration_endpoint"]
    return requests.request(method, url, json=body, headers=headers, timeout=10)


@pytest.fixture(autouse=True)
def _forget(platform: Platform) -> None:
    platform.tools.clear()


def test_the_configuration_has_moodles_entries(platform: Platform) -> None:
    url = f"{platform.issuer}/mod/lti/openid-configuration.php"
    said = requests.get(url, timeout=10).json()
    assert said.keys() == RECORDED["configuration"].keys()
    for name in ("claims_supported", "response_types_supported"):
        assert said[name] == RECORDED["configuration"][name]


def test_the_answer_has_moodles_entries(platform: Platform, tool: FakeTool) -> None:
    said = send(platform, request_of(tool), registration.issue_token(platform)).json()
    recorded = RECORDED["answer"]
    assert said.keys() == recorded.keys()
    assert said[TOOL].keys() | {"custom_parameters"} == recorded[TOOL].keys()
    assert said[TOOL]["claims"] == ["sub", "iss", "name"]
    assert said["scope"] == "https://purl.imsglobal.org/spec/lti-ags/scope/score"
    assert not platform.tools[said["client_id"]].is_active


CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "error-domain-mismatch": lambda body: body[TOOL].update(domain="other.example"),
    "error-missing-client-name": lambda body: body.pop("client_name"),
    "error-missing-domain": lambda body: body[TOOL].pop("domain"),
    "error-redirect-uris-string": lambda body: body.update(redirect_uris="https://a.example/"),
    "error-wrong-auth-method": lambda body: body.update(token_endpoint_auth_method="none"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_refused_request_is_refused_in_moodles_words_and_spends_nothing(
    platform: Platform, tool: FakeTool, case: str
) -> None:
    body, token = request_of(tool), registration.issue_token(platform)
    CHANGES[case](body)
    reply = send(platform, body, token)
    recorded = RECORDED_REFUSALS[case]
    assert (reply.status_code, reply.text) == (recorded["status"], recorded["body"])
    assert send(platform, request_of(tool), token).status_code == 200


def test_tokens_are_asked_for_and_good_once(platform: Platform, tool: FakeTool) -> None:
    def said(token: str | None) -> tuple[int, str]:
        reply = send(platform, request_of(tool), token)
        return reply.status_code, reply.text

    missing, used = RECORDED_REFUSALS["error-no-authorization"], RECORDED_REFUSALS["replayed-token"]
    assert said(None) == (missing["status"], missing["body"])
    token = registration.issue_token(platform)
    assert said(token)[0] == 200
    assert said(token) == (used["status"], used["body"])
    tampered = said(f"{token[:-6]}abcdef")
    assert tampered[0] == RECORDED_REFUSALS["error-tampered-token"]["status"]
    assert "<html" in tampered[1]


def test_an_update_keeps_client_and_deployment_and_may_come_twice(
    platform: Platform, tool: FakeTool
) -> None:
    first = send(platform, request_of(tool), registration.issue_token(platform)).json()
    platform.tools.activate(first["client_id"])
    token = registration.issue_token(platform, platform.tools[first["client_id"]])
    assert send(platform, None, token, "GET").json() == first
    for name in ("Another name", "A third"):
        said = send(platform, {**request_of(tool), "client_name": name}, token).json()
        assert said == {**first, "client_name": name}
    assert [one.is_active for one in platform.tools.values()] == [True]


def test_a_pending_tool_can_do_nothing(platform: Platform, tool: FakeTool) -> None:
    said = send(platform, request_of(tool), registration.issue_token(platform)).json()
    assert not platform.is_client(said["client_id"])
    page = requests.post(f"{platform.issuer}/tools/{said['client_id']}/activate", timeout=10)
    assert "active" in page.text
    assert platform.is_client(said["client_id"])
    requests.post(f"{platform.issuer}/tools/{said['client_id']}/delete", timeout=10)
    assert not platform.is_client(said["client_id"])


def test_registered_tools_outlive_a_restart(tmp_path: Any) -> None:
    given = {"tool_url": "http://localhost:1", "issuer": "http://localhost:2", "state": tmp_path}
    first = Platform(**given)
    token = registration.issue_token(first)
    tool = FakeTool()
    tool.url = "http://localhost:1"
    said = registration.register(first, f"Bearer {token}", request_of(tool))
    second = Platform(**given)
    assert second.tools == first.tools
    with pytest.raises(registration.Refused, match="token_already_used"):
        registration.register(second, f"Bearer {token}", request_of(tool))
    assert second.tools[said["client_id"]].name == "A tool"
