"""How a school reminds its people: read, and changed by its managers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import insert_missing
from lti_tool.policies.policy import School
from lti_tool.training.reminders.models import DROPPED, WAITING, Reminder, ReminderSettings
from lti_tool.ui.format import local

FIELDS: Final = (
    "is_on",
    "activity_url",
    "sender_name",
    "quiet_from",
    "quiet_until",
    "has_digest",
    "digest_weekday",
)
NAME: Final = 80


def read(session: Session, *, school: School, now: datetime) -> ReminderSettings:
    """What a school has settled; off, with the usual hours, where it never settled anything."""
    found = session.get(ReminderSettings, school.id)
    return found or ReminderSettings(
        school_id=school.id,
        is_on=False,
        activity_url="",
        sender_name=school.name[:NAME],
        quiet_from=18,
        quiet_until=7,
        has_digest=True,
        digest_weekday=0,
        changed_at=now,
    )


def locked(session: Session, *, school: School, now: datetime) -> ReminderSettings:
    """The same, kept from now on and locked: of those who plan at once the second finds what the
    first did."""
    usual = read(session, school=school, now=now)
    if usual not in session:
        values = {name: getattr(usual, name) for name in ("school_id", *FIELDS, "changed_at")}
        session.execute(insert_missing(session, ReminderSettings).values(values))
    return session.scalars(
        select(ReminderSettings)
        .where(ReminderSettings.school_id == school.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def change(
    session: Session, *, school: School, values: Mapping[str, Any], by: UUID, now: datetime
) -> None:
    """Settle how the school reminds; ``values`` names any of ``FIELDS``, checked before.

    Where it is switched on, the first e-mails go out by themselves on the next school day; where
    it is switched off, those that wait are dropped.
    """
    row = locked(session, school=school, now=now)
    before = {name: getattr(row, name) for name in FIELDS}
    if {**before, **values} == before:
        return
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_at, row.changed_by = now, by
    if row.is_on and not before["is_on"]:
        row.planned_on = local(now).date()
    if not row.is_on:
        session.execute(
            update(Reminder)
            .where(Reminder.school_id == school.id, Reminder.state == WAITING)
            .values(state=DROPPED, reason="off")
        )
    ledger.append(
        session,
        school_id=school.id,
        kind="reminders-changed",
        facts={name: _plain(getattr(row, name)) for name in FIELDS},
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    session.flush()


def _plain(value: bool | int | str) -> int | str:
    return ("yes" if value else "no") if isinstance(value, bool) else value
