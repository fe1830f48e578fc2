"""A staff file is taken in, shown, applied in one transaction, and undone."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.people.arrive import VISIT_LIFE
from lti_tool.people.imports.members import members_of, realm, record
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.imports.planning import MEMBERSHIP, PERSON, Change, Plan, make_plan
from lti_tool.people.imports.reading import Fault, StaffFile, StaffRow, read_staff_file
from lti_tool.people.joins import kept
from lti_tool.people.models import Identity, Membership, Person

# A preview can be applied for as long as the visit it was made in can last.
KEPT_FOR: Final = VISIT_LIFE

Changed = dict[str, list[str | None]]
"""By field, before and after, as JSON keeps them."""


def receive(
    session: Session,
    data: bytes,
    *,
    school_id: str,
    sites: tuple[str, ...],
    by: UUID,
    now: datetime,
) -> StaffImport:
    """Read a file and keep what we know of it until it is applied or put aside.

    Whatever waited before is put aside: a newer file takes its place. Raises as
    ``read_staff_file`` does.
    """
    read = read_staff_file(data, sites=sites)
    forget(session, now=now, school_id=school_id)
    made = StaffImport(
        id=new_id(), school_id=school_id, uploaded_at=now, uploaded_by=by, content=_pack(read)
    )
    session.add(made)
    session.flush()
    return made


def forget(session: Session, *, now: datetime, school_id: str = "") -> None:
    """Erase what waits at a school; without one, everywhere, what has waited too long."""
    is_meant = (
        StaffImport.school_id == school_id
        if school_id
        else StaffImport.uploaded_at < now - KEPT_FOR
    )
    session.execute(
        update(StaffImport)
        .where(is_meant, StaffImport.content.is_not(None))
        .values(content=None)
        .execution_options(synchronize_session=False)
    )


def waiting(session: Session, *, school_id: str, import_id: UUID, now: datetime) -> StaffImport:
    """A file that waits to be applied, locked. Raises ``ToolError`` import-gone."""
    found = session.scalar(
        select(StaffImport)
        .where(StaffImport.id == import_id, StaffImport.school_id == school_id)
        .with_for_update()
    )
    if found is None or found.content is None or now - found.uploaded_at >= KEPT_FOR:
        raise ToolError("import-gone")
    return found


def plan_of(
    session: Session, found: StaffImport, *, ticked: Collection[int] = ()
) -> tuple[Plan, tuple[str, ...]]:
    """What applying a waiting file would do now, and the columns of it that were not read."""
    read = _unpack(found.content or {})
    members = members_of(session, school_id=found.school_id)
    return make_plan(read.rows, members, read.faults, ticked=ticked), read.unread


def apply(
    session: Session,
    *,
    school_id: str,
    import_id: UUID,
    shown: str,
    ticked: Collection[int],
    by: UUID,
    now: datetime,
) -> StaffImport:
    """Do what was shown. ``shown`` is the digest of the plan as it was, without ticks.

    Everybody in the file counts as the school's own. Raises ``ToolError`` import-gone, and
    import-overtaken where the school's people have changed since it was shown.
    """
    found = waiting(session, school_id=school_id, import_id=import_id, now=now)
    if plan_of(session, found)[0].digest != shown:
        raise ToolError("import-overtaken")
    plan, _ = plan_of(session, found, ticked=ticked)
    _do(session, found, plan, by, now)
    found.content, found.applied_at, found.applied_by = None, now, by
    found.added = len(plan.added) + len(plan.offers)
    found.changed, found.unchanged = len(plan.changed), len(plan.unchanged)
    found.left_out = len({fault.line for fault in plan.faults})
    ledger.append(
        session,
        school_id=school_id,
        kind="people-imported",
        facts={
            "import": str(found.id),
            **{
                name: getattr(found, name) for name in ("added", "changed", "unchanged", "left_out")
            },
        },
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    session.flush()
    return found


def listed(session: Session, *, school_id: str) -> list[StaffImport]:
    """The files that were applied, newest first."""
    asked = select(StaffImport).where(
        StaffImport.school_id == school_id, StaffImport.applied_at.is_not(None)
    )
    return list(session.scalars(asked.order_by(StaffImport.applied_at.desc())))


def _do(session: Session, found: StaffImport, plan: Plan, by: UUID, now: datetime) -> None:
    """Many rows at a time: a flush for each would hold the database for long."""
    keys = select(Identity.subject).where(Identity.realm == realm(found.school_id))
    known = set(session.scalars(keys))
    with session.no_autoflush:
        added = [
            (row, Person(id=new_id(), name=row.name, email=row.email, created_at=now))
            for row in (*plan.added, *(offer.row for offer in plan.offers))
        ]
        session.add_all(person for _, person in added)
        session.flush()
        done = [(row, person.id, _join(session, found, row, person, by, now))
                for row, person in added]  # fmt: skip
        done += [(one.row, one.member.person_id, changed)
                 for one, changed in _change(session, plan.changed, by, now)]  # fmt: skip
        for place, (row, person_id, changed) in enumerate(done):
            session.add(
                StaffImportChange(
                    import_id=found.id,
                    person_id=person_id,
                    school_id=found.school_id,
                    line=row.line,
                    is_new=place < len(added),
                    changed=changed,
                )
            )
            if not row.payroll_number and row.key not in known:
                session.add(
                    Identity(
                        id=new_id(),
                        person_id=person_id,
                        realm=realm(found.school_id),
                        subject=row.key,
                        first_seen_at=now,
                    )
                )
            record(session, "person-imported", found, person_id, changed, by, now)
        session.flush()


def _join(
    session: Session, found: StaffImport, row: StaffRow, person: Person, by: UUID, now: datetime
) -> Changed:
    said = {name: getattr(row, name) for name in MEMBERSHIP}
    session.add(
        Membership(
            id=new_id(),
            school_id=found.school_id,
            person_id=person.id,
            created_at=now,
            confirmed_at=now,
            confirmed_by=by,
            **said,
        )
    )
    said |= {"name": row.name, "email": row.email}
    return {name: [None, kept(value)] for name, value in said.items() if value}


def _change(
    session: Session, changes: Sequence[Change], by: UUID, now: datetime
) -> Iterator[tuple[Change, Changed]]:
    rows: dict[UUID, tuple[Membership, Person]] = {}
    for some in batched([one.member.membership_id for one in changes]):
        asked = select(Membership, Person).join(Person, Person.id == Membership.person_id)
        for own, person in session.execute(asked.where(Membership.id.in_(some))):
            rows[own.id] = own, person
    for one in changes:
        own, person = rows[one.member.membership_id]
        changed: Changed = {}
        for name, (old, new) in one.fields.items():
            if name == "counted":
                changed |= _count(own, by, now)
                continue
            changed[name] = [kept(old) or None, kept(new)]
            setattr(person if name in PERSON else own, name, new)
        yield one, changed


def _count(own: Membership, by: UUID, now: datetime) -> Changed:
    changed: Changed = {}
    if own.confirmed_at is None:
        changed["confirmed_at"] = [None, kept(now)]
        own.confirmed_at, own.confirmed_by = now, by
    if own.left_at is not None:
        changed["left_at"] = [kept(own.left_at), None]
        own.left_at = None
    return changed


def batched(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """No more at a time than a statement can name."""
    for start in range(0, len(ids), 500):
        yield ids[start : start + 500]


def _pack(read: StaffFile) -> dict[str, Any]:
    rows = [
        {name: kept(value) for name, value in asdict(row).items() if value} for row in read.rows
    ]
    return {"rows": rows, "faults": [asdict(one) for one in read.faults], "unread": read.unread}


def _unpack(content: Mapping[str, Any]) -> StaffFile:
    def row(said: Mapping[str, Any]) -> StaffRow:
        values: dict[str, Any] = {
            name: date.fromisoformat(value) if name.endswith("_on") else value
            for name, value in said.items()
        }
        return StaffRow(**values)

    faults: Iterable[Mapping[str, Any]] = content["faults"]
    return StaffFile(
        tuple(row(values) for values in content["rows"]),
        tuple(Fault(**fault) for fault in faults),
        tuple(content["unread"]),
    )
