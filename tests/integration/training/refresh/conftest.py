"""Somebody who trained at the little school and comes back, and content that changes meanwhile."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.training.cycles.models import PolicyOpening
from lti_tool.training.models import Declaration, Journey, Question
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser, begin, finish
from tests.factories.little_school import with_next_version
from tests.integration.training.conftest import arrived

YEAR = 365


class World:
    """The tool with a catalogue that can be changed, and somebody who comes back."""

    def __init__(self, tmp_path: Path, url: str, catalogue: Catalogue, clock: SetClock) -> None:
        self.clock = clock
        config = Config(instance=tmp_path, database_url=url)
        self.app = create_app(config, clock=clock, catalogue=catalogue)
        self.database: Database = self.app.extensions["database"]

    def teach(self, catalogue: Catalogue) -> None:
        """Start again with other content."""
        self.app.extensions["catalogue"] = catalogue
        self.app.extensions["drawn"].clear()

    def open_next_version(self) -> None:
        """A year on the school has a second version, and it is the one in use."""
        self.teach(with_next_version(self.app.extensions["catalogue"]))
        school = self.app.extensions["catalogue"].schools["little-school"]
        with self.database.transaction() as session:
            session.add(
                PolicyOpening(
                    school_id=school.id,
                    number=school.versions[-1].number,
                    sha256=school.versions[-1].sha256,
                    weight="major",
                    opened_on=self.clock().date(),
                    opened_at=self.clock(),
                )
            )

    def enter(self, module: str = "annual-refresh", **who: str) -> Browser:
        admission = arrived(self.database, self.clock(), module=module, **who)
        browser = Browser(self.app.test_client(use_cookies=False), admission)
        browser.get("/")
        return browser

    def journey(self, module: str = "annual-refresh", school: str = "little-school") -> Journey:
        with self.database.reading() as session:
            found = session.scalars(
                select(Journey)
                .where(Journey.module == module, Journey.school_id == school)
                .order_by(Journey.started_at.desc())
            ).first()
        assert found is not None
        return found

    def questions(self, journey: Journey) -> list[Question]:
        with self.database.reading() as session:
            asked = select(Question).where(Question.journey_id == journey.id)
            return list(session.scalars(asked.order_by(Question.position)))

    def said(self) -> str:
        """The last declaration's text."""
        with self.database.reading() as session:
            last = select(Declaration.text).order_by(Declaration.signed_at.desc())
            text = session.scalars(last).first()
        assert text is not None
        return text


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str, catalogue: Catalogue, clock: SetClock) -> World:
    return World(tmp_path, sqlite_url, catalogue, clock)


def inducted(world: World, *, wrong: int = 0) -> None:
    """An induction, and a year that went by."""
    browser = world.enter("induction")
    begin(browser)
    for one in world.questions(world.journey("induction"))[:wrong]:
        answer(browser, one, "a")
    for one in world.questions(world.journey("induction"))[wrong:]:
        answer(browser, one)
    for one in world.questions(world.journey("induction"))[10:]:
        answer(browser, one)
    finish(browser)
    world.clock.move(days=YEAR)


def answer(browser: Browser, question: Question, choice: str = "b") -> str:
    return browser.post(f"/training/questions/{question.position}", choice=choice, sureness="")


def last_facts(world: World, school: str = "little-school") -> dict[str, object]:
    with world.database.reading() as session:
        entry = session.scalars(
            select(ledger.LedgerEntry)
            .where(ledger.LedgerEntry.school_id == school)
            .order_by(ledger.LedgerEntry.sequence.desc())
        ).first()
        assert entry is not None
        found: dict[str, object] = json.loads(entry.body)["facts"]
    return found
