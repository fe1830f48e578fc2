"""Dynamic Registration 1.0 as it should go: what is asked for, and what both sides then know."""

from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from lti_tool.lti.claims import LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.connect.offers import MEMBERS_SCOPE
from lti_tool.lti.connect.registering import TOOL
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from tests.conformance.world import OTHER, SCHOOL, World, refused
from tests.factories.connecting import (
    ALL,
    connect,
    invite,
    look,
    paste,
    press,
    registered,
    served,
    words,
)
from tests.factories.platforms import Pretender


def test_dr_1_a_platform_is_connected_by_pasting_one_address(tool: World) -> None:
    address, site = invite(tool), tool.platform.issuer
    source = paste(tool, address)
    confirm = tool.http.get(source, timeout=30)
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
    token = dict(parse_qsl(urlsplit(source).query))["registration_token"]
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


def test_dr_2_without_a_token_we_register_without_one(tool: World, pretender: Pretender) -> None:
    assert connect(tool, pretender, token="").status_code == 200
    assert [bearer for _, bearer, _ in pretender.asked] == ["", ""]
    assert len(registered(tool, pretender.url)) == 1


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
    press(tool, tool.http.get(paste(tool, invite(tool)), timeout=30), "name")
    (mine,) = tool.platform.tools.values()
    tool.platform.tools.activate(mine.client_id)
    (before,) = [row for row in registered(tool, site) if row.client_id == mine.client_id]

    address = invite(tool)
    asked = tool.http.post(f"{site}/tools", data={"url": address}, timeout=30)
    assert "Register as a new external tool" in asked.text
    page = tool.http.get(paste(tool, address, choice=mine.client_id), timeout=30)
    done = press(tool, page, *ALL)
    assert "Brought up to date" in words(done)
    (after,) = tool.platform.tools.values()
    assert (after.client_id, after.is_active) == (mine.client_id, True)
    assert "email" in after.claims
    (row,) = [row for row in registered(tool, site) if row.client_id == mine.client_id]
    assert (row.id, row.version) == (before.id, before.version + 1)
    assert served(tool, row) == {mine.deployment_id: {SCHOOL}}
