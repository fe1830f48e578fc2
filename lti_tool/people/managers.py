"""Managers make others managers, and take it back; never by a role, and never the last one.

A grant goes with the sign-ins of the person it was given to. Whom a manager names is one human, so
every sign-in they have had by then is meant; a join made later adds none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.people import joins, memberships
from lti_tool.people.models import Grant, Identity, Membership, Person


@dataclass(frozen=True)
class Manager:
    """Somebody who manages a school."""

    person_id: UUID
    name: str
    reference: str
    since: datetime

    @property
    def shown_name(self) -> str:
        return self.name or self.reference


def managers(session: Session, *, school_id: str) -> list[Manager]:
    """Who manages a school, each human once, by date."""
    root, own = aliased(Person), aliased(Person)
    since = func.min(Grant.granted_at)
    rows = session.execute(
        select(root.id, root.name, since)
        .select_from(Grant)
        .join(own, own.id == Grant.person_id)
        .join(root, root.id == func.coalesce(own.one_with, own.id))
        .where(Grant.school_id == school_id, Grant.revoked_at.is_(None))
        .group_by(root.id, root.name)
        .order_by(since, root.id)
    )
    return [Manager(id, name, Person(id=id).reference, at) for id, name, at in rows]


def others(session: Session, *, school_id: str) -> Sequence[Person]:
    """The school's own people who can sign in and do not manage it, by name."""
    family = aliased(Person)
    signs_in = (
        select(func.coalesce(family.one_with, family.id))
        .join(Identity, Identity.person_id == family.id)
        .where(Identity.realm.not_like("file:%"))
    )
    held = {one.person_id for one in managers(session, school_id=school_id)}
    found = session.scalars(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.school_id == school_id,
            Membership.confirmed_at.is_not(None),
            Membership.left_at.is_(None),
            Person.one_with.is_(None),
            Person.id.in_(signs_in),
        )
        .order_by(func.lower(Person.name), Person.id)
    )
    return [person for person in found if person.id not in held]


def appoint(session: Session, *, school_id: str, person_id: UUID, by: UUID, now: datetime) -> None:
    """Make one of the school's own people a manager. Raises ``ToolError`` page-not-found."""
    if person_id not in {one.id for one in others(session, school_id=school_id)}:
        raise ToolError("page-not-found")
    ids = joins.everybody_who_is(session, person_id)
    signing_in = session.scalars(
        select(Identity.person_id)
        .where(Identity.person_id.in_(ids), Identity.realm.not_like("file:%"))
        .distinct()
    )
    for one in sorted(signing_in):
        memberships.grant(session, person_id=one, school_id=school_id, now=now, granted_by=by)


def dismiss(session: Session, *, school_id: str, person_id: UUID, by: UUID, now: datetime) -> None:
    """Take a manager's leave back, all of it. Raises ``ToolError``: not-granted, last-manager."""
    living = select(Grant).where(Grant.school_id == school_id, Grant.revoked_at.is_(None))
    held = session.scalars(living.order_by(Grant.id).with_for_update()).all()
    ids = joins.everybody_who_is(session, person_id)
    own = {row.person_id for row in held} & ids
    if not own:
        raise ToolError("not-granted")
    if {row.person_id for row in held} <= ids:
        raise ToolError("last-manager")
    for one in sorted(own):
        memberships.revoke(session, person_id=one, school_id=school_id, now=now, revoked_by=by)
