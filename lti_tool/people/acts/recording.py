"""An act is recorded, in the transaction in which it was done."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import exists, insert, select
from sqlalchemy.orm import Session

from lti_tool.core.ids import new_id
from lti_tool.people.acts.models import Act, ActConcerns

VIEWED: Final = "person-viewed"


def record(
    session: Session,
    *,
    school_id: str,
    actor_id: UUID,
    what: str,
    now: datetime,
    concerns: Collection[UUID] = (),
    names_everybody: bool = False,
) -> None:
    """Add one row, and one for each person it was about."""
    act_id = new_id()
    session.execute(
        insert(Act).values(
            id=act_id,
            school_id=school_id,
            at=now,
            actor_id=actor_id,
            what=what,
            names_everybody=names_everybody,
        )
    )
    if concerns:
        rows = [
            {"act_id": act_id, "person_id": one, "school_id": school_id}
            for one in sorted(set(concerns))
        ]
        session.execute(insert(ActConcerns), rows)


def is_noted(
    session: Session, *, school_id: str, actor_id: UUID, person_id: UUID, since: datetime
) -> bool:
    """Whether it stands already that this manager has looked at this person since then.

    A manager who works on somebody's record opens its pages again and again, which says nothing
    more: one row stands for a manager, a person and a day.
    """
    seen = exists().where(
        ActConcerns.school_id == school_id,
        ActConcerns.person_id == person_id,
        Act.id == ActConcerns.act_id,
        Act.actor_id == actor_id,
        Act.what == VIEWED,
        Act.at >= since,
    )
    return bool(session.scalar(select(seen)))
