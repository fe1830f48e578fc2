"""Tabs of Microsoft Teams: the real TeamsJS in a real Chromium, and a page that plays its host."""

from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from bench.phone import open_tab
from lti_tool.curriculum.catalogue import Catalogue
from sandbox_lms.schools import SCHOOLS, first_people
from sandbox_lms.teams.issuer import object_id
from tests.browser.conftest import Learner, Running

pytestmark = pytest.mark.browser
LIST_OF_ORIGINS = "https://res.cdn.office.net/teams-js/validDomains/json/validDomains.json"
PHONE = {"viewport": {"width": 375, "height": 740}, "device_scale_factor": 2, "has_touch": True}
MOST_MAIN_THREAD = 2.0  # seconds, on a phone a quarter as fast as this machine, nothing cached


class TabLearner(Learner):
    """Somebody whose training is a tab, looked at in each of Teams' themes."""

    refused = False
    themes = ("", "dark", "contrast")

    def open_tab(self, kind: str = "starter", **asked: str) -> Frame:
        person = next(
            one for one in first_people().values() if (one.school, one.kind) == (self.school, kind)
        )
        query = urlencode({"person": person.id, **asked})
        self.page.goto(f"{self.product.platform}/teams/{self.school}?{query}")
        self.tool = self._tool_frame()
        return self.tool

    def arrive(self, kind: str = "starter", **asked: str) -> Frame:
        self.open_tab(kind, **asked)
        self.tool.wait_for_url(self._is_first_page)
        self.tool.wait_for_selector("h1")
        return self.tool

    def _is_first_page(self, url: str) -> bool:
        return url.startswith(self.product.tool) and "/teams/tab" not in url

    def _console(self, kind: str, text: str) -> None:
        # Our policy refuses the list of origins that TeamsJS would fetch; it brings one along.
        if LIST_OF_ORIGINS in text and "connect-src 'self'" in text:
            self.refused = True
        elif LIST_OF_ORIGINS not in text:
            super()._console(kind, text)

    def look(self) -> None:
        before = self.tool.evaluate("document.documentElement.dataset.theme ?? ''")
        seen = set(self.looked_at)
        for theme in self.themes:
            self.looked_at = set(seen)
            self.tool.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
            super().look()
        self.tool.evaluate("theme => { document.documentElement.dataset.theme = theme }", before)


@pytest.fixture
def tab_at(
    product: Running, catalogue: Catalogue, open_context: Callable[..., BrowserContext]
) -> Callable[..., TabLearner]:
    def at(school: str, **options: object) -> TabLearner:
        return TabLearner(product, catalogue, school, open_context(**options).new_page())

    return at


def asked(page: Page) -> list[str]:
    """What the tab has asked of Teams so far."""
    return page.locator("#asked li").all_inner_texts()


def test_the_whole_training_in_a_tab(tab_at: Callable[..., TabLearner]) -> None:
    """Each page is drawn in the theme of Teams, and clean for axe in all three; nothing is fetched
    from anywhere else, though TeamsJS tries."""
    learner = tab_at("hemswell-cliff", **PHONE)
    learner.arrive(theme="dark")
    assert asked(learner.page)[:4] == [
        *("initialize", "getContext", "registerHandler", "authentication.getAuthToken")
    ]
    learner.learn("Sam Ostler", looks=True)
    assert learner.tool.evaluate("document.documentElement.dataset.theme") == "dark"
    assert "Saved here" in learner.tool.inner_text("main")
    assert learner.faults == []
    assert learner.refused
    assert set(learner.foreign) <= {LIST_OF_ORIGINS}

    again = learner.arrive()  # the same person, tomorrow
    assert "finished" in again.url or "my-training" in again.url


def test_the_register_in_a_tab(tab_at: Callable[..., TabLearner]) -> None:
    head = tab_at("glenmere", viewport={"width": 1280, "height": 900})
    head.arrive("head", tab="manage", theme="contrast")
    assert head.path == "/register"
    head.look()
    head.arrive("head")
    assert head.path != "/register"  # “My training” is theirs, too
    head.arrive("head", place="register")
    assert head.path == "/register"
    head.arrive("head", place="module/annual-refresh")
    assert head.heading == "Annual refresh"


def test_what_managers_set_up_on_a_small_screen(tab_at: Callable[..., TabLearner]) -> None:
    """In the three themes, at the least width that any phone has."""
    head = tab_at("glenmere", viewport={"width": 320, "height": 800})
    head.arrive("head", tab="manage")
    for path, heading in (
        ("/teams/set-up", "Connect Microsoft Teams"),
        ("/teams/school", "Which school are you at?"),
        ("/channel", "Reminders to a channel"),
        ("/connect/by-hand", "Connect a platform by hand"),  # all that is linked can be framed
        ("/register", "Register"),
    ):
        head.tool.goto(f"{head.product.tool}{path}")
        assert head.heading == heading
        head.look()


def test_from_the_sandboxs_first_page(tab_at: Callable[..., TabLearner]) -> None:
    """What ``make run`` says one can do."""
    learner = tab_at("glenmere")
    learner.page.goto(learner.product.platform)
    learner.page.get_by_role("link", name="Open as a tab in Teams (sandbox) at Glenmere").click()
    learner.tool = learner._tool_frame()
    learner.tool.wait_for_url(learner._is_first_page)
    assert learner.heading == "New starter training"


def test_a_theme_that_changes_while_the_tab_is_open(tab_at: Callable[..., TabLearner]) -> None:
    learner = tab_at("wren-spinney")
    tab = learner.arrive()
    html = tab.locator("html")
    expect(html).not_to_have_attribute("data-theme", "dark")
    for theme in ("dark", "contrast"):
        learner.page.get_by_label("Theme").select_option(theme)
        expect(html).to_have_attribute("data-theme", theme)
    tab.goto(f"{learner.product.tool}/training/policy")
    assert 'data-theme="contrast"' in tab.content()[:400]  # the server's own, before any script
    learner.page.get_by_label("Theme").select_option("default")
    expect(html).not_to_have_attribute("data-theme", "contrast")


@pytest.mark.parametrize(
    ("fault", "heading"),
    [
        ("consent", "Teams may not sign you in here yet"),
        ("assignment", "You have not been given this app"),
        ("registration", "Teams does not know this app"),
        ("access", "Your organisation asks for one more step"),
        ("other", "Teams could not sign you in"),
        ("other-tenant", "Your organisation is not connected"),
        ("v1", "The app’s registration needs one change"),
        ("early", "Our clock is wrong"),
    ],
)
def test_a_sign_in_that_fails_says_what_to_ask_of_whom(
    tab_at: Callable[..., TabLearner], fault: str, heading: str
) -> None:
    learner = tab_at("hemswell-cliff", viewport={"width": 320, "height": 700})
    tab = learner.open_tab(fault=fault, theme="dark")
    expect(tab.get_by_role("heading", level=1)).to_have_text(heading)
    learner.page.wait_for_function("[...asked.children].some(one => /failure/.test(one.innerText))")
    learner.look()


def test_outside_teams(tab_at: Callable[..., TabLearner]) -> None:
    learner = tab_at("hemswell-cliff")
    learner.page.goto(f"{learner.product.tool}/teams/tab")
    heading = learner.page.get_by_role("heading", level=1)
    expect(heading).to_have_text("This page is for Microsoft Teams")


def test_what_teams_says_of_its_user_is_not_believed(tab_at: Callable[..., TabLearner]) -> None:
    """The host names the headteacher; the token is a new starter's."""
    learner = tab_at("langley-fitzurse-and-stanton-st-quintin")
    head = next(
        one for one in first_people().values() if (one.school, one.kind) == (learner.school, "head")
    )
    learner.arrive("starter", tab="manage", lie=object_id(head))
    assert learner.path == "/ask-to-manage"
    learner.tool.goto(f"{learner.product.tool}/register")
    assert "You cannot see this page" in learner.tool.inner_text("main") or (
        learner.heading != "Register"
    )


def test_a_tab_for_a_channel(tab_at: Callable[..., TabLearner]) -> None:
    """Choose, save, and the tab opens what was chosen."""
    learner = tab_at("llanidloes", viewport={"width": 640, "height": 900})
    tab = learner.open_tab("teacher", tab="channel")
    tab.get_by_label(SCHOOLS["llanidloes"].short_name.split()[0]).wait_for()
    learner.look()
    save = learner.page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    tab.get_by_label("Llanidloes").check()
    tab.get_by_label("Annual refresh").check()
    expect(save).to_be_enabled()
    save.click()
    learner.tool.wait_for_url(lambda url: learner._is_first_page(url) and "configure" not in url)
    chosen = learner.page.locator("#asked")
    expect(chosen).to_have_attribute("data-entity", "annual-refresh@llanidloes")
    expect(chosen).to_have_attribute("data-label", "Annual refresh")


def test_the_first_page_is_light_for_a_phone(browser: Browser, product: Running) -> None:
    """From the tab's opening to the first page of the training, with the sign-in between."""
    assert open_tab(browser, product).worked < MOST_MAIN_THREAD
