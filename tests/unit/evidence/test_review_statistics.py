"""What first answers tell: worked out by hand, and by other formulas."""

from collections.abc import Iterable
from math import isclose
from statistics import mean
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.review.statistics import (
    Asking,
    Favoured,
    by_clause,
    by_topic,
    figure,
    in_tens,
    wilson,
)

CASE = ("case", "0" * 64)


def asking(
    number: int, *, is_right: bool = True, topic: str = "photographs", **more: Any
) -> Asking:
    values: dict[str, Any] = {
        "person": UUID(int=number),
        "topic": topic,
        "scenario": CASE,
        "choice": "a" if is_right else "b",
        "is_right": is_right,
        "is_sure": False,
    }
    return Asking(**values | more)


def askings(right: int, wrong: int, **more: Any) -> list[Asking]:
    """People numbered from nought, those who are right first."""
    return [asking(one, is_right=one < right, **more) for one in range(right + wrong)]


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [  # Newcombe (1998), table I, and Brown, Cai and DasGupta (2001): the score method
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (8, 10, 0.4902, 0.9433),
        (10, 10, 0.7225, 1.0000),
    ],
)
def test_the_interval_is_the_published_one(right: int, of: int, low: float, high: float) -> None:
    assert wilson(right, of) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(1, 5000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
@settings(max_examples=200)
def test_the_interval_holds_the_share_and_solves_the_score_equation(case: tuple[int, int]) -> None:
    right, of = case
    low, high = wilson(right, of)
    share = right / of
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):  # where the score test is just at 1.96: z² p(1-p)/n = (p̂-p)²
        if 0 < bound < 1:
            left = 1.959963984540054**2 * bound * (1 - bound) / of
            assert isclose(left, (share - bound) ** 2, rel_tol=1e-6, abs_tol=1e-12)
    mirrored = wilson(of - right, of)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)


def test_per_cents_are_never_narrower_than_the_interval() -> None:
    found = figure(askings(8, 2))
    assert (found.people, found.right, found.share) == (10, 8, 80)
    assert found.interval == (49, 95)
    assert figure(askings(10, 0)).interval == (72, 100)
    assert figure(askings(0, 10)).interval == (0, 28)


def test_nine_people_are_no_figure_and_a_figure_moves_by_ten() -> None:
    assert by_topic(askings(9, 0)) == {}
    first = by_topic(askings(10, 0))
    assert len(first["photographs"]) == 10
    for more in range(1, 10):  # the next nine, all wrong, change nothing
        assert by_topic(askings(10, more)) == first
    assert len(by_topic(askings(10, 10))["photographs"]) == 20


def test_who_is_sure_and_mistaken_is_counted_and_no_other() -> None:
    sure: dict[str, Any] = {"is_sure": True}
    group = [*askings(4, 0, **sure), *(asking(n, is_right=False, **sure) for n in range(4, 7))]
    group += [asking(n, is_right=False) for n in range(7, 10)]
    assert figure(group).sure_mistaken == 3


def mistaken(choices: str, **more: Any) -> list[Asking]:
    """A person for each letter, ``a`` is right; all are sure."""
    return [
        asking(number, is_right=one == "a", choice=one, is_sure=True, **more)
        for number, one in enumerate(choices)
    ]


@pytest.mark.parametrize(
    ("choices", "favoured"),
    [
        ("aaaabbbbcc", "b"),
        ("aaaabbbccc", "c"),  # half of the mistaken each: one of the two
        ("aaaabbccdd", None),  # nobody is favoured
        ("aaaaaaaabb", None),  # two people are too few to speak of
    ],
)
def test_the_favoured_wrong_option(choices: str, favoured: str | None) -> None:
    found = figure(mistaken(choices)).favoured
    assert found == (Favoured(CASE, favoured) if favoured else None)


def test_no_option_is_named_of_a_case_that_fewer_than_ten_were_asked() -> None:
    others = [
        asking(number, is_right=False, scenario=("other", "1" * 64)) for number in range(9, 20)
    ]
    group = [*mistaken("bbbbbbbbb"), *others]
    assert figure(group).favoured == Favoured(("other", "1" * 64), "b")
    assert figure([*mistaken("bbbbbbbbb"), asking(9)]).favoured == Favoured(CASE, "b")
    nine = [*mistaken("bbbbbbbbb"), asking(9, scenario=("other", "1" * 64))]
    assert figure(nine).favoured is None


@pytest.mark.parametrize(
    ("right", "sure", "is_unclear"),
    [
        (5, 5, True),  # 50 % right, all the mistaken sure
        (6, 4, False),  # 60 % right is not low
        (5, 3, True),  # 3 of 5 sure
        (5, 2, False),  # most of the mistaken guessed
    ],
)
def test_low_share_high_sureness_and_one_wrong_option(
    right: int, sure: int, is_unclear: bool
) -> None:
    group = [asking(one) for one in range(right)]
    group += [asking(one, is_right=False, is_sure=one < right + sure) for one in range(right, 10)]
    assert figure(group).is_unclear is is_unclear


def test_without_one_dominant_option_the_wording_is_not_doubted() -> None:
    assert figure(mistaken("aaaabbbbcc")).is_unclear
    assert not figure(mistaken("aaaabbccdd")).is_unclear


def test_discrimination_begins_at_thirty_and_is_pearsons() -> None:
    rests = [number / 29 for number in range(30)]
    group = [asking(n, is_right=n >= 15, rest=rests[n]) for n in range(30)]
    assert figure(group[:29]).discrimination is None
    found = figure(group).discrimination
    # The point-biserial coefficient: (M1 - M0) / s · sqrt(pq), another form of the same.
    spread = (sum((one - mean(rests)) ** 2 for one in rests) / 30) ** 0.5
    expected = (mean(rests[15:]) - mean(rests[:15])) / spread * 0.5
    assert found == pytest.approx(expected)
    assert found == pytest.approx(0.8665, abs=1e-4)
    against = [asking(n, is_right=n < 15, rest=rests[n]) for n in range(30)]
    assert figure(against).discrimination == pytest.approx(-expected)


def test_where_all_answer_alike_nothing_can_be_told_apart() -> None:
    assert figure([asking(n, rest=n / 30) for n in range(30)]).discrimination is None
    assert figure(askings(15, 15)).discrimination is None  # asked on nothing else


def on(clauses: str, people: Iterable[int], topic: str = "photographs") -> list[Asking]:
    return [asking(one, topic=topic, clauses=frozenset(clauses.split())) for one in people]


def test_a_clause_that_would_single_out_a_few_beside_its_topic_is_not_shown() -> None:
    some = [*on("x y", range(15)), *on("y", range(15, 20))]
    topics = by_topic(some)
    assert list(by_clause(some, ["x", "y"], topics)) == ["x", "y"]  # 10 of 20, and the same 20
    eight_apart = [*on("x", range(12)), *on("y", range(12, 20))]
    assert list(by_clause(eight_apart, ["x", "y"], by_topic(eight_apart))) == ["x"]


def test_a_clause_counts_each_person_once_by_what_they_were_asked_first() -> None:
    twice = [
        *on("x", range(10)),
        *(asking(n, is_right=False, topic="logo", clauses=frozenset("x")) for n in range(10)),
    ]
    (group,) = by_clause(twice, ["x"], {}).values()
    assert figure(group).right == 10


def test_two_clauses_that_differ_by_a_few_people_are_not_both_shown() -> None:
    some = [*on("x", range(5)), *on("x y", range(5, 15), "logo"), *on("y", range(15, 20), "pay")]
    shown = by_clause(some, ["x", "y"], {})
    assert list(shown) == ["x"]  # the first ten of each share five


@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.sampled_from("pqr"), st.sets(st.sampled_from("uvwxyz"))),
        max_size=160,
        unique_by=lambda one: (one[0], one[1]),
    )
)
@settings(max_examples=150, deadline=None)
def test_no_two_figures_differ_by_fewer_than_ten(
    drawn: list[tuple[int, str, set[str]]],
) -> None:
    every = [asking(n, topic=topic, clauses=frozenset(names)) for n, topic, names in drawn]
    topics = by_topic(every)
    clauses = by_clause(every, "uvwxyz", topics)
    groups = [{one.key for one in group} for group in (*topics.values(), *clauses.values())]
    for one in groups:
        assert len(one) >= 10
        assert len(one) % 10 == 0
        for other in groups:
            assert len(one - other) == 0 or len(one - other) >= 10


@given(st.lists(st.integers(0, 100), unique=True, max_size=60), st.integers(0, 60))
@settings(max_examples=100)
def test_later_answers_never_take_anybody_away(people: list[int], until: int) -> None:
    every = [asking(one) for one in people]
    before, after = in_tens(every[:until]), in_tens(every)
    assert list(after[: len(before)]) == list(before)
    assert (len(after) - len(before)) % 10 == 0
