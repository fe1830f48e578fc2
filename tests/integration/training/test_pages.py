"""Learners' pages over HTTP: a whole journey, its order, and what holds of every page."""

from lti_tool.people.memberships import grant
from lti_tool.people.models import Visit
from tests.conftest import SetClock
from tests.factories.learner_browser import Browser, answer, begin, headings, title


def test_a_whole_journey(browser: Browser) -> None:
    page = begin(browser)
    assert browser.path == "/training"
    assert "Opens once everything above is done" in page

    browser.get("/training/policy/private")
    page = browser.post("/training/policy/private")
    assert browser.path == "/training/policy/work"
    assert "will not" in page
    browser.post("/training/policy/work")
    assert browser.path == "/training"
    assert "01632 960001" in browser.get("/training/who-to-tell")
    browser.post("/training/who-to-tell")
    assert browser.path == "/training"

    for position in range(1, 11):
        page = browser.get(f"/training/questions/{position}")
        assert f"Question {position} of 10" in title(page)
        page = answer(browser, position, "a" if position == 1 else "b")
        assert browser.path == f"/training/questions/{position}"
        assert "Your answer" in page
    page = browser.get("/training/results")
    assert "You got 7 of 8 topics right" in page
    assert "This topic comes again" in page
    assert "2 questions did not count" in page

    page = browser.get("/training/questions/11")
    assert "Question 1 of 1" in title(page)
    answer(browser, 11, "b")
    assert "You got 8 of 8 topics right" in browser.get("/training/results")

    page = browser.get("/training/declaration")
    assert "version 2026-03, approved March 2026, in English" in page
    assert "The Headteacher tells us it is in use." in page
    assert 'value="Sam' not in page
    browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")
    assert browser.path == "/training/finished"
    page = browser.get("/")
    assert browser.path == "/training/finished"
    assert "Saved here" in page
    assert "100 per cent" in page
    assert "87 per cent. Only you see this." in page
    browser.get("/training/declaration")
    assert browser.path == "/training/finished"


def test_pages_of_a_journey_that_has_not_begun_lead_to_the_start(browser: Browser) -> None:
    for path in (
        "/training",
        "/training/policy/work",
        "/training/questions/1",
        "/training/results",
        "/training/declaration",
        "/training/finished",
    ):
        browser.get(path)
        assert browser.path == "/"


def test_nobody_skips_ahead_or_finds_what_is_not_there(browser: Browser) -> None:
    begin(browser)
    browser.get("/training/questions/7")
    assert browser.path == "/training/questions/1"
    browser.get("/training/results")
    assert browser.path == "/training/questions/1"
    browser.get("/training/declaration")
    assert browser.path == "/training"
    for path in ("/training/questions/11", "/training/policy/school"):
        answer = browser.client.get(path, headers=browser.headers)
        assert answer.status_code == 404


def test_every_page_says_whom_to_tell_and_has_one_heading(browser: Browser) -> None:
    paths = ["/", "/training/who-to-tell", "/training/policy"]
    pages = [browser.get(path) for path in paths]
    pages.append(begin(browser))
    pages += [
        browser.get(path)
        for path in ("/training", "/training/policy/work", "/training/questions/1", *paths[1:])
    ]
    pages.append(answer(browser, 1, "b"))
    titles = [title(page) for page in pages]
    for page in pages:
        assert "This is happening to me now" in page
        assert 'href="/training/who-to-tell"' in page
        assert len(headings(page)) == 1
        assert "<script>" not in page
        assert " style=" not in page
    assert len(set(titles)) >= 6


def test_the_whole_policy_is_labelled_as_an_example(browser: Browser) -> None:
    page = browser.get("/training/policy")
    assert "not the school’s adopted text" in page
    assert "Line 98" in page
    assert "a" * 64 in page
    assert "You may be dismissed" not in page  # nobody has said yet that they are employed
    begin(browser)
    assert "You may be dismissed" in browser.get("/training/policy")


def test_the_schools_own_document_is_one_click_away(browser: Browser) -> None:
    assert 'href="/training/document"' in browser.get("/training/policy")
    with browser.client.get("/training/document", headers=browser.headers) as answer:
        assert answer.data == b"%PDF our own"
        assert answer.mimetype == "application/pdf"


def test_a_manager_finds_the_way_back_to_the_register(browser: Browser, clock: SetClock) -> None:
    begin(browser)
    assert "Go to the register" not in browser.get("/training")
    with browser.database.transaction() as session:
        visit = session.get_one(Visit, browser.visit_id)
        grant(session, person_id=visit.person_id, school_id="little-school", now=clock())
    assert "Go to the register" in browser.get("/training")
