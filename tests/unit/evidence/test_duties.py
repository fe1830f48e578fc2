"""What a duty came to on a day, and what the dashboard makes of many."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.dashboard import duties
from lti_tool.evidence.dashboard.duties import Duty

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 31)


def duty(**given: Any) -> Duty:
    values: dict[str, Any] = {
        "role_group": "teaching",
        "site": "",
        "opens_on": SEPTEMBER,
        "due_on": OCTOBER,
        "outcome": "",
        "ended_on": None,
        "begun_on": None,
        "away": (),
    }
    return Duty(**values | given)


@pytest.mark.parametrize(
    ("given", "day", "state"),
    [
        ({}, date(2026, 8, 31), "not-due"),
        ({}, SEPTEMBER, "due"),
        ({}, OCTOBER, "due"),
        ({}, date(2026, 11, 1), "overdue"),
        ({"begun_on": date(2026, 9, 5)}, date(2026, 9, 4), "due"),
        ({"begun_on": date(2026, 9, 5)}, date(2026, 9, 5), "in-progress"),
        ({"outcome": "done", "ended_on": date(2026, 9, 9)}, date(2026, 9, 8), "due"),
        ({"outcome": "done", "ended_on": date(2026, 9, 9)}, date(2026, 9, 9), "done"),
        ({"outcome": "done", "ended_on": date(2026, 11, 9)}, date(2026, 11, 8), "overdue"),
        ({"outcome": "left-incomplete", "ended_on": OCTOBER}, OCTOBER, "left-incomplete"),
        ({"outcome": "lapsed", "ended_on": date(2027, 9, 1)}, date(2027, 9, 2), "overdue"),
        ({"away": ((date(2026, 9, 3), date(2026, 9, 4)),)}, date(2026, 9, 4), "paused"),
        ({"away": ((date(2026, 9, 3), date(2026, 9, 4)),)}, date(2026, 9, 5), "due"),
        ({"away": ((date(2026, 9, 3), None),)}, date(2026, 12, 5), "paused"),
    ],
)
def test_the_state_of_a_day(given: dict[str, Any], day: date, state: str) -> None:
    assert duty(**given).state_on(day) == state


def test_who_left_and_who_is_not_asked_yet_are_not_among_those_asked() -> None:
    counts = {"done": 2, "due": 1, "paused": 1, "left-incomplete": 4, "not-due": 3}
    assert duties.asked(counts) == 4
    assert duties.share(counts) == 50


def test_only_everybody_is_a_hundred_per_cent() -> None:
    assert duties.share({"done": 999, "overdue": 1}) == 99
    assert duties.share({"done": 1000}) == 100
    assert duties.share({"not-due": 5}) is None


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 400), st.integers(0, 400))
@settings(max_examples=60)
def test_the_days_of_a_plot_are_few_in_order_and_hold_the_day_that_matters(
    first: date, until: int, ahead: int
) -> None:
    through = first + timedelta(days=until)
    last = through + timedelta(days=ahead)
    days = duties.days_between(first, last, through=through)
    assert through in days
    assert days == sorted(set(days))
    assert first <= days[0]
    assert days[-1] <= last
    assert len(days) <= duties.POINTS + 1


def test_a_year_before_a_leap_day() -> None:
    assert duties.year_before(date(2028, 2, 29)) == date(2027, 2, 28)
    assert duties.cycle_before("2000-01") == "1999-00"
    assert duties.year_of("2026-27", (9, 1)) == (SEPTEMBER, date(2027, 8, 31))


def test_this_cycle_against_last_years_same_day_and_end() -> None:
    last_done = duty(
        opens_on=date(2025, 9, 1),
        due_on=date(2025, 10, 31),
        outcome="done",
        ended_on=date(2025, 12, 24),
    )
    last_late = duty(
        opens_on=date(2025, 9, 1), due_on=date(2025, 10, 31), outcome="lapsed", ended_on=SEPTEMBER
    )
    this = Counter({duty(outcome="done", ended_on=date(2026, 9, 20)): 1, duty(): 1})
    last = Counter({last_done: 3, last_late: 1})
    found = duties.compare(this, last, cycle="2026-27", starts=(9, 1), today=date(2026, 11, 23))
    assert found is not None
    assert found.before == "2025-26"
    assert found.this == {"done": 1, "overdue": 1}
    assert (found.same_day, found.then) == (date(2025, 11, 23), {"overdue": 4})
    assert (found.end, found.at_end) == (date(2026, 8, 31), {"done": 3, "overdue": 1})
    today = found.days.index(date(2026, 11, 23))
    assert found.lines[0][today] == 50
    assert set(found.lines[0][today + 1 :]) == {None}
    assert found.lines[1][-1] == 75


def test_there_is_no_comparison_with_a_year_that_never_was() -> None:
    this = Counter({duty(): 1})
    assert duties.compare(this, {}, cycle="2026-27", starts=(9, 1), today=OCTOBER) is None


def test_the_past_holds_only_what_had_been_asked_by_then() -> None:
    found = Counter({duty(): 2, duty(opens_on=date(2026, 10, 5)): 1})
    points = duties.over_time(found, [date(2026, 9, 7), date(2026, 10, 5)])
    assert [sum(counts.values()) for _, counts in points] == [2, 3]
