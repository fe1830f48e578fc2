"""Decides on a point for the policy's review."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.evidence.review.agenda import Agenda
from lti_tool.evidence.review.models import ReviewDecision


def decide(
    session: Session,
    *,
    school_id: str,
    agenda: Agenda,
    point: str,
    decision: str,
    mend_in: str,
    by: UUID,
    now: datetime,
) -> ReviewDecision:
    """Keep and record what was decided; what was decided before stays on record.

    Raises ``ToolError`` point-gone where the agenda has no such point any more.
    """
    about = next((one for one in agenda.points if one.key == point), None)
    if about is None:
        raise ToolError("point-gone")
    row = ReviewDecision(
        school_id=school_id,
        policy_number=agenda.version.number,
        point=point,
        decision=decision,
        mend_in=mend_in,
        decided_at=now,
        decided_by=by,
    )
    session.add(row)
    session.flush()
    ledger.append(
        session,
        school_id=school_id,
        kind="review-decided",
        facts={
            "policy": agenda.version.number,
            "policy_sha256": agenda.version.sha256,
            "point": point,
            "kind": about.kind,
            "clauses": [one.id for one in about.clauses],
            "topics": list(about.topics),
            "decision": decision,
            "mend_in": mend_in,
        },
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    return row
