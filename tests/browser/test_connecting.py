"""A platform is connected in real Chromium: one pasted address, across two sites, in a frame."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Frame, Page

from lti_tool.app import ROOT
from lti_tool.curriculum.catalogue import Catalogue
from tests.browser.conftest import Learner, Running

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}


def invite(product: Running, school: str) -> str:
    """What an operator types, in the installation that runs."""
    command = Path(sys.executable).with_name("clauseway")
    done = subprocess.run(
        [str(command), "invite", f"--school={school}", "--json"],
        cwd=ROOT,
        env=os.environ | product.settings,
        capture_output=True,
        text=True,
        check=True,
    )
    address: str = json.loads(done.stdout)["url"]
    return address


class Administrator(Learner):
    """Somebody who pastes an address into the platform; looks at pages as a learner does."""

    def paste(self, address: str) -> Frame:
        """Begin a registration; the frame the tool is in."""
        self.page.goto(f"{self.product.platform}/tools")
        self.page.get_by_label("Tool URL").fill(address)
        self.page.get_by_role("button", name="Add LTI Advantage").click()
        again = self.page.get_by_role("button", name="Register as a new external tool")
        self.page.wait_for_selector("iframe, [name=choice]")
        if again.count():
            again.click()
        self.page.wait_for_selector("iframe")
        self.tool = self._tool_frame()
        self.tool.wait_for_url(f"{self.product.tool}/**")
        self.tool.wait_for_selector("h1")
        return self.tool


@pytest.mark.parametrize("is_phone", [False, True], ids=["desktop", "phone"])
@pytest.mark.conformance("DR-1")
def test_a_platform_is_connected_within_its_own_frame(
    product: Running,
    open_context: Callable[..., BrowserContext],
    catalogue: Catalogue,
    is_phone: bool,
) -> None:
    options = {"viewport": PHONE} if is_phone else {}
    page: Page = open_context(**options).new_page()
    admin = Administrator(product, catalogue, "hemswell-cliff", page)
    frame = admin.paste(invite(product, "hemswell-cliff"))
    assert admin.heading == "Connect this platform"
    admin.look()
    frame.get_by_label("The list of members").uncheck()
    admin.press("Connect")
    assert admin.heading.startswith("Connected")
    admin.look()
    assert admin.faults == []
    assert admin.foreign == []

    frame.get_by_role("button", name="Close this page").click()
    page.wait_for_url("**/tools")
    card = page.locator("li", has_text="pending").last
    assert "contextmembership" not in card.inner_text()
    card.get_by_role("button", name="Activate").click()
    page.goto(product.platform)
    section = page.locator("section#hemswell-cliff")
    tool = section.get_by_label("Tool", exact=True)
    tool.select_option(index=tool.locator("option").count() - 1)
    section.get_by_role("button", name="Launch as a volunteer").first.click()
    page.wait_for_selector("iframe")
    admin.tool = admin._tool_frame()
    admin.tool.wait_for_url(f"{product.tool}/**")
    admin.tool.wait_for_selector("h1")
    assert "Hemswell Cliff" in admin.tool.inner_text("header")


def test_without_javascript_and_a_refusal_is_seen_in_the_frame(
    product: Running, open_context: Callable[..., BrowserContext], catalogue: Catalogue
) -> None:
    context = open_context(viewport=PHONE)
    context.route(product.tool + "/static/*.js", lambda route: route.abort())
    admin = Administrator(product, catalogue, "glenmere", context.new_page())
    address = invite(product, "glenmere")
    admin.paste(address)
    admin.press("Connect")
    assert admin.heading.startswith("Connected")
    assert not admin.tool.get_by_role("button", name="Close this page").is_visible()
    admin.paste(address)
    assert admin.heading == "This invitation has been used"
    admin.look()


@pytest.mark.parametrize("path", ["invitation", "/connect/by-hand"])
def test_the_pages_one_opens_oneself(
    product: Running, open_context: Callable[..., BrowserContext], catalogue: Catalogue, path: str
) -> None:
    for options in ({}, {"viewport": PHONE}):
        page = open_context(**options).new_page()
        visitor = Administrator(product, catalogue, "glenmere", page)
        page.goto(invite(product, "glenmere") if path == "invitation" else product.tool + path)
        visitor.tool = page.main_frame
        visitor.look()
        assert visitor.faults == []


def test_a_manager_makes_an_invitation(learner_at: Callable[..., Learner]) -> None:
    head = learner_at("wren-spinney")
    head.launch("Launch as headteacher")
    head.press("Connect a platform")
    head.look()
    head.press("Make an invitation")
    head.look()
    address = head.tool.get_by_label("Address").input_value()
    assert address.startswith(f"{head.product.tool}/connect/register/")
    head.press("Withdraw")
    assert "withdrawn" in head.tool.inner_text("table")
    assert head.faults == []
