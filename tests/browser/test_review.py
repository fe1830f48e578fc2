"""The agenda of a policy's review in real Chromium: seen, narrow, decided, on paper."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage

from lti_tool.core.database import Database
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.looking import look
from tests.factories.registers import Guest, arrive, listening, make_manager
from tests.integration.evidence.test_review import CATALOGUE, SCHOOL, answer, people

pytestmark = pytest.mark.browser


def note(said: list[str], message: ConsoleMessage) -> None:
    said.append(message.text)


@pytest.fixture
def database(own_url: str) -> Iterator[Database]:
    database = Database(own_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def head(database: Database) -> Guest:
    for at, guest in enumerate(people(database, 10)):
        answer(
            database, guest, "topic-03-x+" if at < 4 else "topic-03-x!", "topic-10-silent", at=at
        )
    return make_manager(database, arrive(database, "Hedda Head", SCHOOL))


@pytest.fixture
def address(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[str]:
    with listening(tmp_path, database, clock, CATALOGUE) as url:
        yield url.replace("127.0.0.1", "localhost")


def test_a_manager_reads_decides_and_prints(
    address: str, head: Guest, open_context: Callable[..., BrowserContext]
) -> None:
    for width in (1280, 320):
        context = open_context(viewport={"width": width, "height": 900})
        context.add_cookies(
            [
                {
                    "name": access.COOKIE,
                    "value": head.admission.token,
                    "domain": "localhost",
                    "path": "/",
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "None",
                }
            ]
        )
        page = context.new_page()
        said: list[str] = []
        page.on("console", partial(note, said))
        page.goto(f"{address}/policy/versions")
        page.get_by_role("link", name="Agenda for its review").click()
        page.locator("summary").first.click()
        look(page, f"the agenda at {width}")
        assert said == []
    page.get_by_role("button", name="Keep this decision").first.click()
    look(page, "a decision without a choice")
    page.get_by_label("Mend it in a new version").first.check()
    page.get_by_label("in which version").first.fill("2027-09")
    page.get_by_role("button", name="Keep this decision").first.click()
    page.get_by_text("To be mended in version 2027-09").wait_for()
    page.emulate_media(media="print")
    assert page.get_by_text("To be mended in version 2027-09").is_visible()
    assert page.get_by_role("cell", name="16 to 69%").first.is_visible()
    assert not page.get_by_text("Decide otherwise").is_visible()
    assert not page.get_by_role("button", name="Print this page").is_visible()
