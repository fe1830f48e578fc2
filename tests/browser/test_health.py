"""The page of a connection's health, as a head and a platform's administrator see it."""

from collections.abc import Callable

import pytest
import requests

from tests.browser.conftest import Learner

pytestmark = pytest.mark.browser


def set_fault(learner: Learner, target: str, kind: str) -> None:
    fault = {"target": target, "fault": kind}
    requests.post(f"{learner.product.platform}/faults", json=fault, timeout=5).raise_for_status()


@pytest.mark.parametrize("width", [320, 1280])
def test_a_head_sees_what_is_wrong_and_what_to_do(
    learner_at: Callable[..., Learner], width: int
) -> None:
    head = learner_at("hemswell-cliff", viewport={"width": width, "height": 900})
    head.launch("Launch as headteacher", in_window=True)
    head.press("Is the platform connected well?")
    assert "Nothing is wrong." in head.tool.inner_text("main")
    head.look()
    set_fault(head, "jwks", "503")
    set_fault(head, "token", "html")
    try:
        head.press("Look again")
    finally:
        set_fault(head, "all", "none")
    said = head.tool.inner_text("main")
    assert "5 things do not work." in said
    assert "503 Service Unavailable" in said
    assert "What to do:" in said
    head.looked_at.clear()
    head.look()
    head.press("Look again")
    assert "Nothing is wrong." in head.tool.inner_text("main")
    assert head.faults == []
    assert head.foreign == []


def test_an_administrator_of_the_platform_sees_it_too(
    learner_at: Callable[..., Learner],
) -> None:
    administrator = learner_at("glenmere")
    administrator.launch("Launch as a site administrator")
    administrator.tool.goto(f"{administrator.product.tool}/ask-to-manage")
    administrator.press("Is the platform connected well?")
    assert administrator.heading == "Is the platform connected well?"
    administrator.look()
