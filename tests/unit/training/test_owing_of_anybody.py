"""Who owes what by when: what holds whatever the facts."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.curriculum.cycles import school_year
from lti_tool.training.cycles.owing import (
    DONE,
    FIRST_DAY,
    INDUCTION,
    OPEN,
    REFRESH,
    UPDATE,
    Done,
    Key,
    Opened,
    Owed,
    Standing,
    Terms,
    Window,
    kept,
    owed,
)

FIRST_DAY_OF_ALL = date(2023, 9, 1)
days = st.dates(FIRST_DAY_OF_ALL, date(2028, 12, 31))
YEARS = [
    Window(school_year(opens), opens, date(opens.year, 10, 31))
    for opens in (date(year, 9, 1) for year in range(2023, 2029))
]
cycles = st.sets(st.sampled_from(range(len(YEARS))), max_size=4).map(
    lambda chosen: tuple(YEARS[one] for one in chosen)
)
openings = st.lists(
    st.builds(
        lambda opened, weight, binds: (opened, weight, binds),
        days,
        st.sampled_from(("major", "minor")),
        st.frozensets(st.sampled_from(("teaching", "supply"))),
    ),
    max_size=3,
).map(
    lambda found: tuple(
        Opened(f"v{number}", weight if number else "first", opened, binds)
        for number, (opened, weight, binds) in enumerate(sorted(found, key=lambda one: one[0]))
    )
)
completions = st.builds(
    lambda id, module, on, number: Done(
        UUID(int=id), module, "policy-v1" if module == UPDATE else school_year(on), on, number
    ),
    st.integers(1, 10**6),
    st.sampled_from((INDUCTION, REFRESH, FIRST_DAY, UPDATE)),
    days,
    st.sampled_from(("v0", "v1", "v2")),
)
absences = st.builds(
    lambda first, length: (first, None if length is None else first + timedelta(days=length)),
    days,
    st.none() | st.integers(0, 200),
)
standings = st.builds(
    Standing,
    role_group=st.sampled_from(("teaching", "supply", "")),
    counted_on=st.none() | days,
    starts_on=st.none() | days,
    left_on=st.none() | days,
    away=st.frozensets(absences, max_size=2),
    done=st.frozensets(completions, max_size=4),
)
terms = st.builds(
    Terms, began_on=days, induction_days=st.integers(1, 15), grace_days=st.integers(0, 120)
)


@given(standings, terms, cycles, openings, days)
def test_nobody_owes_twice(
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> None:
    every = owed(standing, terms, cycles, openings, today)
    assert len({one.key for one in every}) == len(every)
    still = [one for one in every if one.outcome == OPEN and one.module != FIRST_DAY]
    assert len(still) <= 1
    # Nor for a cycle whose refresh was done, by whatever was done for it.
    refreshed = {one.cycle for one in standing.done if one.module == REFRESH}
    assert not any(one.module == REFRESH and one.cycle in refreshed for one in still)


@given(standings, terms, cycles, openings, days)
def test_the_order_of_facts_does_not_matter(
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> None:
    other = owed(standing, terms, cycles[::-1], openings, today)
    assert set(map(repr, owed(standing, terms, cycles, openings, today))) == set(map(repr, other))


def settled(
    held: dict[Key, Owed],
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> dict[Key, Owed]:
    """What is kept after one settling, as ``settling`` does it."""
    asked = replace(standing, held=frozenset(held))
    wanted = {one.key: one for one in owed(asked, terms, cycles, openings, today)}
    after = {
        key: kept(held.get(key), wanted.get(key), standing.done, today)
        for key in held.keys() | wanted.keys()
    }
    return {key: one for key, one in after.items() if one is not None}


@given(standings, terms, cycles, openings, days)
def test_settling_twice_changes_nothing(
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> None:
    once = settled({}, standing, terms, cycles, openings, today)
    twice = settled(once, standing, terms, cycles, openings, today)
    assert settled(twice, standing, terms, cycles, openings, today) == twice
    assert {key: one for key, one in twice.items() if key in once} == once


@given(standings, standings, terms, terms, cycles, openings, days, days)
def test_no_later_fact_undoes_what_was_done(
    before: Standing,
    later: Standing,
    terms: Terms,
    other_terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
    then: date,
) -> None:
    """Whatever changes afterwards: dates, absences, leaving, not counting, the school's terms."""
    held = settled({}, before, terms, cycles, openings, today)
    later = replace(later, done=before.done | later.done)
    moved = replace(later, moved={key: date(2030, 1, 1) for key in held})
    for changed in (later, moved):
        after = settled(held, changed, other_terms, cycles, openings, max(today, then))
        assert held.keys() <= after.keys()
        for key, one in held.items():
            if one.outcome == DONE:
                assert after[key] == one


@given(standings, terms, cycles, openings, days)
def test_a_moved_date_moves_a_date_and_nothing_else(
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> None:
    plain = owed(standing, terms, cycles, openings, today)
    moves = {one.key: one.due_on + timedelta(days=9) for one in plain}
    moved = owed(replace(standing, moved=moves), terms, cycles, openings, today)
    for one, other in zip(plain, moved, strict=True):
        assert other.due_on == one.due_on + timedelta(days=9)
        assert other == replace(one, due_on=other.due_on, reason=other.reason)


@given(standings, terms, cycles, openings, days)
def test_a_training_done_in_its_cycle_counts_at_once(
    standing: Standing,
    terms: Terms,
    cycles: tuple[Window, ...],
    openings: tuple[Opened, ...],
    today: date,
) -> None:
    """Nobody who completes what is open still owes it."""
    number = openings[-1].number if openings else "v0"
    for one in owed(standing, terms, cycles, openings, today):
        if one.outcome != OPEN or one.opens_on > today:
            continue
        fresh = Done(UUID(int=10**7), one.module, one.cycle, today, number)
        held = replace(standing, done=standing.done | {fresh}, held=frozenset({one.key}))
        after = settled({one.key: one}, held, terms, cycles, openings, today)
        assert after[one.key].outcome == DONE
