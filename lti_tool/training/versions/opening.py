"""A version of the policy comes into use: opened by a manager, recorded, and settled."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.content import keep
from lti_tool.people.models import Person
from lti_tool.policies.diff import Diff, Kind, Weight
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.calendars import begin_calendar
from lti_tool.training.cycles.models import Obligation, PolicyOpening
from lti_tool.training.cycles.owing import OPEN, UPDATE
from lti_tool.training.cycles.settling import settle
from lti_tool.training.cycles.versions import note_first
from lti_tool.training.versions.preview import bound_by, difference
from lti_tool.ui.format import local

LONGEST: Final = timedelta(days=366)
A_MOMENT: Final = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Opened:
    """A version that came into use, and how many people owe its update now."""

    opening: PolicyOpening
    people: int


def openings(session: Session, *, school_id: str) -> list[tuple[PolicyOpening, str]]:
    """What was opened, latest first, with the name of who did it, empty where nobody did."""
    rows = session.execute(
        select(PolicyOpening, Person.name)
        .outerjoin(Person, Person.id == PolicyOpening.opened_by)
        .where(PolicyOpening.school_id == school_id)
        .order_by(PolicyOpening.opened_at.desc(), PolicyOpening.id.desc())
    )
    return [(opening, name or "") for opening, name in rows]


def open_version(
    session: Session,
    *,
    school: School,
    number: str,
    before: str,
    weight: Weight,
    reason: str,
    due_on: date | None,
    by: UUID | None,
    now: datetime,
) -> Opened:
    """Bring a version into use from now on. Records that were made keep the version they name.

    ``before`` is the version in use that it was compared with. ``reason`` is needed where the
    weight is not what the comparison proposes, ``due_on`` for a major version. ``by`` is empty
    for the command line. An older version may be opened again, and a demonstration.

    Raises ``ToolError``: page-not-found (no such version), version-in-use, version-changed (another
    was opened meanwhile), reason-missing, due-date-wrong (before tomorrow, or more than a year
    away).
    """
    begin_calendar(session, school_id=school.id, now=now)  # locked: two managers, one after another
    diff = difference(session, school=school, number=number)
    if diff.before.number == number:
        raise ToolError("version-in-use", number=number)
    if diff.before.number != before:
        raise ToolError("version-changed", number=diff.before.number)
    if weight is not diff.weight and not reason:
        raise ToolError("reason-missing")
    today = local(now).date()
    if weight is Weight.MINOR:
        due_on = None
    elif due_on is None or not today < due_on <= today + LONGEST:
        raise ToolError("due-date-wrong")
    note_first(session, diff.before, now=now - A_MOMENT)
    opening = _row(diff, weight, reason, due_on, by, now)
    session.add(opening)
    for version in (diff.before, diff.after):
        _keep(session, version, now)
    session.flush()
    settle(session, school=school, now=now)
    people = _owing(session, opening)
    _record(session, opening, diff.after, people, now)
    return Opened(opening, people)


def _row(
    diff: Diff, weight: Weight, reason: str, due_on: date | None, by: UUID | None, now: datetime
) -> PolicyOpening:
    changed = [one for one in diff.clauses if one.kind is not Kind.MOVED]
    return PolicyOpening(
        id=new_id(),
        school_id=diff.after.school_id,
        number=diff.after.number,
        sha256=diff.after.sha256,
        before=diff.before.number,
        weight=weight.value,
        proposed=diff.weight.value,
        reason=reason,
        clauses=[one.after.id for one in changed if one.after],
        binds=sorted(bound_by(diff, weight)),
        due_on=due_on,
        opened_on=local(now).date(),
        opened_at=now,
        opened_by=by,
    )


def _keep(session: Session, version: PolicyVersion, now: datetime) -> None:
    """What the record names by its hash can be read for as long as the record."""
    keep(session, kind="policy", ref=version.id, number=version.number, body=version.body, now=now)


def _owing(session: Session, opening: PolicyOpening) -> int:
    asked = select(func.count()).where(
        Obligation.school_id == opening.school_id,
        Obligation.module == UPDATE,
        Obligation.cycle == f"policy-{opening.number}",
        Obligation.outcome == OPEN,
    )
    return session.scalar(asked) or 0


def _record(
    session: Session, opening: PolicyOpening, version: PolicyVersion, people: int, now: datetime
) -> None:
    facts: dict[str, ledger.Value] = {
        "number": opening.number,
        "sha256": opening.sha256,
        "before": opening.before,
        "weight": opening.weight,
        "proposed": opening.proposed,
        "clauses": list(opening.clauses),
        "binds": list(opening.binds),
        "due_on": opening.due_on.isoformat() if opening.due_on else "",
        "demonstration": int(version.demonstration),
        "people": people,
        "by": "manager" if opening.opened_by else "command-line",
    }
    personal: dict[str, ledger.Value] = {}
    if opening.opened_by:
        # Words somebody typed may name somebody.
        personal = {"actor": str(opening.opened_by), "reason": opening.reason}
    else:
        facts["reason"] = opening.reason
    ledger.append(
        session,
        school_id=opening.school_id,
        kind="policy-opened",
        facts=facts,
        person_id=opening.opened_by,
        personal=personal,
        now=now,
    )
