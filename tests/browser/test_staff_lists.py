"""A head links the staff course in real Chromium and watches it being read."""

from collections.abc import Callable

import pytest
import requests

from tests.browser.conftest import Learner, Running

pytestmark = pytest.mark.browser

HEAD = "Launch as headteacher"
PHONE = {"width": 320, "height": 640}


def slow_down(product: Running, target: str, fault: str, seconds: float = 0) -> None:
    told = {"target": target, "fault": fault, "seconds": seconds}
    requests.post(f"{product.platform}/faults", json=told, timeout=10).raise_for_status()


def test_a_head_links_a_course_and_watches_it_being_read(
    learner_at: Callable[..., Learner],
) -> None:
    """The page tells by itself how far the reading is; the same by hand without scripts."""
    head = learner_at("glenmere", viewport=PHONE)
    head.launch(HEAD, in_window=True)
    head.press("Staff lists")
    head.look()
    head.press("Link “Staff training, Glenmere”")
    head.look()
    head.press("Link this course")
    assert "Not linked yet" in head.tool.inner_text("main")
    assert head.tool.evaluate("document.activeElement.className") == "govuk-error-summary"
    head.faults.clear()  # the browser notes that the answer was a 400
    head.tool.get_by_label("I have checked").check()
    slow_down(head.product, "nrps", "slow", 4)
    try:
        head.press("Link this course")
        assert head.path == "/staff-lists"
        head.tool.get_by_text("Reading: waiting for the platform").wait_for()
        assert head.tool.locator("progress").count() == 1
        assert not head.tool.get_by_role("link", name="Refresh").is_visible()
        head.looked_at.clear()  # other states of pages that were looked at
        head.look()
        head.tool.get_by_text("8 people, 8 joined, 0 left").wait_for()
    finally:
        slow_down(head.product, "nrps", "none")
    assert not head.tool.locator("progress, [data-refresh]").count()
    head.looked_at.clear()
    head.look()
    with head.tool.expect_navigation():
        head.tool.get_by_role("link", name="Back to the register").click()
    assert "Yasmin Calderstone" in head.tool.inner_text("main"), "who has never been here"
    head.look()
    assert head.faults == []
    assert head.foreign == []
