"""What was changed of a person's details at one school: before and after, by whom and why."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.people.joins import everybody_who_is, value_of
from lti_tool.people.models import Person
from lti_tool.training.staff.words import ROLE_GROUP_WORDS
from lti_tool.ui.format import day

CHANGED: Final = "person-changed"
FIELD_WORDS: Final[dict[str, LazyString]] = {
    "name": _("Name"),
    "role_group": _("Role group"),
    "site": _("Site"),
    "starts_on": _("Start date"),
    "ends_on": _("Leaving date"),
    "payroll_number": _("Payroll number"),
}


@dataclass(frozen=True)
class Correction:
    """One act of a manager: what stood before, what stands since, and why."""

    at: datetime
    by: str
    """The manager's name; empty where it is not known any more."""
    reason: str
    changes: Sequence[tuple[str, str, str]]
    """Field, before and after, in words."""
    record_id: UUID


def of(session: Session, *, school_id: str, person_id: UUID) -> list[Correction]:
    """The changes of one person's details that were recorded and are not erased, the latest
    first. The ledger's own entries are read: neither the old one nor the new is ever altered."""
    rows = session.execute(
        select(LedgerEntry.record_id, LedgerEntry.recorded_at, Disclosure.field, Disclosure.value)
        .join(Disclosure, Disclosure.record_id == LedgerEntry.record_id)
        .where(
            Disclosure.school_id == school_id,
            Disclosure.person_id.in_(everybody_who_is(session, person_id)),
            LedgerEntry.kind == CHANGED,
        )
        .order_by(LedgerEntry.sequence.desc())
    )
    found: dict[UUID, tuple[datetime, dict[str, Any]]] = {}
    for record_id, at, field, value in rows:
        found.setdefault(record_id, (at, {}))[1][field] = json.loads(value)
    actors = {UUID(said["actor"]) for _at, said in found.values() if "actor" in said}
    known = session.execute(select(Person.id, Person.name).where(Person.id.in_(actors)))
    names: dict[UUID, str] = {row.id: row.name for row in known}
    return [
        Correction(
            at=at,
            by=names.get(UUID(said["actor"]), "") if "actor" in said else "",
            reason=said.get("reason", ""),
            changes=[
                (
                    str(FIELD_WORDS.get(field, field)),
                    _in_words(field, said["before"].get(field, "")),
                    _in_words(field, after),
                )
                for field, after in sorted(said.get("after", {}).items())
            ],
            record_id=record_id,
        )
        for record_id, (at, said) in found.items()
    ]


def _in_words(field: str, value: str) -> str:
    if field == "role_group":
        return str(ROLE_GROUP_WORDS.get(value, value))
    if field in ("starts_on", "ends_on") and value:
        return day(value_of(field, value))  # type: ignore[arg-type]
    return value or "–"
