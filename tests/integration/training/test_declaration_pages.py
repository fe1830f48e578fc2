"""The declaration and what follows: who may sign, what is taken, and where the score is."""

import re

import pytest
from sqlalchemy import update

from lti_tool.lti.models import BLOCKED, NOT_SCORED, PENDING, SENT, ScoreOutbox
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser, begin, finish, finish_reading, title
from tests.integration.training.conftest import from_a_platform


def test_signing_too_early_is_refused(browser: Browser) -> None:
    begin(browser)
    for form in ({}, {"printed_name": "Sam", "has_agreed": "yes"}):
        page = browser.post("/training/declaration", status=409, **form)
        assert "You cannot declare this yet" in page


def test_a_declaration_without_name_or_tick_keeps_what_was_given(browser: Browser) -> None:
    begin(browser)
    finish_reading(browser)
    page = browser.post("/training/declaration", status=400)
    assert title(page).startswith("Error: ")
    assert "Type your name" in page
    assert "Tick the box" in page
    page = browser.post("/training/declaration", status=400, printed_name="Sam <i>Ostler")
    assert 'value="Sam <i>Ostler"' in page  # unescaped by the test's own reading
    assert "Type your name" not in page
    page = browser.post("/training/declaration", status=400, has_agreed="yes")
    assert re.search(r'value="yes"\s+checked', page)


def test_who_is_outside_the_scope_is_told_so(browser: Browser) -> None:
    page = begin(browser, "volunteer")
    assert "This policy does not say it applies to you. Ask the Headteacher" in page
    assert "What would you do?" not in page
    browser.post("/training/who-to-tell")
    page = browser.get("/training/declaration")
    assert "does not say it applies to me" in page
    page = browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")
    assert "Sam Ostler" in page
    assert "per cent" not in page  # nothing was asked


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (PENDING, "Waiting to be sent to School Moodle"),
        (SENT, "Sent to School Moodle"),
        (BLOCKED, "School Moodle has not taken it"),
        (NOT_SCORED, "Not scored there: School Moodle gives marks to learners only"),
    ],
)
def test_saved_here_and_sent_there_are_told_apart(
    browser: Browser, clock: SetClock, state: str, words: str
) -> None:
    from_a_platform(browser.database, browser.visit_id, clock())
    begin(browser)
    assert "Waiting to be sent to School Moodle" in finish(browser)
    with browser.database.transaction() as session:
        session.execute(update(ScoreOutbox).values(state=state, sent_at=clock()))
    page = browser.get("/training/finished")
    assert "Saved here" in page
    assert words in page


def test_a_launch_without_scores_says_nothing_of_them(browser: Browser) -> None:
    begin(browser)
    page = finish(browser)
    assert "Saved here" in page
    assert "Your mark" not in page
    assert re.search(r"cw-reference\">[0-9A-F]{8}<", page)


def test_a_name_without_letters_is_no_name(browser: Browser) -> None:
    begin(browser)
    finish_reading(browser)
    page = browser.post("/training/declaration", status=400, printed_name="12345", has_agreed="yes")
    assert "Type your name in letters" in page
