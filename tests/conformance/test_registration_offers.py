"""Dynamic Registration 1.0: what a platform may say of itself, and where it may send us."""

import time

import pytest

from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.connect.registering import TOOL
from sandbox_lms.visitor import read_form
from tests.conformance.world import World, refused
from tests.factories.connecting import connect, invite, look, press, registered, unmoved, words
from tests.factories.platforms import Pretender, Said, pretending


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
