"""Persons who turned out to be one: somebody on Moodle, in Teams and in the staff file.

A join is offered where an e-mail address or a name is the same, and made by a manager or by the
person, signed in at both; never by e-mail alone. It says that two rows of ``person`` are one human:

- ``Person.one_with`` of the joined row names the *root*, under which the two are shown and counted.
  It is derived from the joins that stand, so undoing one of several leaves the others right.
- What was recorded stays where it was recorded. Whoever counts asks for everybody who is the root.
- The root has a membership wherever the joined one has; what it lacked there is filled in from the
  joined one's. So lists of a school's people show whom nothing is ``one_with``, once each.
- Who signs in as the joined one learns as the root. Grants do not follow: leave to manage goes with
  the sign-ins of the person it was given to (``memberships.manages``), before the join and after.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ScalarSelect,
    Select,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session, aliased

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.people.models import Identity, Join, Membership, Person, Visit

FILLED: Final = ("role_group", "site", "payroll_number", "starts_on", "ends_on")


def root_of(person_id: Any) -> ScalarSelect[UUID]:
    """SQL: whom a person is shown and counted as; ``person_id`` is a column or a value."""
    one = aliased(Person)
    return select(func.coalesce(one.one_with, one.id)).where(one.id == person_id).scalar_subquery()


def everybody_who_is(session: Session, person_id: UUID) -> frozenset[UUID]:
    """The ids of one human, this one among them, whichever of them it is."""
    return frozenset(session.scalars(_group(person_id))) | {person_id}


def groups(session: Session, person_ids: Collection[UUID] | None = None) -> dict[UUID, UUID]:
    """The root of everybody who is joined to one, by id; of these people or of all."""
    asked = select(Person.id, Person.one_with).where(Person.one_with.is_not(None))
    if person_ids is not None:
        asked = asked.where(Person.id.in_(person_ids))
    return {row.id: row.one_with for row in session.execute(asked)}


def families(session: Session, person_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Everybody who is one of these people, these among them, each with their root."""
    one_with = groups(session, person_ids)
    of = {one: one_with.get(one, one) for one in person_ids}
    joined = select(Person.id, Person.one_with).where(Person.one_with.in_(set(of.values())))
    of |= {row.id: row.one_with for row in session.execute(joined)}
    return of | {root: root for root in of.values()}


def _group(person_id: UUID) -> Select[UUID]:
    root = root_of(person_id)
    return select(Person.id).where(or_(Person.id == root, Person.one_with == root))


def check_manager_may(
    session: Session, *, school_ids: Collection[str], person_ids: Collection[UUID]
) -> None:
    """A join reaches wherever the two are, so a manager makes one only of people who are nowhere
    that the manager does not manage. Raises ``ToolError`` join-elsewhere."""
    ids = {one for person_id in person_ids for one in everybody_who_is(session, person_id)}
    elsewhere = select(Membership.id).where(
        Membership.person_id.in_(ids), Membership.school_id.not_in(school_ids)
    )
    if session.scalar(elsewhere.limit(1)) is not None:
        raise ToolError("join-elsewhere")


def join(
    session: Session,
    *,
    root_id: UUID,
    joined_id: UUID,
    school_id: str,
    now: datetime,
    made_by: UUID | None = None,
) -> Join:
    """Say that two persons are one, shown as ``root_id`` from now on.

    ``made_by`` is the manager; nobody where the person did it. Raises ``ToolError`` joined-already.
    """
    _lock(session, root_id, joined_id)
    root_id = session.scalars(select(root_of(root_id))).one()
    joined_id = session.scalars(select(root_of(joined_id))).one()
    if root_id == joined_id:
        raise ToolError("joined-already")
    made = Join(
        id=new_id(),
        school_id=school_id,
        root_id=root_id,
        joined_id=joined_id,
        made_at=now,
        made_by=made_by,
    )
    session.add(made)
    made.changed = _fill(session, root_id, joined_id, now)
    session.flush()
    _derive(session, {root_id, joined_id}, now)
    _record(session, "persons-joined", made, made_by, now)
    return made


def separate(
    session: Session, *, join_id: UUID, school_id: str, now: datetime, by: UUID | None = None
) -> Join:
    """Undo a join of people of this school; what it filled in is taken back, unless it has been
    changed since. What was recorded stays where it was recorded.

    ``by`` is the manager; nobody where the person did it. Raises ``ToolError`` page-not-found.
    """
    made = session.scalar(
        select(Join).where(Join.id == join_id, Join.undone_at.is_(None)).with_for_update()
    )
    if made is None or school_id not in _schools(session, made):
        raise ToolError("page-not-found")
    made.undone_at, made.undone_by = now, by
    ids = everybody_who_is(session, made.root_id)
    _record(session, "persons-separated", made, by, now)
    session.flush()
    _take_back(session, made)
    _derive(session, ids, now)
    return made


def standing(session: Session, *, person_id: UUID) -> list[tuple[Join, Person]]:
    """The joins of one human that stand, each with the person it joined, oldest first."""
    ids = everybody_who_is(session, person_id)
    rows = session.execute(
        select(Join, Person)
        .join(Person, Person.id == Join.joined_id)
        .where(Join.undone_at.is_(None), Join.joined_id.in_(ids))
        .order_by(Join.made_at)
    )
    return [(made, person) for made, person in rows]


def _lock(session: Session, *person_ids: UUID) -> None:
    """Everybody whom a join would touch, in one order; so that of two joins at once the later
    sees what the earlier did. Raises ``ToolError`` page-not-found."""
    of = families(session, person_ids)
    asked = select(Person).where(Person.id.in_(of)).order_by(Person.id).with_for_update()
    found = session.scalars(asked.execution_options(populate_existing=True)).all()
    if {*person_ids} - {person.id for person in found}:
        raise ToolError("page-not-found")


def _derive(session: Session, ids: Collection[UUID], now: datetime) -> None:
    """``one_with`` anew for everybody whom a join touches, and for the visits they are on."""
    ids = {other for one in ids for other in everybody_who_is(session, one)}
    upwards = {
        row.joined_id: row.root_id
        for row in session.execute(
            select(Join.joined_id, Join.root_id).where(
                Join.undone_at.is_(None), Join.joined_id.in_(ids)
            )
        )
    }
    for one in ids:
        root = one
        while root in upwards:
            root = upwards[root]
        own = None if root == one else root
        session.execute(update(Person).where(Person.id == one).values(one_with=own))
        signed_in = select(Identity.id).where(Identity.person_id == one)
        session.execute(
            update(Visit)
            .where(Visit.ended_at.is_(None), Visit.identity_id.in_(signed_in))
            .where(Visit.expires_at > now)
            .values(person_id=root)
        )
    session.expire_all()


def _fill(
    session: Session, root_id: UUID, joined_id: UUID, now: datetime
) -> dict[str, dict[str, Any]]:
    """What the root lacks at each school, from the joined one; returns what was changed."""
    root, joined = session.get_one(Person, root_id), session.get_one(Person, joined_id)
    mine = _memberships(session, root_id)
    changed: dict[str, dict[str, Any]] = {}
    for school_id, other in _memberships(session, joined_id).items():
        if school_id not in mine:
            session.add(_copy(other, root_id, now))
            changed[school_id] = {}
        elif filled := _filled(mine[school_id], other):
            changed[school_id] = {name: [kept(old), kept(new)] for name, old, new in filled}
            for name, _old, new in filled:
                setattr(mine[school_id], name, new)
    for name in ("name", "email"):
        if not getattr(root, name) and getattr(joined, name):
            setattr(root, name, getattr(joined, name))
    return changed


def _filled(mine: Membership, other: Membership) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = [
        (name, getattr(mine, name), getattr(other, name))
        for name in FILLED
        if not getattr(mine, name) and getattr(other, name)
    ]
    if other.confirmed_at is not None and other.left_at is None:
        if mine.confirmed_at is None or other.confirmed_at < mine.confirmed_at:
            # Whoever was counted first was known from then on.
            found.append(("confirmed_at", mine.confirmed_at, other.confirmed_at))
        if mine.left_at is not None:
            found.append(("left_at", mine.left_at, None))
    return found


def _copy(other: Membership, person_id: UUID, now: datetime) -> Membership:
    return Membership(
        id=new_id(),
        person_id=person_id,
        school_id=other.school_id,
        created_at=now,
        confirmed_at=other.confirmed_at,
        confirmed_by=other.confirmed_by,
        left_at=other.left_at,
        **{name: getattr(other, name) for name in FILLED},
    )


def _take_back(session: Session, made: Join) -> None:
    mine = _memberships(session, made.root_id)
    for school_id, changes in made.changed.items():
        member = mine.get(school_id)
        if member is None:
            continue
        if not changes and not _has_been_at(session, made, school_id):
            session.execute(delete(Membership).where(Membership.id == member.id))
        for name, (old, new) in changes.items():
            if kept(getattr(member, name)) == new:
                setattr(member, name, value_of(name, old))
    session.flush()


def _has_been_at(session: Session, made: Join, school_id: str) -> bool:
    """Whether the root has been at a school since, and may have learned there."""
    visits = select(Visit.id).where(
        Visit.person_id == made.root_id,
        Visit.school_id == school_id,
        Visit.last_seen_at > made.made_at,
    )
    return session.scalar(visits.limit(1)) is not None


def _memberships(session: Session, person_id: UUID) -> dict[str, Membership]:
    found = session.scalars(select(Membership).where(Membership.person_id == person_id))
    return {one.school_id: one for one in found}


def kept(value: date | datetime | str | None) -> str | None:
    """A membership's value as JSON keeps it."""
    return value.isoformat() if isinstance(value, date) else value


def value_of(name: str, text: str | None) -> date | datetime | str | None:
    """The value of a membership's field again."""
    if text is None or name in {"role_group", "site", "payroll_number", "name", "email"}:
        return text
    return datetime.fromisoformat(text) if name.endswith("_at") else date.fromisoformat(text)


def _schools(session: Session, made: Join) -> list[str]:
    asked = select(Membership.school_id).where(
        Membership.person_id.in_((made.root_id, made.joined_id))
    )
    return sorted({made.school_id, *session.scalars(asked)})


def _record(session: Session, kind: str, made: Join, actor: UUID | None, now: datetime) -> None:
    """An entry at each school where either of the two is known."""
    for school_id in _schools(session, made):
        changes: Mapping[str, Any] = made.changed.get(school_id, {})
        personal: dict[str, ledger.Value] = {
            "person": str(made.root_id),
            "joined": str(made.joined_id),
        }
        if actor is not None:
            personal["actor"] = str(actor)
        if changes:
            personal["before"] = {name: old or "" for name, (old, _) in changes.items()}
            personal["after"] = {name: new or "" for name, (_, new) in changes.items()}
        ledger.append(
            session,
            school_id=school_id,
            kind=kind,
            facts={"by": "manager" if actor else "self", "join": str(made.id)},
            person_id=made.root_id,
            personal=personal,
            now=now,
        )
