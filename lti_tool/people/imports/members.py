"""A school's people as a staff file can speak of them, and what is recorded of each."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core import ledger
from lti_tool.people import joins
from lti_tool.people.imports.models import StaffImport
from lti_tool.people.imports.planning import Member
from lti_tool.people.models import Identity, Membership, Person


def members_of(session: Session, *, school_id: str) -> list[Member]:
    """Everybody the school has, once each, as a file can speak of them."""
    keys: dict[UUID, set[str]] = {}
    for root, key in session.execute(
        select(joins.root_of(Identity.person_id), Identity.subject).where(
            Identity.realm == realm(school_id)
        )
    ):
        keys.setdefault(root, set()).add(key)
    family = aliased(Person)
    signs_in = (
        exists()
        .where(Identity.person_id == family.id, Identity.realm.not_like("file:%"))
        .where(or_(family.id == Person.id, family.one_with == Person.id))
    )
    rows = session.execute(
        select(Membership, Person.name, Person.email, signs_in)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.school_id == school_id, Person.one_with.is_(None))
        .order_by(func.lower(Person.name), Person.id)
    )
    return [
        Member(
            person_id=member.person_id,
            membership_id=member.id,
            name=name,
            email=email,
            role_group=member.role_group,
            site=member.site,
            starts_on=member.starts_on,
            payroll_number=member.payroll_number,
            ends_on=member.ends_on,
            is_confirmed=member.confirmed_at is not None,
            has_left=member.left_at is not None,
            signs_in=can_sign_in,
            keys=tuple(sorted(keys.get(member.person_id, ()))),
        )
        for member, name, email, can_sign_in in rows
    ]


def realm(school_id: str) -> str:
    """The school's own staff file, among what vouches for identities."""
    return f"file:{school_id}"[:80]


def record(
    session: Session,
    kind: str,
    found: StaffImport,
    person_id: UUID,
    changed: Mapping[str, list[str | None]],
    by: UUID,
    now: datetime,
) -> None:
    is_back = kind == "person-import-undone"
    before, after = ({name: pair[at] or "" for name, pair in changed.items()} for at in (0, 1))
    ledger.append(
        session,
        school_id=found.school_id,
        kind=kind,
        facts={"by": "manager", "import": str(found.id)},
        person_id=person_id,
        personal={
            "person": str(person_id),
            "actor": str(by),
            "before": after if is_back else before,
            "after": before if is_back else after,
        },
        now=now,
    )
