"""Dynamic Registration 1.0: an invitation, a platform, and everything that can go wrong."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup
from sqlalchemy import func, select, update

from lti_tool.lti.claims import LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.connect import invitations
from lti_tool.lti.connect.models import Invitation
from lti_tool.lti.connect.offers import MEMBERS_SCOPE
from lti_tool.lti.connect.registering import TOOL
from lti_tool.lti.models import Deployment, DeploymentSchool, Registration
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from sandbox_lms.visitor import read_form
from tests.conformance.world import OTHER, SCHOOL, World, refused
from tests.conftest import SetClock
from tests.factories.platforms import RECORDED, Pretender, Said, pretending

ALL = ["name", "email", "grades", "members"]
TOKEN = "a.registration.token"


@pytest.fixture
def pretender(tool: World) -> Iterator[Pretender]:
    with pretending() as found:
        # Its port may have been another test's.
        with tool.database.transaction() as session:
            for row in session.scalars(
                select(Registration).where(Registration.issuer == found.url)
            ):
                row.issuer = f"https://earlier.example/{row.id}"
        yield found


@pytest.fixture(autouse=True)
def _forget(tool: World) -> None:
    tool.platform.tools.clear()


def invite(tool: World, *schools: str) -> str:
    """The address of a fresh invitation."""
    with tool.database.transaction() as session:
        secret = invitations.invite(session, schools=schools or (SCHOOL,), now=tool.lti.clock())
    return f"{tool.url}/connect/register/{secret}"


def look(tool: World, address: str, config_url: str, token: str = TOKEN) -> requests.Response:
    """What a platform's frame shows."""
    query = {"openid_configuration": config_url} | ({"registration_token": token} if token else {})
    return tool.http.get(address, params=query, timeout=30)


def press(tool: World, page: requests.Response, *wanted: str) -> requests.Response:
    """Press “Connect”, with these wishes ticked."""
    action, fields = read_form(page)
    data = {"sealed": fields["sealed"], "wanted": list(wanted)}
    return tool.http.post(action, data=data, timeout=30)


def connect(
    tool: World, pretender: Pretender, address: str = "", *, token: str = TOKEN
) -> requests.Response:
    """The whole way, with everything ticked."""
    address = address or invite(tool)
    return press(tool, look(tool, address, pretender.config_url, token), *ALL)


def is_open(tool: World, address: str) -> bool:
    """Whether an invitation can be used now: nobody used it up, nobody holds it."""
    with tool.database.reading() as session:
        row = invitations.find(session, address.rsplit("/", 1)[1], now=tool.lti.clock())
        return row.held_until is None


def registered(tool: World, issuer: str) -> list[Registration]:
    with tool.database.reading() as session:
        found = select(Registration).where(Registration.issuer == issuer)
        return list(session.scalars(found.order_by(Registration.created_at)))


def served(tool: World, row: Registration) -> dict[str, set[str]]:
    """Deployments of a registration, and the schools each serves."""
    found: dict[str, set[str]] = {}
    with tool.database.reading() as session:
        for deployment_id, school_id in session.execute(
            select(Deployment.deployment_id, DeploymentSchool.school_id)
            .join(DeploymentSchool)
            .where(Deployment.registration_id == row.id)
        ):
            found.setdefault(deployment_id, set()).add(school_id)
    return found


def words(reply: requests.Response) -> str:
    return " ".join(BeautifulSoup(reply.text, "html.parser").main.get_text(" ").split())  # type: ignore[union-attr]


def unmoved(tool: World, reply: requests.Response, address: str, code: str, status: int) -> None:
    """A try that came to nothing: a page that says so, no row, the invitation as good as new."""
    refused(reply, status, code)
    assert is_open(tool, address)


# The way that it should go


def test_dr_1_a_platform_is_connected_by_pasting_one_address(tool: World) -> None:
    address, site = invite(tool), tool.platform.issuer
    page = tool.http.post(f"{site}/tools", data={"url": address}, timeout=30)
    source = BeautifulSoup(page.text, "html.parser").iframe["src"]  # type: ignore[index]
    confirm = tool.http.get(str(source), timeout=30)
    assert confirm.status_code == 200
    assert f"frame-ancestors {site};" in f"{confirm.headers['Content-Security-Policy']};"
    assert f"Moodle 4.5.6 (Build: 20250811) Its address {site}" in words(confirm)
    assert not tool.platform.tools

    done = press(tool, confirm, "name", "grades", "members")
    (mine,) = tool.platform.tools.values()
    assert (mine.redirect_uris, mine.initiate_login_uri) == (
        (f"{tool.url}/lti/launch",),
        f"{tool.url}/lti/login",
    )
    assert mine.claims == ("sub", "iss", "name", "given_name", "family_name")
    assert mine.scopes == (LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE, MEMBERS_SCOPE)
    assert mine.links
    assert not mine.is_active
    token = dict(parse_qsl(urlsplit(str(source)).query))["registration_token"]
    asked = [seen for seen in tool.platform.requests_seen if "registration.php" in seen.path]
    assert [seen.headers["Authorization"] for seen in asked] == [f"Bearer {token}"]

    assert done.status_code == 200
    assert "Activate" in words(done)
    assert "Show in activity chooser" in words(done)
    assert f'data-close-to="{site}"' in done.text
    assert "no-store" in done.headers["Cache-Control"]
    (row,) = [row for row in registered(tool, site) if row.client_id == mine.client_id]
    assert served(tool, row) == {mine.deployment_id: {SCHOOL}}
    assert (row.auth_login_url, row.jwks_url) == (f"{site}/auth", f"{site}/jwks")
    refused(tool.http.get(address, timeout=30), 410, "invitation-used")

    tool.platform.tools.activate(mine.client_id)
    launched = launch(tool, mine.client_id)
    assert launched.status_code == 303
    assert [visit.platform_name for visit in tool.visits()[-1:]] == [row.name]


def launch(tool: World, client_id: str, **changes: object) -> requests.Response:
    """A learner's launch through a registered tool."""
    deployment_id = tool.platform.tools[client_id].deployment_id
    begun = tool.begin(client_id=client_id, lti_deployment_id=deployment_id)
    said = {
        "aud": client_id,
        "https://purl.imsglobal.org/spec/lti/claim/deployment_id": deployment_id,
        **changes,
    }
    return tool.post(begun, tool.token(begun, **said))


def test_dr_1_the_manager_code_makes_a_manager(tool: World, pretender: Pretender) -> None:
    """One for each school that nobody manages yet."""
    now = tool.lti.clock()
    with tool.database.transaction() as session:
        head = expect(session, realm="r", subject="head", now=now)
        memberships.grant(session, person_id=head, school_id=OTHER, now=now)
    done = connect(tool, pretender, invite(tool, SCHOOL, OTHER))
    card = BeautifulSoup(done.text, "html.parser").select(".cw-card dd")
    assert len(card) == 1
    with tool.database.transaction() as session:
        person = expect(session, realm="r", subject="new", now=now)
        memberships.enter_manager_code(
            session, card[0].get_text(), person_id=person, school_id=SCHOOL, now=now
        )
        for each, school_id in ((person, SCHOOL), (head, OTHER)):
            memberships.revoke(session, person_id=each, school_id=school_id, now=now)


@pytest.mark.parametrize(
    ("wanted", "claims", "scopes"),
    [
        ((), [], []),
        (("name",), ["name", "given_name", "family_name"], []),
        (("email",), ["email"], []),
        (("grades",), [], [LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE]),
        (("members",), [], [MEMBERS_SCOPE]),
    ],
)
def test_dr_1_what_is_left_out_is_not_asked_for(
    tool: World,
    pretender: Pretender,
    wanted: tuple[str, ...],
    claims: list[str],
    scopes: list[str],
) -> None:
    press(tool, look(tool, invite(tool), pretender.config_url), *wanted)
    (asked,) = pretender.registrations()
    assert asked[TOOL]["claims"] == ["iss", "sub", *claims]
    assert asked["scope"].split() == scopes


def test_dr_1_our_request_has_what_moodle_requires(tool: World, pretender: Pretender) -> None:
    connect(tool, pretender)
    (asked,) = pretender.registrations()
    about = asked.pop(TOOL)
    assert {name: asked[name] for name in asked if name != "client_name"} == {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{tool.url}/lti/login",
        "redirect_uris": [f"{tool.url}/lti/launch"],
        "jwks_uri": f"{tool.url}/lti/jwks",
        "logo_uri": f"{tool.url}/connect/icon.svg",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": f"{LINE_ITEM_SCOPE} {RESULT_SCOPE} {SCORE_SCOPE} {MEMBERS_SCOPE}",
    }
    assert f"http://{about['domain']}/lti/launch" == about["target_link_uri"]
    assert [one["type"] for one in about["messages"]] == [
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
    ]
    assert about["messages"][1]["placements"] == ["ContentArea"]
    icon = tool.http.get(asked["logo_uri"], timeout=30)
    assert icon.headers["Content-Type"].startswith("image/svg+xml")
    assert icon.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_dr_1_a_platform_that_lists_no_messages_is_asked_for_all(
    tool: World, pretender: Pretender
) -> None:
    pretender.say_of_itself(messages_supported=None)
    connect(tool, pretender)
    (asked,) = pretender.registrations()
    assert {one["type"] for one in asked[TOOL]["messages"]} == {
        "LtiResourceLinkRequest",
        "LtiDeepLinkingRequest",
        "LtiSubmissionReviewRequest",
    }


def test_dr_1_opened_in_a_browser_the_address_says_what_to_do(tool: World) -> None:
    address = invite(tool)
    reply = tool.http.get(address, timeout=30)
    assert reply.status_code == 200
    assert address in reply.text
    assert "Add LTI Advantage" in words(reply)
    assert "frame-ancestors 'none'" in reply.headers["Content-Security-Policy"]
    assert "/connect/by-hand" in reply.text


# What can go wrong


def test_dr_2_without_a_token_we_register_without_one(tool: World, pretender: Pretender) -> None:
    assert connect(tool, pretender, token="").status_code == 200
    assert [bearer for _, bearer, _ in pretender.asked] == ["", ""]
    assert len(registered(tool, pretender.url)) == 1


@pytest.mark.parametrize("said", RECORDED["refusals"], ids=lambda said: str(said["case"]))
def test_dr_2_moodles_refusals_are_told(
    tool: World, pretender: Pretender, said: dict[str, str]
) -> None:
    pretender.answer = Said(said["body"], int(said["status"]), said["content_type"])
    address = invite(tool)
    reply = connect(tool, pretender, address)
    is_used = said["body"] == "token_already_used"
    unmoved(
        tool, reply, address, "registration-token-used" if is_used else "registration-refused", 400
    )
    if not is_used:
        assert str(said["status"]) in words(reply)
        assert ("<" in said["body"]) or said["body"] in words(reply)
    assert not registered(tool, pretender.url)
    pretender.answer = Said(pretender.moodle("answer"))
    assert connect(tool, pretender, address).status_code == 200


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": "invalid_client_metadata", "error_description": "no <b>logo</b>"}, "<b>"),
        ({"errors": [1]}, "422"),
        ("x" * 100_000, "x" * 80),
        ("two\nlines", "two lines"),
        ("\u202eevil", "evil"),
    ],
)
def test_dr_2_a_refusal_is_shown_cut_and_escaped(
    tool: World, pretender: Pretender, body: object, shown: str
) -> None:
    pretender.answer = Said(body, 422)
    address = invite(tool)
    reply = connect(tool, pretender, address)
    unmoved(tool, reply, address, "registration-refused", 400)
    assert shown in words(reply)
    assert "<b>" not in reply.text
    assert "x" * 81 not in reply.text


def test_dr_2_a_used_token_of_the_sandbox(tool: World) -> None:
    """The same page sent twice: the platform's token is good once, our invitation still."""
    site = tool.platform.issuer
    page = tool.http.post(f"{site}/tools", data={"url": invite(tool)}, timeout=30)
    source = str(BeautifulSoup(page.text, "html.parser").iframe["src"])  # type: ignore[index]
    assert press(tool, tool.http.get(source, timeout=30)).status_code == 200
    other = invite(tool)
    again = tool.http.get(f"{other}?{urlsplit(source).query}", timeout=30)
    unmoved(tool, press(tool, again), other, "registration-token-used", 400)
    assert len(tool.platform.tools) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"issuer": "https://moodle.example.org"}, "platform-issuer-other"),
        ({"issuer": "http://127.0.0.1:9"}, "platform-issuer-other"),
        (
            {"registration_endpoint": "https://elsewhere.example/register"},
            "platform-registers-elsewhere",
        ),
    ],
)
def test_dr_2_nobody_speaks_for_another_host(
    tool: World, pretender: Pretender, change: dict[str, str], code: str
) -> None:
    pretender.say(**change)
    address = invite(tool)
    reply = look(tool, address, pretender.config_url)
    unmoved(tool, reply, address, code, 400)
    assert [method for method, _, _ in pretender.asked] == ["GET"]
    assert next(iter(change.values())).split("/")[2] in words(reply)


def test_dr_2_less_leave_than_asked_for_is_told(tool: World, pretender: Pretender) -> None:
    answer = pretender.moodle("answer")
    answer["scope"] = LINE_ITEM_SCOPE
    answer[TOOL]["claims"] = ["iss", "sub", "email"]
    pretender.answer = Said(answer)
    said = words(connect(tool, pretender))
    told = said.partition("What the platform did not grant")[2]
    assert told
    for what in ("Names :", "Scores :", "The list of members :"):
        assert what in told
    assert "E-mail" not in told
    assert len(registered(tool, pretender.url)) == 1


def test_dr_2_no_leave_at_all_is_told_and_silence_is_not(tool: World, pretender: Pretender) -> None:
    answer = pretender.moodle("answer")
    pretender.answer = Said({**answer, "scope": "", TOOL: {**answer[TOOL], "claims": []}})
    told = words(connect(tool, pretender)).partition("What the platform did not grant")[2]
    for what in ("Names :", "E-mail addresses :", "Scores :", "The list of members :"):
        assert what in told
    del answer["scope"], answer[TOOL]["claims"]
    pretender.answer = Said(answer)
    assert "did not grant" not in words(connect(tool, pretender))


def test_dr_2_what_is_not_offered_is_not_asked_for(tool: World, pretender: Pretender) -> None:
    pretender.say(claims_supported=["sub", "iss"], scopes_supported=[SCORE_SCOPE])
    page = look(tool, invite(tool), pretender.config_url)
    boxes = BeautifulSoup(page.text, "html.parser").select("input[name=wanted]")
    assert [box["value"] for box in boxes if box.has_attr("disabled")] == [
        "name",
        "email",
        "members",
    ]
    press(tool, page, *ALL)
    (asked,) = pretender.registrations()
    assert asked[TOOL]["claims"] == ["iss", "sub"]
    assert MEMBERS_SCOPE not in asked["scope"]


def test_dr_2_a_platform_known_already_is_brought_up_to_date(tool: World) -> None:
    """Moodle's update: the same client, the same deployment, one registration."""
    site = tool.platform.issuer
    first = tool.http.post(f"{site}/tools", data={"url": invite(tool)}, timeout=30)
    source = str(BeautifulSoup(first.text, "html.parser").iframe["src"])  # type: ignore[index]
    press(tool, tool.http.get(source, timeout=30), "name")
    (mine,) = tool.platform.tools.values()
    tool.platform.tools.activate(mine.client_id)
    (before,) = [row for row in registered(tool, site) if row.client_id == mine.client_id]

    address = invite(tool)
    asked = tool.http.post(f"{site}/tools", data={"url": address}, timeout=30)
    assert "Register as a new external tool" in asked.text
    page = tool.http.post(
        f"{site}/tools", data={"url": address, "choice": mine.client_id}, timeout=30
    )
    source = str(BeautifulSoup(page.text, "html.parser").iframe["src"])  # type: ignore[index]
    done = press(tool, tool.http.get(source, timeout=30), *ALL)
    assert "Brought up to date" in words(done)
    (after,) = tool.platform.tools.values()
    assert (after.client_id, after.is_active) == (mine.client_id, True)
    assert "email" in after.claims
    (row,) = [row for row in registered(tool, site) if row.client_id == mine.client_id]
    assert (row.id, row.version) == (before.id, before.version + 1)
    assert served(tool, row) == {mine.deployment_id: {SCHOOL}}


def test_dr_2_no_invitation_takes_over_a_connection_of_other_schools(
    tool: World, pretender: Pretender
) -> None:
    assert connect(tool, pretender, invite(tool, OTHER)).status_code == 200
    (before,) = registered(tool, pretender.url)
    pretender.say(jwks_uri=f"{pretender.url}/mine")
    address = invite(tool, SCHOOL)
    unmoved(tool, connect(tool, pretender, address), address, "platform-taken", 409)
    (after,) = registered(tool, pretender.url)
    assert (after.jwks_url, after.version) == (before.jwks_url, before.version)
    assert served(tool, after) == {"1": {OTHER}}
    assert connect(tool, pretender, invite(tool, SCHOOL, OTHER)).status_code == 200
    (whole,) = registered(tool, pretender.url)
    assert served(tool, whole) == {"1": {SCHOOL, OTHER}}
    assert whole.jwks_url == f"{pretender.url}/mine"


def test_dr_2_no_invitation_switches_a_platform_on_again(tool: World, pretender: Pretender) -> None:
    connect(tool, pretender)
    with tool.database.transaction() as session:
        session.execute(
            update(Registration)
            .where(Registration.issuer == pretender.url)
            .values(disabled_at=tool.lti.clock())
        )
    address = invite(tool)
    unmoved(tool, connect(tool, pretender, address), address, "platform-disabled", 409)


def test_dr_2_the_first_launch_names_a_deployment_that_was_left_open(tool: World) -> None:
    """As Canvas does: client id now, deployment id with the first launch."""
    row_id = tool.register("", SCHOOL, client_id="no-deployment")
    begun = tool.begin(client_id="no-deployment", lti_deployment_id="d-7")
    core = "https://purl.imsglobal.org/spec/lti/claim/"
    mine = {"aud": "no-deployment", f"{core}deployment_id": "d-7"}
    assert tool.post(begun, tool.token(begun, **mine)).status_code == 303
    with tool.database.reading() as session:
        row = session.get_one(Registration, row_id)
    assert served(tool, row) == {"d-7": {SCHOOL}}
    begun = tool.begin(client_id="no-deployment", lti_deployment_id="d-8")
    other = {"aud": "no-deployment", f"{core}deployment_id": "d-8"}
    refused(tool.post(begun, tool.token(begun, **other)), 403, "deployment-unknown")


@pytest.mark.parametrize("is_there", [True, False])
def test_dr_2_an_answer_without_a_deployment(
    tool: World, pretender: Pretender, is_there: bool
) -> None:
    """An update leaves the deployment as it is; a new platform's first launch will name it."""
    if is_there:
        connect(tool, pretender)
    pretender.answer = Said({"client_id": pretender.moodle("answer")["client_id"]})
    done = connect(tool, pretender)
    (row,) = registered(tool, pretender.url)
    assert served(tool, row) == {"1" if is_there else "": {SCHOOL}}
    assert ("deployment ID" in words(done)) is not is_there


@pytest.mark.parametrize("client_id", [10000000000001, "10000000000001"])
def test_dr_2_a_client_id_may_be_a_number(
    tool: World, pretender: Pretender, client_id: object
) -> None:
    pretender.answer = Said({"client_id": client_id}, 201)
    assert connect(tool, pretender).status_code == 200
    assert [row.client_id for row in registered(tool, pretender.url)] == ["10000000000001"]


NO_CLIENT_IDS: tuple[object, ...] = (None, "", [], {}, True, 1.5, "x" * 256, "a\nb")


@pytest.mark.parametrize(
    "body",
    [
        *("", "no json", "[]", "1", "null", '"x"', "{}", "[" * 100_000),
        *({"client_id": one} for one in NO_CLIENT_IDS),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_dr_2_an_answer_that_says_nothing(tool: World, pretender: Pretender, body: object) -> None:
    pretender.answer = Said(body)
    address = invite(tool)
    unmoved(tool, connect(tool, pretender, address), address, "registration-unreadable", 400)
    assert not registered(tool, pretender.url)


WRONG_TYPES: tuple[object, ...] = (None, 1, [], {}, True, "x", ["a", 1, None], [[]], [{}])


@pytest.mark.parametrize("wrong", WRONG_TYPES)
def test_dr_2_wrong_types_in_what_is_not_needed_do_no_harm(
    tool: World, pretender: Pretender, wrong: object
) -> None:
    pretender.say(
        claims_supported=wrong, scopes_supported=wrong, authorization_server=wrong, version=wrong
    )
    body = pretender.configuration.body
    assert isinstance(body, dict)
    body["https://purl.imsglobal.org/spec/lti-platform-configuration"] = {
        "product_family_code": wrong,
        "version": wrong,
        "messages_supported": [wrong, {"type": wrong, "placements": wrong}],
    }
    answer = pretender.moodle("answer")
    pretender.answer = Said({**answer, "scope": wrong, TOOL: wrong})
    assert connect(tool, pretender).status_code == 200


@pytest.mark.parametrize("half", ["\ud800", "\x00"])
def test_dr_2_half_a_character_in_what_is_not_needed_does_no_harm(
    tool: World, pretender: Pretender, half: str
) -> None:
    pretender.say(
        claims_supported=["name", half],
        scopes_supported=[SCORE_SCOPE, half],
        authorization_server=f"{pretender.url}/{half}",
    )
    assert connect(tool, pretender).status_code == 200
    (row,) = registered(tool, pretender.url)
    assert row.auth_audience == ""


WRONG_URLS: tuple[object, ...] = (
    *(None, 1, [], {}, "", "x", "javascript:alert(1)", "http://moodle.example.org/", "//a.example"),
    *("https://a.example/#part", "https://me:secret@a.example/", "https://a b/", "https://[::1"),
    "https://a.example/" + "x" * 2000,
)


@pytest.mark.parametrize("wrong", WRONG_URLS, ids=lambda url: repr(url)[:30])
@pytest.mark.parametrize(
    "name",
    [
        *("issuer", "registration_endpoint", "authorization_endpoint"),
        *("token_endpoint", "jwks_uri"),
    ],
)
def test_dr_2_an_address_we_could_not_call(
    tool: World, pretender: Pretender, name: str, wrong: object
) -> None:
    pretender.say(**{name: wrong})
    address = invite(tool)
    reply = look(tool, address, pretender.config_url)
    unmoved(tool, reply, address, "platform-offer-wrong", 400)
    assert name in words(reply)


@pytest.mark.parametrize(
    "said",
    [
        Said("<html><h1>Sign in</h1></html>", content_type="text/html"),
        Said("[]"),
        Said("[" * 100_000),
        Said("{}", 404),
        Said("", 302, headers={"Location": "http://127.0.0.1:9/"}),
    ],
    ids=["html", "list", "nested", "404", "redirect"],
)
def test_dr_2_a_description_that_is_none(tool: World, pretender: Pretender, said: Said) -> None:
    pretender.configuration = said
    address = invite(tool)
    unmoved(tool, look(tool, address, pretender.config_url), address, "platform-offer-wrong", 400)


def test_dr_2_a_redirect_is_followed_nowhere(tool: World, pretender: Pretender) -> None:
    with pretending() as other:
        pretender.configuration = Said("", 302, headers={"Location": other.config_url})
        look(tool, invite(tool), pretender.config_url)
        pretender.configuration = Said(pretender.moodle("configuration"))
        pretender.answer = Said("", 307, headers={"Location": other.config_url})
        address = invite(tool)
        unmoved(tool, connect(tool, pretender, address), address, "registration-refused", 400)
        assert other.asked == []


@pytest.mark.parametrize("said", [Said("{}", seconds=8), Said("x" * 400_000)], ids=["slow", "huge"])
def test_dr_2_a_slow_or_huge_platform_holds_nobody(
    tool: World, pretender: Pretender, said: Said
) -> None:
    address, began = invite(tool), time.monotonic()
    pretender.configuration = said
    unmoved(tool, look(tool, address, pretender.config_url), address, "platform-silent", 503)
    pretender.configuration = Said(pretender.moodle("configuration"))
    middle = time.monotonic()
    pretender.answer = said
    unmoved(tool, connect(tool, pretender, address), address, "registration-silent", 503)
    assert middle - began < 7
    assert time.monotonic() - middle < 7
    assert not registered(tool, pretender.url)


def test_dr_2_a_dead_platform(tool: World, pretender: Pretender) -> None:
    address = invite(tool)
    unmoved(tool, look(tool, address, "http://127.0.0.1:9/x"), address, "platform-silent", 503)
    page = look(tool, address, f"{tool.platform.issuer}/mod/lti/openid-configuration.php")
    tool.platform.faults.put("registration", "reset")
    unmoved(tool, press(tool, page), address, "registration-silent", 503)


@pytest.mark.parametrize(
    "config_url",
    [
        *("http://moodle.example.org/x", "http://10.0.0.1/x", "https://10.0.0.1/x"),
        *("https://169.254.169.254/latest/meta-data", "https://[fd00::1]/x", "https://0.0.0.0/x"),
    ],
)
def test_dr_2_we_are_pointed_at_no_private_host(tool: World, config_url: str) -> None:
    address = invite(tool)
    unmoved(tool, look(tool, address, config_url), address, "platform-private", 400)


@pytest.mark.parametrize(
    "config_url",
    [
        *("x", "file:///etc/passwd", "ftp://a.example/", "https://", "https://me@a.example/"),
        *("https://a.example/\n", "https://a.example/ x", "gopher://127.0.0.1:25/", "https://[::1"),
    ],
)
def test_dr_2_what_is_no_address_is_not_asked(tool: World, config_url: str) -> None:
    address = invite(tool)
    unmoved(tool, look(tool, address, config_url), address, "registration-link-wrong", 400)


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Evil: 1", "é", "x" * 9000])
def test_dr_2_what_is_no_token_is_not_sent(tool: World, pretender: Pretender, token: str) -> None:
    address = invite(tool)
    reply = look(tool, address, pretender.config_url, token)
    unmoved(tool, reply, address, "registration-link-wrong", 400)
    assert pretender.asked == []


def test_dr_2_html_in_names_is_text(tool: World, pretender: Pretender) -> None:
    evil = "<script>alert(1)</script>"
    pretender.say_of_itself(product_family_code=evil, version=evil)
    page = look(tool, invite(tool), pretender.config_url)
    assert "<script>alert" not in page.text
    assert evil in words(page)
    assert "<script>alert" not in press(tool, page).text


def test_dr_2_what_was_read_is_what_is_registered(tool: World, pretender: Pretender) -> None:
    """What is shown is signed: nobody puts another platform into the form, or an older one."""
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    action, fields = read_form(page)
    for sealed in ("", "x", fields["sealed"][:-2], fields["sealed"].replace(".", "x.", 1)):
        reply = tool.http.post(action, data={"sealed": sealed}, timeout=30)
        unmoved(tool, reply, address, "form-incomplete", 400)
    reply = tool.http.post(invite(tool), data={"sealed": fields["sealed"]}, timeout=30)
    refused(reply, 400, "form-incomplete")
    reply = tool.http.post(
        action, data={"sealed": fields["sealed"], "wanted": "everything"}, timeout=30
    )
    unmoved(tool, reply, address, "form-incomplete", 400)
    tool.lti.clock.move(minutes=61)  # type: ignore[attr-defined]
    unmoved(tool, press(tool, page), address, "registration-link-old", 400)
    assert pretender.registrations() == []


# The invitation


@pytest.mark.parametrize("state", ["unknown", "expired", "withdrawn", "used"])
def test_dr_3_only_a_good_invitation_leads_anywhere(
    tool: World, pretender: Pretender, clock: SetClock, state: str
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    pretender.asked.clear()
    secret = address.rsplit("/", 1)[1]
    if state == "unknown":
        address = f"{tool.url}/connect/register/{secret[:-1]}"
    elif state == "expired":
        with tool.database.transaction() as session:
            invitations.find(session, secret, now=clock()).expires_at = clock()
    elif state == "withdrawn":
        with tool.database.transaction() as session:
            row = invitations.find(session, secret, now=clock())
            invitations.withdraw(session, row.id, school_id=SCHOOL, now=clock())
    else:
        assert press(tool, page).status_code == 200
    before = len(pretender.asked), len(registered(tool, pretender.url))
    status = 404 if state == "unknown" else 410
    code = f"invitation-{state}"
    refused(tool.http.get(address, timeout=30), status, code)
    reply = look(tool, address, pretender.config_url)
    refused(reply, status, code)
    assert "frame-ancestors *" in reply.headers["Content-Security-Policy"]
    data = {"sealed": read_form(page)[1]["sealed"]}
    refused(tool.http.post(address, data=data, timeout=30), status, code)
    assert (len(pretender.asked), len(registered(tool, pretender.url))) == before


def test_dr_3_an_invitation_is_good_for_seven_days(tool: World, clock: SetClock) -> None:
    address = invite(tool)
    secret = address.rsplit("/", 1)[1]
    with tool.database.reading() as session:
        row = invitations.find(session, secret, now=clock())
    assert row.expires_at - clock() == timedelta(days=7)
    assert secret not in json.dumps([str(value) for value in vars(row).values()])


def test_dr_3_two_tabs_at_once_make_one_registration(tool: World, pretender: Pretender) -> None:
    address = invite(tool)
    pages = [look(tool, address, pretender.config_url, "") for _ in range(4)]
    pretender.answer.seconds = 0.5
    statuses: list[int] = []

    def send(page: requests.Response) -> None:
        action, fields = read_form(page)
        reply = requests.post(action, data={"sealed": fields["sealed"]}, timeout=30)
        statuses.append(reply.status_code)

    threads = [threading.Thread(target=send, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    assert len(pretender.registrations()) == 1
    assert len(registered(tool, pretender.url)) == 1


def test_dr_3_what_is_withdrawn_meanwhile_connects_nothing(
    tool: World, pretender: Pretender
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    pretender.answer.seconds = 2
    replies: list[requests.Response] = []
    registering = threading.Thread(target=lambda: replies.append(press(tool, page, *ALL)))
    registering.start()
    while not pretender.registrations():
        time.sleep(0.02)
    with tool.database.transaction() as session:
        row = invitations.find(session, address.rsplit("/", 1)[1], now=tool.lti.clock())
        invitations.withdraw(session, row.id, school_id=SCHOOL, now=tool.lti.clock())
    registering.join()
    refused(replies[0], 410, "invitation-withdrawn")
    assert registered(tool, pretender.url) == []


def test_dr_3_a_registration_that_died_holds_the_invitation_half_a_minute(
    tool: World, pretender: Pretender, clock: SetClock
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    with tool.database.transaction() as session:
        invitations.hold(session, address.rsplit("/", 1)[1], now=clock())
    refused(press(tool, page), 409, "invitation-busy")
    clock.move(seconds=31)
    assert press(tool, page).status_code == 200


def test_dr_3_a_fault_of_ours_writes_nothing(
    tool: World, pretender: Pretender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks between the platform's answer and our commit: no half a registration."""

    def breaks(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    monkeypatch.setattr("lti_tool.lti.connect.registering.make_manager_code", breaks)
    assert press(tool, page).status_code == 500
    monkeypatch.undo()
    assert not registered(tool, pretender.url)
    assert is_open(tool, address)
    with tool.database.reading() as session:
        used = select(func.count()).select_from(Invitation).where(Invitation.used_at.isnot(None))
        before = session.scalar(used) or 0
    assert press(tool, page).status_code == 200
    with tool.database.reading() as session:
        assert session.scalar(used) == before + 1
