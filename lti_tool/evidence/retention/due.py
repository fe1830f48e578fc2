"""What is due to go: what a preview counts is what the worker takes."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from lti_tool.core.erasure import Erasure
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.evidence.retention.models import Hold
from lti_tool.people import joins
from lti_tool.people.acts.models import Act, ActConcerns
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.memberships import has_left
from lti_tool.people.models import Absence, Grant, Membership, Person, Visit
from lti_tool.training.cycles.models import Obligation, PolicyOpening
from lti_tool.training.models import Completion, Journey, Question, SectionRead
from lti_tool.training.reminders.models import SENDING, WAITING, Reminder
from lti_tool.ui.format import local

TRAINING_ENTRIES: Final = (
    *("completion", "paper-withdrawn", "score-sent", "score-resent"),
    *("obligation-left-incomplete", "due-date-moved"),
)
CERTIFICATE_ENTRIES: Final = "certificate%"
ABSENCE_ENTRIES: Final = "absence-%"
IMPORT_ENTRIES: Final = "person-import%"
ANSWER_FIELDS: Final = ("choice-%", "sureness-%", "verdict-%", "answered\\_at-%")


@dataclass(frozen=True)
class Asked:
    """For which school and day, and what it has set."""

    school_id: str
    today: date
    before: Mapping[str, datetime]
    """By kind: what began to count before then is due. Kinds without a period are not in it."""
    held: frozenset[UUID] = field(default_factory=frozenset)
    """Of whom nothing may go, under each of their identities."""


def held(session: Session, *, school_id: str) -> frozenset[UUID]:
    """Everybody who is somebody on hold at the school."""
    found = session.scalars(
        select(Hold.person_id).where(Hold.school_id == school_id, Hold.lifted_at.is_(None))
    ).all()
    return frozenset(joins.families(session, found)) | set(found)


def due(session: Session, asked: Asked, kind: str) -> list[UUID]:
    """The ids of what of a kind is due: of persons for training, people and unconfirmed, of
    journeys for answers and begun, of the ledger's records for acts, else of rows."""
    return _DUE[kind](session, asked) if kind in asked.before else []


def values(kind: str, asked: Asked, ids: Collection[UUID]) -> ColumnElement[bool] | None:
    """Which disclosures of the ledger go with it; None where none do."""
    here = Disclosure.school_id == asked.school_id
    if kind in ("people", "unconfirmed"):
        return here & Disclosure.person_id.in_(ids)
    if kind == "training":
        certificate = LedgerEntry.kind.like(CERTIFICATE_ENTRIES)
        theirs = _of(or_(LedgerEntry.kind.in_(TRAINING_ENTRIES), certificate))
        return here & Disclosure.person_id.in_(ids) & theirs
    if kind == "answers":
        records = select(Completion.record_id).where(
            Completion.school_id == asked.school_id, Completion.journey_id.in_(ids)
        )
        named = or_(*(Disclosure.field.like(one, escape="\\") for one in ANSWER_FIELDS))
        return here & Disclosure.record_id.in_(records) & named
    if kind in ("absences", "imports"):
        like = ABSENCE_ENTRIES if kind == "absences" else IMPORT_ENTRIES
        old = LedgerEntry.kind.like(like) & (LedgerEntry.recorded_at < asked.before[kind])
        found = here & _of(old) & Disclosure.person_id.not_in(asked.held)
        return found & Disclosure.person_id.not_in(_away(asked)) if kind == "absences" else found
    return here & Disclosure.record_id.in_(ids) if kind == "acts" else None


def _of(entry: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(LedgerEntry.record_id == Disclosure.record_id, entry)


def _away(asked: Asked) -> Select[Any]:
    """Whose absence has not ended so long ago: what was recorded of it may be needed."""
    return select(Absence.person_id).where(
        Absence.school_id == asked.school_id,
        Absence.removed_at.is_(None),
        or_(Absence.ends_on.is_(None), Absence.ends_on >= local(asked.before["absences"]).date()),
    )


def _left(session: Session, asked: Asked, before: datetime) -> list[UUID]:
    """Everybody who left before then and manages nothing, each human once."""
    manages = exists().where(
        Grant.school_id == asked.school_id,
        Grant.person_id == Person.id,
        Grant.revoked_at.is_(None),
    )
    rows = session.execute(
        select(Membership.person_id, Membership.ends_on, Membership.left_at)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.school_id == asked.school_id,
            Membership.person_id.not_in(asked.held),
            Membership.confirmed_at.is_not(None),
            Person.one_with.is_(None),
            has_left(asked.today),
            ~manages,
        )
        .order_by(Membership.person_id)
    )
    last = local(before).date()
    return [
        person_id
        for person_id, ends_on, left_at in rows
        if max(day for day in (ends_on, left_at and local(left_at).date()) if day) < last
    ]


def _whole(session: Session, roots: Sequence[UUID]) -> list[UUID]:
    """These people, under each of their identities."""
    return sorted({*joins.families(session, roots), *roots})


def _training(session: Session, asked: Asked) -> list[UUID]:
    gone = _whole(session, _left(session, asked, asked.before["training"]))
    return sorted(set(gone) & _trained(session, asked, gone))


def _trained(session: Session, asked: Asked, ids: Collection[UUID]) -> set[UUID]:
    """Of whom there is still something of a training."""
    found: set[UUID] = set()
    for table in (Journey, Completion, Obligation):
        theirs = (table.school_id == asked.school_id) & table.person_id.in_(ids)
        found |= set(session.scalars(select(table.person_id).where(theirs).distinct()))
    return found


def _people(session: Session, asked: Asked) -> list[UUID]:
    roots = _left(session, asked, asked.before["people"])
    goes = set(_training(session, asked)) if "training" in asked.before else set()
    whole = joins.families(session, roots)
    waits = _trained(session, asked, list(whole) or roots) - goes
    kept = {whole.get(one, one) for one in waits}
    return _whole(session, [one for one in roots if one not in kept])


def _unconfirmed(session: Session, asked: Asked) -> list[UUID]:
    family, visit = aliased(Person), aliased(Visit)
    before = asked.before["unconfirmed"]
    came = exists().where(
        or_(family.id == Membership.person_id, family.one_with == Membership.person_id),
        visit.person_id == family.id,
        visit.school_id == asked.school_id,
        visit.last_seen_at >= before,
    )
    manages = exists().where(
        Grant.school_id == asked.school_id,
        Grant.person_id == Membership.person_id,
        Grant.revoked_at.is_(None),
    )
    roots = session.scalars(
        select(Membership.person_id)
        .join(Person, Person.id == Membership.person_id)
        .where(
            Membership.school_id == asked.school_id,
            Membership.person_id.not_in(asked.held),
            Membership.confirmed_at.is_(None),
            Membership.created_at < before,
            Person.one_with.is_(None),
            ~came,
            ~manages,
        )
    ).all()
    return _whole(session, roots)


def _answers(session: Session, asked: Asked) -> list[UUID]:
    before, later = asked.before["answers"], aliased(PolicyOpening)
    # A version may come back into use: only what no opening since then brought back is over.
    replaced = (
        select(func.max(later.opened_at))
        .where(later.school_id == asked.school_id, later.before == Journey.policy_number)
        .scalar_subquery()
    )
    opened = (
        select(func.max(PolicyOpening.opened_at))
        .where(
            PolicyOpening.school_id == asked.school_id,
            PolicyOpening.number == Journey.policy_number,
        )
        .scalar_subquery()
    )
    has_any = or_(
        exists().where(Question.journey_id == Journey.id),
        exists().where(SectionRead.journey_id == Journey.id),
    )
    return list(
        session.scalars(
            select(Journey.id).where(
                Journey.school_id == asked.school_id,
                Journey.person_id.not_in(asked.held),
                or_(Journey.completed_at.is_not(None), Journey.started_at < before),
                replaced < before,
                or_(opened.is_(None), opened < replaced),
                has_any,
            )
        )
    )


def _begun(session: Session, asked: Asked) -> list[UUID]:
    before = asked.before["begun"]
    answered = exists().where(Question.journey_id == Journey.id, Question.answered_at.is_not(None))
    read = exists().where(SectionRead.journey_id == Journey.id, SectionRead.read_at >= before)
    return list(
        session.scalars(
            select(Journey.id).where(
                Journey.school_id == asked.school_id,
                Journey.person_id.not_in(asked.held),
                Journey.completed_at.is_(None),
                Journey.started_at < before,
                or_(Journey.told_at.is_(None), Journey.told_at < before),
                ~answered,
                ~read,
            )
        )
    )


def _absences(session: Session, asked: Asked) -> list[UUID]:
    before = asked.before["absences"]
    return list(
        session.scalars(
            select(Absence.id).where(
                Absence.school_id == asked.school_id,
                Absence.person_id.not_in(asked.held),
                or_(Absence.removed_at < before, Absence.ends_on < local(before).date()),
            )
        )
    )


def _mails(session: Session, asked: Asked) -> list[UUID]:
    return list(
        session.scalars(
            select(Reminder.id).where(
                Reminder.school_id == asked.school_id,
                Reminder.person_id.not_in(asked.held),
                Reminder.state.not_in((WAITING, SENDING)),
                Reminder.day < local(asked.before["mails"]).date(),
            )
        )
    )


def _imports(session: Session, asked: Asked) -> list[UUID]:
    free = exists().where(
        StaffImportChange.import_id == StaffImport.id,
        StaffImportChange.person_id.not_in(asked.held),
    )
    empty = ~exists().where(StaffImportChange.import_id == StaffImport.id)
    before = asked.before["imports"]
    over = or_(
        StaffImport.applied_at < before,
        and_(StaffImport.applied_at.is_(None), StaffImport.uploaded_at < before),
    )
    return list(
        session.scalars(
            select(StaffImport.id).where(
                StaffImport.school_id == asked.school_id, over, or_(free, empty)
            )
        )
    )


def _visits(session: Session, asked: Asked) -> list[UUID]:
    later = aliased(Visit)
    has_later = exists().where(
        later.school_id == Visit.school_id,
        later.person_id == Visit.person_id,
        or_(
            later.last_seen_at > Visit.last_seen_at,
            and_(later.last_seen_at == Visit.last_seen_at, later.id > Visit.id),
        ),
    )
    return list(
        session.scalars(
            select(Visit.id).where(
                Visit.school_id == asked.school_id,
                Visit.person_id.not_in(asked.held),
                Visit.last_seen_at < asked.before["visits"],
                Visit.expires_at < asked.before["visits"],
                has_later,
            )
        )
    )


def _access_log(session: Session, asked: Asked) -> list[UUID]:
    is_held = exists().where(ActConcerns.act_id == Act.id, ActConcerns.person_id.in_(asked.held))
    return list(
        session.scalars(
            select(Act.id).where(
                Act.school_id == asked.school_id,
                Act.at < asked.before["access-log"],
                Act.actor_id.not_in(asked.held),
                ~is_held,
            )
        )
    )


def _acts(session: Session, asked: Asked) -> list[UUID]:
    """Records that hold who did it, and no person whom it was about."""
    other = aliased(Disclosure)
    is_about = exists().where(other.record_id == Disclosure.record_id, other.field != "actor")
    was_about = exists().where(Erasure.record_id == Disclosure.record_id, Erasure.field == "person")
    return list(
        session.scalars(
            select(Disclosure.record_id)
            .join(LedgerEntry, LedgerEntry.record_id == Disclosure.record_id)
            .where(
                Disclosure.school_id == asked.school_id,
                Disclosure.field == "actor",
                Disclosure.person_id.not_in(asked.held),
                LedgerEntry.recorded_at < asked.before["acts"],
                ~is_about,
                ~was_about,
            )
        )
    )


_DUE: Final[Mapping[str, Callable[[Session, Asked], list[UUID]]]] = {
    "answers": _answers,
    "begun": _begun,
    "absences": _absences,
    "mails": _mails,
    "imports": _imports,
    "visits": _visits,
    "training": _training,
    "people": _people,
    "unconfirmed": _unconfirmed,
    "access-log": _access_log,
    "acts": _acts,
}
