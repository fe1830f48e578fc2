"""Deletes what is due; each returns how many rows of each table went."""

from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
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
    done = select(Completion.id).where(Completion.journey_id.in_(journeys))
    return deleted(
        session,
        (DueDateMove, DueDateMove.obligation_id.in_(owed)),
        (Obligation, Obligation.id.in_(owed)),
        *((table, column.in_(done)) for table, column in _hanging()),
        (Completion, Completion.journey_id.in_(journeys)),
        (Declaration, Declaration.journey_id.in_(journeys)),
        (Question, Question.journey_id.in_(journeys)),
        (Round, Round.journey_id.in_(journeys)),
        (SectionRead, SectionRead.journey_id.in_(journeys)),
        (Journey, Journey.id.in_(journeys)),
    )


def _hanging() -> Iterator[tuple[Any, ColumnElement[Any]]]:
    """What hangs on a completion goes with it, whichever room above keeps it: a certificate."""
    for table in Completion.metadata.sorted_tables:
        for column in table.columns:
            refers = any(key.column is Completion.__table__.c.id for key in column.foreign_keys)
            if refers and table.name != Obligation.__tablename__:
                yield table, column


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
