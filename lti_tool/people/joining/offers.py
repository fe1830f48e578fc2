"""Who of a school's people may be one: the same address, or the same name. Only ever an offer."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core.errors import ToolError
from lti_tool.people.models import Identity, Membership, Person


@dataclass(frozen=True)
class Known:
    """One of two who may be the same, as a manager of a school sees them."""

    person_id: UUID
    membership_id: UUID
    name: str
    email: str
    payroll_number: str
    role_group: str
    is_counted: bool
    signs_in: bool


@dataclass(frozen=True)
class Offer:
    """Two of a school's people who may be one, and what is the same about them."""

    first: Known
    second: Known
    same_email: bool
    same_name: bool


def offers(session: Session, *, school_id: str, limit: int = 100) -> list[Offer]:
    """Pairs of the school's people with the same e-mail address or the same name.

    Two with different payroll numbers are two people to the school's own list, and not offered.
    """
    people = [_known(row) for row in session.execute(_members(school_id))]
    found: dict[tuple[UUID, UUID], set[str]] = {}
    for what, key in (("email", _email), ("name", _name)):
        for first, second in islice(_same(people, key), limit):
            found.setdefault((first.person_id, second.person_id), set()).add(what)
    by_id = {one.person_id: one for one in people}
    return [
        Offer(by_id[first], by_id[second], "email" in what, "name" in what)
        for (first, second), what in found.items()
    ]


def _same(people: Sequence[Known], key: Callable[[Known], str]) -> Iterator[tuple[Known, Known]]:
    named = sorted((one for one in people if key(one)), key=key)
    for _, same in groupby(named, key):
        for first, second in combinations(same, 2):
            if len({first.payroll_number, second.payroll_number} - {""}) < 2:
                yield first, second


def _email(one: Known) -> str:
    return one.email.casefold()


def _name(one: Known) -> str:
    """“Osei, Amara” is “Amara Osei”."""
    return " ".join(sorted(one.name.casefold().replace(",", " ").split()))


def pair(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> list[Known]:
    """Two of a school's people to be compared. Raises ``ToolError`` page-not-found."""
    asked = _members(school_id).where(Person.id.in_(person_ids))
    found = [_known(row) for row in session.execute(asked)]
    if len(found) != 2:
        raise ToolError("page-not-found")
    return found


def _members(school_id: str) -> Select[*tuple[Any, ...]]:
    family = aliased(Person)
    signs_in = (
        exists()
        .where(Identity.person_id == family.id, Identity.realm.not_like("file:%"))
        .where(or_(family.id == Person.id, family.one_with == Person.id))
    )
    return (
        select(
            Person.id,
            Person.name,
            Person.email,
            Membership.id.label("membership_id"),
            Membership.payroll_number,
            Membership.role_group,
            Membership.confirmed_at,
            signs_in.label("signs_in"),
        )
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.school_id == school_id, Person.one_with.is_(None))
        .order_by(func.lower(Person.name), Person.id)
    )


def _known(row: Row[*tuple[Any, ...]]) -> Known:
    return Known(
        row.id,
        row.membership_id,
        row.name,
        row.email,
        row.payroll_number,
        row.role_group,
        row.confirmed_at is not None,
        row.signs_in,
    )
