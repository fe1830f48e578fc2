"""Marking: only settled questions count, a topic once, by its latest asking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.policies.resolve import Judgement, Resolution, State, Verdict
from lti_tool.training.marking import Marked, mark, verdict_of

TOPICS = ("photos", "pupils", "logo", "parents", "whatsapp")


@st.composite
def asked(draw: st.DrawFn) -> list[Marked]:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(TOPICS),
                st.sampled_from([*State]),
                st.sampled_from(["", *Verdict]),
            ),
            max_size=20,
        )
    )
    return [Marked(place, *row) for place, row in enumerate(rows, start=1)]


def question(position: int, topic: str, verdict: str, state: str = "settled") -> Marked:
    return Marked(position, topic, state, verdict)


def test_the_latest_asking_of_a_topic_decides_and_the_first_is_kept_apart() -> None:
    outcome = mark(
        [
            question(1, "photos", "breaks"),
            question(2, "logo", "right"),
            question(3, "photos", "right"),
        ],
        important=(),
        pass_percent=80,
    )
    assert (outcome.score, outcome.first_score, outcome.missed) == (100, 50, ())
    assert outcome.is_passed


def test_a_topic_missed_later_is_missed() -> None:
    outcome = mark(
        [question(1, "photos", "right"), question(2, "photos", "not-enough")],
        important=(),
        pass_percent=80,
    )
    assert (outcome.score, outcome.first_score, outcome.missed) == (0, 100, ("photos",))


@pytest.mark.parametrize("verdict", ["breaks", "not-enough", "against-advice", "not-said", ""])
def test_only_right_scores(verdict: str) -> None:
    outcome = mark([question(1, "photos", verdict)], important=(), pass_percent=80)
    assert outcome.score == 0
    assert not outcome.is_passed


def test_four_of_five_passes_at_eighty_and_three_of_four_does_not() -> None:
    rights = [question(place, str(place), "right") for place in range(1, 5)]
    five = mark([*rights, question(5, "5", "breaks")], important=(), pass_percent=80)
    four = mark([*rights[:3], question(4, "4", "breaks")], important=(), pass_percent=80)
    assert (five.score, five.is_passed) == (80, True)
    assert (four.score, four.is_passed) == (75, False)


def test_a_missed_important_topic_fails_whatever_the_score() -> None:
    rights = [question(place, str(place), "right") for place in range(1, 10)]
    outcome = mark(
        [*rights, question(10, "pupils", "breaks")], important={"pupils"}, pass_percent=80
    )
    assert (outcome.score, outcome.is_passed) == (90, False)


def test_an_important_topic_that_was_not_asked_is_no_obstacle() -> None:
    assert mark([question(1, "logo", "right")], important={"pupils"}, pass_percent=80).is_passed


def test_where_nothing_counts_nothing_is_missing() -> None:
    outcome = mark(
        [question(1, "photos", "not-said", "silent")], important={"photos"}, pass_percent=80
    )
    assert (outcome.topics, outcome.score, outcome.is_passed) == (0, 100, True)


@given(asked(), st.sampled_from([State.SILENT, State.CONFLICT]), st.sampled_from([*Verdict]))
def test_silent_and_conflict_never_score(questions: list[Marked], state: str, verdict: str) -> None:
    extra = Marked(len(questions) + 1, TOPICS[0], state, verdict)
    before = mark(questions, important=TOPICS, pass_percent=80)
    assert mark([*questions, extra], important=TOPICS, pass_percent=80) == before


@given(asked())
def test_the_order_in_which_rows_come_changes_nothing(questions: list[Marked]) -> None:
    ways = [mark(each, important=(), pass_percent=80) for each in (questions, questions[::-1])]
    assert ways[0] == ways[1]


@given(asked(), st.integers(1, 100))
def test_a_pass_is_a_pass_in_the_score_too(questions: list[Marked], percent: int) -> None:
    outcome = mark(questions, important=(), pass_percent=percent)
    share_reaches = outcome.right * 100 >= percent * outcome.topics
    assert outcome.is_passed == (outcome.score >= percent) == share_reaches
    assert 0 <= outcome.score <= 100
    assert 0 <= outcome.first_score <= 100
    assert outcome.right + len(outcome.missed) == outcome.topics


@given(asked(), st.sampled_from(TOPICS))
def test_answering_a_topic_right_again_never_lowers_the_score(
    questions: list[Marked], topic: str
) -> None:
    before = mark(questions, important=(), pass_percent=80)
    again = Marked(len(questions) + 1, topic, State.SETTLED, Verdict.RIGHT)
    after = mark([*questions, again], important=(), pass_percent=80)
    assert after.right >= before.right
    assert topic not in after.missed


def test_the_verdict_is_that_of_the_chosen_option() -> None:
    resolution = Resolution(
        State.SETTLED, (Judgement("a", Verdict.BREAKS), Judgement("b", Verdict.RIGHT))
    )
    assert verdict_of(resolution, "b") is Verdict.RIGHT
    with pytest.raises(KeyError):
        verdict_of(resolution, "c")
