"""Who has learned since: what decides whether a staff file can still be undone, and who of two
persons keeps their place."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from lti_tool.people import joins
from lti_tool.people.models import Identity, Person
from lti_tool.training.models import Declaration, Journey


def learned_since(
    session: Session, *, school_id: str, person_ids: Collection[UUID], moment: datetime
) -> set[UUID]:
    """Those of these people who have begun a training at the school since, or whose declaration
    on paper was entered, whichever of their sign-ins it was."""
    of = joins.families(session, person_ids)
    rows = session.scalars(
        select(Journey.person_id)
        .outerjoin(Declaration, Declaration.journey_id == Journey.id)
        .where(
            Journey.school_id == school_id,
            or_(Journey.started_at >= moment, Declaration.entered_at >= moment),
        )
    )
    roots = {of[one] for one in rows if one in of}
    return {one for one in person_ids if of[one] in roots}


def in_order(session: Session, person_ids: Collection[UUID]) -> list[UUID]:
    """Two persons, first the one to show them as: who has learned more, who signs in, who came
    first."""
    learned = (
        select(func.count())
        .select_from(Journey)
        .where(joins.root_of(Journey.person_id) == Person.id)
        .correlate(Person)
        .scalar_subquery()
    )
    signs_in = (
        select(func.count())
        .where(Identity.person_id == Person.id, Identity.realm.not_like("file:%"))
        .correlate(Person)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(Person.id)
            .where(Person.id.in_(person_ids))
            .order_by(learned.desc(), signs_in.desc(), Person.created_at, Person.id)
        )
    )
