"""Dashboard, chase list, forms and a trust's page in real Chromium: seen, narrow, on paper."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from lti_tool.core.database import Database
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.looking import look
from tests.factories.registers import (
    GLENMERE,
    Guest,
    arrive,
    listening,
    make_manager,
    open_cycle,
    owe,
    place,
)

pytestmark = pytest.mark.browser

PHONE = {"width": 320, "height": 640}
DESK = {"width": 1280, "height": 900}
PAGES = ("/dashboard", "/chase", "/schools", "/register?module=annual-refresh")


@pytest.fixture
def database(own_url: str) -> Iterator[Database]:
    database = Database(own_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def manager(database: Database) -> Guest:
    """Of two schools, with people in several states and a year before."""
    make_manager(database, arrive(database, "Trudy Trust", GLENMERE, subject="trust"))
    for school in (GLENMERE, "hemswell-cliff"):
        open_cycle(database, school)
        for number in range(6):
            guest = arrive(database, f"Person {number}", school, counted=True)
            place(database, guest, role_group=("teaching", "support", "governor")[number % 3])
            done: dict[str, Any] = {}
            if number < 3:
                done = {"outcome": "done", "ended_on": date(2026, 9, 9 + number)}
            owe(database, guest, **done)
            owe(
                database,
                guest,
                cycle="2025-26",
                opens_on=date(2025, 9, 1),
                due_on=date(2025, 10, 31),
                outcome="done",
                ended_on=date(2025, 9, 3 + number * 4),
            )
    return make_manager(database, arrive(database, "Trudy Trust", subject="trust"))


@pytest.fixture
def address(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[str]:
    with listening(tmp_path, database, clock) as url:
        yield url.replace("127.0.0.1", "localhost")


def test_a_manager_reads_acts_and_prints(
    address: str, manager: Guest, open_context: Callable[..., BrowserContext]
) -> None:
    said: list[str] = []
    for size in (DESK, PHONE):
        context = open_context(viewport=size)
        context.add_cookies(
            [
                {
                    "name": access.COOKIE,
                    "value": manager.admission.token,
                    "domain": "localhost",
                    "path": "/",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "None",
                }
            ]
        )
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        for path in PAGES:
            page.goto(address + path)
            look(page, f"{path} at {size['width']}")
    assert said == []  # nothing that our Content Security Policy had to stop

    page.goto(f"{address}/dashboard")
    drawn = page.locator("svg.cw-plot")
    assert drawn.count() == 3
    for number in range(3):
        box = drawn.nth(number).bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 80
    overdue = page.locator(".horizontalstackedbar-graph .color-3 rect").first
    assert overdue.evaluate("one => getComputedStyle(one).fill") == "rgb(179, 38, 30)"
    letters = page.locator(".cw-plot text").first.evaluate(
        "one => one.getBoundingClientRect().height"
    )
    assert letters >= 9
    assert page.get_by_role("img", name="By role group. Teaching staff: 1 of 2 done.").count() == 1
    page.emulate_media(media="print")
    assert page.get_by_role("cell", name="50%").first.is_visible()  # the tables are open on paper
    assert not page.get_by_role("button", name="Show").is_visible()
    page.emulate_media(media="screen")

    page.goto(f"{address}/chase")
    page.locator("input[name=obligation]").first.check()
    page.get_by_role("button", name="Move the dates of those ticked").click()
    page.get_by_role("button", name="Move it").click()
    look(page, "errors of a move")
    for part, value in (("Day", "1"), ("Month", "12"), ("Year", "2026")):
        page.get_by_label(part, exact=True).fill(value)
    page.get_by_label("Why", exact=True).fill("On a trip")
    page.get_by_role("button", name="Move it").click()
    assert "1 due date is moved" in page.inner_text("main")
    page.get_by_role("link", name="Record of Person 4").click()
    page.get_by_role("button", name="Add a declaration on paper").click()
    look(page, "a paper")
    for part, value in (("Day", "7"), ("Month", "9"), ("Year", "2026")):
        page.get_by_label(part, exact=True).fill(value)
    page.get_by_label("Why on paper").fill("No screen in the hall")
    page.get_by_role("button", name="Put it on record").click()
    assert "On paper" in page.inner_text("main")
    look(page, "a record with a paper")
    page.get_by_role("link", name="Correct it or take it back").click()
    look(page, "a correction")
    page.goto(f"{address}/schools")
    page.get_by_role("button", name="Open Glenmere Primary School").click()
    assert "Glenmere" in page.inner_text("header")
