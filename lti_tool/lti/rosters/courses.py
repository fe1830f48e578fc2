"""Which courses are a school's staff lists: offered, linked, unlinked, asked to be read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import current_app, has_app_context
from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.jobs import after_commit
from lti_tool.lti.models import Deployment, DeploymentSchool, Registration, ResourceLink
from lti_tool.lti.rosters.models import READING, WAITING, Roster
from lti_tool.people.models import Visit


@dataclass(frozen=True)
class Course:
    """A course from which people came to a school, and whose members its platform would list."""

    place_id: UUID
    """The activity from which somebody came last."""
    deployment_row_id: UUID
    context_id: str
    title: str
    """May be empty."""
    platform_name: str


def offered(session: Session, *, school_id: str) -> list[Course]:
    """The courses a school may link and has not, by platform and title.

    Only where somebody came to *this* school from: a platform may serve others too, whose
    members are none of its business.
    """
    came_here = exists().where(Visit.place_id == ResourceLink.id, Visit.school_id == school_id)
    linked = exists().where(
        Roster.school_id == school_id,
        Roster.deployment_row_id == ResourceLink.deployment_row_id,
        Roster.context_id == ResourceLink.context_id,
        Roster.unlinked_at.is_(None),
    )
    rows = session.execute(
        select(ResourceLink, Registration.name)
        .join(Deployment, Deployment.id == ResourceLink.deployment_row_id)
        .join(Registration, Registration.id == Deployment.registration_id)
        .join(DeploymentSchool, DeploymentSchool.deployment_row_id == Deployment.id)
        .where(
            DeploymentSchool.school_id == school_id,
            Registration.disabled_at.is_(None),
            ResourceLink.context_memberships_url != "",
            ResourceLink.context_id != "",
            came_here,
            ~linked,
        )
        .order_by(ResourceLink.seen_at)
    )
    courses = {
        (link.deployment_row_id, link.context_id): Course(
            link.id, link.deployment_row_id, link.context_id, link.context_title, name
        )
        for link, name in rows
    }
    return sorted(courses.values(), key=lambda course: (course.platform_name, course.title))


def course(session: Session, *, school_id: str, place_id: UUID) -> Course:
    """One of the courses offered. Raises ``ToolError`` course-not-offered."""
    for found in offered(session, school_id=school_id):
        if found.place_id == place_id:
            return found
    raise ToolError("course-not-offered")


def link(
    session: Session, *, school_id: str, place_id: UUID, linked_by: UUID, now: datetime
) -> Roster:
    """Make a course's members the school's staff from now on, and have it read.

    Raises ``ToolError`` course-not-offered.
    """
    chosen = course(session, school_id=school_id, place_id=place_id)
    # Of two managers who press the button at once, one finds it linked.
    deployment = session.get_one(Deployment, chosen.deployment_row_id, with_for_update=True)
    row = session.scalar(
        select(Roster).where(
            Roster.school_id == school_id,
            Roster.deployment_row_id == chosen.deployment_row_id,
            Roster.context_id == chosen.context_id,
        )
    )
    if row is None:
        row = Roster(
            school_id=school_id,
            deployment_row_id=chosen.deployment_row_id,
            context_id=chosen.context_id,
        )
        session.add(row)
    row.title, row.state, row.reason, row.failures = chosen.title, WAITING, "", 0
    row.linked_at, row.linked_by, row.unlinked_at, row.next_at = now, linked_by, None, now
    session.flush()
    _record(session, "staff-list-linked", row, deployment.registration_id, linked_by, now)
    after_commit(session, lambda: _wake(row.id))
    return row


def unlink(
    session: Session, *, school_id: str, roster_id: UUID, unlinked_by: UUID, now: datetime
) -> None:
    """Read a course no more. Its people stay as they are. Raises ``ToolError`` page-not-found."""
    row = _get(session, school_id, roster_id)
    row.unlinked_at, row.state, row.lease_until = now, WAITING, None
    session.flush()
    deployment = session.get_one(Deployment, row.deployment_row_id)
    _record(session, "staff-list-unlinked", row, deployment.registration_id, unlinked_by, now)


def ask(session: Session, *, school_id: str, roster_id: UUID, now: datetime) -> None:
    """Have a course read now; one that is being read is not begun again.

    Raises ``ToolError`` page-not-found.
    """
    row = _get(session, school_id, roster_id)
    if row.state != READING:
        row.state, row.reason, row.next_at = WAITING, "", now
        session.flush()
    after_commit(session, lambda: _wake(row.id))


def linked(session: Session, *, school_id: str = "") -> Sequence[tuple[Roster, str]]:
    """The linked courses with their platforms' names, of one school if that is named."""
    query: Select[Roster, str] = (
        select(Roster, Registration.name)
        .join(Deployment, Deployment.id == Roster.deployment_row_id)
        .join(Registration, Registration.id == Deployment.registration_id)
        .where(Roster.unlinked_at.is_(None))
        .order_by(Roster.school_id, Roster.title, Roster.id)
    )
    if school_id:
        query = query.where(Roster.school_id == school_id)
    return [(row, name) for row, name in session.execute(query)]


def failing_since(session: Session, *, school_id: str) -> datetime | None:
    """Since when a staff list of the school could not be read to its end; empty if all can be."""
    return session.scalar(
        select(func.min(func.coalesce(Roster.read_at, Roster.linked_at))).where(
            Roster.school_id == school_id, Roster.unlinked_at.is_(None), Roster.failures > 0
        )
    )


def _get(session: Session, school_id: str, roster_id: UUID) -> Roster:
    row = session.scalar(
        select(Roster)
        .where(Roster.id == roster_id, Roster.school_id == school_id, Roster.unlinked_at.is_(None))
        .with_for_update()
    )
    if row is None:
        raise ToolError("page-not-found")
    return row


def _wake(roster_id: UUID) -> None:
    """Ask the worker to read now. Without one running, the next one will find it."""
    if has_app_context():
        current_app.extensions["lti"].wake_reader(str(roster_id))


def _record(
    session: Session,
    kind: str,
    row: Roster,
    registration_id: UUID,
    actor_id: UUID,
    now: datetime,
) -> None:
    ledger.append(
        session,
        school_id=row.school_id,
        kind=kind,
        facts={
            "list": str(row.id),
            "registration": str(registration_id),
            "context": row.context_id,
        },
        person_id=actor_id,
        personal={"actor": str(actor_id)},
        now=now,
    )
