"""The bank holidays of England and Wales, by the rules they follow in every ordinary year.

Only those are here that a rule gives; days that are proclaimed once, and those a school takes or
leaves, a manager enters. Source: Banking and Financial Dealings Act 1971, schedule 1, and the
common-law holidays Good Friday and Christmas Day, with the substitutes for weekends. Pure.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

DAY: Final = timedelta(days=1)
SATURDAY: Final = 5
NATIONS: Final = frozenset({"england", "wales"})


def bank_holidays(first: date, last: date) -> list[tuple[str, date]]:
    """Those between two days, both included, in order, each with its English name."""
    years = range(first.year, last.year + 1)
    every = [one for year in years for one in _of(year)]
    return [(name, day) for name, day in every if first <= day <= last]


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar (J.-M. Oudin's algorithm of 1940)."""
    century = year // 100
    golden = year % 19
    moon = (century - century // 4 - (century - (century - 17) // 25) // 3 + 19 * golden + 15) % 30
    moon -= (moon // 28) * (1 - (29 // (moon + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + moon + 2 - century + century // 4) % 7
    ahead = moon - weekday
    month = 3 + (ahead + 40) // 44
    return date(year, month, ahead + 28 - 31 * (month // 4))


def _of(year: int) -> Iterator[tuple[str, date]]:
    sunday = easter(year)
    yield "New Year’s Day", _weekday_from(date(year, 1, 1))
    yield "Good Friday", sunday - 2 * DAY
    yield "Easter Monday", sunday + DAY
    yield "Early May bank holiday", _monday_from(date(year, 5, 1))
    yield "Spring bank holiday", _monday_from(date(year, 5, 25))
    yield "Summer bank holiday", _monday_from(date(year, 8, 25))
    for name, day in (("Christmas Day", date(year, 12, 25)), ("Boxing Day", date(year, 12, 26))):
        yield name, day if day.weekday() < SATURDAY else day + 2 * DAY


def _monday_from(day: date) -> date:
    return day + DAY * (-day.weekday() % 7)


def _weekday_from(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day if day.weekday() < SATURDAY else _monday_from(day)
