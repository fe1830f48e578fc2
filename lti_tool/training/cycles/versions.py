"""Which version of its policy a school has in use."""

from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.database import insert_missing
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.models import PolicyOpening
from lti_tool.ui.format import local

FIRST: Final = "first"
OPENINGS: Final = UUID("5f0a4c8e-2b1d-5f6a-9c3e-7d1b8a2e4f60")
"""Names each school's first opening, so that two who begin at once make one."""


def in_use(session: Session, school: School) -> PolicyVersion:
    """The version that was opened last; before any was, or where its file is gone, the newest
    that is no demonstration."""
    number = session.scalar(
        select(PolicyOpening.number)
        .where(PolicyOpening.school_id == school.id)
        .order_by(PolicyOpening.opened_at.desc(), PolicyOpening.id.desc())
        .limit(1)
    )
    return next((one for one in school.versions if one.number == number), school.policy)


def note_first(session: Session, version: PolicyVersion, *, now: datetime) -> None:
    """The school's first journey shows which version it has in use; later ones change nothing."""
    known = select(PolicyOpening.id).where(PolicyOpening.school_id == version.school_id).limit(1)
    if session.scalar(known) is not None:
        return
    session.execute(
        insert_missing(session, PolicyOpening).values(
            id=uuid5(OPENINGS, version.school_id),
            school_id=version.school_id,
            number=version.number,
            sha256=version.sha256,
            before="",
            weight=FIRST,
            proposed="",
            reason="",
            clauses=[],
            binds=[],
            opened_on=local(now).date(),
            opened_at=now,
        )
    )
