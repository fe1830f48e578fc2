"""A cycle opens: on its set date by the worker, or when a manager says so."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.cycles import school_year
from lti_tool.policies.policy import School
from lti_tool.training.cycles.calendars import begin_calendar, calendar_of, set_dates
from lti_tool.training.cycles.models import Calendar, Cycle, Obligation
from lti_tool.training.cycles.owing import OPEN, REFRESH, Window
from lti_tool.training.cycles.settling import settle
from lti_tool.ui.format import local

BEFORE_THE_YEAR: Final = timedelta(days=62)
"""A cycle that is started so shortly before the next set date is that year's, only earlier."""
YEAR: Final = timedelta(days=365)
SHORTEST: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True)
class Opening:
    """A cycle that was opened, and how many people owe its refresh."""

    cycle: Cycle
    people: int


def next_cycle(session: Session, *, school: School, now: datetime) -> Window:
    """The cycle that a manager would start today; closing on the calendar's day, or in two weeks
    at the earliest.

    Raises ``ToolError`` cycle-open-already.
    """
    today = local(now).date()
    calendar = calendar_of(session, school_id=school.id, now=now)
    own = _on_set_date(school, calendar, today)
    ahead = _on_set_date(school, calendar, today + BEFORE_THE_YEAR)
    if today < ahead.opens_on <= today + BEFORE_THE_YEAR:
        own = ahead
    window = Window(own.name, today, max(own.closes_on, today + SHORTEST))
    if _is_open(session, school, window.name):
        raise ToolError("cycle-open-already")
    return window


def next_set_date(session: Session, *, school: School, now: datetime) -> Window:
    """The cycle that opens by itself next, whichever year's that is."""
    today = local(now).date()
    calendar = calendar_of(session, school_id=school.id, now=now)
    window = _on_set_date(school, calendar, today)
    over = window.opens_on <= calendar.began_on or window.closes_on < today
    if over or _is_open(session, school, window.name):
        window = _on_set_date(school, calendar, today + YEAR)
    return window


def open_now(
    session: Session, *, school: School, closes_on: date, by: UUID | None, now: datetime
) -> Opening:
    """Open the cycle today. ``by`` is empty for the command line.

    Raises ``ToolError``: cycle-open-already, cycle-closes-too-early (before tomorrow, or more
    than a year away).
    """
    begin_calendar(session, school_id=school.id, now=now)
    window = next_cycle(session, school=school, now=now)
    if not window.opens_on < closes_on <= window.opens_on + LONGEST:
        raise ToolError("cycle-closes-too-early")
    how = "manager" if by else "command"
    return _open(session, school, replace(window, closes_on=closes_on), how, by, now)


def open_due(session: Session, *, school: School, now: datetime) -> Opening | None:
    """Open the school's cycle if its set date has come; any number of workers may ask.

    Not the one whose date had passed when the school began: its people have just begun.
    """
    today = local(now).date()
    calendar = begin_calendar(session, school_id=school.id, now=now)
    window = _on_set_date(school, calendar, today)
    is_time = calendar.began_on < window.opens_on <= today <= window.closes_on
    if not is_time or _is_open(session, school, window.name):
        return None
    return _open(session, school, window, "set-date", None, now)


def _on_set_date(school: School, calendar: Calendar, day: date) -> Window:
    """The cycle of the school year of a day, by the calendar."""
    opens, closes = set_dates(calendar, school, day)
    return Window(school_year(opens, school.year_starts), opens, closes)


def _open(
    session: Session, school: School, window: Window, how: str, by: UUID | None, now: datetime
) -> Opening:
    cycle = Cycle(
        id=new_id(), school_id=school.id, name=window.name, opens_on=window.opens_on,
        closes_on=window.closes_on, opened_at=now, opened_by=by,
    )  # fmt: skip
    session.add(cycle)
    session.flush()
    changes = settle(session, school=school, now=now)
    people = session.scalar(
        select(func.count(Obligation.id)).where(
            Obligation.school_id == school.id,
            Obligation.cycle == window.name,
            Obligation.module == REFRESH,
            Obligation.outcome == OPEN,
        )
    )
    ledger.append(
        session,
        school_id=school.id,
        kind="cycle-opened",
        facts={
            "cycle": window.name,
            "opens_on": window.opens_on.isoformat(),
            "closes_on": window.closes_on.isoformat(),
            "by": how,
            "people": people or 0,
            "lapsed": changes["lapsed"],
        },
        person_id=by,
        personal={"actor": str(by)} if by else {},
        now=now,
    )
    return Opening(cycle, people or 0)


def _is_open(session: Session, school: School, name: str) -> bool:
    known = select(Cycle.id).where(Cycle.school_id == school.id, Cycle.name == name)
    return session.scalar(known) is not None
