"""What people are at a school: members, confirmed or not; managers, by grant."""

import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, not_, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.people.arrive import digest
from lti_tool.people.models import Grant, Identity, ManagerCode, Membership, Person, Visit

ROLE_GROUPS: Final = ("teaching", "support", "governor", "volunteer", "supply")
CODE_LIFE = timedelta(days=30)
# Without letters and digits that are read for one another; 12 of 29 is 58 bits.
CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ2345678"
CODE_LENGTH = 12


# Built once, as they are asked on most pages.
LIVING_GRANT: Final = select(Grant).where(
    Grant.person_id == bindparam("person_id"),
    Grant.school_id == bindparam("school_id"),
    Grant.revoked_at.is_(None),
)
LIVING_GRANT_OF_SIGN_IN: Final = (
    select(Grant.id)
    .join(Identity, Identity.person_id == Grant.person_id)
    .where(
        Identity.id == bindparam("identity_id"),
        Grant.school_id == bindparam("school_id"),
        Grant.revoked_at.is_(None),
    )
)
MEMBERSHIP: Final = select(Membership).where(
    Membership.school_id == bindparam("school_id"), Membership.person_id == bindparam("person_id")
)


def has_left(today: date) -> ColumnElement[bool]:
    """SQL: whether a membership is of somebody who is gone, by their leaving date (the last day
    they are here) or by the staff lists."""
    is_over = and_(Membership.ends_on.is_not(None), Membership.ends_on < today)
    return or_(Membership.left_at.is_not(None), is_over)


def is_counted(today: date) -> ColumnElement[bool]:
    """SQL: whether a membership is of one of the school's own people on that day. Each human
    counts once: join ``Person`` and ask that ``one_with`` is empty."""
    return and_(Membership.confirmed_at.is_not(None), not_(has_left(today)))


def is_manager(session: Session, *, person_id: UUID, school_id: str) -> bool:
    """Whether just this person holds a living grant for a school. Of a visit ask ``manages``."""
    who = {"person_id": person_id, "school_id": school_id}
    return session.scalar(LIVING_GRANT, who) is not None


def manages(session: Session, visit: Visit, *, school_id: str = "") -> bool:
    """Whether the sign-in of this visit may manage its school, or the one given.

    Only a grant to the very person whose sign-in it is counts: the visit's person may be another,
    whom this one is joined to, and a join hands on no grant.
    """
    asked = {"identity_id": visit.identity_id, "school_id": school_id or visit.school_id}
    return session.execute(LIVING_GRANT_OF_SIGN_IN, asked).first() is not None


def signed_in_as(session: Session, visit: Visit) -> UUID:
    """The person whose sign-in a visit is; its own ``person_id`` is whom they are one with."""
    return session.scalars(select(Identity.person_id).where(Identity.id == visit.identity_id)).one()


def grant(
    session: Session,
    *,
    person_id: UUID,
    school_id: str,
    now: datetime,
    granted_by: UUID | None = None,
) -> None:
    """Make a person a manager of a school; a second time changes nothing.

    ``granted_by`` is empty where a manager code or the command line did it.
    """
    if is_manager(session, person_id=person_id, school_id=school_id):
        return
    session.add(
        Grant(school_id=school_id, person_id=person_id, granted_at=now, granted_by=granted_by)
    )
    member = membership(session, school_id=school_id, person_id=person_id)
    if member is not None and member.confirmed_at is None:
        member.confirmed_at, member.confirmed_by = now, granted_by
    _record(session, "manager-granted", school_id, person_id, granted_by, now)


def revoke(
    session: Session,
    *,
    person_id: UUID,
    school_id: str,
    now: datetime,
    revoked_by: UUID | None = None,
) -> None:
    """End a person's grant for a school. Raises ``ToolError`` not-granted."""
    found = session.scalars(LIVING_GRANT, {"person_id": person_id, "school_id": school_id}).all()
    if not found:
        raise ToolError("not-granted")
    for each in found:  # two codes, or two launches, at once can each have made one
        each.revoked_at = now
    _record(session, "manager-revoked", school_id, person_id, revoked_by, now)


def managers(session: Session, *, school_id: str) -> Sequence[Row[UUID, str, datetime]]:
    """Who holds a living grant for a school: rows of ``id``, ``name``, ``granted_at``, by date."""
    return session.execute(
        select(Person.id, Person.name, Grant.granted_at)
        .join(Grant, Grant.person_id == Person.id)
        .where(Grant.school_id == school_id, Grant.revoked_at.is_(None))
        .order_by(Grant.granted_at)
    ).all()


def make_manager_code(session: Session, *, school_id: str, now: datetime) -> str:
    """A one-time code whose first user becomes manager; thirty days; shown once."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    session.add(
        ManagerCode(
            school_id=school_id, code_hash=digest(code), created_at=now, expires_at=now + CODE_LIFE
        )
    )
    session.flush()
    return "-".join((code[:4], code[4:8], code[8:]))


def enter_manager_code(
    session: Session, code: str, *, person_id: UUID, school_id: str, now: datetime
) -> None:
    """Use a manager code. Raises ``ToolError`` manager-code-wrong (whatever the reason)."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    claimed = session.execute(
        update(ManagerCode)
        .where(
            ManagerCode.code_hash == digest(plain),
            ManagerCode.school_id == school_id,
            ManagerCode.used_at.is_(None),
            ManagerCode.expires_at > now,
        )
        .values(used_at=now, used_by=person_id)
        .returning(ManagerCode.id)
    ).one_or_none()
    if claimed is None:
        raise ToolError("manager-code-wrong")
    grant(session, person_id=person_id, school_id=school_id, now=now)


def membership(session: Session, *, school_id: str, person_id: UUID) -> Membership | None:
    """What a person is at a school, if anything."""
    return session.scalar(MEMBERSHIP, {"school_id": school_id, "person_id": person_id})


def known_as(session: Session, *, realm: str, subject: str, school_id: str) -> UUID | None:
    """The membership at a school of whom a realm calls ``subject``, if there is one."""
    return session.scalar(
        select(Membership.id)
        .join(Identity, Identity.person_id == Membership.person_id)
        .where(
            Identity.realm == realm,
            Identity.subject == subject,
            Membership.school_id == school_id,
        )
    )


def people_of(session: Session, *, school_id: str, membership_ids: Collection[UUID]) -> set[UUID]:
    """Whose memberships of the school these are; those of other schools are passed by."""
    asked = select(Membership.person_id).where(
        Membership.id.in_(membership_ids), Membership.school_id == school_id
    )
    return set(session.scalars(asked))


def set_role_group(session: Session, member_id: UUID, *, role_group: str, site: str) -> None:
    """What the person says they are here. Raises ``ToolError`` role-group-unknown."""
    if role_group not in ROLE_GROUPS:
        raise ToolError("role-group-unknown")
    member = session.get_one(Membership, member_id)
    member.role_group, member.site = role_group, site
    session.flush()


def confirm_members(
    session: Session,
    *,
    school_id: str,
    membership_ids: Collection[UUID],
    confirmed_by: UUID,
    today: date,
    now: datetime,
) -> int:
    """Count these people as the school's own from now on; returns how many were not counted.

    Somebody who left a staff list, or whose leaving date has passed, can so be said to belong
    here still. Ids of another school's members are passed over.
    """
    found = session.scalars(
        select(Membership)
        .where(
            Membership.school_id == school_id,
            Membership.id.in_(membership_ids),
            not_(is_counted(today)),
        )
        .with_for_update()
    ).all()
    for member in found:
        member.confirmed_at, member.confirmed_by, member.left_at = now, confirmed_by, None
        if member.ends_on is not None and member.ends_on < today:
            member.ends_on = None
        _record(session, "member-confirmed", school_id, member.person_id, confirmed_by, now)
    session.flush()
    return len(found)


def _record(
    session: Session,
    kind: str,
    school_id: str,
    person_id: UUID,
    actor_id: UUID | None,
    now: datetime,
) -> None:
    ledger.append(
        session,
        school_id=school_id,
        kind=kind,
        facts={"by": "manager" if actor_id else "set-up"},
        person_id=person_id,
        personal={"person": str(person_id)} | ({"actor": str(actor_id)} if actor_id else {}),
        now=now,
    )
    session.flush()
