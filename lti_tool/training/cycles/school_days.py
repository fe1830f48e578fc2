"""School days: weekdays on which the school is open. Pure; days only, so no clock can matter."""

from collections.abc import Iterable, Set
from datetime import date, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
SATURDAY: Final = 5


def days_of(spans: Iterable[tuple[date, date]]) -> frozenset[date]:
    """Every day of these spans, both ends included."""
    return frozenset(
        date.fromordinal(number)
        for first, last in spans
        for number in range(first.toordinal(), last.toordinal() + 1)
    )


def is_school_day(day: date, closed: Set[date] = frozenset()) -> bool:
    """Whether a day is neither at a weekend nor among the days that are ``closed``."""
    return day.weekday() < SATURDAY and day not in closed


def school_day_after(day: date, number: int, closed: Set[date] = frozenset()) -> date:
    """The ``number``-th school day after ``day``, which itself is not counted; ``day`` for 0."""
    while number > 0:
        day += DAY
        number -= is_school_day(day, closed)
    return day
