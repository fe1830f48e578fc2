"""Scores for platforms through which a training was not done.

Somebody did it in Teams, and is known on the school's Moodle too: once the two are one person,
Moodle is owed the score, at the activity they opened last. Which comes first does not matter: the
join, the training, or the first launch that says where the line item is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from flask import Flask
from flask_babel import gettext as _
from huey import crontab
from sqlalchemy import ColumnElement, CompoundSelect, Select, func, or_, select, union
from sqlalchemy.orm import Session, aliased

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.lti.models import Deployment, ResourceLink, ScoreOutbox
from lti_tool.lti.services import scores
from lti_tool.people.models import Identity, Person, Visit
from lti_tool.policies.policy import School
from lti_tool.training.models import Completion

RECENT: Final = timedelta(days=366)
Roots = Select[UUID | None]
"""Those whom somebody else turned out to be."""


@dataclass(frozen=True)
class Known:
    """Where a platform knows somebody from."""

    registration_id: UUID
    link_id: UUID
    identity_id: UUID
    module: str


def register_tasks(app: Flask) -> None:
    """Let the worker look every few minutes."""
    extensions = app.extensions

    @extensions["queue"].periodic_task(crontab(minute="*/5"), name="owe_elsewhere")  # type: ignore[untyped-decorator]
    def sweep() -> None:
        with app.app_context():
            database = cast(Database, extensions["database"])
            clock = cast(Clock, extensions["clock"])
            with database.transaction() as session:
                owe_elsewhere(session, schools=extensions["catalogue"].schools, now=clock())


def owe_elsewhere(
    session: Session,
    *,
    schools: Mapping[str, School],
    now: datetime,
    person_id: UUID | None = None,
) -> int:
    """Owe every platform what its people have done elsewhere this year; returns how many scores.

    Of everybody who is more than one person in our rows, or of one of them. Doing it twice
    changes nothing.
    """
    roots = select(Person.one_with).where(Person.one_with.is_not(None))
    if person_id is not None:
        roots = roots.where(or_(Person.id == person_id, Person.one_with == person_id))
    done = _done(session, roots, now)
    if not done:
        return 0
    places, owed = _places(session, roots), _owed(session, roots)
    number = 0
    for one, root in done:
        school = schools.get(one.school_id)
        if school is None or not _counts(one, cycle_of(now, school.year_starts)):
            continue
        for place in _best(places.get((one.school_id, root), []), one.module):
            if (one.id, place.registration_id) not in owed:
                _owe(session, one, place, now)
                number += 1
    return number


def _root(person: type[Person]) -> ColumnElement[UUID]:
    """Who somebody is, where they turned out to be somebody else."""
    return func.coalesce(person.one_with, person.id)


def _family(roots: Roots) -> CompoundSelect[UUID | None]:
    """All the persons that these are. A set of numbers, by which rows are looked up: where it is
    asked of each row who it belongs to, every row of every school is read."""
    other = aliased(Person)
    return union(roots, select(other.id).where(other.one_with.in_(roots)))


def _places(session: Session, roots: Roots) -> dict[tuple[str, UUID], list[Known]]:
    """Where each was launched from, by school and person, the latest first."""
    one = aliased(Person)
    where = (
        *(Visit.school_id, _root(one), ResourceLink.id, Visit.identity_id, Visit.module),
        Deployment.registration_id,
    )
    rows = session.execute(
        select(*where)
        .join(Identity, Identity.id == Visit.identity_id)
        .join(one, one.id == Identity.person_id)
        .join(ResourceLink, ResourceLink.id == Visit.place_id)
        .join(Deployment, Deployment.id == ResourceLink.deployment_row_id)
        .where(Visit.door == "lti", Visit.confirmed_at.is_not(None), one.id.in_(_family(roots)))
        .group_by(*where)
        .order_by(func.max(Visit.started_at).desc())
    )
    found: dict[tuple[str, UUID], list[Known]] = {}
    for school_id, root, link_id, identity_id, module, registration_id in rows:
        known = Known(registration_id, link_id, identity_id, module)
        found.setdefault((school_id, root), []).append(known)
    return found


def _done(session: Session, roots: Roots, now: datetime) -> list[tuple[Completion, UUID]]:
    """What they have done lately, with a score, and whose it is."""
    rows = session.execute(
        select(Completion, _root(Person))
        .join(Person, Person.id == Completion.person_id)
        .where(
            Completion.person_id.in_(_family(roots)),
            Completion.score.is_not(None),
            Completion.withdrawn_at.is_(None),
            Completion.completed_at > now - RECENT,
        )
        .order_by(Completion.completed_at)
    )
    return [(done, root) for done, root in rows]


def _owed(session: Session, roots: Roots) -> set[tuple[UUID, UUID]]:
    """Which completions which platforms were owed already."""
    rows = session.execute(
        select(ScoreOutbox.completion_id, ScoreOutbox.registration_id).where(
            ScoreOutbox.person_id.in_(_family(roots))
        )
    )
    return {(completion_id, registration_id) for completion_id, registration_id in rows}


def _counts(done: Completion, this_year: str) -> bool:
    """Last year's are nobody's business any more; what a new policy asks belongs to no year."""
    return done.cycle == this_year or done.cycle.startswith("policy-")


def _best(places: list[Known], module: str) -> list[Known]:
    """One activity of each platform: the one for this training, else the one opened last."""
    found: dict[UUID, Known] = {}
    for place in sorted(places, key=lambda one: one.module != module):
        found.setdefault(place.registration_id, place)
    return list(found.values())


def _owe(session: Session, done: Completion, place: Known, now: datetime) -> None:
    scores.owe_at(
        session,
        link=session.get_one(ResourceLink, place.link_id),
        identity_id=place.identity_id,
        person_id=done.person_id,
        school_id=done.school_id,
        completion_id=done.id,
        cycle=done.cycle,
        module=done.module,
        score=done.score or 0,
        comment=comment(done.policy_number),
        completed_at=done.completed_at,
        now=now,
    )


def comment(policy_number: str) -> str:
    """What stands beside the score in a gradebook."""
    return str(
        _("Social media policy training done. Policy version %(number)s.", number=policy_number)
    )
