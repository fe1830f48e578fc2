"""The platform's own storage as what binds a launch to its login (PS-1, PS-2, SEC-4).

What the two pages' script does with messages is shown in a real browser: tests/browser. Here is
what the tool says to the browser, and what it believes of what comes back.
"""

from dataclasses import dataclass
from html.parser import HTMLParser

import pytest
import requests

from lti_tool.lti.claims import origin
from tests.conformance.world import CORE, Begun, World, refused, set_cookies

PARENT = "_parent"
ELSEWHERE = "https://elsewhere.example"


class _Page(HTMLParser):
    """What the script of such a page finds there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.storage: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if "data-storage-key" in held:
            self.storage = held
        if tag == "input":
            self.fields[held["name"]] = held.get("value", "")
        if tag == "script":
            self.scripts.append(held.get("src", ""))
        self.storage |= {"href": held["href"]} if tag == "a" and self.storage else {}


@dataclass(frozen=True)
class Kept:
    """A login whose page gave the platform something to keep."""

    begun: Begun
    page: _Page

    @property
    def value(self) -> str:
        return self.page.storage["data-storage-value"]


def login(tool: World, target: str = PARENT) -> Kept:
    reply = tool.send_login(tool.parameters(lti_storage_target=target))
    assert reply.status_code == 200, reply.text
    page = _Page(reply.text)
    return Kept(tool.begun(page.storage["href"], set_cookies(reply)), page)


def post(
    tool: World, kept: Kept, storage: str | None, sender: str | None, **changes: object
) -> requests.Response:
    """A launch in a browser that keeps no cookie, by a page at ``sender``."""
    fields = {} if storage is None else {"storage": storage}
    headers = {} if sender is None else {"Origin": sender}
    token = tool.token(kept.begun, **changes)
    return tool.post(kept.begun, token, cookies={}, fields=fields, headers=headers)


@pytest.mark.parametrize("target", [PARENT, "post_message_forwarding"])
def test_ps_1_and_ps_2_login_gives_the_platform_what_the_cookie_holds(
    tool: World, target: str
) -> None:
    before, kept = tool.counts(), login(tool, target)
    assert kept.page.storage["data-storage-target"] == target
    assert origin(kept.page.storage["data-storage-url"]) == tool.platform.issuer
    name, value = next(iter(kept.begun.cookies.items()))
    assert (kept.page.storage["data-storage-key"], kept.value) == (name, value)
    assert tool.counts() == before


def test_ps_1_cookie_that_came_back_is_enough(tool: World) -> None:
    kept = login(tool)
    reply = tool.post(kept.begun, tool.token(kept.begun))
    assert reply.headers["Location"] == "/"


@pytest.mark.parametrize("target", [None, "", "x" * 101, "two\nlines"])
def test_ps_1_no_storage_or_none_that_could_be_is_a_plain_login(
    tool: World, target: str | None
) -> None:
    begun = tool.begin(lti_storage_target=target)
    assert tool.post(begun, tool.token(begun), cookies={}).status_code == 303


def test_ps_1_what_the_target_says_is_text(tool: World) -> None:
    reply = tool.send_login(tool.parameters(lti_storage_target='"><script>x</script>'))
    assert reply.status_code == 200
    assert "<script>x" not in reply.text


def test_ps_1_platform_is_asked_before_anything_is_used_up(tool: World) -> None:
    kept, before = login(tool), tool.counts()
    reply = post(tool, kept, None, tool.platform.issuer)
    assert reply.status_code == 200
    assert tool.counts() == before
    assert "Set-Cookie" not in reply.headers
    assert reply.headers["Cache-Control"] == "no-store"
    policy = reply.headers["Content-Security-Policy"]
    assert f"frame-ancestors {tool.platform.issuer}" in policy
    assert "script-src 'self';" in policy
    page = _Page(reply.text)
    assert page.fields == {
        "state": kept.begun.state,
        "id_token": tool.token(kept.begun),
        "storage": "",
    }
    assert page.storage["data-storage-key"] == kept.page.storage["data-storage-key"]
    assert "data-storage-value" not in page.storage
    assert any("/storage." in script for script in page.scripts)


def test_ps_1_bad_message_is_refused_before_the_platform_is_asked(tool: World) -> None:
    reply = post(tool, login(tool), None, None, **{f"{CORE}version": "9"})
    refused(reply, 400, "launch-message-invalid")


def test_ps_1_what_the_platform_kept_binds_the_visit(tool: World) -> None:
    kept = login(tool)
    reply = post(tool, kept, kept.value, tool.url)
    assert reply.status_code == 303
    assert reply.headers["Location"].startswith("/start?code=")
    assert tool.visits()[-1].confirmed_at is not None


@pytest.mark.parametrize("sender", [None, ELSEWHERE, "null", "platform"])
def test_ps_1_only_a_page_of_ours_can_say_what_the_platform_kept(
    tool: World, sender: str | None
) -> None:
    """Who begins a login knows its value, and could post it from any page in another's browser."""
    kept = login(tool)
    given = tool.platform.issuer if sender == "platform" else sender
    assert post(tool, kept, kept.value, given).status_code == 303
    assert tool.visits()[-1].confirmed_at is None


def test_ps_1_platform_that_gave_nothing_makes_an_unbound_visit(tool: World) -> None:
    assert post(tool, login(tool), "", tool.url).status_code == 303
    assert tool.visits()[-1].confirmed_at is None


@pytest.mark.parametrize("sender", ["own", ELSEWHERE])
@pytest.mark.parametrize("value", ["another", "0" * 64, "é"])
def test_sec_4_binding_storage_is_another(tool: World, value: str, sender: str) -> None:
    kept, other, before = login(tool), login(tool), tool.counts()
    given = other.value if value == "another" else value
    reply = post(tool, kept, given, tool.url if sender == "own" else sender)
    refused(reply, 401, "launch-other-browser")
    assert tool.counts() == before


def test_sec_4_storage_that_was_not_offered_still_counts_against(tool: World) -> None:
    begun = tool.begin()
    reply = tool.post(begun, tool.token(begun), cookies={}, fields={"storage": "x"})
    refused(reply, 401, "launch-other-browser")


def test_sec_4_replay_through_storage(tool: World) -> None:
    kept = login(tool)
    assert post(tool, kept, kept.value, tool.url).status_code == 303
    refused(post(tool, kept, kept.value, tool.url), 401, "launch-replayed")
