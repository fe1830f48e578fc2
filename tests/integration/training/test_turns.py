"""The same link all year: what is owed comes up, what was done is shown, and nothing twice."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.people.models import Membership
from lti_tool.training.cycles.models import Calendar, Obligation, PolicyOpening
from lti_tool.training.cycles.opening import open_due
from lti_tool.training.models import Completion, Journey
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser, begin, finish, title
from tests.integration.training.conftest import arrived

SUMMER = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
OPENS = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def catalogue(catalogue: Catalogue) -> Catalogue:
    """With a refresh, which reads and asks what the induction does."""
    refresh = replace(
        catalogue.modules["induction"], id="annual-refresh", title={"en": "Annual refresh"}
    )
    return replace(catalogue, modules={**catalogue.modules, refresh.id: refresh})


@pytest.fixture
def app(tmp_path: Path, sqlite_url: str, catalogue: Catalogue, clock: SetClock) -> Iterator[Flask]:
    clock.now = SUMMER
    config = Config(instance=tmp_path, database_url=sqlite_url)
    app = create_app(config, clock=clock, catalogue=catalogue)
    database: Database = app.extensions["database"]
    with database.transaction() as session:
        session.add(Calendar(school_id="little-school", began_on=SUMMER.date(), changed_at=SUMMER))
    yield app
    database.engine.dispose()


@pytest.fixture
def database(app: Flask) -> Database:
    found: Database = app.extensions["database"]
    return found


def launch(app: Flask, clock: SetClock) -> Browser:
    """The same person comes by the same link."""
    browser = Browser(
        app.test_client(use_cookies=False), arrived(app.extensions["database"], clock())
    )
    browser.get("/")
    return browser


def count(database: Database, **values: object) -> None:
    """A manager counts the person; ``values`` are the membership's."""
    with database.transaction() as session:
        session.execute(update(Membership).values(confirmed_at=SUMMER, **values))


def open_cycle(app: Flask, clock: SetClock) -> None:
    clock.now = OPENS
    school = app.extensions["catalogue"].schools["little-school"]
    with app.extensions["database"].transaction() as session:
        assert open_due(session, school=school, now=clock()) is not None


def test_the_refresh_comes_by_the_link_of_the_induction(
    app: Flask, database: Database, clock: SetClock
) -> None:
    launch(app, clock)
    count(database)
    open_cycle(app, clock)
    browser = launch(app, clock)
    page = browser.get("/")
    assert title(page).startswith("Annual refresh")
    assert "Finish it by 31 October 2026." in page
    assert "This year’s refresh closes on 31 October 2026." in page
    begin(browser)
    done = finish(browser)
    assert "Annual refresh, 2026-27" in done
    with database.reading() as session:
        completion = session.scalars(select(Completion)).one()
        obligation = session.scalars(select(Obligation)).one()
        assert (completion.module, completion.cycle) == ("annual-refresh", "2026-27")
        assert (obligation.outcome, obligation.completion_id) == ("done", completion.id)
        entry = session.scalars(
            select(LedgerEntry).where(LedgerEntry.record_id == completion.record_id)
        ).one()
        told = {
            one.field: json.loads(one.value)
            for one in session.scalars(
                select(Disclosure).where(Disclosure.record_id == completion.record_id)
            )
        }
    facts = json.loads(entry.body)["facts"]
    assert facts["cycle"] == "2026-27"
    assert facts["obligation"] == str(obligation.id)
    assert told["due_on"] == "2026-10-31"
    assert told["due_reason"] == {"code": "refresh", "closes": "2026-10-31"}
    # Nothing is owed any more: the link shows what was done, and the answers can be looked at.
    page = browser.get("/")
    assert browser.path == "/my-training"
    assert "Nothing at the moment." in page
    assert "Annual refresh, 2026-27" in page
    assert browser.get("/training/results")
    assert browser.path == "/training/results"


def test_an_induction_begun_in_august_is_finished_in_september(
    app: Flask, database: Database, clock: SetClock
) -> None:
    clock.now = datetime(2026, 8, 28, 9, 0, tzinfo=UTC)
    browser = launch(app, clock)
    count(database, starts_on=date(2026, 8, 27))
    assert "due 10 school days after the start on 27 August 2026" in browser.get("/")
    begin(browser)
    open_cycle(app, clock)
    clock.move(days=3)
    browser = launch(app, clock)
    browser.get("/")
    assert browser.path == "/training"
    finish(browser)
    with database.reading() as session:
        assert [one.cycle for one in session.scalars(select(Journey))] == ["2025-26"]
        assert {
            (one.module, one.cycle, one.outcome) for one in session.scalars(select(Obligation))
        } == {("induction", "2025-26", "done")}


def test_supply_is_told_first_and_then_led_to_the_rest(
    app: Flask, database: Database, clock: SetClock
) -> None:
    clock.now = datetime(2026, 9, 14, 7, 0, tzinfo=UTC)
    with database.transaction() as session:
        session.execute(update(Calendar).values(began_on=date(2026, 6, 2)))
    launch(app, clock)
    count(database, role_group="supply", starts_on=date(2026, 9, 14))
    browser = launch(app, clock)
    page = browser.get("/my-training")
    assert page.index("Before you start, 2026-27") < page.index("New starter training, 2026-27")
    assert "It is due on the first day here, 14 September 2026." in page
    assert title(browser.get("/")).startswith("Before you start")
    begin(browser)
    browser.post("/training/who-to-tell")
    done = browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")
    assert browser.path == "/training/finished"
    assert "Before you start, 2026-27" in done
    assert "There is one more training to do, by 28 September 2026." in done
    assert title(browser.get("/")).startswith("New starter training")


def test_whoever_owes_nothing_and_did_it_before_may_do_it_again(
    app: Flask, database: Database, clock: SetClock
) -> None:
    browser = launch(app, clock)
    count(database)
    begin(browser)
    finish(browser)
    clock.move(days=150)
    browser = launch(app, clock)
    page = browser.get("/")
    assert browser.path == "/my-training"
    assert "Take “New starter training” again" in page
    begin(browser)
    assert browser.path == "/training"
    with database.reading() as session:
        cycles = session.scalars(select(Journey.cycle).order_by(Journey.cycle)).all()
    assert cycles == ["2025-26", "2026-27"]


def test_who_is_not_counted_owes_nothing_and_learns_as_before(
    app: Flask, database: Database, clock: SetClock
) -> None:
    launch(app, clock)
    open_cycle(app, clock)
    browser = launch(app, clock)
    assert title(browser.get("/")).startswith("New starter training")
    assert "Nothing at the moment." in browser.get("/my-training")
    with database.reading() as session:
        assert session.scalars(select(Obligation)).all() == []


def test_the_first_journey_says_which_version_is_in_use(
    app: Flask, database: Database, clock: SetClock
) -> None:
    begin(launch(app, clock))
    with database.reading() as session:
        opening = session.scalars(select(PolicyOpening)).one()
    assert (opening.number, opening.weight) == ("2026-03", "first")


def test_a_newer_file_is_taught_once_it_is_opened(
    app: Flask, database: Database, clock: SetClock
) -> None:
    begin(launch(app, clock))
    catalogue: Catalogue = app.extensions["catalogue"]
    school = catalogue.schools["little-school"]
    newer = replace(school.policy, number="2026-11", title={"en": "The newer policy"})
    app.extensions["catalogue"] = replace(
        catalogue, schools={school.id: replace(school, versions=(*school.versions, newer))}
    )
    clock.move(days=400)
    browser = launch(app, clock)
    assert "The newer policy" not in browser.get("/training/policy")
    with database.transaction() as session:
        session.add(
            PolicyOpening(
                school_id=school.id, number="2026-11", sha256=newer.sha256, weight="minor",
                opened_on=clock().date(), opened_at=clock(),
            )
        )  # fmt: skip
    assert re.search("The newer policy", browser.get("/training/policy"))
