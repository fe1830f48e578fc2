"""1EdTech's known bad payloads and valid launches (LTI Advantage certification §6.1)."""

from typing import Any

import pytest

from sandbox_lms.platform import OMIT
from tests.conformance.world import CORE, MEMBERSHIP, World, refused

INSTRUCTOR = [f"{MEMBERSHIP}#Instructor"]
LEARNER = [f"{MEMBERSHIP}#Learner"]


@pytest.fixture(autouse=True)
def writes_nothing(request: pytest.FixtureRequest, tool: World) -> Any:
    """Whatever a bad payload meets, no row of any table may come of it."""
    before = tool.counts()
    yield
    if "bad" in request.node.name:
        assert tool.counts() == before


def test_c_bad_01_no_kid(tool: World) -> None:
    begun = tool.begin()
    token = tool.platform.sign(tool.claims(begun), kid=None)
    refused(tool.post(begun, token), 401, "launch-token-invalid")


def test_c_bad_02_wrong_kid(tool: World) -> None:
    begun = tool.begin()
    token = tool.platform.sign(tool.claims(begun), kid="no-such-key")
    refused(tool.post(begun, token), 401, "launch-token-invalid")


def test_c_bad_03_wrong_version(tool: World) -> None:
    refused(tool.launch(**{f"{CORE}version": "11.3"}), 400, "launch-message-invalid")


def test_c_bad_04_no_version(tool: World) -> None:
    refused(tool.launch(**{f"{CORE}version": OMIT}), 400, "launch-message-invalid")


def test_c_bad_05_not_an_lti_message(tool: World) -> None:
    begun = tool.begin()
    token = tool.platform.sign({"name": "badltilaunch"})
    refused(tool.post(begun, token), 401, "launch-token-invalid")


@pytest.mark.parametrize("payload", [["a", "list"], "text", 7, None])
def test_c_bad_05_not_an_object(tool: World, payload: object) -> None:
    begun = tool.begin()
    refused(tool.post(begun, tool.platform.sign(payload)), 401, "launch-token-invalid")


def test_c_bad_06_required_claims_missing(tool: World) -> None:
    reply = tool.launch(
        **{f"{CORE}{name}": OMIT for name in ("version", "message_type", "roles", "resource_link")}
    )
    refused(reply, 400, "launch-message-invalid")


@pytest.mark.parametrize(("iat", "exp"), [(-7200, -3600), (3600, 7200)])
def test_c_bad_07_times_invalid(tool: World, iat: int, exp: int) -> None:
    now = int(tool.lti.clock().timestamp())
    refused(tool.launch(iat=now + iat, exp=now + exp), 401, "launch-token-time")


def test_c_bad_08_no_message_type(tool: World) -> None:
    refused(tool.launch(**{f"{CORE}message_type": OMIT}), 400, "launch-message-invalid")


@pytest.mark.parametrize("roles", [OMIT, None, "Instructor"])
def test_c_bad_09_no_roles(tool: World, roles: object) -> None:
    refused(tool.launch(**{f"{CORE}roles": roles}), 400, "launch-message-invalid")


@pytest.mark.parametrize("given", [OMIT, "", 7])
def test_c_bad_10_no_deployment_id(tool: World, given: object) -> None:
    refused(tool.launch(**{f"{CORE}deployment_id": given}), 400, "launch-message-invalid")


@pytest.mark.parametrize("link", [OMIT, {}, {"title": "no id"}, {"id": ""}, "1", {"id": 5}])
def test_c_bad_11_no_resource_link(tool: World, link: object) -> None:
    refused(tool.launch(**{f"{CORE}resource_link": link}), 400, "launch-message-invalid")


@pytest.mark.parametrize("sub", [OMIT, "", None, 5])
def test_c_bad_12_no_sub(tool: World, sub: object) -> None:
    refused(tool.launch(sub=sub), 400, "launch-message-invalid")


VALID: dict[str, dict[str, object]] = {
    "1-role": {},
    "2-several-roles": {
        "also": [
            "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Faculty",
            f"{MEMBERSHIP}#Mentor",
        ]
    },
    "3-short-role": {"short": True},
    "4-unknown-role": {"also": ["http://example.org/roles#Unheard", "urn:x"]},
    "5-no-role": {f"{CORE}roles": []},
    "6-email-only": {"name": OMIT, "given_name": OMIT, "family_name": OMIT, "email": "a@b.example"},
    "7-names-only": {"email": OMIT},
    "8-no-personal-data": {"name": OMIT, "given_name": OMIT, "family_name": OMIT, "email": OMIT},
    "9-email-without-context": {
        "name": OMIT,
        "given_name": OMIT,
        "family_name": OMIT,
        f"{CORE}context": OMIT,
    },
}


def _cases(letter: str) -> list[Any]:
    """The valid launches, each with the mark of its case."""
    return [
        pytest.param(case, id=name, marks=pytest.mark.conformance(f"C-OK-{letter}{name[0]}"))
        for name, case in VALID.items()
    ]


def _launch(tool: World, case: dict[str, object], role: str) -> None:
    changes = dict(case)
    also, short = changes.pop("also", []), changes.pop("short", False)
    assert isinstance(also, list)
    roles = [role if short else f"{MEMBERSHIP}#{role}", *also]
    changes.setdefault(f"{CORE}roles", roles)
    before = len(tool.visits())
    reply = tool.launch(**changes)
    assert reply.status_code == 303, reply.text
    assert reply.headers["Location"] == "/"  # the login's cookie came back: no code is needed
    visit = tool.visits()[-1]
    assert len(tool.visits()) == before + 1
    assert visit.may_ask_to_manage is (role == "Instructor" and bool(changes[f"{CORE}roles"]))
    assert visit.may_set_up is False
    assert visit.confirmed_at is not None


@pytest.mark.parametrize("case", _cases("T"))
def test_c_ok_t_instructor(tool: World, case: dict[str, object]) -> None:
    _launch(tool, case, "Instructor")


@pytest.mark.parametrize("case", _cases("S"))
def test_c_ok_s_learner(tool: World, case: dict[str, object]) -> None:
    _launch(tool, case, "Learner")


def test_c_ok_first_page_is_reached_by_code_where_the_login_cookie_was_lost(tool: World) -> None:
    begun = tool.begin()
    reply = tool.post(begun, tool.token(begun), cookies={})
    assert reply.headers["Location"].startswith("/start?code=")
    cookies = {
        name.strip(): value.split(";")[0]
        for name, _, value in (
            line.partition("=") for line in reply.raw.headers.getlist("Set-Cookie")
        )
        if value.split(";")[0]
    }
    page = tool.http.get(
        f"{tool.url}{reply.headers['Location']}",
        headers={"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())},
        allow_redirects=False,
        timeout=30,
    )
    assert page.status_code == 303
    assert "code" not in page.headers["Location"]
