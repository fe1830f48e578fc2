"""A head settles how the school reminds, in real Chromium on a phone."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Learner

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}


def test_a_head_switches_reminders_on_and_off_again(learner_at: Callable[..., Learner]) -> None:
    head = learner_at("wren-spinney", viewport=PHONE)
    head.launch("Launch as headteacher", in_window=True)
    head.press("Reminders")
    assert "Reminders off" in " ".join(head.tool.inner_text("h1").split())
    head.look()
    head.press("Settle and switch on")
    head.look()
    head.tool.get_by_role("group", name="Send reminders by e-mail?").get_by_label("Yes").check()
    head.tool.get_by_label("Address of the activity").fill(head.product.tool)
    head.press("Save")
    assert "Not saved yet" in head.tool.inner_text("main")
    assert head.tool.evaluate("document.activeElement.className") == "govuk-error-summary"
    head.faults.clear()  # the browser notes that the answer was a 400
    head.looked_at.clear()
    head.look()
    head.tool.get_by_label("Address of the activity").fill("https://moodle.example.org/7")
    head.press("Save")
    assert "Reminders on" in " ".join(head.tool.inner_text("h1").split())
    head.look()
    head.press("Change the settings")
    head.tool.get_by_role("group", name="Send reminders by e-mail?").get_by_label("No").check()
    head.press("Save")
    assert "Reminders off" in " ".join(head.tool.inner_text("h1").split())
    assert head.faults == []
    assert head.foreign == []
