"""A staff file that was applied is looked at again, and undone."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.people import joins
from lti_tool.people.imports.members import realm, record
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.imports.planning import PERSON
from lti_tool.people.joins import kept, value_of
from lti_tool.people.models import Absence, Grant, Identity, Join, Membership, Person


def applied(session: Session, *, school_id: str, import_id: UUID) -> StaffImport:
    """One that was applied. Raises ``ToolError`` page-not-found."""
    found = session.scalar(
        select(StaffImport)
        .where(
            StaffImport.id == import_id,
            StaffImport.school_id == school_id,
            StaffImport.applied_at.is_not(None),
        )
        .with_for_update()
    )
    if found is None:
        raise ToolError("page-not-found")
    return found


def changes_of(
    session: Session, *, school_id: str, import_id: UUID
) -> list[tuple[StaffImportChange, Person]]:
    """What it did to whom, by line."""
    rows = session.execute(
        select(StaffImportChange, Person)
        .join(Person, Person.id == StaffImportChange.person_id)
        .where(StaffImportChange.import_id == import_id, StaffImportChange.school_id == school_id)
        .order_by(StaffImportChange.line)
    )
    return [(change, person) for change, person in rows]


def undo(
    session: Session,
    found: StaffImport,
    *,
    learned: Collection[UUID],
    by: UUID,
    now: datetime,
) -> list[UUID]:
    """Make it as if the file had not been applied; returns whom that touches.

    ``learned`` are those of its people who have begun to learn since. What somebody changed by
    hand since stands. Raises ``ToolError``: import-undone, import-learned.
    """
    if found.undone_at is not None:
        raise ToolError("import-undone")
    if learned:
        raise ToolError("import-learned", people=len(learned))
    school_id, import_id = found.school_id, found.id
    changes = changes_of(session, school_id=school_id, import_id=import_id)
    _remove(session, school_id, [one.person_id for one, _ in changes if one.is_new], now)
    changes = changes_of(session, school_id=school_id, import_id=import_id)
    touched = [person.id for _, person in changes]
    own = _memberships(session, found.school_id, touched)
    for change, person in changes:
        if change.is_new:
            person.name = person.email = ""
        else:
            _restore(person, own.get(person.id), change.changed)
        record(session, "person-import-undone", found, person.id, change.changed, by, now)
    session.execute(
        delete(Identity).where(
            Identity.realm == realm(found.school_id),
            Identity.first_seen_at == found.applied_at,
            Identity.person_id.in_(touched),
        )
    )
    found.undone_at, found.undone_by = now, by
    ledger.append(
        session,
        school_id=found.school_id,
        kind="people-import-undone",
        facts={"import": str(found.id)},
        person_id=by,
        personal={"actor": str(by)},
        now=now,
    )
    session.flush()
    return touched


def _remove(session: Session, school_id: str, added: Sequence[UUID], now: datetime) -> None:
    """People who were never here: nothing of them stays but the ledger's record of the file."""
    joined = select(Join.id).where(
        Join.undone_at.is_(None), or_(Join.joined_id.in_(added), Join.root_id.in_(added))
    )
    for join_id in session.scalars(joined.order_by(Join.made_at.desc())).all():
        joins.separate(session, join_id=join_id, school_id=school_id, now=now)
    of_them = {"synchronize_session": False}
    for table, gone in ((Absence, {"removed_at": now}), (Grant, {"revoked_at": now})):
        (column,) = gone
        session.execute(
            update(table)
            .where(table.school_id == school_id, table.person_id.in_(added))
            .where(getattr(table, column).is_(None))
            .values(gone)
            .execution_options(**of_them)
        )
    session.execute(
        delete(Membership)
        .where(Membership.school_id == school_id, Membership.person_id.in_(added))
        .execution_options(**of_them)
    )
    session.flush()
    session.expire_all()


def _memberships(
    session: Session, school_id: str, person_ids: Sequence[UUID]
) -> dict[UUID, Membership]:
    asked = select(Membership).where(
        Membership.school_id == school_id, Membership.person_id.in_(person_ids)
    )
    return {own.person_id: own for own in session.scalars(asked)}


def _restore(
    person: Person, own: Membership | None, changed: Mapping[str, list[str | None]]
) -> None:
    for name, (old, new) in changed.items():
        row = person if name in PERSON else own
        if row is not None and (kept(getattr(row, name)) or None) == new:
            empty = "" if isinstance(getattr(row, name), str) else None
            setattr(row, name, empty if old is None else value_of(name, old))
