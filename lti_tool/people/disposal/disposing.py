"""Deletes what is due; each returns how many rows of each table went."""

from collections import Counter
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from lti_tool.core.erasure import deleted
from lti_tool.people.acts.models import Act, ActConcerns
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.models import (
    Absence,
    Identity,
    Join,
    JoinCode,
    Membership,
    Person,
    Visit,
)


def people(session: Session, *, school_id: str, person_ids: Collection[UUID]) -> Counter[str]:
    """All that the school holds of who these people are. ``person_ids`` are whole humans.

    Whoever belongs to no other school is known no more: identities go, and of the person an empty
    row stays, so that what they did for others as a manager keeps its place.
    """
    gone = deleted(
        session,
        *(
            (table, (table.school_id == school_id) & table.person_id.in_(person_ids))
            for table in (Absence, StaffImportChange, Visit, Membership)
        ),
    )
    root = func.coalesce(Person.one_with, Person.id)
    elsewhere = select(root).join(Membership, Membership.person_id == Person.id)
    here = set(
        session.scalars(select(Person.id).where(Person.id.in_(person_ids), root.not_in(elsewhere)))
    )
    known = select(Identity.id).where(Identity.person_id.in_(here))
    gone += deleted(
        session,
        (JoinCode, JoinCode.identity_id.in_(known)),
        (Visit, or_(Visit.person_id.in_(here), Visit.identity_id.in_(known))),
        (Join, or_(Join.root_id.in_(here), Join.joined_id.in_(here))),
        (Identity, Identity.person_id.in_(here)),
    )
    session.execute(
        update(Person)
        .where(Person.id.in_(here))
        .values(name="", email="", corrected_name="", one_with=None)
        .execution_options(synchronize_session=False)
    )
    return gone


def absences(session: Session, school_id: str, absence_ids: Collection[UUID]) -> Counter[str]:
    """Days away from work."""
    return deleted(
        session, (Absence, (Absence.school_id == school_id) & Absence.id.in_(absence_ids))
    )


def imports(
    session: Session,
    *,
    school_id: str,
    import_ids: Collection[UUID],
    but: Collection[UUID] = (),
) -> Counter[str]:
    """What staff files changed of people, ``but`` these; and the files of which nothing is left."""
    ours = StaffImportChange.import_id.in_(import_ids)
    gone = deleted(session, (StaffImportChange, ours & StaffImportChange.person_id.not_in(but)))
    left = select(StaffImportChange.import_id).where(ours)
    which = StaffImport.id.in_(import_ids) & StaffImport.id.not_in(left)
    return gone + deleted(session, (StaffImport, (StaffImport.school_id == school_id) & which))


def visits(session: Session, school_id: str, visit_ids: Collection[UUID]) -> Counter[str]:
    """When people came and went."""
    return deleted(session, (Visit, (Visit.school_id == school_id) & Visit.id.in_(visit_ids)))


def acts(session: Session, school_id: str, act_ids: Collection[UUID]) -> Counter[str]:
    """Rows of the access log."""
    return deleted(
        session,
        (ActConcerns, (ActConcerns.school_id == school_id) & ActConcerns.act_id.in_(act_ids)),
        (Act, (Act.school_id == school_id) & Act.id.in_(act_ids)),
    )
