"""A launch through the sandbox has Moodle's shape and Moodle's strictness."""

from typing import Any

import jwt
import pytest
import requests

from sandbox_lms import visitor
from sandbox_lms.claims import AGS, AGS_SCOPES, LTI, NRPS
from sandbox_lms.platform import CLIENT_ID, OMIT, Platform
from sandbox_lms.schools import Person
from tests.sandbox.fake_tool import FakeTool

MOODLES_CLAIMS = [
    "nonce",
    "iat",
    "exp",
    "iss",
    "aud",
    f"{LTI}deployment_id",
    f"{LTI}target_link_uri",
    "sub",
    f"{LTI}lis",
    f"{LTI}roles",
    f"{LTI}context",
    f"{LTI}message_type",
    f"{LTI}resource_link",
    "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome",
    "given_name",
    "family_name",
    "name",
    f"{LTI}ext",
    "email",
    f"{LTI}launch_presentation",
    f"{LTI}tool_platform",
    f"{LTI}version",
    f"{LTI}custom",
    f"{AGS}claim/endpoint",
    f"{NRPS}claim/namesroleservice",
]
"""In the order of a launch recorded from Moodle 4.5.6."""


def launched(
    session: requests.Session, platform: Platform, person: Person, module: str = "induction"
) -> dict[str, Any]:
    """The verified claims of a launch that reached the tool."""
    activity = platform.activity_at(person.school or "hemswell-cliff", module)
    posted = visitor.launch(session, platform, person, activity).json()
    assert posted["state"] == "the state"
    return verified(platform, posted["id_token"])


def verified(platform: Platform, token: str) -> dict[str, Any]:
    keys = requests.get(f"{platform.issuer}/jwks", timeout=5).json()
    kid = jwt.get_unverified_header(token)["kid"]
    key = jwt.PyJWKSet.from_dict(keys)[kid]
    options: Any = {"verify_exp": False, "verify_iat": False}
    said: dict[str, Any] = jwt.decode(
        token, key.key, algorithms=["RS256"], audience=CLIENT_ID, options=options
    )
    return said


def test_the_id_token_holds_what_moodle_sends(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    said = launched(session, platform, starter)
    assert list(said) == MOODLES_CLAIMS
    assert said["nonce"] == "the nonce"
    assert said["exp"] == said["iat"] + 60
    assert said["iss"] == platform.issuer
    assert said["aud"] == CLIENT_ID
    assert said["sub"] == starter.id
    assert said[f"{LTI}deployment_id"] == "hemswell-cliff"
    assert said[f"{LTI}context"]["type"] == ["CourseSection"]
    assert said[f"{LTI}custom"]["school"] == "hemswell-cliff"
    assert said[f"{LTI}custom"]["module"] == "induction"
    assert said[f"{LTI}launch_presentation"]["document_target"] == "iframe"
    assert "sesskey=" in said[f"{LTI}launch_presentation"]["return_url"]
    endpoint = said[f"{AGS}claim/endpoint"]
    assert endpoint["scope"] == list(AGS_SCOPES)
    base = f"{platform.issuer}/mod/lti/services.php/2/lineitems"
    assert endpoint["lineitems"] == f"{base}?type_id=1"
    assert endpoint["lineitem"] == f"{base}/111/lineitem?type_id=1"


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("starter", ["membership#Learner"]),
        ("head", ["membership#Instructor"]),
        ("lead", ["membership#Instructor"]),
        (
            "admin",
            [
                "institution/person#Administrator",
                "membership#Instructor",
                "system/person#Administrator",
            ],
        ),
    ],
)
def test_roles_are_moodles(
    session: requests.Session, platform: Platform, tool: FakeTool, kind: str, roles: list[str]
) -> None:
    said = launched(session, platform, platform.person("hemswell-cliff", kind))
    vocabulary = "http://purl.imsglobal.org/vocab/lis/v2/"
    assert said[f"{LTI}roles"] == [vocabulary + role for role in roles]


def test_what_is_not_shared_is_not_sent(
    session: requests.Session, platform: Platform, tool: FakeTool
) -> None:
    person = platform.person("glenmere", "teacher")
    quiet = platform.set_sharing(person, name=False, email=False)
    said = launched(session, platform, quiet)
    assert {"name", "given_name", "family_name", "email"}.isdisjoint(said)
    assert said[f"{LTI}ext"] == {"lms": "moodle-2"}


def test_an_activity_with_two_line_items_names_neither(platform: Platform, starter: Person) -> None:
    activity = platform.activity_at("hemswell-cliff")
    more = {"label": "More", "scoreMaximum": 1, "resourceLinkId": activity.id}
    made = platform.gradebook.create("2", more, {activity.id})
    endpoint = platform.id_token_claims(starter, activity, "n")[f"{AGS}claim/endpoint"]
    platform.gradebook.delete(made.id)
    assert isinstance(endpoint, dict)
    assert "lineitem" not in endpoint
    assert "lineitems" in endpoint


@pytest.mark.parametrize(
    "asks",
    [
        {"redirect_uri": "http://localhost:1/elsewhere"},
        {"scope": "openid profile"},
        {"response_type": "code"},
        {"nonce": None},
        {"lti_message_hint": None},
        {"lti_message_hint": "rubbish"},
        {"lti_message_hint": '{"cmid":1011,"launchid":"ltilaunch11_1"}'},
    ],
)
def test_an_unusable_request_gets_an_error_page(
    session: requests.Session,
    platform: Platform,
    starter: Person,
    tool: FakeTool,
    asks: dict[str, str | None],
) -> None:
    tool.asks = asks
    visitor.sign_in(session, starter)
    login = platform.login_parameters(starter, platform.activity_at("hemswell-cliff"))
    reply = session.post(f"{tool.url}/lti/login", data=login)
    assert reply.status_code == 404
    assert "Invalid request" in reply.text


def test_a_redirect_uri_with_a_query_is_not_the_registered_one(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    tool.asks = {"redirect_uri": f"{tool.url}/lti/launch?module=induction"}
    visitor.sign_in(session, starter)
    login = platform.login_parameters(starter, platform.activity_at("hemswell-cliff"))
    assert session.post(f"{tool.url}/lti/login", data=login).status_code == 404


@pytest.mark.parametrize(
    ("asks", "posted"),
    [
        ({"client_id": "somebody"}, {"error": "unauthorized_client"}),
        ({"login_hint": "1002"}, {"error": "access_denied"}),
        (
            {"response_mode": None},
            {"error": "invalid_request", "error_description": "Invalid response_mode"},
        ),
        (
            {"response_mode": "query"},
            {"error": "invalid_request", "error_description": "Invalid response_mode"},
        ),
        (
            {"prompt": "login"},
            {"error": "invalid_request", "error_description": "Invalid prompt"},
        ),
    ],
)
def test_other_errors_are_posted_to_the_tool(
    session: requests.Session,
    platform: Platform,
    starter: Person,
    tool: FakeTool,
    asks: dict[str, str | None],
    posted: dict[str, str],
) -> None:
    tool.asks = asks
    activity = platform.activity_at("hemswell-cliff")
    reply = visitor.launch(session, platform, starter, activity).json()
    assert reply == {**posted, "state": "the state"}


def test_a_missing_state_comes_back_empty(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    tool.asks = {"state": None}
    activity = platform.activity_at("hemswell-cliff")
    posted = visitor.launch(session, platform, starter, activity).json()
    assert posted["state"] == ""
    assert posted["id_token"]


def test_a_message_hint_works_once(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    visitor.sign_in(session, starter)
    login = platform.login_parameters(starter, platform.activity_at("hemswell-cliff"))
    first = session.post(f"{tool.url}/lti/login", data=login)
    assert first.status_code == 200
    assert session.get(first.url).status_code == 404


def test_nobody_signed_in_gets_a_page_and_nothing_is_posted(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    login = platform.login_parameters(starter, platform.activity_at("hemswell-cliff"))
    reply = session.post(f"{tool.url}/lti/login", data=login)
    assert reply.status_code == 200
    assert "Not signed in" in reply.text
    assert "<form" not in reply.text


def test_a_rotated_key_signs_at_once_and_the_old_may_go(
    session: requests.Session, platform: Platform, starter: Person, tool: FakeTool
) -> None:
    def published() -> list[str]:
        keys = requests.get(f"{platform.issuer}/jwks", timeout=5).json()["keys"]
        assert all("d" not in key for key in keys)
        return [key["kid"] for key in keys]

    before = published()
    requests.post(f"{platform.issuer}/keys", json={"old": "keep"}, timeout=5)
    assert published()[:-1] == before
    launched(session, platform, starter)
    reply = requests.post(f"{platform.issuer}/keys", json={"old": "drop"}, timeout=5)
    assert published() == [reply.json()["kid"]]
    launched(session, platform, starter)


def test_any_token_can_be_crafted(platform: Platform, starter: Person) -> None:
    activity = platform.activity_at("hemswell-cliff")
    said = platform.id_token_claims(
        starter, activity, "n", **{"sub": OMIT, "nonce": OMIT, f"{LTI}version": "1.1.1"}
    )
    assert {"sub", "nonce"}.isdisjoint(said)
    assert said[f"{LTI}version"] == "1.1.1"
    assert "kid" not in jwt.get_unverified_header(platform.sign(said, kid=None))
    unsigned = platform.sign(["not", "an object"], alg="none", kid="k")
    assert jwt.get_unverified_header(unsigned) == {"typ": "JWT", "alg": "none", "kid": "k"}
    assert unsigned.endswith(".")
    secret = platform.keys[-1].public_pem()
    confused = platform.sign({"sub": "1"}, alg="HS256", key=secret)
    assert jwt.get_unverified_header(confused)["alg"] == "HS256"
    platform_key = platform.keys[-1].private.public_key()
    for_real: Any = platform.sign({"sub": "1"}, alg="RS384")
    assert jwt.decode(for_real, platform_key, algorithms=["RS384"]) == {"sub": "1"}


def test_what_was_received_can_be_looked_at(platform: Platform) -> None:
    requests.post(f"{platform.issuer}/token?a=b", data={"c": "d"}, timeout=5)
    seen = platform.requests_seen[-1]
    assert (seen.method, seen.path, seen.body) == ("POST", "/token?a=b", b"c=d")
    assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
