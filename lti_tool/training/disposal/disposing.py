"""Deletes what is due; each returns how many rows of each table went."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.erasure import deleted
from lti_tool.training.cycles.models import DueDateMove, Obligation
from lti_tool.training.models import (
    Completion,
    Declaration,
    Journey,
    Question,
    Round,
    SectionRead,
)
from lti_tool.training.reminders.models import Reminder


def training(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """All that these people owed and did at the school."""
    journeys = select(Journey.id).where(
        Journey.school_id == school_id, Journey.person_id.in_(person_ids)
    )
    owed = select(Obligation.id).where(
        Obligation.school_id == school_id, Obligation.person_id.in_(person_ids)
    )
    return deleted(
        session,
        (DueDateMove, DueDateMove.obligation_id.in_(owed)),
        (Obligation, Obligation.id.in_(owed)),
        (Completion, Completion.journey_id.in_(journeys)),
        (Declaration, Declaration.journey_id.in_(journeys)),
        (Question, Question.journey_id.in_(journeys)),
        (Round, Round.journey_id.in_(journeys)),
        (SectionRead, SectionRead.journey_id.in_(journeys)),
        (Journey, Journey.id.in_(journeys)),
    )


def answers(session: Session, school_id: str, journey_ids: Collection[UUID]) -> Counter[str]:
    """What was asked, answered and read on the way; what was declared stays."""
    return deleted(
        session,
        *(
            (table, (table.school_id == school_id) & table.journey_id.in_(journey_ids))
            for table in (Question, Round, SectionRead)
        ),
    )


def begun(session: Session, school_id: str, journey_ids: Collection[UUID]) -> Counter[str]:
    """Trainings that were begun and never finished."""
    gone = answers(session, school_id, journey_ids)
    return gone + deleted(
        session,
        (Journey, (Journey.school_id == school_id) & Journey.id.in_(journey_ids)),
    )


def mails(session: Session, school_id: str, reminder_ids: Collection[UUID]) -> Counter[str]:
    """These mails."""
    which = (Reminder.school_id == school_id) & Reminder.id.in_(reminder_ids)
    return deleted(session, (Reminder, which))


def mails_to(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """All mails to these people."""
    which = (Reminder.school_id == school_id) & Reminder.person_id.in_(person_ids)
    return deleted(session, (Reminder, which))
