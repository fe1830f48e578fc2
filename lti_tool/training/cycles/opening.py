"""A cycle opens: on its set date by the worker, or when a manager says so."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.cycles import school_year
from lti_tool.policies.policy import School
from lti_tool.training.cycles.calendars import begin_calendar, calendar_of, set_dates
from lti_tool.training.cycles.models import Cycle
from lti_tool.training.cycles.owing import Window
from lti_tool.training.cycles.settling import settle
from lti_tool.ui.format import local

BEFORE_THE_YEAR: Final = timedelta(days=62)
"""A cycle that is started so shortly before the next set date is that year's, only earlier."""
SHORTEST: Final = timedelta(days=14)
LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True)
class Opening:
    """A cycle that was opened, and how many people owe it something new."""

    cycle: Cycle
    people: int


def next_cycle(session: Session, *, school: School, now: datetime) -> Window:
    """The cycle that a manager would start today; closing on the calendar's day, or in two weeks
    at the earliest.

    Raises ``ToolError`` cycle-open-already.
    """
    today = local(now).date()
    calendar = calendar_of(session, school_id=school.id, now=now)
    opens, closes = set_dates(calendar, school, today)
    ahead = set_dates(calendar, school, today + BEFORE_THE_YEAR)
    if today < ahead[0] <= today + BEFORE_THE_YEAR:
        opens, closes = ahead
    window = Window(school_year(opens, school.year_starts), today, max(closes, today + SHORTEST))
    if _is_open(session, school, window.name):
        raise ToolError("cycle-open-already")
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
    return _open(session, school, window.name, window.opens_on, closes_on, by, now)


def open_due(session: Session, *, school: School, now: datetime) -> Opening | None:
    """Open the school's cycle if its set date has come; any number of workers may ask.

    Not the one whose date had passed when the school began: its people have just begun.
    """
    today = local(now).date()
    calendar = begin_calendar(session, school_id=school.id, now=now)
    opens, closes = set_dates(calendar, school, today)
    name = school_year(opens, school.year_starts)
    if not calendar.began_on < opens <= today <= closes or _is_open(session, school, name):
        return None
    return _open(session, school, name, opens, closes, None, now)


def _open(
    session: Session,
    school: School,
    name: str,
    opens_on: date,
    closes_on: date,
    by: UUID | None,
    now: datetime,
) -> Opening:
    cycle = Cycle(
        id=new_id(), school_id=school.id, name=name, opens_on=opens_on, closes_on=closes_on,
        opened_at=now, opened_by=by,
    )  # fmt: skip
    session.add(cycle)
    session.flush()
    counts: Counter[str] = settle(session, school=school, now=now)
    ledger.append(
        session,
        school_id=school.id,
        kind="cycle-opened",
        facts={
            "cycle": name,
            "opens_on": opens_on.isoformat(),
            "closes_on": closes_on.isoformat(),
            "by": "manager" if by else "set-date",
            "people": counts["new"],
            "lapsed": counts["lapsed"],
        },
        person_id=by,
        personal={"actor": str(by)} if by else {},
        now=now,
    )
    return Opening(cycle, counts["new"])


def _is_open(session: Session, school: School, name: str) -> bool:
    known = select(Cycle.id).where(Cycle.school_id == school.id, Cycle.name == name)
    return session.scalar(known) is not None
