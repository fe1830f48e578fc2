"""A manager has a score sent again, and the ledger says who did."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.lti.models import ScoreOutbox
from lti_tool.lti.services import scores
from lti_tool.people.joins import root_of
from lti_tool.people.models import Membership


def send_again(
    session: Session,
    *,
    school_id: str,
    membership_id: UUID,
    score_id: UUID,
    replaces: bool,
    by: UUID,
    now: datetime,
) -> None:
    """Owe the platform a score anew. ``replaces``: also over what somebody changed there by hand.

    Raises ``ToolError``: page-not-found where the score is not this member's; score-is-waiting,
    score-superseded, score-changed-there.
    """
    row = session.scalar(
        select(ScoreOutbox)
        .join(Membership, Membership.person_id == root_of(ScoreOutbox.person_id))
        .where(
            ScoreOutbox.id == score_id,
            ScoreOutbox.school_id == school_id,
            Membership.id == membership_id,
            Membership.school_id == school_id,
        )
        .with_for_update(of=ScoreOutbox)
    )
    if row is None:
        raise ToolError("page-not-found")
    scores.resend(session, row, now=now, replaces=replaces)
    ledger.append(
        session,
        school_id=school_id,
        kind="score-resent",
        facts={
            "completion": str(row.completion_id),
            "module": row.module,
            "cycle": row.cycle,
            "replaces": int(row.replaces),
        },
        person_id=row.person_id,
        personal={"person": str(row.person_id), "actor": str(by)},
        now=now,
    )
