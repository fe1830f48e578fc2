"""A school's channel: kept, switched on and off, posted to once a week.

A post is a row before it goes. Whoever takes it upon them has ten minutes; if they die over it, it
goes once more, which in a channel is a card too many and no more than that.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from lti_tool.config import is_loopback
from lti_tool.core import ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.core.outside import Answer, HostRefused, Outage
from lti_tool.policies.policy import School
from lti_tool.teams import tenants
from lti_tool.teams.packages import TRAINING
from lti_tool.teams.tenants import Teams
from lti_tool.training.channels import cards
from lti_tool.training.channels.models import (
    FAILED,
    SENT,
    STOPPED,
    WAITING,
    Channel,
    Post,
)
from lti_tool.training.reminders import facts, planning, settings
from lti_tool.training.reminders.models import ReminderSettings
from lti_tool.ui.format import local

log = logging.getLogger(__name__)

WEEK: Final = timedelta(days=7)
LEASE: Final = timedelta(minutes=10)
FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(hours=4)
GIVE_UP: Final = timedelta(days=1)
SHOWN: Final = 10


@dataclass(frozen=True)
class Work:
    """What the worker needs."""

    teams: Teams
    database: Database
    clock: Clock
    schools: dict[str, School]


def channel(session: Session, school_id: str) -> Channel | None:
    """Where a school posts to, if it does."""
    return session.get(Channel, school_id)


def keep(session: Session, *, school_id: str, url: str, by: UUID, now: datetime) -> None:
    """Post to this webhook from now on, once that is switched on. Raises ``ToolError``
    webhook-wrong."""
    found = session.get(Channel, school_id) or Channel(school_id=school_id, is_on=False)
    found.url, found.changed_at, found.changed_by = checked(url), now, by
    session.add(found)
    _record(session, "channel-kept", school_id, by, now)


def switch(session: Session, *, school_id: str, is_on: bool, by: UUID, now: datetime) -> None:
    """Begin to post, or stop. Raises ``ToolError`` webhook-wrong where there is no address."""
    found = session.get(Channel, school_id)
    if found is None:
        raise ToolError("webhook-wrong")
    found.is_on, found.changed_at, found.changed_by = is_on, now, by
    if not is_on:
        _stop(session, school_id)
    _record(session, "channel-on" if is_on else "channel-off", school_id, by, now)


def forget(session: Session, *, school_id: str, by: UUID, now: datetime) -> None:
    """Know the address no more. What was posted stays recorded."""
    found = session.get(Channel, school_id)
    if found is not None:
        session.delete(found)
        _stop(session, school_id)
        _record(session, "channel-forgotten", school_id, by, now)


def checked(url: str) -> str:
    """An address that can be a webhook's. Raises ``ToolError`` webhook-wrong."""
    url = url.strip()
    parts = urlsplit(url)
    name = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(name))
    if not (name and is_safe and url.isprintable()) or "@" in parts.netloc or " " in url:
        raise ToolError("webhook-wrong")
    return url


def host(url: str) -> str:
    """What of an address is shown: the rest is a key."""
    return urlsplit(url).hostname or ""


def outlook(
    session: Session, *, school: School, teams: Teams, now: datetime, is_try: bool = False
) -> str:
    """The card as it would go now, in JSON."""
    today = local(now).date()
    readers = facts.load(session, school_id=school.id, today=today)
    counted = [one for one in readers if one.standing == "counted"]
    dates = [duty.due_on for one in counted for duty in planning.open_duties(one, today)]
    figures = facts.figures(session, readers, school_id=school.id, today=today)
    made = cards.card(
        school=school.name,
        figures=figures,
        next_due=min((day for day in dates if day >= today), default=None),
        link=_link(session, teams, school.id, settings.read(session, school=school, now=now)),
        is_try=is_try,
    )
    return json.dumps(made, ensure_ascii=False)


def try_now(session: Session, *, school: School, teams: Teams, now: datetime) -> UUID:
    """Have a card posted to see how it looks. Raises ``ToolError`` webhook-wrong."""
    if session.get(Channel, school.id) is None:
        raise ToolError("webhook-wrong")
    made = outlook(session, school=school, teams=teams, now=now, is_try=True)
    return _queue(session, school.id, "try", made, now)


def plan_day(session: Session, *, school: School, teams: Teams, now: datetime) -> bool:
    """Post to a school's channel where it is time: a week after the last, on a school day outside
    the quiet hours of its reminders, while anybody still has something to do."""
    found = session.scalar(select(Channel).where(Channel.school_id == school.id).with_for_update())
    today = local(now).date()
    if found is None or _last(session, school.id) > today - WEEK:
        return False
    terms = facts.terms(session, settings.read(session, school=school, now=now))
    if planning.shut(replace(terms, is_on=found.is_on), local(now)):
        return False
    readers = facts.load(session, school_id=school.id, today=today)
    if not any(planning.open_duties(one, today) for one in readers if one.standing == "counted"):
        return False
    made = outlook(session, school=school, teams=teams, now=now)
    _queue(session, school.id, "reminder", made, now)
    return True


def run(work: Work) -> int:
    """Plan the day for each school whose channel is on, and post what is due; returns how many
    went."""
    with work.database.reading() as session:
        on = session.scalars(
            select(Channel.school_id).where(Channel.is_on.is_(True)).order_by(Channel.school_id)
        ).all()
    for school_id in on:
        if school_id in work.schools:
            with work.database.transaction() as session:
                plan_day(
                    session,
                    school=work.schools[school_id],
                    teams=work.teams,
                    now=work.clock(),
                )
    return send_due(work)


def send_due(work: Work) -> int:
    """Post what waits, each once."""
    sent = 0
    with work.database.reading() as session:
        due = session.scalars(
            select(Post.id)
            .where(Post.state == WAITING, Post.next_at <= work.clock())
            .order_by(Post.id)
        ).all()
    for post_id in due:
        sent += deliver(work, post_id) == SENT
    return sent


def deliver(work: Work, post_id: UUID) -> str:
    """Post one card, if nobody else is at it; returns its state then, or nothing."""
    now = work.clock()
    with work.database.transaction() as session:
        claimed = session.scalar(
            update(Post)
            .where(Post.id == post_id, Post.state == WAITING, Post.next_at <= now)
            .values(next_at=now + LEASE, attempts=Post.attempts + 1)
            .returning(Post.id)
        )
        post = session.get(Post, post_id)
        target = session.get(Channel, post.school_id) if post else None
    if claimed is None or post is None:
        return ""
    answer = _send(work.teams, target.url, post.card) if target else None
    with work.database.transaction() as session:
        row = session.get_one(Post, post_id)
        _note(row, answer, is_forgotten=target is None, now=work.clock())
        if row.state != WAITING:
            _remember(session, row, work.clock())
        log.info(
            "channel post",
            extra={"post": str(row.id), "state": row.state, "status": row.last_status},
        )
        return row.state


def recent(session: Session, *, school_id: str) -> Sequence[Post]:
    """A school's latest posts, the newest first."""
    return session.scalars(
        select(Post).where(Post.school_id == school_id).order_by(Post.id.desc()).limit(SHOWN)
    ).all()


def _send(teams: Teams, url: str, card: str) -> Answer | None:
    body = cards.message(json.loads(card)).encode()
    try:
        return teams.outside.call(
            "POST", url, headers={"Content-Type": "application/json"}, body=body
        )
    except (Outage, HostRefused):
        return None


def _note(row: Post, answer: Answer | None, *, is_forgotten: bool, now: datetime) -> None:
    """What became of it. An answer that will be the same tomorrow is the end of it."""
    row.last_status = answer.status if answer else 0
    is_lasting = (
        answer is not None and 400 <= answer.status < 500 and answer.status not in (408, 429)
    )
    if answer is not None and answer.is_ok:
        row.state, row.sent_at = SENT, now
    elif is_forgotten:
        row.state = STOPPED
    elif is_lasting or now - row.made_at > GIVE_UP:
        row.state = FAILED
    else:
        row.next_at = now + min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)


def _queue(session: Session, school_id: str, kind: str, made: str, now: datetime) -> UUID:
    post = Post(
        id=new_id(),
        school_id=school_id,
        kind=kind,
        day=local(now).date(),
        card=made,
        state=WAITING,
        next_at=now,
        made_at=now,
    )
    session.add(post)
    session.flush()
    return post.id


def _stop(session: Session, school_id: str) -> None:
    """Let nothing go that has not gone yet."""
    waiting = (Post.school_id == school_id, Post.state == WAITING)
    session.execute(update(Post).where(*waiting).values(state=STOPPED))


def _last(session: Session, school_id: str) -> date:
    found = session.scalar(
        select(func.max(Post.day)).where(Post.school_id == school_id, Post.kind == "reminder")
    )
    return found or date.min


def _link(session: Session, teams: Teams, school_id: str, kept: ReminderSettings) -> str:
    """To everybody's own training: a tab where the school is in Teams, else its activity."""
    for tenant in tenants.of_school(session, school_id):
        return teams.link(tenant.client_id, tab=TRAINING, to="next", school=school_id)
    return kept.activity_url


def _remember(session: Session, row: Post, now: datetime) -> None:
    ledger.append(
        session,
        school_id=row.school_id,
        kind="channel-post",
        facts={"post": str(row.id), "of": row.kind, "state": row.state, "status": row.last_status},
        now=now,
    )


def _record(session: Session, kind: str, school_id: str, by: UUID, now: datetime) -> None:
    ledger.append(
        session,
        school_id=school_id,
        kind=kind,
        facts={"by": "manager"},
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    session.flush()
