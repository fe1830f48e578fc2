"""The state of an obligation as one SQL expression, for lists and counts.

The same as ``owing.state_of``; a test holds the two to one another.
"""

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, or_, select, tuple_

from lti_tool.people.models import Absence, Person
from lti_tool.training.cycles.facts import root_id
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import DONE, INDUCTION, LAPSED, LEFT, WITHDRAWN
from lti_tool.training.models import Journey

STATES: Final = ("not-due", "due", "in-progress", "done", "overdue", "paused", "left-incomplete")


def state(today: date, *, schools: Collection[str] | None) -> ColumnElement[str]:
    """The state of the ``Obligation`` in the statement; not-due where an outer join found none.

    ``schools`` are those the statement is about: to name them spares reading all others. None
    are all there are.
    """
    return case(
        (Obligation.id.is_(None), "not-due"),
        (Obligation.outcome == WITHDRAWN, "not-due"),
        (Obligation.outcome == DONE, "done"),
        (Obligation.outcome == LEFT, "left-incomplete"),
        (Obligation.outcome == LAPSED, "overdue"),
        (is_away(today, schools=schools), "paused"),
        (Obligation.due_on < today, "overdue"),
        (has_begun(schools=schools), "in-progress"),
        (Obligation.opens_on <= today, "due"),
        else_="not-due",
    )


# Both ask whether a row is in a set that does not depend on it, so that the set is made once and
# not looked for row by row: PostgreSQL took minutes over twenty thousand otherwise.


def is_away(today: date, *, schools: Collection[str] | None = None) -> ColumnElement[bool]:
    """Whether the obligation's person is away from work that day."""
    away = (
        select(Absence.school_id, root_id)
        .join(Person, Person.id == Absence.person_id)
        .where(
            Absence.removed_at.is_(None),
            Absence.starts_on <= today,
            or_(Absence.ends_on.is_(None), Absence.ends_on >= today),
            *_at(Absence.school_id, schools),
        )
    )
    return tuple_(Obligation.school_id, Obligation.person_id).in_(away)


def has_begun(*, schools: Collection[str] | None = None) -> ColumnElement[bool]:
    """Whether the obligation's person is on the way. An induction goes on into the next year."""
    begun = (
        select(Journey.school_id, root_id, Journey.module)
        .join(Person, Person.id == Journey.person_id)
        .where(Journey.completed_at.is_(None), *_at(Journey.school_id, schools))
    )
    whose = (Obligation.school_id, Obligation.person_id, Obligation.module)
    return or_(
        tuple_(*whose, Obligation.cycle).in_(begun.add_columns(Journey.cycle)),
        and_(
            Obligation.module == INDUCTION,
            tuple_(*whose).in_(begun.where(Journey.module == INDUCTION)),
        ),
    )


def _at(column: Any, schools: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [] if schools is None else [column.in_(schools)]
