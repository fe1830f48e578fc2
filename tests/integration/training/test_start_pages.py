"""The page before a training: what it says, what it asks, and what it takes."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from lti_tool.people.memberships import grant
from lti_tool.people.models import Visit
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser, begin, finish_reading, title


def test_the_start_page_says_who_sees_what(browser: Browser) -> None:
    page = browser.get("/")
    for words in (
        "about 15 minutes",
        "Numbers, no names",
        "Test platform",
        "The Headteacher and those",
        "Answers are for learning, not for discipline",
    ):
        assert words in page


def test_beginning_without_saying_what_one_is(browser: Browser) -> None:
    page = browser.post("/begin", status=400, asked="yes")
    assert title(page).startswith("Error: ")
    assert 'href="#role_group"' in page
    assert "Choose what you do at the school" in page
    page = browser.post("/begin", status=400, asked="yes", role_group="king")
    assert "Choose what you do at the school" in page
    browser.post("/begin")  # a button on another page: no reproach
    assert browser.path == "/"


def test_who_may_ask_to_manage_finds_the_way(browser: Browser) -> None:
    assert "/ask-to-manage" not in browser.get("/")
    with browser.database.transaction() as session:
        session.execute(update(Visit).values(may_ask_to_manage=True))
    assert 'href="/ask-to-manage"' in browser.get("/")
    begin(browser)
    assert 'href="/ask-to-manage"' in browser.get("/training")
    with browser.database.transaction() as session:
        visit = session.get_one(Visit, browser.visit_id)
        grant(session, person_id=visit.person_id, school_id=visit.school_id, now=visit.expires_at)
    page = browser.get("/training")
    assert 'href="/register"' in page
    assert "/ask-to-manage" not in page


@pytest.mark.parametrize("sites", [("High School", "Primary School")])
def test_a_federation_asks_where_one_works_once(browser: Browser) -> None:
    page = browser.post("/begin", status=400, asked="yes", role_group="support")
    assert "Choose where you work or help" in page
    assert re.search(r'value="support"\s+checked', page)
    page = browser.post(
        "/begin", status=400, asked="yes", role_group="support", site="Somewhere else"
    )
    assert "Choose where you work or help" in page
    browser.post("/begin", asked="yes", role_group="support", site="Primary School")
    assert browser.path == "/training"
    assert "I work or help at Primary School." in finish_reading(browser)


def test_what_is_known_of_a_person_is_not_asked_next_year(
    browser: Browser, clock: SetClock
) -> None:
    begin(browser, "support")
    clock.move(days=365)
    with browser.database.transaction() as session:
        session.execute(
            update(Visit).values(last_seen_at=clock(), expires_at=clock() + timedelta(hours=1))
        )
    page = browser.get("/")
    assert browser.path == "/"
    assert "What do you do at" not in page
    browser.post("/begin")
    assert browser.path == "/training"


def test_a_school_without_sites_takes_none_from_a_form(browser: Browser) -> None:
    """What a form says of a site goes into the register and the ledger, so we choose the words."""
    browser.post("/begin", asked="yes", role_group="teaching", site="the moon " * 20)
    assert "the moon" not in finish_reading(browser)
