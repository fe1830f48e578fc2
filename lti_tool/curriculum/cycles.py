"""The school year, which training, scores and line items are counted by."""

from datetime import date, datetime
from typing import Final

from lti_tool.ui.format import local

YEAR_STARTS: Final = (9, 1)
"""Month and day; a school may have others."""


def cycle_of(moment: datetime, starts: tuple[int, int] = YEAR_STARTS) -> str:
    """The school year a moment falls in, by the clocks at school: ``2026-27``."""
    return school_year(local(moment).date(), starts)


def school_year(day: date, starts: tuple[int, int] = YEAR_STARTS) -> str:
    """The school year of a day. One that begins on 1 January bears the name of both years too:
    the second is the one in which the next begins."""
    first = first_year(day, starts)
    return f"{first}-{(first + 1) % 100:02}"


def first_year(day: date, starts: tuple[int, int] = YEAR_STARTS) -> int:
    """The calendar year in which the school year of a day began."""
    return day.year if (day.month, day.day) >= starts else day.year - 1
