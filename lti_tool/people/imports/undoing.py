"""A staff file that was applied is looked at again, and undone."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.people import joins
from lti_tool.people.imports.members import realm, record
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.imports.planning import PERSON
from lti_tool.people.joins import kept, value_of
from lti_tool.people.models import Absence, Grant, Identity, Membership, Person


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
    touched = []
    for change, person in changes_of(session, school_id=found.school_id, import_id=found.id):
        touched.append(person.id)
        if change.is_new:
            _remove(session, found.school_id, person, now)
        else:
            _restore(session, found.school_id, person, change.changed)
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


def _remove(session: Session, school_id: str, person: Person, now: datetime) -> None:
    """Somebody who was never here: nothing of them stays but the ledger's record of the file."""
    for made, _ in joins.standing(session, person_id=person.id):
        if person.id in (made.joined_id, made.root_id):
            joins.separate(session, join_id=made.id, school_id=school_id, now=now)
    session.refresh(person)
    who = {"school_id": school_id, "person_id": person.id}
    session.execute(delete(Membership).filter_by(**who))
    session.execute(
        update(Absence).filter_by(**who).where(Absence.removed_at.is_(None)).values(removed_at=now)
    )
    session.execute(
        update(Grant).filter_by(**who).where(Grant.revoked_at.is_(None)).values(revoked_at=now)
    )
    person.name = person.email = ""


def _restore(
    session: Session, school_id: str, person: Person, changed: Mapping[str, list[str | None]]
) -> None:
    own = session.scalar(
        select(Membership).where(
            Membership.school_id == school_id, Membership.person_id == person.id
        )
    )
    for name, (old, new) in changed.items():
        row = person if name in PERSON else own
        if row is not None and (kept(getattr(row, name)) or None) == new:
            empty = "" if isinstance(getattr(row, name), str) else None
            setattr(row, name, empty if old is None else value_of(name, old))
