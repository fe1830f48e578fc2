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
from sqlalchemy import func, or_, select
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
    roots = _roots(session, person_id)
    if not roots:
        return 0
    places = _places(session, roots)
    number = 0
    for done, root in _done(session, roots, now):
        school = schools.get(done.school_id)
        if school is None or not _counts(done, cycle_of(now, school.year_starts)):
            continue
        has_it = set(
            session.scalars(
                select(ScoreOutbox.registration_id).where(ScoreOutbox.completion_id == done.id)
            )
        )
        for place in _best(places.get((done.school_id, root), []), done.module):
            if place.registration_id not in has_it:
                _owe(session, done, place, now)
                number += 1
    return number


def _roots(session: Session, person_id: UUID | None) -> frozenset[UUID]:
    """Those whom somebody else turned out to be."""
    asked = select(Person.one_with).where(Person.one_with.is_not(None)).distinct()
    if person_id is not None:
        asked = asked.where(or_(Person.id == person_id, Person.one_with == person_id))
    return frozenset(found for found in session.scalars(asked) if found)


def _places(session: Session, roots: frozenset[UUID]) -> dict[tuple[str, UUID], list[Known]]:
    """Where each was launched from, by school and person, the latest first."""
    one = aliased(Person)
    root = func.coalesce(one.one_with, one.id)
    found: dict[tuple[str, UUID], list[Known]] = {}
    for row in session.execute(
        select(
            Visit.school_id,
            root.label("root"),
            Visit.place_id,
            Visit.identity_id,
            Visit.module,
            Deployment.registration_id,
        )
        .join(Identity, Identity.id == Visit.identity_id)
        .join(one, one.id == Identity.person_id)
        .join(ResourceLink, ResourceLink.id == Visit.place_id)
        .join(Deployment, Deployment.id == ResourceLink.deployment_row_id)
        .where(Visit.door == "lti", Visit.confirmed_at.is_not(None), root.in_(roots))
        .order_by(Visit.started_at.desc())
    ):
        known = Known(row.registration_id, row.place_id, row.identity_id, row.module)
        held = found.setdefault((row.school_id, row.root), [])
        if known not in held:
            held.append(known)
    return found


def _done(session: Session, roots: frozenset[UUID], now: datetime) -> list[tuple[Completion, UUID]]:
    """What they have done lately, with a score, and whose it is."""
    root = func.coalesce(Person.one_with, Person.id)
    rows = session.execute(
        select(Completion, root.label("root"))
        .join(Person, Person.id == Completion.person_id)
        .where(
            root.in_(roots),
            Completion.score.is_not(None),
            Completion.withdrawn_at.is_(None),
            Completion.completed_at > now - RECENT,
        )
        .order_by(Completion.completed_at)
    )
    return [(row.Completion, row.root) for row in rows]


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
