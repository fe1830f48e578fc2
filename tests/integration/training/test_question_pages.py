"""The pages of questions: bad forms, two tabs, honest silences, and another try."""

import re

from sqlalchemy import select

from lti_tool.training.models import Question
from tests.factories.learner_browser import Browser, answer, begin, headings, title


def kinds(page: str) -> list[str]:
    return re.findall(r"cw-option--(right|breaks|not-enough|advice|silent)\b", page)


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


def test_a_form_without_its_token_saves_nothing(browser: Browser) -> None:
    begin(browser)
    browser.csrf = "0" * 64
    browser.post("/training/questions/1", status=400, choice="b")
    assert "Your answer" not in browser.get("/training/questions/1")


def test_after_a_pass_the_missed_topic_can_be_tried_again(browser: Browser) -> None:
    begin(browser)
    with browser.database.reading() as session:
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
