"""Rounds and answers on a real database: nothing is answered twice, missed topics return."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import event, func, select

from lti_tool.core.errors import ToolError
from lti_tool.training import questions
from lti_tool.training.models import Question, Round
from tests.integration.training.conftest import Learner


def rounds(learner: Learner) -> int:
    with learner.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Round)) or 0


def test_a_first_round_asks_ten_with_at_most_two_unscored(learner: Learner) -> None:
    learner.begin()
    asked = learner.sitting().questions
    assert [one.position for one in asked] == list(range(1, 11))
    assert sum(one.state != "settled" for one in asked) == 2
    assert {"topic-00", "topic-01", "topic-02"} <= {one.topic for one in asked}
    assert all(sorted(one.option_order) == ["a", "b", "c"] for one in asked)
    assert len({tuple(one.option_order) for one in asked}) > 1


def test_an_answer_is_kept_with_its_verdict(learner: Learner) -> None:
    learner.begin()
    position = next(one.position for one in learner.sitting().questions if one.state == "settled")
    answered = learner.answer(position, "b", "fairly-sure")
    assert not answered.was_kept
    kept = learner.sitting().at(position)
    assert (kept.choice, kept.sureness, kept.verdict) == ("b", "fairly-sure", "right")
    assert kept.answered_at == learner.clock()


def test_an_answer_that_meets_another_is_not_taken_for_kept(
    learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which none does while its journey is locked."""
    learner.begin()
    before = learner.sitting()
    learner.answer(1, "b")
    monkeypatch.setattr(questions, "sitting", lambda *_: before)
    with pytest.raises(LookupError):
        learner.answer(1, "a")
    monkeypatch.undo()
    assert learner.sitting().at(1).choice == "b"


def test_the_same_answer_twice_is_one_answer(learner: Learner) -> None:
    learner.begin()
    learner.answer(1, "b")
    first = learner.sitting().at(1).answered_at
    learner.clock.move(minutes=1)
    assert not learner.answer(1, "b").was_kept
    assert learner.sitting().at(1).answered_at == first


def test_a_second_answer_changes_nothing_and_says_so(learner: Learner) -> None:
    learner.begin()
    learner.answer(1, "a", "sure")
    second = learner.answer(1, "b", "not-sure")
    assert second.was_kept
    assert (second.question.choice, second.question.sureness) == ("a", "sure")


def test_an_answer_from_elsewhere_is_refused(learner: Learner) -> None:
    learner.begin()
    for position, choice, sureness, code in (
        (1, "z", "", "choice-unknown"),
        (1, "b", "very", "choice-unknown"),
        (99, "b", "", "page-not-found"),
    ):
        with pytest.raises(ToolError) as refusal:
            learner.answer(position, choice, sureness)
        assert refusal.value.code == code
    assert learner.sitting().at(1).answered_at is None


def test_two_tabs_that_answer_at_once_leave_one_answer(learner: Learner) -> None:
    learner.begin()
    ready = Barrier(2)

    def press(choice: str) -> bool:
        ready.wait()
        return learner.answer(1, choice).was_kept

    with ThreadPoolExecutor(2) as tabs:
        kept = list(tabs.map(press, ["a", "b"]))
    assert sorted(kept) == [False, True]
    assert learner.sitting().at(1).choice == ("a" if not kept[0] else "b")


def test_two_tabs_that_end_a_round_at_once_begin_one_more(learner: Learner) -> None:
    learner.begin()
    asked = learner.sitting().questions
    for one in asked[2:]:
        learner.answer(one.position, "a")
    ready = Barrier(2)

    def press(position: int) -> None:
        ready.wait()
        learner.answer(position, "a")

    with ThreadPoolExecutor(2) as tabs:
        list(tabs.map(press, [1, 2]))
    assert rounds(learner) == 2
    assert learner.sitting().open is not None


def test_all_right_is_learned_at_once(learner: Learner) -> None:
    learner.begin()
    learner.answer_round()
    with learner.database.transaction() as session:
        assert learner.held(session).learned_at == learner.clock()
    assert rounds(learner) == 1
    assert learner.sitting().outcome.score == 100


def test_missed_topics_return_with_siblings_and_keep_the_first_try(learner: Learner) -> None:
    learner.begin()
    learner.answer_round(wrong=4)
    so_far = learner.sitting()
    first, second = so_far.questions[:10], so_far.round_now
    missed = [one for one in first if one.state == "settled" and one.verdict != "right"]
    assert len(missed) == 4
    assert [one.topic for one in second] == [one.topic for one in missed]
    assert not {one.scenario for one in second} & {one.scenario for one in first}
    assert not any(one.is_first_asking for one in second)
    assert [one.position for one in second] == [11, 12, 13, 14]

    learner.answer_round()
    outcome = learner.sitting().outcome
    assert (outcome.score, outcome.first_score) == (100, 50)
    assert [one.choice for one in learner.sitting().questions[:10]] == [one.choice for one in first]


def test_once_siblings_run_out_the_scenario_returns_and_is_shuffled(learner: Learner) -> None:
    learner.begin()
    for _ in range(6):
        learner.answer_round(wrong=10)
    asked = [one for one in learner.sitting().questions if one.topic == "topic-00"]
    assert len(asked) == 7
    assert {one.scenario for one in asked[:2]} == {one.scenario for one in asked}
    assert len({tuple(one.option_order) for one in asked}) > 1


def test_a_pass_with_a_topic_missed_leaves_the_choice_to_try_again(learner: Learner) -> None:
    learner.begin()
    so_far = learner.sitting()
    unimportant = next(one for one in reversed(so_far.questions) if one.state == "settled")
    for one in so_far.questions:
        learner.answer(one.position, "a" if one is unimportant else "b")
    assert rounds(learner) == 1
    assert learner.sitting().outcome.is_passed
    with learner.database.transaction() as session:
        journey = learner.held(session)
        assert journey.learned_at is not None
        questions.go_on(session, course=learner.course(), journey=journey, now=learner.clock())
    assert [one.topic for one in learner.sitting().round_now] == [unimportant.topic]
    learner.answer_round()
    assert learner.sitting().outcome.score == 100


def test_trying_again_with_questions_open_begins_nothing(learner: Learner) -> None:
    learner.begin()
    with learner.database.transaction() as session:
        questions.go_on(
            session, course=learner.course(), journey=learner.held(session), now=learner.clock()
        )
    assert rounds(learner) == 1


def without(learner: Learner, scenario: str) -> None:
    """The bank loses a scenario while somebody is under way."""
    bank = learner.catalogue.scenarios
    kept = {name: one for name, one in bank.items() if name != scenario}
    learner.catalogue = replace(learner.catalogue, scenarios=kept)


def test_a_question_whose_scenario_left_the_bank_stops_nobody(learner: Learner) -> None:
    learner.begin()
    gone = learner.sitting().questions[3]
    without(learner, gone.scenario)
    assert gone.position not in [one.position for one in learner.sitting().questions]
    learner.answer_round(wrong=1)
    assert [one.position for one in learner.sitting().round_now] == [11]
    learner.answer_round()
    assert learner.sitting().outcome.is_passed


def test_when_the_last_open_question_left_the_bank_one_can_go_on(learner: Learner) -> None:
    learner.begin()
    asked = learner.sitting().questions
    for one in asked[:-1]:
        learner.answer(one.position, "b")
    without(learner, asked[-1].scenario)
    assert learner.sitting().open is None
    with learner.database.transaction() as session:
        journey = learner.held(session)
        assert journey.learned_at is None
        questions.go_on(session, course=learner.course(), journey=journey, now=learner.clock())
        assert journey.learned_at == learner.clock()


def test_nothing_is_left_of_an_answer_whose_commit_never_came(learner: Learner) -> None:
    learner.begin()
    for one in learner.sitting().questions[1:]:
        learner.answer(one.position, "a")
    session = learner.database.writing()
    questions.submit_answer(
        session,
        course=learner.course(),
        journey=learner.held(session),
        position=1,
        choice="a",
        sureness="",
        now=learner.clock(),
    )
    session.close()  # the power went
    assert rounds(learner) == 1
    assert learner.sitting().at(1).answered_at is None


def test_an_answer_takes_few_statements(learner: Learner) -> None:

    learner.begin()
    said: list[str] = []

    def note(*parts: object) -> None:
        said.append(str(parts[2]))

    event.listen(learner.database.engine, "before_cursor_execute", note)
    learner.answer(1, "b")
    event.remove(learner.database.engine, "before_cursor_execute", note)
    assert len([one for one in said if not one.startswith("BEGIN")]) <= 4


def test_every_question_belongs_to_the_school(learner: Learner) -> None:
    learner.begin()
    with learner.database.reading() as session:
        assert set(session.scalars(select(Question.school_id))) == {"little-school"}
