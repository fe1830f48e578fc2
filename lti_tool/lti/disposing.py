"""Rows of this room that go when a school's retention period has run out; ``evidence/retention``
says which are due, and records that they went."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core.erasure import deleted
from lti_tool.lti.models import SENDING, ScoreOutbox
from lti_tool.lti.rosters.models import RosterEntry


def scores(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """What was sent to a platform about these people's trainings."""
    theirs = (ScoreOutbox.school_id == school_id) & ScoreOutbox.person_id.in_(person_ids)
    return deleted(session, (ScoreOutbox, theirs & (ScoreOutbox.state != SENDING)))


def listed(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """That these people were found on a linked course."""
    theirs = (RosterEntry.school_id == school_id) & RosterEntry.person_id.in_(person_ids)
    return deleted(session, (RosterEntry, theirs))
