"""Selection for those who were asked before: what is new, what was missed, what is long ago."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.policies.resolve import State
from lti_tool.training.selection import Anew, Candidate, Past, choose_anew, most_telling
from tests.unit.training.test_selection import SEEDS, banks, candidate, names

COUNT, AT_MOST = 6, 8
NOTHING_NEW, NOTHING_ASKED = Anew(), Past()


@st.composite
def people(draw: st.DrawFn) -> tuple[list[Candidate], Anew, Past]:
    """A bank, what is new in it, and somebody who was asked some of it before."""
    bank = draw(banks())
    topics = sorted({one.topic for one in bank})
    some = st.lists(st.sampled_from(topics), max_size=9, unique=True) if topics else st.just([])
    asked = draw(st.lists(st.sampled_from(bank), max_size=20)) if bank else []
    recent = asked[len(asked) // 2 :]
    past = Past(
        tuple(one.scenario for one in asked),
        tuple(one.topic for one in asked),
        frozenset(one.scenario for one in recent),
        frozenset(one.topic for one in recent if draw(st.booleans())),
    )
    return bank, Anew(tuple(draw(some)), is_all=draw(st.booleans())), past


def chosen_for(
    bank: list[Candidate], anew: Anew = NOTHING_NEW, past: Past = NOTHING_ASKED, seed: str = "x"
) -> list[Candidate]:
    return choose_anew(
        bank,
        anew=anew,
        past=past,
        count=COUNT,
        at_most=AT_MOST,
        unscored_at_most=1,
        seed=seed,
    )


@settings(max_examples=150)
@given(people(), SEEDS)
def test_what_always_holds(person: tuple[list[Candidate], Anew, Past], seed: str) -> None:
    bank, anew, past = person
    chosen = chosen_for(bank, anew, past, seed)
    assert chosen_for(bank[::-1], anew, past, seed) == chosen
    assert len(chosen) <= AT_MOST
    assert len(set(names(chosen))) == len(chosen)
    assert sum(not one.is_scored for one in chosen) <= 1
    asked = {one.topic for one in chosen}
    # Every new topic that can be asked is asked, unless new topics alone fill the round.
    can_be_asked = {one.topic for one in bank if one.is_scored} & set(anew.topics)
    assert can_be_asked <= asked or (len(chosen) == AT_MOST and asked <= set(anew.topics))
    # The first of them first.
    new = [one.topic for one in chosen if one.topic in anew.topics]
    assert dict.fromkeys(new) == dict.fromkeys(one for one in anew.topics if one in new)
    # What was asked last time comes only where its topic has nothing else that counts.
    for one in chosen:
        fresh = [
            each
            for each in bank
            if each.topic == one.topic and each.is_scored and each.scenario not in past.recent
        ]
        assert one.scenario not in past.recent or not fresh
    if anew.is_all:
        assert asked <= set(anew.topics)


@given(people(), SEEDS)
def test_what_was_missed_comes_before_what_was_not(
    person: tuple[list[Candidate], Anew, Past], seed: str
) -> None:
    bank, anew, past = person
    if anew.is_all:
        return
    asked = {one.topic for one in chosen_for(bank, anew, past, seed)}
    left = {one.topic for one in bank if one.is_scored and one.topic in past.missed} - asked
    assert not left or asked <= past.missed.union(anew.topics)


def test_six_when_nothing_is_new() -> None:
    bank = [candidate(f"s{place}") for place in range(20)]
    assert len(chosen_for(bank)) == 6


def test_more_where_more_is_new_or_was_missed_but_never_above_eight() -> None:
    bank = [candidate(f"s{place}", f"t{place}") for place in range(20)]
    missed = Past(missed=frozenset({"t9"}))
    sizes = [
        len(chosen_for(bank, Anew(tuple(f"t{place}" for place in range(many))), missed))
        for many in (0, 5, 6, 7, 9)
    ]
    assert sizes == [6, 6, 7, 8, 8]


def test_important_topics_then_those_longest_unseen() -> None:
    bank = [candidate(f"i{place}", important=True) for place in range(2)]
    bank += [candidate(f"s{place}") for place in range(10)]
    past = Past(topics=("i0", *(f"s{place}" for place in (0, 3, 1, 2, 4, 5, 6))))
    chosen = chosen_for(bank, past=past)
    assert names(chosen)[:2] == ["i1", "i0"]
    assert set(names(chosen)[2:5]) == {"s7", "s8", "s9"}
    assert names(chosen)[5] == "s0"


def test_last_years_scenario_gives_way_to_its_sibling() -> None:
    bank = [candidate("seventeen", "ex-pupils"), candidate("eighteen", "ex-pupils")]
    bank += [candidate("alone", "logo")]
    past = Past(("seventeen", "alone"), ("ex-pupils", "logo"), frozenset({"seventeen", "alone"}))
    for seed in range(10):
        assert set(names(chosen_for(bank, past=past, seed=str(seed)))) == {"eighteen", "alone"}


def test_what_shows_the_change_comes_before_its_siblings() -> None:
    bank = [candidate(f"s{place}", "ex-pupils") for place in range(6)]
    anew = Anew(("ex-pupils",), frozenset({"s4"}), is_all=True)
    assert names(chosen_for(bank, anew)) == ["s4"]


def test_a_topic_comes_twice_only_when_the_topics_run_out() -> None:
    bank = [candidate(f"{topic}{place}", topic) for topic in "abcd" for place in range(5)]
    counts = Counter(one.topic for one in chosen_for(bank))
    assert sorted(counts.values()) == [1, 1, 2, 2]


def test_one_place_at_most_goes_to_what_the_policy_leaves_open() -> None:
    bank = [candidate(f"open-{place}", important=True, state=State.SILENT) for place in range(5)]
    bank += [candidate(f"s{place}") for place in range(9)]
    chosen = chosen_for(bank)
    assert sum(not one.is_scored for one in chosen) == 1
    assert len(chosen) == 6


def test_nothing_is_asked_where_nothing_is_new_and_nothing_else_counts() -> None:
    assert chosen_for([candidate("s")], Anew(is_all=True)) == []


TOPICS = st.frozensets(st.sampled_from("abcdefgh"), max_size=4)


@given(st.lists(TOPICS, max_size=8), TOPICS)
def test_topics_are_told_so_that_every_change_is_touched_soon(
    changes: list[frozenset[str]], answered_anew: frozenset[str]
) -> None:
    order = most_telling(changes, answered_anew)
    assert sorted(order) == sorted(answered_anew.union(*changes))
    assert set(order[: len(answered_anew)]) == answered_anew
    # No topic that touches nothing new stands before one that does.
    left = [one for one in changes if one and not one & answered_anew]
    for topic in order[len(answered_anew) :]:
        assert not left or any(topic in one for one in left)
        left = [one for one in left if topic not in one]


def test_one_question_may_touch_two_changes() -> None:
    assert most_telling([{"a", "b"}, {"b", "c"}, {"d"}], []) == ["b", "d", "a", "c"]
