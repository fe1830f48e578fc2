"""Somebody arrives through a door: claims become a plain ``Arrival``, then rows."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, exists, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.people.models import Identity, Person

CODE_LIFE = timedelta(minutes=5)
IDLE_LIFE = timedelta(minutes=30)
VISIT_LIFE = timedelta(hours=8)


# The statements of every launch.
_tables = Person.metadata.tables
_person, _identity, _membership, _grant, _visit = (
    _tables[name] for name in ("person", "identity", "membership", "manager_grant", "visit")
)
ADD_PERSON: Final = Hot(insert(_person), "id", "name", "email", "created_at", "corrected_name")
ADD_IDENTITY: Final = Hot(insert(_identity), "id", "person_id", "realm", "subject", "first_seen_at")
ADD_MEMBERSHIP: Final = Hot(
    insert(_membership),
    *("id", "school_id", "person_id", "site", "role_group", "payroll_number"),
    *("created_at", "confirmed_at"),
)
BEGIN_VISIT: Final = Hot(
    insert(_visit),
    *("id", "token_hash", "code_hash", "code_expires_at", "person_id", "identity_id"),
    *("school_id", "module", "door", "place_id", "platform_name", "may_ask_to_manage"),
    *("may_set_up", "frame_ancestors", "started_at", "last_seen_at", "expires_at"),
    "confirmed_at",
)
FIND_IDENTITY: Final = Hot(
    select(
        *(_identity.c.id, _identity.c.person_id),
        *(_person.c.name, _person.c.email, _person.c.corrected_name, _person.c.one_with),
    )
    .select_from(_identity.join(_person))
    .where(_identity.c.realm == bindparam("realm"), _identity.c.subject == bindparam("subject"))
)
_school: BindParameter[str] = bindparam("school_id")
_who: BindParameter[UUID] = bindparam("person_id")
_signed_in: BindParameter[UUID] = bindparam("signed_in_as")
FIND_STANDING: Final = Hot(
    select(
        select(_membership.c.id)
        .where(_membership.c.school_id == _school, _membership.c.person_id == _who)
        .scalar_subquery()
        .label("membership"),
        exists()
        .where(
            _grant.c.school_id == _school,
            _grant.c.person_id == _signed_in,
            _grant.c.revoked_at.is_(None),
        )
        .label("manages"),
    )
)


@dataclass(frozen=True)
class Arrival:
    """What a door knows of somebody it has let in. Nothing past the door sees a claim."""

    door: str
    realm: str
    subject: str
    name: str
    email: str
    school_id: str
    module: str
    is_bound: bool
    """Whether the launch is known to come from the browser that began it."""
    may_ask_to_manage: bool
    may_set_up: bool
    platform_name: str
    frame_ancestors: str
    place_id: UUID | None = None


@dataclass(frozen=True)
class Admission:
    """The new visit's secrets: ``token`` for the cookie, ``code`` for the first address."""

    visit_id: UUID
    person_id: UUID
    """Who learns: whom the person signed in as is one with, if anybody."""
    signed_in_as: UUID
    """The person whose sign-in it is; only their own grants count."""
    school_id: str
    manages: bool
    token: str
    code: str
    review_of: UUID | None = None


def digest(secret: str) -> str:
    """How a token or a code is kept: SHA-256, in hex. They are random, so no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def admit(session: Session, arrival: Arrival, *, now: datetime) -> Admission:
    """Find or make the person, the identity and the membership, and begin a visit.

    Core statements rather than mapped objects: every launch passes here.
    """
    identity_id, signed_in_as, person_id = _identify(session, arrival, now)
    manages = bool(arrival.school_id) and _join(
        session, arrival.school_id, person_id, signed_in_as, now
    )
    admission = Admission(
        visit_id=new_id(),
        person_id=person_id,
        signed_in_as=signed_in_as,
        school_id=arrival.school_id,
        manages=manages,
        token=secrets.token_urlsafe(32),
        code=secrets.token_urlsafe(32),
    )
    BEGIN_VISIT.run(
        session,
        {
            "id": admission.visit_id,
            "token_hash": digest(admission.token),
            "code_hash": digest(admission.code),
            "code_expires_at": now + CODE_LIFE,
            "person_id": person_id,
            "identity_id": identity_id,
            "school_id": arrival.school_id,
            "module": arrival.module,
            "door": arrival.door,
            "place_id": arrival.place_id,
            "platform_name": arrival.platform_name,
            "may_ask_to_manage": arrival.may_ask_to_manage,
            "may_set_up": arrival.may_set_up,
            "frame_ancestors": arrival.frame_ancestors,
            "started_at": now,
            "last_seen_at": now,
            "expires_at": now + VISIT_LIFE,
            "confirmed_at": now if arrival.is_bound else None,
        },
    )
    return admission


def _identify(session: Session, arrival: Arrival, now: datetime) -> tuple[UUID, UUID, UUID]:
    """The identity, the person it is of, and whom that person is one with."""
    realm, subject = arrival.realm, arrival.subject
    known = FIND_IDENTITY.one(session, {"realm": realm, "subject": subject})
    if known is None:
        identity_id, person_id = _introduce(
            session, realm, subject, now, name=arrival.name, email=arrival.email
        )
        return identity_id, person_id, person_id
    name, email = told(known, name=arrival.name, email=arrival.email)
    if (name, email) != (known.name, known.email):
        session.execute(
            update(Person).where(Person.id == known.person_id).values(name=name, email=email)
        )
    return known.id, known.person_id, known.one_with or known.person_id


def told(known: Any, *, name: str, email: str) -> tuple[str, str]:
    """Name and e-mail after a platform or list told these of somebody known: what is withheld
    leaves what was told before, and a name that a manager corrected stays corrected."""
    is_old = not name or (known.corrected_name and name == known.corrected_name)
    return known.name if is_old else name, email or known.email


def expect(session: Session, *, realm: str, subject: str, now: datetime) -> UUID:
    """The person whom a realm calls ``subject``, who may not have arrived yet; returns their id."""
    known = session.scalar(
        select(Identity.person_id).where(Identity.realm == realm, Identity.subject == subject)
    )
    return known or _introduce(session, realm, subject, now)[1]


def _introduce(
    session: Session,
    realm: str,
    subject: str,
    now: datetime,
    *,
    name: str = "",
    email: str = "",
) -> tuple[UUID, UUID]:
    identity_id, person_id = new_id(), new_id()
    whole = {"id": person_id, "name": name, "email": email, "created_at": now}
    ADD_PERSON.run(session, {**whole, "corrected_name": ""})
    ADD_IDENTITY.run(
        session,
        {
            "id": identity_id,
            "person_id": person_id,
            "realm": realm,
            "subject": subject,
            "first_seen_at": now,
        },
    )
    return identity_id, person_id


def _join(
    session: Session, school_id: str, person_id: UUID, signed_in_as: UUID, now: datetime
) -> bool:
    """See to it that the person is a member; returns whether they manage the school."""
    who = {"school_id": school_id, "person_id": person_id}
    standing = FIND_STANDING.one(session, who | {"signed_in_as": signed_in_as})
    if standing.membership is None:
        ADD_MEMBERSHIP.run(
            session,
            {
                "id": new_id(),
                **who,
                "site": "",
                "role_group": "",
                "payroll_number": "",
                "created_at": now,
                # Whoever was made manager before the first visit is the school's own.
                "confirmed_at": now if standing.manages else None,
            },
        )
    return bool(standing.manages)
