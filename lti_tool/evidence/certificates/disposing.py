"""Deletes what is due; returns how many rows of each table went."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.erasure import deleted
from lti_tool.evidence.certificates.models import Certificate, CertificateAct
from lti_tool.training.models import Completion


def of(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """The certificates of these people, and what was decided about them. Their numbers are unknown
    from then on."""
    theirs = select(Completion.id).where(
        Completion.school_id == school_id, Completion.person_id.in_(person_ids)
    )
    return deleted(
        session,
        (CertificateAct, CertificateAct.completion_id.in_(theirs)),
        (Certificate, Certificate.completion_id.in_(theirs)),
    )
