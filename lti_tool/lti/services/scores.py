"""What score a platform is owed for a completion, and whether it has it.

Only the best score of a cycle is owed, and only a completed, fully graded one is ever sent: a
platform takes whatever comes last, so a lower score after a pass would undo the pass.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import current_app, has_app_context
from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.core.jobs import after_commit
from lti_tool.lti.claims import SCORE_SCOPE
from lti_tool.lti.models import (
    BLOCKED,
    DEAD,
    NOT_SCORED,
    PENDING,
    SENDING,
    SENT,
    SUPERSEDED,
    Deployment,
    Reachability,
    Registration,
    ResourceLink,
    ScoreOutbox,
)
from lti_tool.lti.services import breaker
from lti_tool.lti.services.line_items import MAXIMUM
from lti_tool.people.models import Identity, Visit

WAITING: Final = frozenset((PENDING, SENDING))
STATES: Final = (PENDING, SENDING, SENT, SUPERSEDED, BLOCKED, DEAD, NOT_SCORED)
IN_ONE_QUERY: Final = 5000
LONG_AWAY: Final = timedelta(days=3)

# Why a score is not with the platform.
NOT_GRANTED: Final = "not-granted"  # it gives us no leave to send any
NO_MARKS: Final = "no-marks"  # the activity keeps none
NO_LINE_ITEM: Final = "no-line-item"  # nor did we find one, or were let make one
GONE: Final = "line-item-gone"
FORBIDDEN: Final = "forbidden"
OVERRIDDEN: Final = "overridden"  # somebody changed it there by hand
LOST: Final = "lost"  # it took it, and holds it no more


@dataclass(frozen=True)
class Delivery:
    """Where a completion's score stands.

    ``state``: none (it came through no platform), waiting, sent, attention (somebody must look at
    it), changed (somebody changed it in the platform by hand), not-scored (the platform keeps no
    score: for this person, for instance a headteacher who is no student in the course, or for
    this activity). ``reason_code`` says why.
    """

    state: str
    platform_name: str = ""
    reason_code: str = ""
    sent_at: datetime | None = None
    score_id: UUID | None = field(default=None, compare=False)
    """What ``resend`` takes: the score itself, or the better one that stands for it."""


NONE: Final = Delivery("none")


def owe(
    session: Session,
    *,
    visit: Visit,
    completion_id: UUID,
    cycle: str,
    module: str,
    score: int,
    comment: str,
    completed_at: datetime,
    now: datetime,
) -> None:
    """Owe the platform a visit came from this completion's score, if it came from one."""
    link = session.get(ResourceLink, visit.place_id) if visit.door == "lti" else None
    if link is None:
        return
    owe_at(
        session,
        link=link,
        identity_id=visit.identity_id,
        person_id=visit.person_id,
        school_id=visit.school_id,
        completion_id=completion_id,
        cycle=cycle,
        module=module,
        score=score,
        comment=comment,
        completed_at=completed_at,
        now=now,
    )


def owe_at(
    session: Session,
    *,
    link: ResourceLink,
    identity_id: UUID,
    person_id: UUID,
    school_id: str,
    completion_id: UUID,
    cycle: str,
    module: str,
    score: int,
    comment: str,
    completed_at: datetime,
    now: datetime,
) -> None:
    """Owe a platform a completion's score (0 to 100) at this activity, in the caller's transaction.

    Where the launch offered no line item or no leave to score, that is noted, and it is sent once
    there is leave. A better score supersedes what has not been sent; a lower one, or the same
    again, is not sent at all; nor is one that follows a result changed by hand, unless a manager
    says so.
    """
    if not 0 <= score <= MAXIMUM:
        raise ValueError(f"a score of {score} is not between 0 and {MAXIMUM}")
    registration_id = session.scalars(
        select(Deployment.registration_id).where(Deployment.id == link.deployment_row_id)
    ).one()
    subject = session.scalars(select(Identity.subject).where(Identity.id == identity_id)).one()
    timestamp = next_timestamp(session, registration_id, subject, now)
    row = ScoreOutbox(
        id=new_id(),
        school_id=school_id,
        person_id=person_id,
        completion_id=completion_id,
        cycle=cycle,
        module=module,
        registration_id=registration_id,
        resource_link_row_id=link.id,
        subject=subject,
        score=score,
        timestamp=timestamp,
        payload=make_payload(subject, score, comment, completed_at, timestamp),
        state=PENDING,
        owed_at=now,
        next_at=now,
    )
    _hold_back(session, row, link)
    session.add(row)
    session.flush()
    if row.state != SUPERSEDED:
        _supersede(session, row)
    if row.state == PENDING:
        after_commit(session, lambda: wake(row.id))


def _hold_back(session: Session, row: ScoreOutbox, link: ResourceLink) -> None:
    """Mark a new score that is not to be sent."""
    if give_way(session, row):
        return
    with session.no_autoflush:
        is_overridden = session.scalar(
            select(ScoreOutbox.id)
            .where(
                *_same_target(row),
                ScoreOutbox.state == BLOCKED,
                ScoreOutbox.reason == OVERRIDDEN,
            )
            .limit(1)
        )
    if SCORE_SCOPE not in link.scopes.split():
        row.state, row.reason = NOT_SCORED, NOT_GRANTED
    elif not link.line_item_url and not link.line_items_url:
        row.state, row.reason = NOT_SCORED, NO_MARKS
    elif is_overridden:
        row.state, row.reason = BLOCKED, OVERRIDDEN


def make_payload(
    subject: str, score: int, comment: str, completed_at: datetime, timestamp: datetime
) -> str:
    """The score as it is sent (AGS §3.4.4). The comment is always there: none would clear it."""
    return json.dumps(
        {
            "userId": subject,
            "scoreGiven": score,
            "scoreMaximum": MAXIMUM,
            "comment": comment,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "timestamp": timestamp.isoformat(timespec="milliseconds"),
            "submission": {"submittedAt": completed_at.isoformat(timespec="milliseconds")},
        },
        ensure_ascii=False,
    )


def next_timestamp(
    session: Session, registration_id: UUID, subject: str, now: datetime
) -> datetime:
    """Later than any we ever gave this person at this platform, by a second at least, because
    some compare whole seconds. In whole milliseconds."""
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    last = session.scalar(
        select(func.max(ScoreOutbox.timestamp)).where(
            ScoreOutbox.registration_id == registration_id, ScoreOutbox.subject == subject
        )
    )
    return max(now, last + timedelta(seconds=1)) if last else now


def resend(session: Session, row: ScoreOutbox, *, now: datetime, replaces: bool = False) -> None:
    """Send a score again, with a timestamp of now; one that waits, at once.

    ``replaces`` says that it may stand over what somebody changed in the platform by hand.
    Raises ``ToolError``: score-is-waiting while it is on its way; score-superseded where a better
    one stands for it; score-changed-there.
    """
    if row.state == SENDING:
        raise ToolError("score-is-waiting")
    if row.state == SUPERSEDED or (row.state != PENDING and give_way(session, row)):
        raise ToolError("score-superseded")
    if row.reason == OVERRIDDEN and not replaces:
        raise ToolError("score-changed-there")
    if row.state != PENDING:
        again(session, row, now=now)
        row.replaces, row.losses = replaces, 0
    row.next_at = now
    breaker.close(session, row.registration_id)
    session.flush()
    after_commit(session, lambda: wake(row.id))


def again(session: Session, row: ScoreOutbox, *, now: datetime) -> None:
    """Owe a score anew, with a new timestamp."""
    renew(session, row, now=now)
    row.state, row.reason, row.was_renewed = PENDING, "", False
    row.attempts, row.owed_at, row.next_at, row.sent_at = 0, now, now, None


def renew(session: Session, row: ScoreOutbox, *, now: datetime) -> None:
    """Give an owed score a new timestamp."""
    row.timestamp = next_timestamp(session, row.registration_id, row.subject, now)
    said = json.loads(row.payload)
    said["timestamp"] = row.timestamp.isoformat(timespec="milliseconds")
    row.payload = json.dumps(said, ensure_ascii=False)
    session.flush()


def delivery(session: Session, *, completion_id: UUID) -> Delivery:
    """Where one completion's score stands."""
    return deliveries(session, completion_ids=(completion_id,))[completion_id]


def deliveries(session: Session, *, completion_ids: Iterable[UUID]) -> dict[UUID, Delivery]:
    """Where each of these completions' scores stands, at the first platform it is owed to."""
    wanted = list(completion_ids)
    found = dict.fromkeys(wanted, NONE)
    better = aliased(ScoreOutbox)
    for start in range(0, len(wanted), IN_ONE_QUERY):
        rows = session.execute(
            select(ScoreOutbox, better, Registration.name, Reachability)
            .join(Registration, Registration.id == ScoreOutbox.registration_id)
            .outerjoin(Reachability, Reachability.registration_id == Registration.id)
            .outerjoin(better, better.id == ScoreOutbox.superseded_by)
            .where(ScoreOutbox.completion_id.in_(wanted[start : start + IN_ONE_QUERY]))
            .order_by(ScoreOutbox.id.desc())
        )
        for row, superseding, platform_name, reachability in rows:
            one = superseding or row
            away = reachability and _is_long_away(reachability.failing_since, reachability.probe_at)
            said = _delivery(one.state, one.reason, platform_name, bool(away))
            found[row.completion_id] = replace(said, sent_at=one.sent_at, score_id=one.id)
    return found


def with_deliveries(
    statement: Select[*tuple[Any, ...]],
    completion_id: ColumnElement[UUID] | InstrumentedAttribute[UUID],
) -> Select[*tuple[Any, ...]]:
    """A statement of completions with where each one's score stands, for lists of any length:
    five columns more, which ``delivery_of`` reads. Of a score that is owed to several platforms, at
    the first: each person stands in a list once."""
    first, better = aliased(ScoreOutbox), aliased(ScoreOutbox)
    of_first = (
        select(first.id)
        .where(first.completion_id == completion_id)
        .order_by(first.id)
        .limit(1)
        .correlate_except(first)
        .scalar_subquery()
    )
    return (
        statement.add_columns(
            func.coalesce(better.state, ScoreOutbox.state),
            func.coalesce(better.reason, ScoreOutbox.reason),
            Registration.name,
            Reachability.failing_since,
            Reachability.probe_at,
        )
        .outerjoin(ScoreOutbox, ScoreOutbox.id == of_first)
        .outerjoin(Registration, Registration.id == ScoreOutbox.registration_id)
        .outerjoin(Reachability, Reachability.registration_id == Registration.id)
        .outerjoin(better, better.id == ScoreOutbox.superseded_by)
    )


def delivery_of(
    state: str | None,
    reason: str,
    platform_name: str,
    failing_since: datetime | None,
    probe_at: datetime | None,
) -> Delivery:
    """What those columns say; none where no score was ever owed."""
    if state is None:
        return NONE
    return _delivery(state, reason, platform_name, _is_long_away(failing_since, probe_at))


def listed(session: Session, *, state: str = "") -> Sequence[tuple[ScoreOutbox, str]]:
    """The outbox with the platforms' names, oldest first; of one state if that is named."""
    query = select(ScoreOutbox, Registration.name).join(Registration).order_by(ScoreOutbox.id)
    if state:
        query = query.where(ScoreOutbox.state == state)
    return [(row, name) for row, name in session.execute(query)]


def wake(row_id: UUID) -> None:
    """Ask the worker to send a score now. Without one running, the next one will find it."""
    if has_app_context():
        current_app.extensions["lti"].wake(str(row_id))


def _delivery(standing: str, reason: str, platform_name: str, is_long_away: bool) -> Delivery:
    if standing in WAITING:
        state = "attention" if is_long_away else "waiting"
    elif standing in (SENT, NOT_SCORED):
        state = standing
    else:
        state = "changed" if reason == OVERRIDDEN else "attention"
    return Delivery(state, platform_name, reason)


def _is_long_away(failing_since: datetime | None, probe_at: datetime | None) -> bool:
    """Whether a platform has not answered for so long that somebody should know."""
    if not failing_since or not probe_at:
        return False
    return probe_at - failing_since > LONG_AWAY


def give_way(session: Session, row: ScoreOutbox) -> bool:
    """Supersede a score if one as good, for the same cycle, has been sent or is on its way."""
    with session.no_autoflush:
        best = session.scalar(
            select(ScoreOutbox.id)
            .where(
                *_same_target(row),
                ScoreOutbox.id != row.id,
                ScoreOutbox.score >= row.score,
                ScoreOutbox.state.in_((*WAITING, SENT)),
            )
            .order_by(ScoreOutbox.score.desc(), ScoreOutbox.id.desc())
            .limit(1)
        )
    if best is not None:
        row.state, row.superseded_by = SUPERSEDED, best
    return best is not None


def _supersede(session: Session, row: ScoreOutbox) -> None:
    """Let this row stand for all earlier ones that have not been sent and are not on the way."""
    session.execute(
        update(ScoreOutbox)
        .where(
            *_same_target(row),
            ScoreOutbox.id != row.id,
            ScoreOutbox.state.in_((PENDING, BLOCKED, DEAD, NOT_SCORED, SUPERSEDED)),
        )
        .values(state=SUPERSEDED, superseded_by=row.id)
    )


def _same_target(row: ScoreOutbox) -> tuple[ColumnElement[bool], ...]:
    return (
        ScoreOutbox.registration_id == row.registration_id,
        ScoreOutbox.resource_link_row_id == row.resource_link_row_id,
        ScoreOutbox.subject == row.subject,
        ScoreOutbox.module == row.module,
        ScoreOutbox.cycle == row.cycle,
    )
