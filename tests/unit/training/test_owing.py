"""Who owes what by when, rule by rule."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

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
