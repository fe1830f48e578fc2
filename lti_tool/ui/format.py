"""Dates and times as people in a school read them: ``21 November 2026``, ``14:05``.

Times are stored in UTC and shown in the schools' own zone. Month names follow the page's language.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import core, localedata
from babel.dates import format_date
from flask_babel import get_locale

LOCAL = ZoneInfo("Europe/London")


def read_months() -> None:
    """Have Babel read what it knows of our language, and let go of what it read on the way there:
    4 MiB of other languages and of zones and currencies, which it reads again if it needs them."""
    day(date.min)
    ours = localedata._cache.pop("en_GB")
    localedata._cache.clear()
    localedata._cache["en_GB"] = ours
    core._global_data = None


def local(moment: datetime) -> datetime:
    """``moment`` on the wall clock of a school. It must be aware; ``ValueError`` otherwise."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    return moment.astimezone(LOCAL)


def morning(moment: datetime) -> datetime:
    """When the school's day began that ``moment`` lies in."""
    return local(moment).replace(hour=0, minute=0, second=0, microsecond=0)


def day(value: date | datetime | None) -> str:
    """``21 November 2026``; empty for None."""
    if value is None:
        return ""
    shown = local(value).date() if isinstance(value, datetime) else value
    return format_date(shown, "d MMMM y", locale=get_locale() or "en_GB")


def clock_time(value: datetime | None) -> str:
    """``14:05``; empty for None."""
    return "" if value is None else local(value).strftime("%H:%M")


def day_and_time(value: datetime | None) -> str:
    """``21 November 2026, 14:05``; empty for None."""
    return "" if value is None else f"{day(value)}, {clock_time(value)}"
