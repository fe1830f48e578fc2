"""Who owes what by when: the rules one by one, and what holds of any facts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.curriculum.cycles import school_year
from lti_tool.training.cycles.owing import (
    DONE,
    FIRST_DAY,
    INDUCTION,
    LAPSED,
    LEFT,
    OPEN,
    REFRESH,
    UPDATE,
    WITHDRAWN,
    Done,
    Key,
    Opened,
    Owed,
    Standing,
    Terms,
    Window,
    excuse,
    kept,
    owed,
    state_of,
)

TERMS = Terms(began_on=date(2025, 1, 10))
THIS = Window("2026-27", date(2026, 9, 1), date(2026, 10, 31))
NEXT = Window("2027-28", date(2027, 9, 1), date(2027, 10, 31))
VERSIONS = (
    Opened("2025-01", "first", date(2025, 1, 10)),
    Opened("2026-12", "major", date(2026, 12, 1), frozenset({"teaching"})),
)
OLD_HAND = Standing("teaching", counted_on=date(2025, 1, 10))
NEW = Standing("teaching", counted_on=date(2026, 9, 7), starts_on=date(2026, 9, 7))


def done(module: str, cycle: str, on: date, number: str = "2025-01", id: int = 1) -> Done:
    return Done(UUID(int=id), module, cycle, on, number)


def found(
    standing: Standing,
    today: date,
    *,
    terms: Terms = TERMS,
    cycles: Iterable[Window] = (THIS,),
    openings: Iterable[Opened] = VERSIONS[:1],
) -> dict[Key, Owed]:
    every = owed(standing, terms, tuple(cycles), tuple(openings), today)
    assert len({one.key for one in every}) == len(every)
    return {one.key: one for one in every}


def test_a_new_starter_owes_the_induction_ten_school_days_on() -> None:
    assert found(NEW, date(2026, 9, 7)) == {
        (INDUCTION, "2026-27"): Owed(
            INDUCTION,
            "2026-27",
            date(2026, 9, 7),
            date(2026, 9, 21),
            {"code": "new", "start": "2026-09-07", "days": 10},
        )
    }


def test_whoever_was_there_when_the_school_began_owes_the_refresh_only() -> None:
    assert found(OLD_HAND, date(2026, 8, 31)) == {}
    one = found(OLD_HAND, date(2026, 9, 1))[REFRESH, "2026-27"]
    assert (one.opens_on, one.due_on) == (THIS.opens_on, THIS.closes_on)
    assert one.reason == {"code": "refresh", "closes": "2026-10-31"}


def test_nobody_owes_who_is_not_counted() -> None:
    assert found(replace(OLD_HAND, counted_on=None), date(2026, 9, 1)) == {}


@pytest.mark.parametrize(
    ("on", "owes"), [(date(2026, 6, 3), False), (date(2026, 6, 2), True), (date(2026, 9, 1), False)]
)
def test_a_recent_induction_counts_for_the_refresh(on: date, owes: bool) -> None:
    standing = replace(OLD_HAND, done=frozenset({done(INDUCTION, "2025-26", on)}))
    one = found(standing, date(2026, 10, 1)).get((REFRESH, "2026-27"))
    assert (one is not None and one.outcome == OPEN) is owes


def test_an_induction_that_is_owed_stands_for_the_refresh_until_it_is_done() -> None:
    august = replace(NEW, starts_on=date(2026, 8, 27), counted_on=date(2026, 8, 27))
    for today in (date(2026, 9, 1), date(2026, 10, 31), date(2027, 9, 1)):
        every = found(august, today, cycles=(THIS, NEXT))
        assert list(every) == [(INDUCTION, "2025-26")]
    late = replace(august, done=frozenset({done(INDUCTION, "2025-26", date(2026, 9, 3))}))
    every = found(late, date(2027, 9, 1), cycles=(THIS, NEXT))
    assert every[INDUCTION, "2025-26"].outcome == DONE
    assert list(every) == [(INDUCTION, "2025-26"), (REFRESH, "2027-28")]


def test_a_refresh_nobody_did_lapses_when_the_next_one_opens() -> None:
    every = found(OLD_HAND, date(2027, 9, 1), cycles=(NEXT, THIS))
    last = every[REFRESH, "2026-27"]
    assert (last.outcome, last.ended_on) == (LAPSED, date(2027, 9, 1))
    assert every[REFRESH, "2027-28"].outcome == OPEN


def test_supply_is_told_on_the_first_day_and_inducted_later() -> None:
    every = found(replace(NEW, role_group="supply"), date(2026, 9, 7))
    assert every[FIRST_DAY, "2026-27"].due_on == date(2026, 9, 7)
    assert every[INDUCTION, "2026-27"].due_on == date(2026, 9, 21)
    inducted = replace(
        NEW,
        role_group="supply",
        done=frozenset({done(INDUCTION, "2026-27", date(2026, 9, 7))}),
    )
    outcomes = {one.outcome for one in found(inducted, date(2026, 9, 8)).values()}
    assert outcomes == {DONE}


def test_an_earlier_time_at_the_school_does_not_count_for_a_new_start() -> None:
    again = replace(NEW, done=frozenset({done(INDUCTION, "2024-25", date(2025, 1, 20))}))
    assert found(again, date(2026, 9, 7))[INDUCTION, "2026-27"].outcome == OPEN
    early = replace(NEW, done=frozenset({done(INDUCTION, "2025-26", date(2026, 7, 10))}))
    assert found(early, date(2026, 9, 7))[INDUCTION, "2026-27"].outcome == DONE
    unsaid = replace(again, starts_on=None)
    assert found(unsaid, date(2026, 9, 7))[INDUCTION, "2026-27"].outcome == DONE


def test_days_away_do_not_count() -> None:
    away = replace(NEW, away=frozenset({(date(2026, 9, 14), date(2026, 9, 18))}))
    assert found(away, date(2026, 9, 9))[INDUCTION, "2026-27"].due_on == date(2026, 9, 28)


def test_whoever_comes_back_has_time_from_then_on() -> None:
    away = replace(OLD_HAND, away=frozenset({(date(2026, 8, 1), date(2026, 11, 6))}))
    one = found(away, date(2026, 9, 1))[REFRESH, "2026-27"]
    # Away until a Friday, back on the Monday: the days are counted as from a start.
    assert one.due_on == date(2026, 11, 23)
    assert one.reason["back"] == "2026-11-09"
    before = replace(OLD_HAND, away=frozenset({(date(2026, 8, 1), date(2026, 9, 4))}))
    assert found(before, date(2026, 9, 1))[REFRESH, "2026-27"].due_on == THIS.closes_on
    overdue = replace(OLD_HAND, away=frozenset({(date(2026, 11, 2), date(2026, 11, 6))}))
    assert found(overdue, date(2026, 11, 3))[REFRESH, "2026-27"].due_on == THIS.closes_on


def test_an_absence_without_an_end_gives_no_other_date_for_a_refresh() -> None:
    away = replace(OLD_HAND, away=frozenset({(date(2026, 9, 2), None)}))
    one = found(away, date(2026, 12, 4))[REFRESH, "2026-27"]
    assert (one.due_on, one.reason) == (
        THIS.closes_on, {"code": "refresh", "closes": "2026-10-31"}
    )  # fmt: skip
    new = replace(NEW, away=frozenset({(date(2026, 9, 14), None)}))
    assert found(new, date(2026, 9, 18))[INDUCTION, "2026-27"].due_on == date(2026, 9, 28)


def test_whoever_is_counted_late_has_time_from_then_on() -> None:
    late = Standing("support", counted_on=date(2026, 10, 29), starts_on=date(2019, 9, 1))
    one = found(late, date(2026, 10, 29))[REFRESH, "2026-27"]
    assert one.due_on == date(2026, 11, 12)
    assert one.reason["counted"] == "2026-10-29"
    too_late = replace(late, counted_on=NEXT.opens_on)
    every = found(too_late, NEXT.opens_on, cycles=(THIS, NEXT))
    assert list(every) == [(REFRESH, "2027-28")]


def test_a_leaver_leaves_incomplete_what_was_open_and_owes_nothing_new() -> None:
    left = replace(OLD_HAND, left_on=date(2026, 10, 2))
    every = found(left, date(2027, 10, 1), cycles=(THIS, NEXT))
    one = every[REFRESH, "2026-27"]
    assert (one.outcome, one.ended_on) == (LEFT, date(2026, 10, 2))
    assert list(every) == [(REFRESH, "2026-27")]


def test_a_moved_date_is_the_date_and_says_what_it_was() -> None:
    moved = replace(OLD_HAND, moved={(REFRESH, "2026-27"): date(2026, 12, 4)})
    one = found(moved, date(2026, 9, 1))[REFRESH, "2026-27"]
    assert one.due_on == date(2026, 12, 4)
    assert one.reason["moved_from"] == "2026-10-31"


def test_a_major_version_asks_those_it_binds_who_declared_an_older_one() -> None:
    today = date(2026, 12, 1)
    refreshed = replace(OLD_HAND, done=frozenset({done(REFRESH, "2026-27", date(2026, 9, 9))}))
    one = found(refreshed, today, openings=VERSIONS)[UPDATE, "policy-2026-12"]
    assert (one.outcome, one.due_on) == (OPEN, date(2026, 12, 15))
    for nobody in (
        replace(refreshed, role_group="governor"),
        replace(OLD_HAND, done=frozenset({done(REFRESH, "2026-27", today, "2026-12")})),
        OLD_HAND,  # their refresh is open, and teaches the new version
    ):
        assert (UPDATE, "policy-2026-12") not in found(nobody, today, openings=VERSIONS)
    minor = (VERSIONS[0], replace(VERSIONS[1], weight="minor"))
    assert (UPDATE, "policy-2026-12") not in found(refreshed, today, openings=minor)


def test_any_later_declaration_of_the_new_version_does_the_update() -> None:
    owing = replace(
        OLD_HAND,
        done=frozenset({done(REFRESH, "2026-27", date(2026, 9, 9))}),
        held=frozenset({(UPDATE, "policy-2026-12")}),
    )
    again = done(INDUCTION, "2026-27", date(2027, 1, 8), "2026-12", id=2)
    every = found(replace(owing, done=owing.done | {again}), date(2027, 1, 8), openings=VERSIONS)
    one = every[UPDATE, "policy-2026-12"]
    assert (one.outcome, one.completion_id) == (DONE, again.completion_id)


def test_the_next_refresh_takes_the_place_of_an_update_that_nobody_did() -> None:
    key = (UPDATE, "policy-2026-12")
    owing = replace(
        OLD_HAND,
        done=frozenset({done(REFRESH, "2026-27", date(2026, 9, 9))}),
        held=frozenset({key}),
    )
    cycles = (THIS, NEXT)
    assert found(owing, date(2027, 8, 31), openings=VERSIONS, cycles=cycles)[key].outcome == OPEN
    refreshed = done(REFRESH, "2027-28", date(2027, 9, 9), "2026-12", id=2)
    for standing in (owing, replace(owing, done=owing.done | {refreshed})):
        one = found(standing, date(2027, 9, 9), openings=VERSIONS, cycles=cycles)[key]
        assert (one.outcome, one.ended_on) == (LAPSED, NEXT.opens_on)
    itself = done(*key, date(2027, 9, 2), "2026-12", id=3)  # begun before, finished after
    late = replace(owing, done=owing.done | {itself})
    assert found(late, date(2027, 9, 9), openings=VERSIONS, cycles=cycles)[key].outcome == DONE
    old = done(REFRESH, "2027-28", date(2027, 9, 9), "2025-01", id=4)  # which did not teach it
    still = replace(owing, done=owing.done | {old})
    assert found(still, date(2027, 9, 9), openings=VERSIONS, cycles=cycles)[key].outcome == OPEN


def test_only_the_last_major_version_is_asked() -> None:
    third = Opened("2027-02", "major", date(2027, 2, 1), frozenset({"teaching"}))
    owing = replace(
        OLD_HAND,
        done=frozenset({done(REFRESH, "2026-27", date(2026, 9, 9))}),
        held=frozenset({(UPDATE, "policy-2026-12")}),
    )
    every = found(owing, date(2027, 2, 1), openings=(*VERSIONS, third))
    assert every[UPDATE, "policy-2026-12"].outcome == LAPSED
    assert every[UPDATE, "policy-2027-02"].outcome == OPEN


@pytest.mark.parametrize(
    ("standing", "ends_on", "why"),
    [
        (replace(OLD_HAND, counted_on=None), None, "not-counted"),
        (replace(OLD_HAND, left_on=date(2026, 8, 31)), None, "left"),
        (replace(OLD_HAND, counted_on=NEXT.opens_on), NEXT.opens_on, "counted-later"),
        (NEW, None, "new"),
        (replace(NEW, starts_on=date(2026, 8, 27)), None, "induction-owed"),
        (OLD_HAND, None, ""),
    ],
)
def test_why_somebody_does_not_owe_it(standing: Standing, ends_on: date | None, why: str) -> None:
    assert excuse(standing, TERMS, THIS, ends_on, date(2026, 9, 8)) == why


def test_the_state_of_an_obligation() -> None:
    one = found(OLD_HAND, date(2026, 9, 1))[REFRESH, "2026-27"]

    def state(today: date, *, away: bool = False, begun: bool = False) -> str:
        return state_of(one, is_away=away, has_begun=begun, today=today)

    assert state(date(2026, 8, 31)) == "not-due"
    assert state(date(2026, 9, 1)) == "due"
    assert state(date(2026, 10, 31), begun=True) == "in-progress"
    assert state(date(2026, 11, 1), begun=True) == "overdue"
    assert state(date(2026, 11, 1), away=True) == "paused"
    for outcome, shown in ((DONE, DONE), (LEFT, LEFT), (LAPSED, "overdue"), (WITHDRAWN, "not-due")):
        ended = replace(one, outcome=outcome)
        today = date(2027, 1, 1)
        assert state_of(ended, is_away=True, has_begun=True, today=today) == shown
    assert state_of(None, is_away=False, has_begun=False, today=date(2027, 1, 1)) == "not-due"


# Whatever the facts.

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


@settings(max_examples=200)
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
