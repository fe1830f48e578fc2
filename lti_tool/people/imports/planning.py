"""What a staff file would do to a school's people. Pure: it is shown first, and done as shown."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from lti_tool.people.imports.columns import number_key
from lti_tool.people.imports.reading import Fault, StaffRow

MEMBERSHIP: Final = ("role_group", "site", "starts_on", "payroll_number", "ends_on")
PERSON: Final = ("name", "email")
# Two ways to write the same change nothing.
SAME: Final[Mapping[str, Callable[[str], str]]] = {
    "payroll_number": number_key,
    "email": str.casefold,
}


@dataclass(frozen=True)
class Member:
    """Somebody the school has, as far as a file can say it too."""

    person_id: UUID
    membership_id: UUID
    name: str
    email: str
    role_group: str
    site: str
    starts_on: date | None
    payroll_number: str
    ends_on: date | None
    is_confirmed: bool
    has_left: bool
    """As a staff list of a platform has it."""
    signs_in: bool
    """Then the platform says their name and address, and a file changes neither."""
    keys: tuple[str, ...] = ()
    """Under which the staff file knew them before, where it gives no payroll number."""


@dataclass(frozen=True)
class Change:
    """A row of somebody the school has, and what it changes: by field, before and after."""

    row: StaffRow
    member: Member
    fields: Mapping[str, tuple[Any, Any]]
    is_ticked: bool = False
    """Whether only a manager's tick says that they are the same."""


@dataclass(frozen=True)
class Plan:
    """Everything that applying a file would do."""

    added: tuple[StaffRow, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[Change, ...]
    offers: tuple[Change, ...]
    """Rows with the e-mail address of somebody the school has: theirs if ticked, else added."""
    faults: tuple[Fault, ...]
    absent: tuple[Member, ...]
    """The school's people who are not in the file. Nothing happens to them."""

    @property
    def digest(self) -> str:
        """Differs if anything at all differs that a manager was shown."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def make_plan(
    rows: Sequence[StaffRow],
    members: Sequence[Member],
    faults: Sequence[Fault] = (),
    *,
    ticked: Collection[int] = (),
) -> Plan:
    """What the rows would do. ``ticked`` are lines whose offer a manager has taken up.

    A payroll number says who somebody is; where the file has none, the name and address under
    which this file had them before. An equal address alone is only an offer.
    """
    by_number, by_key, twice = _index(members)
    amiss = list(faults)
    found: dict[int, Member] = {}
    for row in rows:
        number = number_key(row.payroll_number)
        if number in twice:
            amiss.append(Fault(row.line, "number-held-twice", cell=row.payroll_number))
        else:
            known = by_number.get(number) if number else by_key.get(row.key)
            found |= {row.line: known} if known else {}
    left_out = {fault.line for fault in amiss}
    rows = [row for row in rows if row.line not in left_out]
    taken = {member.person_id for member in found.values()}
    offered = _offers(rows, members, found, taken)
    for row in rows:
        if row.line in ticked and (member := offered.get(row.line)):
            if member.person_id in taken:
                amiss.append(Fault(row.line, "ticked-twice", cell=member.name))
                left_out.add(row.line)
            found[row.line] = member
            taken.add(member.person_id)
    rows = [row for row in rows if row.line not in left_out]
    changes = [
        Change(row, found[row.line], _fields(row, found[row.line]), row.line in offered)
        for row in rows
        if row.line in found
    ]
    return Plan(
        added=tuple(row for row in rows if row.line not in found and row.line not in offered),
        changed=tuple(one for one in changes if one.fields or one.is_ticked),
        unchanged=tuple(one for one in changes if not one.fields and not one.is_ticked),
        offers=tuple(
            Change(row, offered[row.line], _fields(row, offered[row.line]), is_ticked=True)
            for row in rows
            if row.line in offered and row.line not in found
        ),
        faults=tuple(sorted(amiss, key=lambda fault: fault.line)),
        absent=tuple(one for one in members if one.person_id not in taken),
    )


def _index(
    members: Iterable[Member],
) -> tuple[dict[str, Member], dict[str, Member], set[str]]:
    by_number: dict[str, Member] = {}
    by_key: dict[str, Member] = {}
    twice: set[str] = set()
    for member in members:
        by_key |= dict.fromkeys(member.keys, member)
        if number := number_key(member.payroll_number):
            twice |= {number} & by_number.keys()
            by_number[number] = member
    return by_number, by_key, twice


def _offers(
    rows: Iterable[StaffRow],
    members: Iterable[Member],
    found: Mapping[int, Member],
    taken: Collection[UUID],
) -> dict[int, Member]:
    """The member with a row's address, unless the file itself says that they are two."""
    by_email: dict[str, Member] = {}
    for member in members:
        if member.email and member.person_id not in taken:
            by_email.setdefault(member.email.casefold(), member)
    offered = {}
    for row in rows:
        same = by_email.get(row.email.casefold()) if row.email else None
        if same is None or row.line in found:
            continue
        if not (row.payroll_number and same.payroll_number):
            offered[row.line] = same
    return offered


def _fields(row: StaffRow, member: Member) -> dict[str, tuple[Any, Any]]:
    """What differs; an empty cell says nothing."""
    fields: dict[str, tuple[Any, Any]] = {}
    for name in (*(() if member.signs_in else PERSON), *MEMBERSHIP):
        old, new = getattr(member, name), getattr(row, name)
        if name in SAME and SAME[name](old) == SAME[name](new):
            continue
        if new and new != old:
            fields[name] = (old, new)
    if not member.is_confirmed or member.has_left:
        fields["counted"] = (False, True)
    return fields
