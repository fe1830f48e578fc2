"""A school's own dates: when its refresh opens and closes, and the days it is closed."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import insert_missing
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.cycles import first_year
from lti_tool.policies.policy import School
from lti_tool.training.cycles.models import Calendar, Holiday
from lti_tool.training.cycles.owing import Terms
from lti_tool.training.cycles.school_days import days_of
from lti_tool.ui.format import local

FIELDS: Final = (
    "began_on", "opens_month", "opens_day", "closes_month", "closes_day",
    "induction_days", "grace_days",
)  # fmt: skip


def calendar_of(session: Session, *, school_id: str, now: datetime) -> Calendar:
    """The school's dates; the usual ones, not yet kept, where it has none."""
    found = session.get(Calendar, school_id)
    if found is not None:
        return found
    return Calendar(
        school_id=school_id, began_on=local(now).date(),
        opens_month=9, opens_day=1, closes_month=10, closes_day=31,
        induction_days=10, grace_days=90, changed_at=now,
    )  # fmt: skip


def begin_calendar(session: Session, *, school_id: str, now: datetime) -> Calendar:
    """The school's dates, locked; the usual ones from today on where it had none yet."""
    usual = calendar_of(session, school_id=school_id, now=now)
    if usual not in session:
        values = {name: getattr(usual, name) for name in ("school_id", *FIELDS, "changed_at")}
        session.execute(insert_missing(session, Calendar).values(values))
    locked = select(Calendar).where(Calendar.school_id == school_id).with_for_update()
    return session.scalars(locked.execution_options(populate_existing=True)).one()


def holidays(session: Session, *, school_id: str) -> Sequence[Holiday]:
    """The days on which the school is closed, in order."""
    return session.scalars(
        select(Holiday)
        .where(Holiday.school_id == school_id, Holiday.removed_at.is_(None))
        .order_by(Holiday.starts_on, Holiday.ends_on, Holiday.id)
    ).all()


def terms_of(session: Session, *, school: School, now: datetime) -> Terms:
    """What decides a school's due dates."""
    row = calendar_of(session, school_id=school.id, now=now)
    spans = ((one.starts_on, one.ends_on) for one in holidays(session, school_id=school.id))
    return Terms(
        began_on=row.began_on,
        induction_days=row.induction_days,
        grace_days=row.grace_days,
        closed=days_of(spans),
        year_starts=school.year_starts,
    )


def set_dates(calendar: Calendar, school: School, today: date) -> tuple[date, date]:
    """When this school year's refresh opens and closes, by the calendar.

    The 29th of February is the 28th in other years.
    """
    first = first_year(today, school.year_starts)
    opens = _on(first, calendar.opens_month, calendar.opens_day)
    if (opens.month, opens.day) < school.year_starts:
        opens = _on(first + 1, calendar.opens_month, calendar.opens_day)
    closes = _on(opens.year, calendar.closes_month, calendar.closes_day)
    if closes < opens:
        closes = _on(opens.year + 1, calendar.closes_month, calendar.closes_day)
    return opens, closes


def change_calendar(
    session: Session, *, school_id: str, values: dict[str, date | int], by: UUID, now: datetime
) -> None:
    """Set the school's dates. Nothing that was recorded changes; what is open may fall due
    another day once the school is settled.

    ``values`` names any of ``FIELDS``. Raises ``ToolError`` no-such-day.
    """
    row = begin_calendar(session, school_id=school_id, now=now)
    before = {name: _plain(getattr(row, name)) for name in FIELDS}
    for name, value in values.items():
        setattr(row, name, value)
    for month, day in ((row.opens_month, row.opens_day), (row.closes_month, row.closes_day)):
        if day > monthrange(2024, month)[1]:
            raise ToolError("no-such-day")
    after = {name: _plain(getattr(row, name)) for name in FIELDS}
    changed = {name: [before[name], after[name]] for name in FIELDS if before[name] != after[name]}
    if not changed:
        return
    row.changed_at, row.changed_by = now, by
    _record(session, "calendar-changed", school_id, {"changed": changed}, by, now)


def add_holiday(
    session: Session,
    *,
    school_id: str,
    name: str,
    starts_on: date,
    ends_on: date,
    by: UUID,
    now: datetime,
) -> Holiday:
    """Close the school on these days, both included. A second entry alike finds the first."""
    for known in holidays(session, school_id=school_id):
        if (known.name, known.starts_on, known.ends_on) == (name, starts_on, ends_on):
            return known
    row = Holiday(
        id=new_id(), school_id=school_id, name=name, starts_on=starts_on, ends_on=ends_on,
        entered_at=now, entered_by=by,
    )  # fmt: skip
    session.add(row)
    _record(session, "holiday-added", school_id, _facts(row), by, now)
    return row


def remove_holiday(
    session: Session, *, school_id: str, holiday_id: UUID, by: UUID, now: datetime
) -> None:
    """Take a holiday back; a second time changes nothing. Raises ``ToolError`` page-not-found."""
    row = session.scalar(
        select(Holiday)
        .where(Holiday.id == holiday_id, Holiday.school_id == school_id)
        .with_for_update()
    )
    if row is None:
        raise ToolError("page-not-found")
    if row.removed_at is None:
        row.removed_at = now
        _record(session, "holiday-removed", school_id, _facts(row), by, now)


def _on(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _plain(value: date | int) -> str | int:
    return value if isinstance(value, int) else value.isoformat()


def _facts(row: Holiday) -> dict[str, ledger.Value]:
    return {
        "name": row.name,
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat(),
    }


def _record(
    session: Session,
    kind: str,
    school_id: str,
    facts: dict[str, ledger.Value],
    by: UUID,
    now: datetime,
) -> None:
    ledger.append(
        session,
        school_id=school_id,
        kind=kind,
        facts=facts,
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    session.flush()
