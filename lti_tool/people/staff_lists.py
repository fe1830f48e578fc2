"""What a staff list does to a school's people: who is on it is confirmed, who leaves is shown.

Many at a time, in plain statements: a list may hold thousands. A list makes nobody a manager.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.ids import new_id
from lti_tool.people.arrive import told
from lti_tool.people.joins import groups
from lti_tool.people.models import Identity, Membership, Person


@dataclass(frozen=True)
class Listed:
    """Somebody on a staff list, as its platform knows them. Name and e-mail may be empty."""

    subject: str
    name: str
    email: str
    is_active: bool
    """Whether they may enter now; those who may not are shown, and not counted."""


def enter(
    session: Session,
    listed: Iterable[Listed],
    *,
    school_id: str,
    realm: str,
    list_id: UUID,
    now: datetime,
) -> dict[UUID, bool]:
    """Make these people known to the school; returns whether each is active, by person.

    Who is active is confirmed, or counted again. Somebody known from a launch is the same person;
    of somebody who is one with another, the other's membership is what changes.
    Raises ``IntegrityError`` where one of them arrives for the first time just now: try again.
    """
    of = {one.subject: one for one in sorted(listed, key=lambda one: one.subject)}
    people = _identify(session, of, realm, now)
    is_active = {person_id: of[subject].is_active for subject, person_id in people.items()}
    one_with, as_roots = groups(session, is_active), dict[UUID, bool]()
    for person_id, active in is_active.items():
        root = one_with.get(person_id, person_id)
        as_roots[root] = active or as_roots.get(root, False)
    _join(session, as_roots, school_id, list_id, now)
    return is_active


def leave(
    session: Session, person_ids: Collection[UUID], *, school_id: str, list_id: UUID, now: datetime
) -> None:
    """Show from now on that these people are no longer active on any list of the school."""
    one_with = groups(session, person_ids)
    person_ids = {one_with.get(one, one) for one in person_ids}
    members = session.execute(
        select(Membership.id, Membership.person_id, Membership.confirmed_at).where(
            Membership.school_id == school_id,
            Membership.person_id.in_(person_ids),
            Membership.left_at.is_(None),
        )
    ).all()
    _set(session, [member.id for member in members], left_at=now)
    counted = [member.person_id for member in members if member.confirmed_at is not None]
    _record(session, "member-left", counted, school_id, list_id, now)


def _identify(
    session: Session, of: dict[str, Listed], realm: str, now: datetime
) -> dict[str, UUID]:
    known = session.execute(
        select(Identity.subject, Person.id, Person.name, Person.email, Person.corrected_name)
        .join(Person, Person.id == Identity.person_id)
        .where(Identity.realm == realm, Identity.subject.in_(of))
        .order_by(Identity.subject)
    ).all()
    for row in known:
        listed = of[row.subject]
        name, email = told(row, name=listed.name, email=listed.email)
        if (name, email) != (row.name, row.email):
            session.execute(
                update(Person).where(Person.id == row.id).values(name=name, email=email)
            )
    people: dict[str, UUID] = {row.subject: row.id for row in known}
    strangers = {subject: new_id() for subject in of if subject not in people}
    if strangers:
        session.execute(
            insert(Person),
            [
                {"id": id, "name": of[who].name, "email": of[who].email, "created_at": now}
                for who, id in strangers.items()
            ],
        )
        session.execute(
            insert(Identity),
            [
                {
                    "id": new_id(),
                    "person_id": id,
                    "realm": realm,
                    "subject": who,
                    "first_seen_at": now,
                }
                for who, id in strangers.items()
            ],
        )
    return people | strangers


def _join(
    session: Session,
    is_active: dict[UUID, bool],
    school_id: str,
    list_id: UUID,
    now: datetime,
) -> None:
    members = session.execute(
        select(
            Membership.id, Membership.person_id, Membership.confirmed_at, Membership.left_at
        ).where(Membership.school_id == school_id, Membership.person_id.in_(is_active))
    ).all()
    new = is_active.keys() - {member.person_id for member in members}
    if new:
        session.execute(
            insert(Membership),
            [
                {
                    "id": new_id(),
                    "school_id": school_id,
                    "person_id": person_id,
                    "created_at": now,
                    "confirmed_at": now if is_active[person_id] else None,
                    "left_at": None if is_active[person_id] else now,
                }
                for person_id in sorted(new)
            ],
        )
    active = [member for member in members if is_active[member.person_id]]
    waiting = [member for member in active if member.confirmed_at is None]
    back = [member for member in active if member.left_at is not None]
    _set(session, [member.id for member in waiting], confirmed_at=now)
    _set(session, [member.id for member in back], left_at=None)
    confirmed = [who for who in sorted(new) if is_active[who]]
    confirmed += [member.person_id for member in waiting]
    returned = [member.person_id for member in back if member.confirmed_at is not None]
    _record(session, "member-confirmed", confirmed, school_id, list_id, now)
    _record(session, "member-returned", returned, school_id, list_id, now)


def _set(session: Session, membership_ids: Sequence[UUID], **values: Any) -> None:
    if membership_ids:
        session.execute(
            update(Membership)
            .where(Membership.id.in_(membership_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _record(
    session: Session,
    kind: str,
    person_ids: Iterable[UUID],
    school_id: str,
    list_id: UUID,
    now: datetime,
) -> None:
    for person_id in person_ids:
        ledger.append(
            session,
            school_id=school_id,
            kind=kind,
            facts={"by": "staff-list", "list": str(list_id)},
            person_id=person_id,
            personal={"person": str(person_id)},
            now=now,
        )
