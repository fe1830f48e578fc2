"""One person's details, by a manager's hand: added, changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.people.imports.columns import number_key
from lti_tool.people.joins import everybody_who_is, kept
from lti_tool.people.models import Membership, Person

CORRECTED: Final = ("name", "role_group", "starts_on")
"""What is a correction, and needs a reason, where it stood otherwise before: records name it."""


@dataclass(frozen=True)
class Details:
    """What a manager says of somebody at their school."""

    role_group: str = ""
    site: str = ""
    starts_on: date | None = None
    ends_on: date | None = None
    payroll_number: str = ""


def find(session: Session, *, school_id: str, membership_id: UUID) -> tuple[Membership, Person]:
    """One of the school's people, locked. Raises ``ToolError`` page-not-found."""
    found = session.execute(
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id == membership_id, Membership.school_id == school_id)
        .with_for_update(of=Membership)
    ).one_or_none()
    if found is None:
        raise ToolError("page-not-found")
    return found[0], found[1]


def add(
    session: Session,
    *,
    school_id: str,
    name: str,
    email: str,
    details: Details,
    by: UUID,
    now: datetime,
) -> Membership:
    """Somebody whom no platform or file has brought; they count at once.

    Raises ``ToolError``: payroll-number-taken.
    """
    _check_number(session, school_id, details.payroll_number, None)
    person = Person(id=new_id(), name=name, email=email, created_at=now)
    session.add(person)
    session.flush()
    member = Membership(
        id=new_id(),
        school_id=school_id,
        person_id=person.id,
        created_at=now,
        confirmed_at=now,
        confirmed_by=by,
        **asdict(details),
    )
    session.add(member)
    after = {"name": name, "email": email, **asdict(details)}
    _record(
        session,
        "person-added",
        member,
        {key: (None, value) for key, value in after.items()},
        by,
        now,
    )
    return member


def change(
    session: Session,
    member: Membership,
    *,
    details: Details,
    by: UUID,
    now: datetime,
    name: str = "",
    reason: str = "",
) -> bool:
    """Say otherwise of somebody; returns whether anything differs. Without a name theirs stays.

    What was recorded before is corrected by a new entry of the ledger, which holds both and why.
    Raises ``ToolError``: payroll-number-taken; reason-missing where a correction has none;
    name-elsewhere for the name of somebody whom other schools know by it.
    """
    _check_number(session, member.school_id, details.payroll_number, member.person_id)
    person = session.get_one(Person, member.person_id)
    differs: dict[str, tuple[date | str | None, date | str | None]] = {
        field: (getattr(member, field), value)
        for field, value in asdict(details).items()
        if getattr(member, field) != value
    }
    if name and name != person.name:
        differs["name"] = (person.name, name)
    if not reason and any(differs[field][0] for field in CORRECTED if field in differs):
        raise ToolError("reason-missing")
    for field, (_, value) in differs.items():
        if field != "name":
            setattr(member, field, value)
    if "name" in differs:
        _rename(session, member, person, name)
    if differs:
        _record(session, "person-changed", member, differs, by, now, reason=reason)
    return bool(differs)


def _rename(session: Session, member: Membership, person: Person, name: str) -> None:
    """The earliest name is kept, for it is what the platform goes on telling."""
    ids = everybody_who_is(session, person.id)
    elsewhere = select(Membership.id).where(
        Membership.person_id.in_(ids), Membership.school_id != member.school_id
    )
    if session.scalar(elsewhere.limit(1)) is not None:
        raise ToolError("name-elsewhere")
    person.corrected_name = person.corrected_name or person.name
    person.name = name


def _check_number(session: Session, school_id: str, number: str, person_id: UUID | None) -> None:
    """Nobody else shown at the school has this number: by it a staff file knows them."""
    if not number:
        return
    asked = (
        select(Membership.payroll_number)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.school_id == school_id,
            Membership.payroll_number != "",
            Person.one_with.is_(None),
        )
    )
    if person_id is not None:
        asked = asked.where(Membership.person_id != person_id)
    if number_key(number) in {number_key(other) for other in session.scalars(asked)}:
        raise ToolError("payroll-number-taken")


def _record(
    session: Session,
    kind: str,
    member: Membership,
    differs: Mapping[str, tuple[date | str | None, date | str | None]],
    by: UUID,
    now: datetime,
    *,
    reason: str = "",
) -> None:
    session.flush()
    why: dict[str, ledger.Value] = {"reason": reason} if reason else {}
    ledger.append(
        session,
        school_id=member.school_id,
        kind=kind,
        facts={"by": "manager"},
        person_id=member.person_id,
        personal=why
        | {
            "person": str(member.person_id),
            "actor": str(by),
            "before": {name: kept(old) or "" for name, (old, _) in differs.items()},
            "after": {name: kept(new) or "" for name, (_, new) in differs.items()},
        },
        now=now,
    )
