"""School days, counted without a clock."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.training.cycles.school_days import days_of, is_school_day, school_day_after

days = st.dates(date(2023, 1, 1), date(2029, 1, 1))
closed_days = st.frozensets(st.dates(date(2024, 1, 1), date(2024, 6, 1)), max_size=20)


def test_weekends_and_holidays_do_not_count() -> None:
    half_term = days_of([(date(2026, 10, 26), date(2026, 10, 30))])
    assert school_day_after(date(2026, 10, 22), 1, half_term) == date(2026, 10, 23)
    assert school_day_after(date(2026, 10, 22), 2, half_term) == date(2026, 11, 2)


def test_the_day_itself_is_not_counted() -> None:
    monday = date(2026, 9, 7)
    assert school_day_after(monday, 0) == monday
    assert school_day_after(monday, 10) == date(2026, 9, 21)
    assert school_day_after(date(2026, 9, 5), 1) == monday


def test_a_leap_day_is_a_day_like_any_other() -> None:
    assert school_day_after(date(2024, 2, 28), 1) == date(2024, 2, 29)  # a Thursday
    assert school_day_after(date(2024, 2, 29), 1) == date(2024, 3, 1)
    assert school_day_after(date(2023, 2, 28), 1) == date(2023, 3, 1)


def test_the_nights_when_clocks_change_neither_give_nor_take_a_day() -> None:
    for sunday in (date(2026, 3, 29), date(2026, 10, 25)):
        friday = sunday - timedelta(days=2)
        assert school_day_after(friday, 1) == sunday + timedelta(days=1)


@given(days, st.integers(1, 30), closed_days)
def test_just_so_many_school_days_lie_between(
    day: date, number: int, closed: frozenset[date]
) -> None:
    found = school_day_after(day, number, closed)
    between = days_of([(day + timedelta(days=1), found)])
    assert sum(is_school_day(one, closed) for one in between) == number
    assert is_school_day(found, closed)


@given(days, st.integers(0, 30), closed_days)
def test_a_holiday_more_never_makes_it_earlier(
    day: date, number: int, closed: frozenset[date]
) -> None:
    assert school_day_after(day, number, closed) >= school_day_after(day, number)
