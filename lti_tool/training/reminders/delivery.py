"""Sends what is planned: claimed, looked at once more, handed over, noted; none goes twice.

A mail is claimed in a short transaction, just before it is handed over on a line that stands,
and the answer is noted in another. Whoever dies in between leaves a mail of which nobody knows
whether it went: once its lease has run out it is ``perhaps``, and stays so. Where the server
itself takes nothing, everything waits, longer each time.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any, Final
from uuid import UUID

from flask import Flask
from huey import crontab
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lti_tool.config import Config
from lti_tool.core import mail
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.mail import Down, Line, Reply
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.policy import School
from lti_tool.training.reminders import batches, facts, letters, planning
from lti_tool.training.reminders.models import (
    DROPPED,
    GIVEN_UP,
    PERHAPS,
    REFUSED,
    SENDING,
    SENT,
    WAITING,
    Reminder,
    ReminderBatch,
    ReminderSettings,
)
from lti_tool.training.reminders.planning import Letter, Terms
from lti_tool.ui.format import local

log = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=10)
FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=4)
GIVE_UP: Final = timedelta(days=5)
"""After that, what was to be said may no longer hold; two days later there is a new mail."""
LONGEST_RUN: Final = 45.0
"""Seconds; the next minute goes on. So mail never keeps a worker from sending scores."""
MOST_ON_A_LINE: Final = 50
"""Servers count the mails that come on one line."""
STATES: Final = {"sent": SENT, "later": WAITING, "refused": REFUSED, "perhaps": PERHAPS}


@dataclass(frozen=True)
class Post:
    """What the worker needs."""

    config: Config
    database: Database
    clock: Clock
    catalogue: Catalogue

    def schools(self) -> dict[str, School]:
        """Those whose texts can be shown."""
        known = self.catalogue.schools
        return {one.id: one for one in known.values() if not one.closed}


@dataclass(frozen=True)
class Claimed:
    """One mail, taken upon us."""

    id: UUID
    attempts: int
    lease_until: datetime
    address: str
    message: EmailMessage


def post_of(app: Flask) -> Post:
    """The app's own post."""
    extensions = app.extensions
    return Post(
        extensions["config"],
        extensions["database"],
        extensions["clock"],
        extensions["catalogue"],
    )


def register_tasks(app: Flask) -> Callable[[], object]:
    """Give the app's queue its tasks; returns what wakes the worker."""
    queue = app.extensions["queue"]

    @queue.task(name="send_reminders")  # type: ignore[untyped-decorator]
    def send_reminders() -> None:
        with app.app_context():
            send_due(post_of(app))

    @queue.periodic_task(crontab(minute="*"), name="remind")  # type: ignore[untyped-decorator]
    def remind() -> None:
        with app.app_context():
            run(post_of(app))

    wake: Callable[[], object] = send_reminders
    return wake


def run(post: Post) -> int:
    """Plan the day where it is not planned yet, and send what is due; returns how many went."""
    if not post.config.smtp_url:
        return 0
    schools = post.schools()
    with post.database.reading() as session:
        waiting = [school_id for school_id in _on(session, post.clock()) if school_id in schools]
    for school_id in planning.in_turn(waiting, local(post.clock()).date()):
        with post.database.transaction() as session:
            batches.plan_day(session, school=schools[school_id], now=post.clock())
    return send_due(post)


def _on(session: Session, now: datetime) -> list[str]:
    """The schools that have switched reminders on and whose day is not planned."""
    return list(
        session.scalars(
            select(ReminderSettings.school_id)
            .where(
                ReminderSettings.is_on.is_(True),
                func.coalesce(ReminderSettings.planned_on, local(now).date() - timedelta(1))
                < local(now).date(),
            )
            .order_by(ReminderSettings.school_id)
        )
    )


def send_due(post: Post) -> int:
    """Send every mail that is due, as far as time allows; returns how many were taken."""
    until, sent = time.monotonic() + LONGEST_RUN, 0
    _tidy(post)
    while post.config.smtp_url and time.monotonic() < until and (schools := _open(post)):
        tried, taken, fault = _send_some(post, schools, until)
        sent += taken
        if fault is not None:
            _put_off(post, schools, fault)
        if fault is not None or not tried:
            break
    with post.database.transaction() as session:
        batches.end_batches(session, now=post.clock())
    return sent


def _send_some(
    post: Post, schools: Mapping[str, Terms], until: float
) -> tuple[int, int, Down | None]:
    """What one line takes: how many were tried, how many taken, and what is wrong with the server
    if anything is."""
    tried = taken = 0
    try:
        with mail.line(post.config) as line:
            while tried < MOST_ON_A_LINE and time.monotonic() < until:
                reply = _send_one(post, line, schools)
                if reply is None:
                    break
                tried, taken = tried + 1, taken + (reply.outcome == "sent")
                if reply.outcome == "perhaps":
                    # Else a server that breaks off each time would leave one unsure after another.
                    return tried, taken, Down("away")
    except Down as fault:
        # A line that took some may have had enough of them: a new one tells.
        return tried, taken, None if tried else fault
    return tried, taken, None


def _tidy(post: Post) -> None:
    """What a dead worker left behind, and what has waited for too long."""
    now = post.clock()
    with post.database.transaction() as session:
        session.execute(
            update(Reminder)
            .where(Reminder.state == SENDING, Reminder.lease_until < now)
            .values(state=PERHAPS, reason="interrupted", lease_until=None)
        )
        old = select(ReminderBatch.id).where(ReminderBatch.asked_at < now - GIVE_UP)
        session.execute(
            update(Reminder)
            .where(
                Reminder.state == WAITING,
                Reminder.batch_id.in_(old.where(ReminderBatch.ended_at.is_(None))),
            )
            .values(state=GIVEN_UP)
        )


def _open(post: Post) -> dict[str, Terms]:
    """The schools that have mail due and may send it now."""
    now = post.clock()
    schools = post.schools()
    with post.database.reading() as session:
        due = select(Reminder.school_id).where(_is_due(now)).distinct()
        found = session.scalars(select(ReminderSettings).where(ReminderSettings.school_id.in_(due)))
        terms = {row.school_id: facts.terms(session, row) for row in found}
    return {
        school_id: one
        for school_id, one in terms.items()
        if school_id in schools and not planning.shut(one, local(now))
    }


def _is_due(now: datetime) -> Any:
    return (Reminder.state == WAITING) & (Reminder.next_at <= now)


def _send_one(post: Post, line: Line, schools: Mapping[str, Terms]) -> Reply | None:
    """The next mail that is due, if there is one. Raises ``Down``; it then waits as before."""
    while (claimed := _claim(post, schools)) is not None:
        if isinstance(claimed, UUID):
            continue  # no longer called for
        try:
            reply = line.send(claimed.message, to=claimed.address)
        except Down:
            _note(post, claimed, None)
            raise
        _note(post, claimed, reply)
        return reply
    return None


def _claim(post: Post, schools: Mapping[str, Terms]) -> Claimed | UUID | None:
    """The next mail that is due, taken upon us; its id alone where it is not called for any more;
    nothing where none is due."""
    now = post.clock()
    may_send = [name for name, terms in schools.items() if not planning.shut(terms, local(now))]
    with post.database.transaction() as session:
        row = session.scalar(
            select(Reminder)
            .where(_is_due(now), Reminder.school_id.in_(may_send))
            .order_by(Reminder.next_at)  # as its index has it: nothing is sorted
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        letter, why_not = _again(session, row, schools[row.school_id], now)
        if letter is None:
            row.state, row.reason = DROPPED, why_not
            return row.id
        row.state, row.lease_until, row.reason = SENDING, now + LEASE, ""
        row.attempts += 1
        row.tried_at, row.tried_on = now, local(now).date()
        row.address, row.kind = letter.reader.address, letter.kind
        row.duties = [
            {"module": one.module, "cycle": one.cycle, "due_on": one.due_on.isoformat()}
            for one in letter.duties
        ]
        text = _text(post, session, row, letter, now)
        return Claimed(
            id=row.id,
            attempts=row.attempts,
            lease_until=now + LEASE,
            address=letter.reader.address,
            message=letters.message(
                text, to=letter.reader.address, sender=post.config.mail_from, number=row.id, now=now
            ),
        )


def _again(
    session: Session, row: Reminder, terms: Terms, now: datetime
) -> tuple[Letter | None, str]:
    """The mail as it has to be now, or why it is not called for any more.

    A digest that could not go on its day may go on another.
    """
    today = local(now).date()
    is_digest = row.kind == "digest"
    readers = facts.load(
        session,
        school_id=row.school_id,
        today=today,
        person_id=None if is_digest else row.person_id,
        apart_from=row.id,
    )
    plan = planning.plan(readers, has_digest=terms.has_digest, is_digest_day=is_digest, today=today)
    for letter in plan.letters:
        if letter.reader.person_id == row.person_id:
            return letter, ""
    for reason, who in plan.left_out.items():
        if any(reader.person_id == row.person_id for reader in who):
            return None, reason
    return None, "left"


def _text(
    post: Post, session: Session, row: Reminder, letter: Letter, now: datetime
) -> letters.Text:
    school_id, today = row.school_id, local(now).date()
    figures = None
    if letter.kind == "digest":
        readers = facts.load(session, school_id=school_id, today=today)
        figures = facts.figures(session, readers, school_id=school_id, today=today)
    return letters.compose(
        letter,
        school=post.catalogue.schools[school_id],
        settings=session.get_one(ReminderSettings, school_id),
        catalogue=post.catalogue,
        today=today,
        figures=figures,
    )


def _note(post: Post, claimed: Claimed, reply: Reply | None) -> None:
    """What became of a mail. Without a reply it has not gone, and waits as before."""
    now = post.clock()
    with post.database.transaction() as session:
        row = session.scalar(
            select(Reminder)
            .where(
                Reminder.id == claimed.id,
                Reminder.state == SENDING,
                Reminder.lease_until == claimed.lease_until,
            )
            .with_for_update()
        )
        if row is None:
            return  # our lease ran out: it stays “perhaps”
        row.lease_until = None
        if reply is None:
            row.state, row.attempts = WAITING, row.attempts - 1
            row.tried_at = row.tried_on = None
            return
        row.state, row.status = STATES[reply.outcome], reply.status
        if row.state == WAITING:
            row.reason, row.next_at = "later", now + _wait(row.attempts)
            row.tried_at = row.tried_on = None
        elif row.state == PERHAPS:
            row.reason = "interrupted"
    log.info(
        "reminder",
        extra={
            "reminder": str(claimed.id),
            "outcome": reply.outcome,
            "status": reply.status,
            "attempt": claimed.attempts,
        },
    )


def _put_off(post: Post, schools: Mapping[str, Terms], fault: Down) -> None:
    """The server takes nothing: all that is due waits, longer each time."""
    now = post.clock()
    log.warning("mail server", extra={"reason": fault.reason, "status": fault.status})
    with post.database.transaction() as session:
        due = (_is_due(now), Reminder.school_id.in_(schools))
        tries = session.scalar(select(func.max(Reminder.attempts)).where(*due)) or 0
        session.execute(
            update(Reminder)
            .where(*due)
            .values(
                attempts=Reminder.attempts + 1,
                reason=fault.reason,
                status=fault.status,
                next_at=now + _wait(tries + 1),
            )
        )


def _wait(attempts: int) -> timedelta:
    wait: timedelta = FIRST_WAIT * 2 ** min(attempts - 1, 10)
    return min(wait, LONGEST_WAIT)
