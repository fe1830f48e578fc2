"""Learners' pages over HTTP: a whole journey, bad forms, two tabs, honest silences."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.models import BLOCKED, NOT_SCORED, PENDING, SENT, ScoreOutbox
from lti_tool.people.access import COOKIE
from lti_tool.people.arrive import Admission
from lti_tool.people.memberships import grant
from lti_tool.people.models import Visit
from lti_tool.training.models import Question
from tests.conftest import SetClock
from tests.integration.training.conftest import arrived, from_a_platform


class Browser:
    """Somebody's browser: follows redirects and carries each page's token into its forms."""

    def __init__(self, client: FlaskClient, admission: Admission) -> None:
        self.client = client
        self.visit_id = admission.visit_id
        self.headers = {"Cookie": f"{COOKIE}={admission.token}"}
        self.csrf = ""
        self.path = ""

    def get(self, path: str) -> str:
        return self._read(self.client.get(path, headers=self.headers, follow_redirects=True), 200)

    def post(self, path: str, *, status: int = 200, **form: str) -> str:
        sent = {"csrf_token": self.csrf, **form}
        answer = self.client.post(path, data=sent, headers=self.headers, follow_redirects=True)
        return self._read(answer, status)

    def _read(self, answer: TestResponse, status: int) -> str:
        page = answer.get_data(as_text=True)
        assert answer.status_code == status, page
        self.path = answer.request.path
        found = re.search(r'name="csrf_token" value="(\w+)"', page)
        self.csrf = found[1] if found else self.csrf
        return unescape(page)


@pytest.fixture
def sites() -> tuple[str, ...]:
    """The school's sites; a test of a federation sets its own."""
    return ()


@pytest.fixture
def browser(
    tmp_path: Path,
    sqlite_url: str,
    catalogue: Catalogue,
    clock: SetClock,
    sites: tuple[str, ...],
) -> Browser:
    school = catalogue.schools["little-school"]
    brought = replace(school, document="policy.pdf", sites=sites)
    catalogue = replace(catalogue, schools={school.id: brought})
    folder = tmp_path / "content" / "modules" / "schools" / school.id
    folder.mkdir(parents=True)
    (folder / "policy.pdf").write_bytes(b"%PDF our own")
    (folder / "school.yaml").write_text("name: secret")
    config = Config(instance=tmp_path, database_url=sqlite_url, content=str(tmp_path / "content"))
    app = create_app(config, clock=clock, catalogue=catalogue)
    database: Database = app.extensions["database"]
    admission = arrived(database, clock())
    browser = Browser(app.test_client(use_cookies=False), admission)
    browser.get("/")
    return browser


def begin(browser: Browser, role_group: str = "teaching") -> str:
    return browser.post("/begin", asked="yes", role_group=role_group)


def finish(browser: Browser) -> str:
    """Everything right, and signed."""
    finish_reading(browser)
    return browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")


def finish_reading(browser: Browser) -> str:
    """Everything right; the declaration lies open."""
    for section in ("private", "work"):
        browser.post(f"/training/policy/{section}")
    browser.post("/training/who-to-tell")
    for position in range(1, 11):
        answer(browser, position, "b")
    return browser.get("/training/declaration")


def answer(browser: Browser, position: int, choice: str, sureness: str = "") -> str:
    return browser.post(f"/training/questions/{position}", choice=choice, sureness=sureness)


def title(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert found
    return found[1]


def headings(page: str) -> list[str]:
    return re.findall(r"<h1[^>]*>\s*(.*?)\s*</h1>", page, re.DOTALL)


def kinds(page: str) -> list[str]:
    return re.findall(r"cw-option--(right|breaks|not-enough|advice|silent)\b", page)


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


def test_no_choice_keeps_how_sure_one_was(browser: Browser) -> None:
    begin(browser)
    page = browser.post("/training/questions/1", status=400, sureness="sure")
    assert title(page).startswith("Error: ")
    assert "There is a problem" in page
    assert 'href="#choice"' in page
    assert re.search(r'value="sure"\s+checked', page)
    page = browser.post("/training/questions/1", status=400, choice="b", sureness="very")
    assert re.search(r'value="b"\s+checked', page)


def test_a_choice_that_was_not_offered_is_refused(browser: Browser) -> None:
    begin(browser)
    assert "Choose one of the answers" in browser.post(
        "/training/questions/1", status=400, choice="z"
    )


def test_a_second_answer_shows_the_first_and_says_so(browser: Browser) -> None:
    begin(browser)
    first = answer(browser, 1, "a")
    assert "first answer was kept" not in first
    second = answer(browser, 1, "b")
    assert "Your first answer was kept" in second
    chosen = re.search(r"cw-option--chosen\">\s*<p class=\"cw-option__text\">(.*?)<", second)
    assert chosen
    assert chosen[1] == "Do it"
    assert "Your first answer was kept" not in answer(browser, 1, "a")


def test_reload_and_back_show_what_was_answered(browser: Browser) -> None:
    begin(browser)
    answer(browser, 1, "a")
    assert "Your answer" in browser.get("/training/questions/1")
    page = browser.post("/training/questions/1")  # an empty form from a second tab
    assert "Your answer" in page


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


def test_signing_too_early_is_refused(browser: Browser) -> None:
    begin(browser)
    for form in ({}, {"printed_name": "Sam", "has_agreed": "yes"}):
        page = browser.post("/training/declaration", status=409, **form)
        assert "You cannot declare this yet" in page


def test_a_declaration_without_name_or_tick_keeps_what_was_given(browser: Browser) -> None:
    begin(browser)
    for section in ("private", "work"):
        browser.post(f"/training/policy/{section}")
    browser.post("/training/who-to-tell")
    for position in range(1, 11):
        answer(browser, position, "b")
    page = browser.post("/training/declaration", status=400)
    assert title(page).startswith("Error: ")
    assert "Type your name" in page
    assert "Tick the box" in page
    page = browser.post("/training/declaration", status=400, printed_name="Sam <i>Ostler")
    assert 'value="Sam <i>Ostler"' in page  # unescaped by the test's own reading
    assert "Type your name" not in page
    page = browser.post("/training/declaration", status=400, has_agreed="yes")
    assert re.search(r'value="yes"\s+checked', page)


def test_feedback_is_honest_about_each_kind_of_question(browser: Browser) -> None:
    begin(browser)
    seen = set()
    for position in range(1, 11):
        page = answer(browser, position, "b")
        (heading,) = headings(page)
        seen.add(heading)
        if heading == "Your policy does not say":
            assert "Ask the Headteacher before you act" in page
            assert kinds(page) == ["silent"] * 3
            assert "cw-clause" not in page
        elif heading == "Your policy says two things":
            assert "Nobody does topic-10." in page
            assert "Nobody does topic-11." in page
            assert "Leave it alone." in page
            assert kinds(page) == ["silent"] * 3
        else:
            assert sorted(kinds(page)) in (
                ["breaks", "breaks", "right"],
                ["advice", "advice", "right"],
            )
            wording = "will not" if "breaks" in kinds(page) else "is advised not to"
            assert f"“{wording}”" in page
    assert seen == {
        "What your policy says",
        "Your policy does not say",
        "Your policy says two things",
    }


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


def test_who_may_ask_to_manage_finds_the_way(browser: Browser) -> None:
    assert "/ask-to-manage" not in browser.get("/")
    database: Database = browser.client.application.extensions["database"]
    with database.transaction() as session:
        session.execute(update(Visit).values(may_ask_to_manage=True))
    assert 'href="/ask-to-manage"' in browser.get("/")
    begin(browser)
    assert 'href="/ask-to-manage"' in browser.get("/training")
    with database.transaction() as session:
        visit = session.get_one(Visit, browser.visit_id)
        grant(session, person_id=visit.person_id, school_id=visit.school_id, now=visit.expires_at)
    page = browser.get("/training")
    assert 'href="/register"' in page
    assert "/ask-to-manage" not in page


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


def test_a_form_without_its_token_saves_nothing(browser: Browser) -> None:
    begin(browser)
    browser.csrf = "0" * 64
    browser.post("/training/questions/1", status=400, choice="b")
    assert "Your answer" not in browser.get("/training/questions/1")


def test_the_schools_own_document_is_one_click_away(browser: Browser) -> None:
    assert 'href="/training/document"' in browser.get("/training/policy")
    with browser.client.get("/training/document", headers=browser.headers) as answer:
        assert answer.data == b"%PDF our own"
        assert answer.mimetype == "application/pdf"


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
    database: Database = browser.client.application.extensions["database"]
    from_a_platform(database, browser.visit_id, clock())
    begin(browser)
    assert "Waiting to be sent to School Moodle" in finish(browser)
    with database.transaction() as session:
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
    database: Database = browser.client.application.extensions["database"]
    with database.transaction() as session:
        session.execute(
            update(Visit).values(last_seen_at=clock(), expires_at=clock() + timedelta(hours=1))
        )
    page = browser.get("/")
    assert browser.path == "/"
    assert "What do you do at" not in page
    browser.post("/begin")
    assert browser.path == "/training"


def test_after_a_pass_the_missed_topic_can_be_tried_again(browser: Browser) -> None:
    begin(browser)
    database: Database = browser.client.application.extensions["database"]
    with database.reading() as session:
        scored = select(Question.position).where(Question.state == "settled")
        last = max(session.scalars(scored))  # important topics come first
    for position in range(1, 11):
        answer(browser, position, "a" if position == last else "b")
    assert "You have done enough to go on" in browser.get("/training/results")
    browser.post("/training/results")
    assert browser.path == "/training/questions/11"
    answer(browser, 11, "b")
    browser.post("/training/results")
    assert "You got 8 of 8 topics right" in browser.get("/training/results")


def test_a_name_without_letters_is_no_name(browser: Browser) -> None:
    begin(browser)
    finish_reading(browser)
    page = browser.post("/training/declaration", status=400, printed_name="12345", has_agreed="yes")
    assert "Type your name in letters" in page


def test_a_manager_finds_the_way_back_to_the_register(browser: Browser, clock: SetClock) -> None:
    begin(browser)
    assert "Go to the register" not in browser.get("/training")
    database: Database = browser.client.application.extensions["database"]
    with database.transaction() as session:
        visit = session.get_one(Visit, browser.visit_id)
        grant(session, person_id=visit.person_id, school_id="little-school", now=clock())
    assert "Go to the register" in browser.get("/training")


def test_a_school_without_sites_takes_none_from_a_form(browser: Browser) -> None:
    """What a form says of a site goes into the register and the ledger, so we choose the words."""
    browser.post("/begin", asked="yes", role_group="teaching", site="the moon " * 20)
    assert "the moon" not in finish_reading(browser)
