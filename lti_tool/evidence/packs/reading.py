"""Reads what a pack shows of one school: who owed what in a cycle, and the ledger's records."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.curriculum.cycles import first_year
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.proof.entries import ASKED, COMPLETION, VALUES
from lti_tool.evidence.proof.rows import signed_on
from lti_tool.people.models import Membership, Person
from lti_tool.policies.policy import School
from lti_tool.training.cycles.models import Obligation, PolicyOpening
from lti_tool.training.cycles.owing import UPDATE, WITHDRAWN
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration
from lti_tool.ui.format import local

DISCLOSED: Final = VALUES
"""What managers may see, and a pack for them opens. No answers, and not how sure."""
CHUNK: Final = 500
UNDONE: Final = "paper-withdrawn"
WITHDRAWN_RECORD: Final = "withdrawn"
"""The state of a line whose record was taken back; what was owed then stands in another."""


@dataclass(frozen=True)
class Line:
    """One training that one person owed or did."""

    school_id: str
    person_id: UUID
    name: str
    role_group: str
    site: str
    module: str
    cycle: str
    state: str
    """As ``training.cycles.states``."""
    is_required: bool
    """Whether they owed it: the others did it all the same."""
    due_on: date | None = None
    reason: Mapping[str, Any] = field(default_factory=dict)
    record_id: UUID | None = None
    key: str = ""
    """Of which training and cycle the record is: the one owed, or one that counts for it."""
    entry: int | None = None
    signed_as: str = ""
    declared_on: date | None = None
    method: str = ""
    """online or paper."""
    version: str = ""
    score: int | None = None

    @property
    def reference(self) -> str:
        return self.person_id.hex[-8:].upper()


@dataclass(frozen=True)
class Entry:
    """A completion as the ledger has it."""

    sequence: int
    record_id: UUID
    body: bytes
    hash: str
    key: str
    facts: Mapping[str, Any]
    is_completion: bool = True


@dataclass(frozen=True)
class Part:
    """What a pack holds of one school."""

    lines: Sequence[Line]
    entries: Sequence[Entry]
    """The completions, and what takes one of them back."""
    records: Sequence[str]
    """Of which trainings and cycles every record there is must be among ``entries``."""


def read(
    session: Session, *, school: School, cycle: str, checkpoint: Checkpoint, now: datetime
) -> Part | None:
    """One school's part; nothing where a record was appended meanwhile that the checkpoint does
    not cover."""
    records = scope(session, school=school, cycle=cycle, said=json.loads(checkpoint.text))
    size = checkpoint.size
    found = {
        one.record_id: one
        for one in entries(session, school_id=school.id, size=size, records=records)
    }
    undone = list(entries(session, school_id=school.id, size=size, records=records, kind=UNDONE))
    withdrawn = {UUID(one.facts["record"]) for one in undone}
    shown = [
        replace(one, state=WITHDRAWN_RECORD) if one.record_id in withdrawn else one
        for one in lines(session, school=school, cycle=cycle, found=found, now=now)
    ]
    if any(one.entry is not None and one.entry > size for one in shown):
        return None
    # A training done in another cycle can count for this one.
    also = {one.record_id for one in shown if one.record_id is not None} - found.keys()
    for one in entries(session, school_id=school.id, size=size, also=also) if also else ():
        found[one.record_id] = one
    shown = [
        replace(one, key=found[one.record_id].key) if one.record_id in also else one
        for one in shown
    ]
    ordered = sorted([*found.values(), *undone], key=lambda one: one.sequence)
    return Part(shown, ordered, records)


def scope(session: Session, *, school: School, cycle: str, said: Mapping[str, Any]) -> list[str]:
    """Which of the records that a checkpoint counts are of the cycle, as it names them: those of
    the school year, and those on versions of the policy that came into use in it."""
    numbers = [
        number
        for number, on in session.execute(
            select(PolicyOpening.number, PolicyOpening.opened_on).where(
                PolicyOpening.school_id == school.id
            )
        )
        if first_year(on, school.year_starts) == int(cycle[:4])
    ]
    updates = {f"{UPDATE} policy-{number}" for number in numbers}
    counted = said["records"]
    return sorted(one for one in counted if one.endswith(f" {cycle}") or one in updates)


def entries(
    session: Session,
    *,
    school_id: str,
    size: int,
    records: Collection[str] = (),
    also: Collection[UUID] = (),
    kind: str = COMPLETION,
) -> Iterator[Entry]:
    """The completions of these trainings and cycles up to entry ``size``, and those in ``also``;
    or entries of another kind that say of which training and cycle they are.

    From the ledger alone: what is kept of people beside it may be gone by now.
    """
    asked = (
        select(LedgerEntry.sequence, LedgerEntry.record_id, LedgerEntry.body, LedgerEntry.hash)
        .where(
            LedgerEntry.school_id == school_id,
            LedgerEntry.kind == kind,
            LedgerEntry.sequence <= size,
        )
        .order_by(LedgerEntry.sequence)
        .execution_options(yield_per=CHUNK)
    )
    with closing(session.execute(asked)) as found:
        for row in found:
            facts = json.loads(row.body)["facts"]
            key = f"{facts.get('module', '')} {facts.get('cycle', '')}"
            if key in records or row.record_id in also:
                yield Entry(
                    row.sequence, row.record_id, row.body, row.hash, key, facts, kind == COMPLETION
                )


def asked_for(session: Session, *, school_id: str, pack_id: UUID) -> tuple[int, bytes]:
    """The entry that says that a pack was asked for: its number and its bytes."""
    found = session.execute(
        select(LedgerEntry.sequence, LedgerEntry.body)
        .where(LedgerEntry.school_id == school_id, LedgerEntry.kind == ASKED)
        .order_by(LedgerEntry.sequence.desc())
    )
    with closing(found):
        for sequence, body in found:
            if json.loads(body)["facts"]["pack"] == str(pack_id):
                return sequence, body
    raise LookupError(f"no entry says that pack {pack_id} was asked for")


def disposals(
    session: Session, *, school_id: str, record_ids: Collection[UUID]
) -> list[tuple[int, bytes]]:
    """The entries that tell of disposals: their numbers and bytes."""
    rows = session.execute(
        select(LedgerEntry.sequence, LedgerEntry.body).where(
            LedgerEntry.school_id == school_id, LedgerEntry.record_id.in_(record_ids)
        )
    )
    return [(sequence, body) for sequence, body in rows]


def disclosures(
    session: Session, *, school_id: str, record_ids: Sequence[UUID]
) -> dict[UUID, dict[str, tuple[bytes, bytes]]]:
    """Salt and value of what managers may see, by record and field."""
    found: dict[UUID, dict[str, tuple[bytes, bytes]]] = {}
    for at in range(0, len(record_ids), CHUNK):
        rows = session.execute(
            select(Disclosure.record_id, Disclosure.field, Disclosure.salt, Disclosure.value).where(
                Disclosure.school_id == school_id,
                Disclosure.record_id.in_(record_ids[at : at + CHUNK]),
                Disclosure.field.in_(DISCLOSED),
            )
        )
        for record_id, name, salt, value in rows:
            found.setdefault(record_id, {})[name] = (salt, value)
    return found


def lines(
    session: Session, *, school: School, cycle: str, found: Mapping[UUID, Entry], now: datetime
) -> list[Line]:
    """Everything owed in the cycle, by name, and after it what was done without being owed.

    ``found`` are the cycle's entries by record id. A record may be appended meanwhile: whoever
    calls looks whether an entry's number is past the checkpoint's.
    """
    owed = [_line(row, found) for row in session.execute(_owed(school, cycle, now))]
    shown = {one.record_id for one in owed}
    others = {one: entry for one, entry in found.items() if one not in shown}
    return owed + list(_not_owed(session, school.id, others))


def _owed(school: School, cycle: str, now: datetime) -> Select[*tuple[Any, ...]]:
    starts, ends = (date(int(cycle[:4]) + more, *school.year_starts) for more in (0, 1))
    updates = and_(
        Obligation.module == UPDATE, Obligation.opens_on >= starts, Obligation.opens_on < ends
    )
    member = and_(
        Membership.school_id == Obligation.school_id, Membership.person_id == Obligation.person_id
    )
    return (
        select(
            Obligation.school_id,
            Obligation.person_id,
            Obligation.module,
            Obligation.cycle,
            Obligation.due_on,
            Obligation.reason,
            state(local(now).date(), schools=[school.id]).label("state"),
            Person.name,
            Membership.role_group,
            Membership.site,
            Completion.record_id,
            Completion.score,
            Completion.policy_number,
            Declaration.signed_at,
            Declaration.printed_name,
            Declaration.method,
            LedgerEntry.sequence,
        )
        .join(Person, Person.id == Obligation.person_id)
        .outerjoin(Membership, member)
        .outerjoin(Completion, Completion.id == Obligation.completion_id)
        .outerjoin(Declaration, Declaration.id == Completion.declaration_id)
        .outerjoin(LedgerEntry, LedgerEntry.record_id == Completion.record_id)
        .where(
            Obligation.school_id == school.id,
            Obligation.outcome != WITHDRAWN,
            or_(Obligation.cycle == cycle, updates),
        )
        .order_by(Person.name == "", func.lower(Person.name), Person.id, Obligation.module)
    )


def _line(row: Row[*tuple[Any, ...]], found: Mapping[UUID, Entry]) -> Line:
    entry = found.get(row.record_id)
    return Line(
        school_id=row.school_id,
        person_id=row.person_id,
        name=row.name,
        role_group=row.role_group or "",
        site=row.site or "",
        module=row.module,
        cycle=row.cycle,
        state=row.state,
        is_required=True,
        due_on=row.due_on,
        reason=row.reason,
        record_id=row.record_id,
        key=entry.key if entry else "",
        entry=row.sequence,
        signed_as=row.printed_name or "",
        declared_on=local(row.signed_at).date() if row.signed_at else None,
        method=row.method or "",
        version=row.policy_number or "",
        score=row.score,
    )


def _not_owed(session: Session, school_id: str, others: Mapping[UUID, Entry]) -> Iterator[Line]:
    """People who are not counted, and records whose people were erased since."""
    known: dict[UUID, tuple[Completion, Declaration, Person]] = {}
    wanted = list(others)
    for at in range(0, len(wanted), CHUNK):
        rows = session.execute(
            select(Completion, Declaration, Person)
            .join(Declaration, Declaration.id == Completion.declaration_id)
            .join(Person, Person.id == Completion.person_id)
            .where(
                Completion.school_id == school_id,
                Completion.record_id.in_(wanted[at : at + CHUNK]),
            )
        )
        known |= {done.record_id: (done, signed, person) for done, signed, person in rows}
    for record_id, entry in others.items():
        module, _, cycle = entry.key.partition(" ")
        done, declared, person = known.get(record_id, (None, None, None))
        facts, said = entry.facts, entry.facts.get("declaration", {})
        signed = signed_on(said)
        yield Line(
            school_id=school_id,
            person_id=person.id if person else UUID(int=0),
            name=person.name if person else "",
            role_group=str(facts.get("role_group", "")),
            site=str(facts.get("site", "")),
            module=module,
            cycle=cycle,
            state="done",
            is_required=False,
            record_id=record_id,
            key=entry.key,
            entry=entry.sequence,
            signed_as=declared.printed_name if declared else "",
            declared_on=date.fromisoformat(signed) if signed else None,
            method=str(said.get("method", "")),
            version=str(facts.get("policy", {}).get("number", "")),
            score=done.score if done else None,
        )
