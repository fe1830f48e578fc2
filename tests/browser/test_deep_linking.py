"""Picking an activity inside the platform's frame, on another site, in real Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FrameLocator, Page

from tests.browser.conftest import Learner

pytestmark = pytest.mark.browser

SCHOOL = "langley-fitzurse-and-stanton-st-quintin"
PHONE = {"width": 320, "height": 640}


def begin(teacher: Learner) -> FrameLocator:
    """From the platform's front page to the tool's page in its frame."""
    page: Page = teacher.page
    page.goto(teacher.product.platform)
    page.locator(f"section#{SCHOOL}").get_by_role("link", name="Add an activity").click()
    page.get_by_role("button", name="headteacher").click()
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Add to your course").wait_for()
    teacher.tool = next(one for one in page.frames if one is not page.main_frame)
    assert teacher.tool.url.startswith(teacher.product.tool)
    return frame


def test_pick_one_in_the_frame(learner_at: Callable[..., Learner]) -> None:
    teacher = learner_at(SCHOOL)
    frame = begin(teacher)
    teacher.look()
    frame.get_by_label("New starter training").uncheck()
    frame.get_by_label("Annual refresh").check()
    frame.get_by_role("button", name="Add", exact=True).click()
    # Our script sends it on: the platform's own page is in the frame now.
    frame.get_by_role("heading", name="A new activity").wait_for()
    frame.get_by_label("Name").fill("This year’s refresh")
    frame.get_by_role("button", name="Save").click()
    teacher.page.wait_for_url(f"{teacher.product.platform}/#{SCHOOL}")
    card = teacher.page.locator(f"section#{SCHOOL}")
    card.get_by_label("Activity").select_option(label="Added: This year’s refresh")
    card.get_by_role("button", name="Launch as a new member of staff").first.click()
    inside = teacher.page.frame_locator("iframe")
    assert "efresh" in inside.locator("h1").inner_text()
    assert teacher.faults == []
    assert teacher.foreign == []


def test_pick_on_a_phone_without_our_script(learner_at: Callable[..., Learner]) -> None:
    teacher = learner_at(SCHOOL, viewport=PHONE)
    teacher.page.context.route(teacher.product.tool + "/static/*.js", lambda route: route.abort())
    frame = begin(teacher)
    teacher.look()
    frame.get_by_role("button", name="Add", exact=True).click()
    frame.get_by_role("heading", name="Back to").wait_for()
    teacher.look()
    frame.get_by_role("button", name="Continue").click()
    frame.get_by_role("heading", name="A new activity").wait_for()


def test_go_back_without_adding(learner_at: Callable[..., Learner]) -> None:
    teacher = learner_at(SCHOOL)
    frame = begin(teacher)
    frame.get_by_role("button", name="Go back without adding").click()
    frame.get_by_role("heading", name="Nothing was picked").wait_for()
    assert teacher.faults == []
