"""The state of an obligation as one SQL expression, for lists and counts.

The same as ``owing.state_of``; a test holds the two to one another.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, exists, or_
from sqlalchemy.orm import aliased

from lti_tool.people.models import Absence, Person
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import DONE, INDUCTION, LAPSED, LEFT, WITHDRAWN
from lti_tool.training.models import Journey

STATES: Final = ("not-due", "due", "in-progress", "done", "overdue", "paused", "left-incomplete")


def state(today: date) -> ColumnElement[str]:
    """The state of the ``Obligation`` in the statement; not-due where an outer join found none."""
    return case(
        (Obligation.id.is_(None), "not-due"),
        (Obligation.outcome == WITHDRAWN, "not-due"),
        (Obligation.outcome == DONE, "done"),
        (Obligation.outcome == LEFT, "left-incomplete"),
        (Obligation.outcome == LAPSED, "overdue"),
        (is_away(today), "paused"),
        (Obligation.due_on < today, "overdue"),
        (has_begun(), "in-progress"),
        (Obligation.opens_on <= today, "due"),
        else_="not-due",
    )


def is_away(today: date) -> ColumnElement[bool]:
    """Whether the obligation's person is away from work that day."""
    covers = and_(
        Absence.school_id == Obligation.school_id,
        Absence.removed_at.is_(None),
        Absence.starts_on <= today,
        or_(Absence.ends_on.is_(None), Absence.ends_on >= today),
    )
    return _is_so(covers, Absence.person_id)


def has_begun() -> ColumnElement[bool]:
    """Whether the obligation's person is on the way. An induction goes on into the next year."""
    fits = and_(
        Journey.school_id == Obligation.school_id,
        Journey.module == Obligation.module,
        or_(Journey.cycle == Obligation.cycle, Journey.module == INDUCTION),
        Journey.completed_at.is_(None),
    )
    return _is_so(fits, Journey.person_id)


def _is_so(condition: ColumnElement[bool], whose: Any) -> ColumnElement[bool]:
    """Of the obligation's person or of any who is one with them. Each within the other, so that
    SQLite looks for the few who are one with somebody first."""
    other = aliased(Person)
    of_other = exists().where(condition, whose == other.id).correlate(Obligation, other)
    return or_(
        exists().where(condition, whose == Obligation.person_id).correlate(Obligation),
        exists().where(other.one_with == Obligation.person_id, of_other).correlate(Obligation),
    )
