"""A sending: looked at before it goes, asked for by a manager or the worker, and its record."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, exists, func, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.people.models import Person
from lti_tool.policies.policy import School
from lti_tool.training.reminders import facts, planning, settings
from lti_tool.training.reminders.models import (
    GIVEN_UP,
    PERHAPS,
    REFUSED,
    SENDING,
    WAITING,
    Reminder,
    ReminderBatch,
    ReminderSettings,
)
from lti_tool.training.reminders.planning import Plan, Reader, Terms
from lti_tool.ui.format import local

SHOWN: Final = 20
PAGE: Final = 100
RECENT: Final = timedelta(days=30)


@dataclass(frozen=True)
class Outlook:
    """What would go now, and whether it may."""

    settings: ReminderSettings
    terms: Terms
    readers: Sequence[Reader]
    plan: Plan
    shut: str
    """no-server, off, weekend, holiday, quiet, or empty."""
    fingerprint: str
    """The same for the same mails to the same people."""


def outlook(session: Session, *, school: School, has_server: bool, now: datetime) -> Outlook:
    """Who would be written to now, and who not and why. Writes nothing."""
    return _outlook(session, settings.read(session, school=school, now=now), has_server, now)


def _outlook(session: Session, kept: ReminderSettings, has_server: bool, now: datetime) -> Outlook:
    moment = local(now)
    terms = facts.terms(session, kept)
    readers = facts.load(session, school_id=kept.school_id, today=moment.date())
    plan = planning.plan(
        readers,
        has_digest=terms.has_digest,
        is_digest_day=planning.is_digest_day(terms, moment.date()),
        today=moment.date(),
    )
    named = sorted(f"{letter.reader.person_id} {letter.kind}" for letter in plan.letters)
    return Outlook(
        settings=kept,
        terms=terms,
        readers=readers,
        plan=plan,
        shut=planning.shut(terms, moment) if has_server else "no-server",
        fingerprint=hashlib.sha256("\n".join(named).encode()).hexdigest()[:16],
    )


def send_now(
    session: Session, *, school: School, seen: str, has_server: bool, by: UUID, now: datetime
) -> int:
    """Have what a manager saw sent; returns how many mails it is.

    Raises ``ToolError`` reminders-shut where nothing may go now, reminders-changed where the
    mails are not those that were seen.
    """
    kept = settings.locked(session, school=school, now=now)
    found = _outlook(session, kept, has_server, now)
    if found.shut:
        raise ToolError("reminders-shut", log=found.shut)
    if found.fingerprint != seen:
        raise ToolError("reminders-changed")
    return _queue(session, found, by=by, now=now)


def plan_day(session: Session, *, school: School, now: datetime) -> int:
    """Have today's mails of a school sent, once a day and only when they may go; returns how
    many they are."""
    kept = settings.locked(session, school=school, now=now)
    today = local(now).date()
    if kept.planned_on == today or planning.shut(facts.terms(session, kept), local(now)):
        return 0
    kept.planned_on = today
    return _queue(session, _outlook(session, kept, True, now), by=None, now=now)


def _queue(session: Session, found: Outlook, *, by: UUID | None, now: datetime) -> int:
    letters = found.plan.letters
    if not letters:
        return 0
    school_id, today = found.settings.school_id, local(now).date()
    batch = ReminderBatch(
        id=new_id(),
        school_id=school_id,
        asked_at=now,
        asked_by=by,
        planned=found.plan.counts(),
        left_out={reason: len(who) for reason, who in found.plan.left_out.items()},
    )
    session.add(batch)
    session.flush()
    session.execute(
        insert(Reminder),
        [
            {
                "id": new_id(),
                "school_id": school_id,
                "batch_id": batch.id,
                "person_id": letter.reader.person_id,
                "kind": letter.kind,
                "day": today,
                "next_at": now,
                "duties": [],
            }
            for letter in letters
        ],
    )
    ledger.append(
        session,
        school_id=school_id,
        kind="reminders-begun",
        facts={
            "batch": str(batch.id),
            "by": "manager" if by else "worker",
            "planned": batch.planned,
            "left_out": batch.left_out,
        },
        person_id=by,
        personal={"actor": str(by)} if by else None,
        now=now,
    )
    session.flush()
    return len(letters)


def end_batches(session: Session, *, now: datetime) -> None:
    """Record what became of each sending of which nothing is under way any more."""
    open_mail = exists().where(
        Reminder.batch_id == ReminderBatch.id, Reminder.state.in_((WAITING, SENDING))
    )
    ended = session.execute(
        update(ReminderBatch)
        .where(ReminderBatch.ended_at.is_(None), ~open_mail)
        .values(ended_at=now)
        .returning(ReminderBatch.id, ReminderBatch.school_id)
    ).all()
    for batch_id, school_id in ended:
        ledger.append(
            session,
            school_id=school_id,
            kind="reminders-ended",
            facts={
                "batch": str(batch_id),
                "outcomes": outcomes(session, [batch_id]).get(batch_id, {}),
            },
            now=now,
        )


def outcomes(session: Session, batch_ids: Sequence[UUID]) -> Mapping[UUID, dict[str, int]]:
    """How many mails of each sending are in each state."""
    found: dict[UUID, dict[str, int]] = {}
    for batch_id, state, number in session.execute(
        select(Reminder.batch_id, Reminder.state, func.count())
        .where(Reminder.batch_id.in_(batch_ids))
        .group_by(Reminder.batch_id, Reminder.state)
    ):
        found.setdefault(batch_id, {})[state] = number
    return found


def recent(session: Session, *, school_id: str) -> Sequence[ReminderBatch]:
    """A school's latest sendings, the newest first."""
    return session.scalars(
        select(ReminderBatch)
        .where(ReminderBatch.school_id == school_id)
        .order_by(ReminderBatch.asked_at.desc(), ReminderBatch.id.desc())
        .limit(SHOWN)
    ).all()


def troubles(session: Session, *, school_id: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """What waits because of a failure, by its reason: rows of ``reason``, ``status``, ``number``,
    ``next_at``."""
    return session.execute(
        select(
            Reminder.reason,
            Reminder.status,
            func.count().label("number"),
            func.min(Reminder.next_at).label("next_at"),
        )
        .where(Reminder.school_id == school_id, Reminder.state == WAITING, Reminder.reason != "")
        .group_by(Reminder.reason, Reminder.status)
        .order_by(func.count().desc())
    ).all()


def failed(session: Session, *, school_id: str, now: datetime) -> Sequence[Row[*tuple[Any, ...]]]:
    """The mails of the last thirty days that did not, or perhaps did not, arrive: rows of
    ``Reminder`` and ``name``, the latest first."""
    return session.execute(
        select(Reminder, Person.name)
        .join(Person, Person.id == Reminder.person_id)
        .where(
            Reminder.school_id == school_id,
            Reminder.state.in_((REFUSED, GIVEN_UP, PERHAPS)),
            Reminder.day >= (now - RECENT).date(),
        )
        .order_by(Reminder.day.desc(), Reminder.id)
        .limit(PAGE)
    ).all()


def mails(
    session: Session, *, school_id: str, batch_id: UUID, number: int
) -> tuple[ReminderBatch, Sequence[Row[*tuple[Any, ...]]], int]:
    """A sending, a page of its mails (rows of ``Reminder`` and ``name``) and how many there are.

    Raises ``ToolError`` page-not-found.
    """
    batch = session.get(ReminderBatch, batch_id)
    if batch is None or batch.school_id != school_id:
        raise ToolError("page-not-found")
    rows = session.execute(
        select(Reminder, Person.name, func.count().over().label("total"))
        .join(Person, Person.id == Reminder.person_id)
        .where(Reminder.batch_id == batch_id)
        .order_by(func.lower(Person.name), Reminder.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    if not rows:
        raise ToolError("page-not-found")
    return batch, rows, rows[0].total
