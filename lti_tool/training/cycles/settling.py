"""Brings what is kept of obligations up to what the facts ask. Doing it twice changes nothing.

Done by the worker, after each act that changes a fact, in the transaction that completes a
training, and for one person when they arrive.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import insert_missing
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.people.joins import everybody_who_is
from lti_tool.policies.policy import School
from lti_tool.training.cycles.calendars import begin_calendar
from lti_tool.training.cycles.facts import Facts, Held, everybody, read_facts
from lti_tool.training.cycles.models import Calendar, Obligation
from lti_tool.training.cycles.owing import (
    DONE,
    FIRST_DAY,
    INDUCTION,
    LEFT,
    OPEN,
    REFRESH,
    UPDATE,
    WITHDRAWN,
    Owed,
    kept,
    owed,
)
from lti_tool.training.models import Journey
from lti_tool.ui.format import local

ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    INDUCTION: (INDUCTION, REFRESH, UPDATE, FIRST_DAY),
    REFRESH: (REFRESH, UPDATE),
}
"""What a training can end beside itself."""
OWED: Final = Hot(
    select(*Obligation.__table__.c)
    .where(
        Obligation.school_id == bindparam("school_id"),
        Obligation.person_id == bindparam("person_id"),
        Obligation.outcome == OPEN,
        Obligation.opens_on <= bindparam("today"),
    )
    .order_by(Obligation.due_on, Obligation.id)
)


@dataclass(frozen=True)
class Change:
    """What is kept of one obligation from now on; ``before`` is empty for a new one."""

    person_id: UUID
    before: Held | None
    now: Owed


def settle(
    session: Session, *, school: School, now: datetime, person_ids: Collection[UUID] | None = None
) -> Counter[str]:
    """Settle a school, or some of its people; returns how many obligations began (``new``) and
    how many changed, by the outcome they have now (``open`` for none)."""
    if person_ids is None or session.get(Calendar, school.id) is None:
        begin_calendar(session, school_id=school.id, now=now)  # one settler of a school at a time
    session.flush()
    facts = read_facts(session, school=school, now=now, person_ids=person_ids)
    changes = list(changes_of(facts, local(now).date()))
    _write(session, facts.school_id, changes, now)
    return Counter("new" if one.before is None else one.now.outcome or "open" for one in changes)


def is_settled(session: Session, *, school: School, person_id: UUID, now: datetime) -> bool:
    """Whether there is nothing to write for a person; reads only."""
    facts = read_facts(session, school=school, now=now, person_ids=[person_id])
    return not any(changes_of(facts, local(now).date()))


def changes_of(facts: Facts, today: date) -> Iterator[Change]:
    """What has to change for what is kept to be what the facts ask."""
    for person_id in everybody(facts):
        standing = facts.standings.get(person_id)
        if standing is None:
            yield from _withdrawn(facts.held[person_id], today)
            continue
        wanted = {
            one.key: one for one in owed(standing, facts.terms, facts.cycles, facts.openings, today)
        }
        for held in facts.held.get(person_id, ()):
            now = kept(held.owed, wanted.pop(held.owed.key, None), standing.done, today)
            if now is not None and now != held.owed:
                yield Change(person_id, held, now)
        for new in wanted.values():
            yield Change(person_id, None, new)


def _withdrawn(held: Sequence[Held], today: date) -> Iterator[Change]:
    """What is open of a person who is one with another by now: the other owes it."""
    for one in held:
        if one.owed.outcome == OPEN:
            now = replace(one.owed, outcome=WITHDRAWN, ended_on=today)
            yield Change(one.person_id, one, now)


def _write(session: Session, school_id: str, changes: Sequence[Change], now: datetime) -> None:
    new = [
        {
            "id": new_id(),
            "school_id": school_id,
            "person_id": one.person_id,
            "created_at": now,
            **_values(one.now),
            "module": one.now.module,
            "cycle": one.now.cycle,
        }
        for one in changes
        if one.before is None
    ]
    if new:  # somebody else may settle the same person just now
        session.connection().execute(insert_missing(session, Obligation), new)
    changed = [(one.before, one.now) for one in changes if one.before is not None]
    changed.sort(
        key=lambda one: one[0].id
    )  # in one order, so that no two settlers block each other
    if changed:
        table = Obligation.__table__
        # Whoever completed it meanwhile has the last word.
        statement = (
            update(table)  # type: ignore[arg-type]
            .where(table.c.id == bindparam("of"), table.c.outcome == bindparam("was"))
            .values({name: bindparam(name) for name in _values(changed[0][1])})
        )
        session.connection().execute(
            statement,
            [
                {"of": before.id, "was": before.owed.outcome, **_values(now)}
                for before, now in changed
            ],
        )
        _forget(session, {before.id for before, _ in changed})
    for one in changes:
        if one.now.outcome == LEFT and (one.before is None or one.before.owed.outcome != LEFT):
            _record_left(session, school_id, one, now)


def _values(one: Owed) -> dict[str, Any]:
    return {
        "opens_on": one.opens_on,
        "due_on": one.due_on,
        "reason": dict(one.reason),
        "outcome": one.outcome,
        "ended_on": one.ended_on,
        "completion_id": one.completion_id,
    }


def _forget(session: Session, ids: Collection[UUID]) -> None:
    """Rows that the session has read are read anew."""
    for row in session:
        if isinstance(row, Obligation) and row.id in ids:
            session.expire(row)


def _record_left(session: Session, school_id: str, one: Change, now: datetime) -> None:
    ledger.append(
        session,
        school_id=school_id,
        kind="obligation-left-incomplete",
        facts={"module": one.now.module, "cycle": one.now.cycle},
        person_id=one.person_id,
        personal={
            "person": str(one.person_id),
            "due_on": one.now.due_on.isoformat(),
            "left_on": one.now.ended_on.isoformat() if one.now.ended_on else "",
        },
        now=now,
    )


def asking_for(session: Session, journey: Journey) -> Obligation | None:
    """The open obligation that a journey answers: its own, else its module's, else the first due
    that it would end."""
    open_now = session.scalars(
        select(Obligation)
        .where(
            Obligation.school_id == journey.school_id,
            Obligation.person_id.in_(everybody_who_is(session, journey.person_id)),
            Obligation.outcome == OPEN,
        )
        .order_by(Obligation.due_on, Obligation.id)
    ).all()
    ends = ENDS.get(journey.module, (journey.module,))
    fitting = [one for one in open_now if one.module in ends]
    return min(
        fitting,
        key=lambda one: (
            (one.module, one.cycle) != (journey.module, journey.cycle),
            one.module != journey.module,
            one.due_on,
            one.id,
        ),
        default=None,
    )


def open_obligations(
    session: Session, *, school_id: str, person_id: UUID, today: date
) -> Sequence[Obligation]:
    """What a person owes now, the first due first, as plain rows."""
    return OWED.all(session, {"school_id": school_id, "person_id": person_id, "today": today})


def fulfilled_by(session: Session, *, school_id: str, completion_id: UUID) -> Sequence[Obligation]:
    """The obligations that a completion fulfilled."""
    return session.scalars(
        select(Obligation).where(
            Obligation.school_id == school_id,
            Obligation.completion_id == completion_id,
            Obligation.outcome == DONE,
        )
    ).all()
