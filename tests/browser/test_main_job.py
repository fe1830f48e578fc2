"""A person's way through the product in real Chromium."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, Response

from tests.browser.conftest import Learner, Running

pytestmark = pytest.mark.browser

NEW = "Launch as a new member of staff"
HEAD = "Launch as headteacher"
PHONE = {"width": 320, "height": 640}


def wait_for_score(learner: Learner, name: str, score: str) -> None:
    """The gradebook shows the score once the worker has sent it."""
    page = learner.page.context.new_page()
    for _ in range(40):
        page.goto(f"{learner.product.platform}/schools/{learner.school}/gradebook")
        if page.locator("tr", has_text=name).filter(has_text=score).count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.inner_text("main"))


def test_from_launch_to_the_heads_csv(learner_at: Callable[..., Learner], tmp_path: Path) -> None:
    """In the platform's frame, with JavaScript; every page is looked at."""
    starter = learner_at("hemswell-cliff")
    starter.launch(NEW)
    starter.learn("Marnie Oakhurst", looks=True)
    assert "Saved here" in starter.tool.inner_text("main")
    wait_for_score(starter, "Marnie Oakhurst", "100")
    starter.tool.goto(starter.product.tool + "/training/finished")
    assert "Sent to" in starter.tool.inner_text("main")
    assert starter.faults == []
    assert starter.foreign == []

    head = learner_at("hemswell-cliff")
    head.launch(HEAD)
    assert head.path == "/register"
    head.look()
    row = head.tool.locator("tr", has_text="Marnie Oakhurst")
    assert "Done" in row.inner_text()
    with head.page.expect_download() as download:
        head.tool.get_by_role("link", name="CSV").or_(
            head.tool.get_by_role("button", name="CSV")
        ).first.click()
    saved = tmp_path / "register.csv"
    download.value.save_as(saved)
    with saved.open(encoding="utf-8-sig", newline="") as file:
        rows = [one for one in csv.DictReader(file) if one["Name"] == "Marnie Oakhurst"]
    assert [one["State"] for one in rows] == ["Done"]
    with head.tool.expect_navigation():
        row.get_by_role("link").first.click()
    head.look()
    assert head.faults == []
    assert head.foreign == []


@pytest.mark.parametrize("in_window", [False, True])
def test_without_javascript_on_a_phone(learner_at: Callable[..., Learner], in_window: bool) -> None:
    school = "glenmere" if in_window else "wren-spinney"
    learner = learner_at(school, java_script_enabled=True, viewport=PHONE)
    # The platform's own pages may use JavaScript; the tool's are served none.
    learner.page.context.route(learner.product.tool + "/static/*.js", lambda route: route.abort())
    learner.launch(NEW, in_window=in_window)
    learner.learn("Marnie Oakhurst", looks=True)
    assert "Saved here" in learner.tool.inner_text("main")


def test_by_keyboard_alone(learner_at: Callable[..., Learner]) -> None:
    learner = learner_at("llanidloes")
    learner.launch(NEW, in_window=True)
    while not learner.path.startswith("/training/questions/"):
        learner.step("")
    page = learner.tool.page
    text = learner.tool.inner_text("main")
    page.keyboard.press("Tab")
    assert "Skip to main content" in str(page.evaluate("document.activeElement.textContent"))
    page.keyboard.press("Enter")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "choice":
            break
    ids = page.evaluate("[...document.querySelectorAll('[name=choice]')].map(one => one.value)")
    page.keyboard.press("Space")
    for _ in range(ids.index(learner.expert.choose(text))):
        page.keyboard.press("ArrowDown")
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "BUTTON":
            break
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("input[name=choice]").count() == 0
    assert "Your answer" in learner.tool.inner_text("main")


def test_two_tabs_and_the_back_button_answer_once(learner_at: Callable[..., Learner]) -> None:
    learner = learner_at("glenmere")
    learner.launch("Launch as an existing teacher", in_window=True)
    while not learner.path.startswith("/training/questions/"):
        learner.step("")
    page = learner.tool.page
    second = page.context.new_page()
    second.goto(page.url)
    ids = page.evaluate("[...document.querySelectorAll('[name=choice]')].map(one => one.value)")
    page.check(f"[name=choice][value='{ids[0]}']")
    learner.press("Continue")
    mine = page.locator(".cw-option", has_text="Your answer").inner_text()
    second.check(f"[name=choice][value='{ids[1]}']")
    second.get_by_role("button", name="Continue").click()
    second.wait_for_load_state()
    assert second.locator(".cw-option", has_text="Your answer").inner_text() == mine
    page.go_back()
    page.reload()
    assert page.locator(".cw-option", has_text="Your answer").inner_text() == mine


def test_a_lost_connection_keeps_the_choice(learner_at: Callable[..., Learner]) -> None:
    learner = learner_at("langley-fitzurse-and-stanton-st-quintin")
    learner.launch("Launch as an existing teacher", in_window=True)
    while not learner.path.startswith("/training/questions/"):
        learner.step("")
    page = learner.tool.page
    choice = page.locator("[name=choice]").nth(1)
    choice.check()
    page.context.set_offline(True)
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("Not saved yet. Try again.").wait_for()
    assert choice.is_checked()
    page.context.set_offline(False)
    page.wait_for_timeout(1100)  # a second click within a second is taken for a double click
    page.get_by_role("button", name="Continue").click()
    page.locator(".cw-option", has_text="Your answer").wait_for()


def test_a_first_visit_is_light(
    product: Running,
    learner_at: Callable[..., Learner],
) -> None:
    """No first page brings more than 100 kB, counted as it comes over the wire."""
    learner = learner_at("hemswell-cliff")
    sizes: list[int] = []

    def note(request: Request) -> None:
        answer: Response | None = request.response()
        if answer is not None and request.url.startswith(product.tool):
            size = request.sizes()
            sizes.append(size["responseBodySize"] + size["responseHeadersSize"])

    learner.page.context.on("requestfinished", note)
    learner.launch("Launch as a teaching assistant", in_window=True)
    learner.tool.page.wait_for_load_state("networkidle")
    assert len(sizes) > 4
    assert sum(sizes) < 100_000


def test_finish_on_this_computer(learner_at: Callable[..., Learner]) -> None:
    learner = learner_at("hemswell-cliff")
    learner.launch("Launch as a volunteer", in_window=True)
    learner.press("Finish on this computer")
    learner.look()
    cookies = learner.tool.page.context.cookies(learner.product.tool)
    assert [one["name"] for one in cookies if "visit" in one["name"]] == []
    learner.tool.goto(learner.product.tool + "/training")
    assert learner.heading == "Your visit has ended"
