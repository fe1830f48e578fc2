"""Everything that is held of one person at one school, whichever table it stands in.

Tables are found, not listed: each that refers to a person is read, so that one added later is in
the copy without anybody thinking of it. A row is about the person where its subject is; where a
row only says that they did something for somebody else, the copy has what it was and when, and
nothing of the other. Other people become “somebody else”; secrets and their hashes are left out.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy import Table as Schema
from sqlalchemy.orm import Session

from lti_tool.core.database import Table
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import fill, in_language
from lti_tool.evidence.acts import listing
from lti_tool.evidence.acts.words import act_words
from lti_tool.lti.connect.models import InvitationSchool
from lti_tool.lti.models import Deployment, DeploymentSchool
from lti_tool.people.joins import everybody_who_is
from lti_tool.people.models import Visit
from lti_tool.policies.policy import School
from lti_tool.teams.models import Tenant, TenantSchool

SUBJECT: Final = ("person_id", "root_id", "joined_id")
"""Columns that say whom a row is about; others say who did it."""
WITHIN: Final = {
    "section_read": ("journey_id", "journey"),
    "round": ("journey_id", "journey"),
    "question": ("journey_id", "journey"),
    "due_date_move": ("obligation_id", "obligation"),
    "join_code": ("identity_id", "identity"),
}
"""Tables whose rows belong to a row about the person."""
LEFT_OUT: Final = ("act_concerns", "disclosure", "identity", "ledger_entry", "person")
"""Read in a way of their own."""
HIDDEN: Final = ("token_hash", "code_hash", "secret_hash", "frame_ancestors")
ME: Final = "this person"
SOMEBODY: Final = "somebody else"

Row = dict[str, Any]


def gather(
    session: Session, *, school: School, person_id: UUID, catalogue: Catalogue
) -> dict[str, list[Row]]:
    """By the name of the table, its rows as plain values; empty tables are left out."""
    ids = everybody_who_is(session, person_id)
    found: dict[str, list[Row]] = {"person": _persons(session, ids)}
    keys: dict[str, list[Any]] = {}
    within = WITHIN | dict(_hanging())
    found["identity"], keys["identity"] = _identities(session, school.id, ids)
    for table in Table.metadata.sorted_tables:
        left_out = table.name in (*LEFT_OUT, *within)
        if not left_out and "school_id" in table.columns:
            found[table.name], keys[table.name] = _rows(session, table, school.id, ids)
    found["invitation"] = _invitations(session, school.id, ids)
    for name, (column, of) in within.items():
        inner = Table.metadata.tables[name]
        rows = _select(session, inner, inner.c[column].in_(keys[of]))
        found[name] = [_plain(inner, row, ids) for row in rows]
    found["question"] = [_in_words(one, school, catalogue) for one in found["question"]]
    for one in found.get("person_join", []):
        if "changed" in one:  # the other schools' are theirs to give
            one["changed"] = one["changed"].get(school.id, {})
    found["access_log"] = [
        {"at": _value(one.at), "what": act_words(one.what), "by": SOMEBODY}
        for one in listing.of(session, school_id=school.id, person_id=person_id)
    ]
    found["ledger"] = list(_ledger(session, school.id, ids))
    return {name: rows for name, rows in found.items() if rows}


def _hanging() -> Iterator[tuple[str, tuple[str, str]]]:
    """Tables whose rows belong to a completion and name nobody themselves: a certificate."""
    for table in Table.metadata.sorted_tables:
        for column in table.columns:
            refers = any(key.column.table.name == "completion" for key in column.foreign_keys)
            if refers and not set(SUBJECT) & set(table.columns.keys()):
                yield table.name, (column.name, "completion")


def _persons(session: Session, ids: Collection[UUID]) -> list[Row]:
    table = Table.metadata.tables["person"]
    return [_plain(table, row, ids) for row in _select(session, table, table.c.id.in_(ids))]


def _identities(
    session: Session, school_id: str, ids: Collection[UUID]
) -> tuple[list[Row], list[UUID]]:
    """How the school's own platforms know them: those that serve it, and those they came from."""
    table = Table.metadata.tables["identity"]
    serving = session.scalars(
        select(Deployment.registration_id)
        .join(DeploymentSchool, DeploymentSchool.deployment_row_id == Deployment.id)
        .where(DeploymentSchool.school_id == school_id)
    )
    came = select(Visit.identity_id).where(Visit.school_id == school_id, Visit.person_id.in_(ids))
    teams = session.scalars(
        select(Tenant.tenant_id)
        .join(TenantSchool, TenantSchool.tenant_row_id == Tenant.id)
        .where(TenantSchool.school_id == school_id)
    )
    realms = [str(one) for one in serving] + [f"teams:{one}" for one in teams]
    realms.append(f"file:{school_id}"[:80])
    rows = _select(
        session,
        table,
        table.c.person_id.in_(ids) & or_(table.c.realm.in_(realms), table.c.id.in_(came)),
    )
    return [_plain(table, row, ids) for row in rows], [row["id"] for row in rows]


def _invitations(session: Session, school_id: str, ids: Collection[UUID]) -> list[Row]:
    """Those they made; an invitation can be for several schools, and so has no one school."""
    table = Table.metadata.tables["invitation"]
    for_school = select(InvitationSchool.invitation_id).where(
        InvitationSchool.school_id == school_id
    )
    made = _select(session, table, table.c.made_by.in_(ids) & table.c.id.in_(for_school))
    return [_only_that_it_was_done(table, row, ids) for row in made]


def _rows(
    session: Session, table: Schema, school_id: str, ids: Collection[UUID]
) -> tuple[list[Row], list[Any]]:
    """The rows about them, whole; of those that they only did for others, when and what."""
    about = [one for one in table.columns if one.name in SUBJECT]
    did = [one for one in _referring(table) if one.name not in SUBJECT]
    here = table.c.school_id == school_id
    whole = _select(session, table, here & or_(*(one.in_(ids) for one in about))) if about else []
    done = _select(session, table, here & or_(*(one.in_(ids) for one in did))) if did else []
    known = [tuple(row.values()) for row in whole]
    others = [row for row in done if tuple(row.values()) not in known]
    rows = [_plain(table, row, ids) for row in whole]
    rows += [_only_that_it_was_done(table, row, ids) for row in others]
    return rows, [row["id"] for row in whole if "id" in row]


def _select(session: Session, table: Schema, where: ColumnElement[bool]) -> list[Row]:
    asked = select(table).where(where).order_by(*table.primary_key.columns)
    return [dict(row) for row in session.execute(asked).mappings()]


def _referring(table: Schema) -> list[ColumnElement[Any]]:
    return [
        column
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    ]


def _plain(table: Schema, row: Row, ids: Collection[UUID]) -> Row:
    people = {one.name for one in _referring(table)} | ({"person_id"} & set(row))
    return {
        name: _person(value, ids) if name in people and table.name != "person" else _value(value)
        for name, value in row.items()
        if name not in HIDDEN
    }


def _only_that_it_was_done(table: Schema, row: Row, ids: Collection[UUID]) -> Row:
    """What somebody did for or about others: which kind of thing, and when."""
    said: Row = {"done by": ME}
    people = {one.name for one in _referring(table)}
    for name, value in row.items():
        is_time = isinstance(value, date) and row.get(_actor_beside(name)) in ids
        if is_time or (name in people and value in ids) or name in ("id", "what", "at"):
            said[name] = _person(value, ids) if name in people else _value(value)
    return said


def _actor_beside(name: str) -> str:
    """``entered_at`` stands beside ``entered_by``."""
    return name.rpartition("_")[0] + "_by"


def _person(value: UUID | None, ids: Collection[UUID]) -> str:
    if value is None:
        return ""
    return ME if value in ids else SOMEBODY


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, UUID) else value


def _in_words(row: Row, school: School, catalogue: Catalogue) -> Row:
    """A question with what was asked and answered, as far as the bank still has it."""
    scenario = catalogue.scenarios.get(row["scenario"])
    if scenario is None or scenario.sha256 != row["scenario_sha256"]:
        return row
    chosen = [one.text for one in scenario.options if one.id == row["choice"]]
    said = {
        "situation": fill(in_language(scenario.text, "en"), school, "en"),
        "answer": fill(in_language(chosen[0], "en"), school, "en") if chosen else "",
    }
    return said | row


def _ledger(session: Session, school_id: str, ids: Collection[UUID]) -> Iterator[Row]:
    """Each entry of the ledger about them, with its values as far as they are kept."""
    rows = session.execute(
        select(LedgerEntry, Disclosure.field, Disclosure.value)
        .join(Disclosure, Disclosure.record_id == LedgerEntry.record_id)
        .where(Disclosure.school_id == school_id, Disclosure.person_id.in_(ids))
        .order_by(LedgerEntry.sequence, Disclosure.field)
    )
    found: dict[UUID, tuple[LedgerEntry, dict[str, Any]]] = {}
    for entry, field, value in rows:
        found.setdefault(entry.record_id, (entry, {}))[1][field] = json.loads(value)
    for entry, values in found.values():
        yield {
            "entry": entry.sequence,
            "record": str(entry.record_id),
            "kind": entry.kind,
            "recorded_at": _value(entry.recorded_at),
            "hash": entry.hash,
            "in the open": json.loads(entry.body)["facts"],
            "about this person": {
                name: _person(UUID(value), ids) if name in ("actor", "person") else value
                for name, value in values.items()
            },
        }


def counted(found: Mapping[str, Sequence[Row]]) -> int:
    """How many rows there are in all."""
    return sum(len(rows) for rows in found.values())
