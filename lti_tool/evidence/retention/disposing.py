"""Carries a school's periods out: one kind after the other, each in a transaction of its own with
the ledger's entry that says what went, by which rule and how much of it, and names nobody."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, exists, insert, literal, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.erasure import DISPOSED, Disposal, Erasure, deleted, digest
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import Disclosure
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.certificates import disposing as certificates
from lti_tool.evidence.retention import due
from lti_tool.evidence.retention.due import Asked
from lti_tool.evidence.retention.kinds import KINDS, months_before
from lti_tool.evidence.retention.models import Hold, RetentionPeriod
from lti_tool.evidence.review import keeping
from lti_tool.lti import disposing as lti
from lti_tool.people.disposal import disposing as people
from lti_tool.policies.policy import School
from lti_tool.training.disposal import disposing as training
from lti_tool.training.models import Journey, Question
from lti_tool.ui.format import LOCAL, local

log = logging.getLogger(__name__)

RESPITE: Final = timedelta(days=7)
"""Nothing goes by a period before it has stood so long: whoever mistyped it has time to see."""
MOST_AT_ONCE: Final = 5000
OF_PEOPLE: Final = ("training", "people", "unconfirmed")
"""Kinds whose due ids are whole people, which are not taken apart."""


@dataclass(frozen=True)
class Preview:
    """What would go on a day: by kind, the ids. Kinds without a period are not in it."""

    on: date
    due: Mapping[str, Sequence[UUID]]


def periods(session: Session, *, school_id: str) -> dict[str, RetentionPeriod]:
    """What the school has set, by kind."""
    rows = session.scalars(select(RetentionPeriod).where(RetentionPeriod.school_id == school_id))
    return {one.kind: one for one in rows if one.kind in KINDS}


def not_set(session: Session, *, school_id: str) -> list[str]:
    """The kinds for which a school has set no period, so that nothing of them goes."""
    found = periods(session, school_id=school_id)
    return [kind for kind in KINDS if kind not in found]


def preview(session: Session, *, school_id: str, on: date) -> Preview:
    """What would go on that day, if nothing changed until then."""
    asked = _asked(session, school_id, _morning(on))
    return Preview(
        on, {kind: due.due(session, asked, kind) for kind in KINDS if kind in asked.before}
    )


def dispose(
    database: Database, *, school: School, catalogue: Catalogue, now: datetime
) -> Counter[str]:
    """Dispose of all that is due at a school; how much of each kind went."""
    gone = Counter[str]()
    for kind in KINDS:
        while True:
            with database.transaction() as session:
                count = _dispose(session, school, catalogue, kind, now)
            gone[kind] += count
            if count < MOST_AT_ONCE or kind in OF_PEOPLE:
                break
    return +gone


def _asked(session: Session, school_id: str, now: datetime) -> Asked:
    today = local(now).date()
    before = {
        kind: _morning(months_before(today, one.months))
        for kind, one in periods(session, school_id=school_id).items()
        if one.set_at + RESPITE <= now
    }
    return Asked(school_id, today, before, due.held(session, school_id=school_id))


def _morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LOCAL)


def _dispose(
    session: Session, school: School, catalogue: Catalogue, kind: str, now: datetime
) -> int:
    asked = _asked(session, school.id, now)
    ids = due.due(session, asked, kind)
    if not ids:
        return 0
    if kind not in OF_PEOPLE:
        ids = ids[:MOST_AT_ONCE]
    months = periods(session, school_id=school.id)[kind].months
    disposal = Disposal(
        id=new_id(),
        school_id=school.id,
        kind=kind,
        months=months,
        before=asked.before[kind],
        began_at=now,
    )
    session.add(disposal)
    session.flush()
    _keep_figures(session, school, catalogue, kind, ids, now)
    _erase(session, disposal, due.values(kind, asked, ids))
    rows = _delete(session, school.id, kind, ids, asked.held)
    count, said = digest(session, disposal.id)
    record_id = ledger.append(
        session,
        school_id=school.id,
        kind=DISPOSED,
        facts={
            "disposal": str(disposal.id),
            "rule": kind,
            "months": months,
            "before": local(asked.before[kind]).date().isoformat(),
            "count": len(ids),
            "rows": dict(sorted((+rows).items())),
            "values": count,
            "values_sha256": said,
        },
        now=now,
    )
    disposal.ended_at, disposal.record_id = now, record_id
    session.flush()
    log.info("disposed of", extra={"school": school.id, "rule": kind, "number": len(ids)})
    return len(ids)


def _erase(session: Session, disposal: Disposal, which: object) -> None:
    """Mark the values that go, then let them go: the database lets no others."""
    if which is None:
        return
    session.execute(
        insert(Erasure).from_select(
            ["record_id", "field", "school_id", "disposal_id"],
            select(
                Disclosure.record_id,
                Disclosure.field,
                Disclosure.school_id,
                literal(disposal.id, Erasure.disposal_id.type),
            ).where(which),  # type: ignore[arg-type]
        )
    )
    marked = exists().where(
        Erasure.record_id == Disclosure.record_id,
        Erasure.field == Disclosure.field,
        Erasure.disposal_id == disposal.id,
    )
    session.execute(delete(Disclosure).where(marked).execution_options(synchronize_session=False))


def _keep_figures(
    session: Session,
    school: School,
    catalogue: Catalogue,
    kind: str,
    ids: Collection[UUID],
    now: datetime,
) -> None:
    """What answers add up to stays, before the first of a version go."""
    if kind not in ("answers", "training"):
        return
    whose = Journey.person_id if kind == "training" else Journey.id
    numbers = session.scalars(
        select(Journey.policy_number)
        .join(Question, Question.journey_id == Journey.id)
        .where(Journey.school_id == school.id, whose.in_(ids), Question.answered_at.is_not(None))
        .distinct()
    ).all()
    for number in sorted(numbers):
        keeping.keep(session, school=school, number=number, catalogue=catalogue, now=now)


def _delete(
    session: Session, school_id: str, kind: str, ids: Sequence[UUID], held: Collection[UUID]
) -> Counter[str]:
    if kind in OF_PEOPLE:
        return _delete_people(session, school_id, kind, ids)
    if kind == "imports":
        return people.imports(session, school_id=school_id, import_ids=ids, but=held)
    rows = {
        "answers": training.answers,
        "begun": training.begun,
        "absences": people.absences,
        "mails": training.mails,
        "visits": people.visits,
        "access-log": people.acts,
    }.get(kind)
    return rows(session, school_id, ids) if rows else Counter()


def _delete_people(
    session: Session, school_id: str, kind: str, ids: Sequence[UUID]
) -> Counter[str]:
    gone = Counter[str]()
    if kind != "people":
        gone += lti.scores(session, school_id=school_id, person_ids=ids)
        gone += certificates.of(session, school_id=school_id, person_ids=ids)
        gone += training.training(session, school_id=school_id, person_ids=ids)
    if kind != "training":
        gone += training.mails_to(session, school_id=school_id, person_ids=ids)
        gone += lti.listed(session, school_id=school_id, person_ids=ids)
        holds = (Hold.school_id == school_id) & Hold.person_id.in_(ids)
        gone += deleted(session, (Hold, holds))
        gone += people.people(session, school_id=school_id, person_ids=ids)
    return gone
