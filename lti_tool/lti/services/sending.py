"""One attempt to send a score, and what the platform's answer means."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select

from lti_tool.lti.claims import RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.models import BLOCKED, DEAD, NOT_SCORED, PENDING, SENT, ScoreOutbox
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services import line_items, placing
from lti_tool.lti.services.breaker import RECONNECT, UNREACHABLE
from lti_tool.lti.services.connection import AWAY, Refused, Reply
from lti_tool.lti.services.scores import FORBIDDEN, GONE, NO_LINE_ITEM, NOT_GRANTED, OVERRIDDEN

# How platforms word that a person can have no score in the course: Moodle, Blackboard, D2L.
NOT_GRADABLE: Final = (
    "incorrect score received",
    "user could not be found",
    "not enrolled in the org unit",
    "not gradable",
)
# How Open edX words, with 400, that it holds a score of that time or a later one.
NOT_NEWER: Final = (
    "score already exists for the provided timestamp",
    "score timestamp can only be updated to a later",
)


@dataclass(frozen=True)
class Owed:
    """A claimed score, as the sending needs it."""

    id: UUID
    platform: Platform
    place: line_items.Place
    subject: str
    score: int
    payload: str
    line_item_url: str
    """Empty where it has still to be found or made."""
    attempts: int
    was_renewed: bool
    replaces: bool
    lease_until: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt."""

    state: str
    reason: str = ""
    status: int = 0
    wait: timedelta | None = None
    """For PENDING: how long the platform wants us to stay away at least."""
    renews: bool = False
    """For PENDING: at once, and with a later timestamp."""
    not_before: datetime | None = None
    """The platform's own timestamp, which ours must pass."""
    line_item_url: str = ""


def attempt(lti: Lti, owed: Owed) -> Outcome:
    """Send a score, once. Raises ``Unreachable``, ``TokenRefused``, ``BeingSought``."""
    try:
        return _attempt(lti, owed)
    except Refused as fault:  # of the line items: nothing was sent
        outcome = judge(fault.reply, lti.clock())
        is_blocked = outcome.state in (SENT, NOT_SCORED)
        return Outcome(BLOCKED, "refused", outcome.status) if is_blocked else outcome


def _attempt(lti: Lti, owed: Owed) -> Outcome:
    if SCORE_SCOPE not in owed.place.scopes:
        return Outcome(NOT_SCORED, NOT_GRANTED)
    url = owed.line_item_url or placing.seek(lti, owed.platform, owed.place)
    if not url:
        return Outcome(BLOCKED, NO_LINE_ITEM)
    reply = line_items.post_score(lti, owed.platform, url, owed.payload)
    if reply.status == 404 and judge(reply, lti.clock()).state == DEAD:
        again = placing.seek(lti, owed.platform, owed.place, gone=url)
        if again:
            url, reply = again, line_items.post_score(lti, owed.platform, again, owed.payload)
    if is_conflict(reply):
        outcome = _look_after_conflict(lti, owed, url)
        return replace(outcome, status=reply.status, line_item_url=url)
    return replace(judge(reply, lti.clock()), line_item_url=url)


def _look_after_conflict(lti: Lti, owed: Owed, url: str) -> Outcome:
    """The platform holds something as new or newer. Ours, from a try whose answer was lost; or
    somebody's who changed it by hand; or its clock is ahead, and a later timestamp helps."""
    try:
        found = (
            line_items.read_results(lti, owed.platform, url, subject=owed.subject)
            if RESULT_SCOPE in owed.place.scopes
            else None
        )
    except Refused:
        found = None
    if found is None:
        if owed.attempts > 1 and not owed.was_renewed:
            return Outcome(SENT, "held-already", 409)
        return _try_later(owed, "newer-there", None)
    result = found.get(owed.subject)
    ours, older = _sent_scores(lti, owed)
    if result is not None and _is_held(owed, result, older):
        return Outcome(SENT, "held-already", 409)
    if result is None or owed.replaces or any(result.is_about(score) for score in ours | older):
        return _try_later(owed, "newer-there", result.at if result else None)
    return Outcome(BLOCKED, OVERRIDDEN, 409)


def _sent_scores(lti: Lti, owed: Owed) -> tuple[set[int], set[int]]:
    """What we sent for this person in this cycle, with this score, and what in others: where there
    is one line item, it may hold them still."""
    with lti.database.reading() as session:
        sent = session.execute(
            select(ScoreOutbox.cycle, ScoreOutbox.score).where(
                ScoreOutbox.registration_id == owed.platform.id,
                ScoreOutbox.resource_link_row_id == owed.place.link_id,
                ScoreOutbox.subject == owed.subject,
                or_(ScoreOutbox.state == SENT, ScoreOutbox.id == owed.id),
            )
        ).all()
    ours = {score for cycle, score in sent if cycle == owed.place.cycle}
    return ours, {score for cycle, score in sent if cycle != owed.place.cycle}


def _is_held(owed: Owed, result: line_items.Result, older: Collection[int]) -> bool:
    """Ours, or a better one that is not just what an earlier cycle left there."""
    if result.is_about(owed.score):
        return True
    is_better = result.percent > owed.score and not owed.replaces
    return is_better and not any(result.is_about(score) for score in older)


def _try_later(owed: Owed, reason: str, at: datetime | None) -> Outcome:
    """Once more with a timestamp after the platform's own, but only once."""
    if owed.was_renewed:
        return Outcome(BLOCKED, reason, 409)
    return Outcome(PENDING, "conflict", 409, renews=True, not_before=at)


def is_conflict(reply: Reply) -> bool:
    """Whether the platform holds something as new or newer."""
    said = reply.said.lower()
    return reply.status == 409 or (
        reply.status == 400 and any(words in said for words in NOT_NEWER)
    )


def judge(reply: Reply, now: datetime) -> Outcome:
    """What a reply to a score means, but for 401, 404 and 409, which need a second look."""
    status = reply.status
    if status in AWAY or (reply.is_ok and reply.is_page):
        return Outcome(PENDING, UNREACHABLE, status, wait=reply.wait(now))
    if reply.is_ok:
        return Outcome(SENT, "", status)
    if status >= 500:  # of this score alone, as Moodle's of a locked one
        return Outcome(PENDING, "platform-fault", status, wait=reply.wait(now))
    said = reply.said.lower()
    if status in (400, 403, 404) and any(words in said for words in NOT_GRADABLE):
        return Outcome(NOT_SCORED, "not-gradable", status)
    if status == 404:
        return Outcome(DEAD, GONE, status)
    return Outcome(BLOCKED, {401: RECONNECT, 403: FORBIDDEN}.get(status, "refused"), status)
