"""What opening a version would do, before it is done. Reads; writes nothing."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.policies.diff import ClauseChange, Diff, Kind, Weight, compare, concerning, obliged
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.policies.vocabulary import NOT_PEOPLE
from lti_tool.training.cycles.facts import Facts, read_facts
from lti_tool.training.cycles.owing import FIRST_DAY, OPEN, UPDATE, Opened, Standing, owed
from lti_tool.training.cycles.school_days import school_day_after
from lti_tool.training.cycles.settling import changes_of
from lti_tool.training.cycles.versions import in_use
from lti_tool.ui.format import local

UNBOUND: Final = "unbound"
"""No changed clause binds their role group."""
NOT_DECLARED: Final = "not-declared"
"""They have declared none here yet, and learn it with their own training."""
IN_TRAINING: Final = "in-training"
"""They owe an induction or a refresh anyway, which teaches it."""
KNOWN: Final = "known"
"""They learned this version before."""


@dataclass(frozen=True)
class Group:
    """What it comes to for one role group. ``excused`` counts the others by why they owe
    nothing; ``changes`` are those that concern the group."""

    role_group: str
    people: int
    excused: Mapping[str, int]
    changes: tuple[ClauseChange, ...]


@dataclass(frozen=True)
class Preview:
    """What opening a version with a weight would ask, and of whom."""

    weight: Weight
    clauses: tuple[ClauseChange, ...]
    """Those that would have to be learned again; none where it is minor."""
    groups: tuple[Group, ...]
    due_on: date

    @property
    def people(self) -> int:
        """How many would owe something new."""
        return sum(group.people for group in self.groups)

    @property
    def everybody(self) -> int:
        """How many people count at the school today."""
        return self.people + sum(sum(group.excused.values()) for group in self.groups)


def difference(session: Session, *, school: School, number: str) -> Diff:
    """What that version says otherwise than the one in use.

    Raises ``ToolError``: page-not-found where the school has no such version.
    """
    version = school.version(number)
    if version is None:
        raise ToolError("page-not-found")
    return compare(in_use(session, school), version)


def preview(
    session: Session,
    *,
    school: School,
    diff: Diff,
    weight: Weight,
    now: datetime,
    due_on: date | None = None,
) -> Preview:
    """What opening ``diff.after`` today would do. Without ``due_on`` the update is due as many
    school days from now as an induction is from a start."""
    today = local(now).date()
    facts = read_facts(session, school=school, now=now)
    due_on = due_on or school_day_after(today, facts.terms.induction_days, facts.terms.closed)
    opened = Opened(
        number=diff.after.number,
        weight=weight.value,
        opened_on=today,
        binds=bound_by(diff, weight),
        due_on=due_on,
    )
    then = replace(facts, openings=(*_before(facts, diff.before, today), opened))
    clauses = to_learn(diff, weight)
    return Preview(weight, clauses, tuple(_groups(then, opened, diff, today)), due_on)


def to_learn(diff: Diff, weight: Weight) -> tuple[ClauseChange, ...]:
    """The changes that people would be obliged for: those that make it major, or, where a manager
    raises a minor one, all that anybody can see."""
    if weight is Weight.MINOR:
        return ()
    return diff.obliging or tuple(one for one in diff.clauses if one.kind is not Kind.MOVED)


def bound_by(diff: Diff, weight: Weight) -> frozenset[str]:
    """The role groups that these changes bind."""
    changes = to_learn(diff, weight)
    if diff.obliging:
        return obliged(changes)
    return frozenset(group for one in changes for group in one.concerns) - NOT_PEOPLE


def _before(facts: Facts, version: PolicyVersion, today: date) -> tuple[Opened, ...]:
    """The school's openings; where there is none yet, the version in use is the first."""
    return facts.openings or (Opened(version.number, "first", today),)


def _groups(facts: Facts, opened: Opened, diff: Diff, today: date) -> list[Group]:
    key = (UPDATE, f"policy-{opened.number}")
    new = {
        one.person_id
        for one in changes_of(facts, today)
        if one.now.key == key
        and one.now.outcome == OPEN
        and (one.before is None or one.before.owed.outcome != OPEN)
    }
    people: Counter[str] = Counter()
    excused: dict[str, Counter[str]] = {}
    for person_id, standing in facts.standings.items():
        if standing.counted_on is None or standing.left_on is not None:
            continue
        group = standing.role_group
        why = excused.setdefault(group, Counter())
        if person_id in new:
            people[group] += 1
        else:
            why[_excuse(facts, person_id, opened, today)] += 1
    return [
        Group(group, people[group], why, concerning(diff.clauses, group))
        for group, why in sorted(excused.items())
    ]


def _excuse(facts: Facts, person_id: UUID, opened: Opened, today: date) -> str:
    standing: Standing = facts.standings[person_id]
    if opened.weight == Weight.MINOR or standing.role_group not in opened.binds:
        return UNBOUND
    if not any(one.module != FIRST_DAY for one in standing.done):
        return NOT_DECLARED
    owes = owed(standing, facts.terms, facts.cycles, facts.openings, today)
    if any(one.outcome == OPEN and one.module not in (UPDATE, FIRST_DAY) for one in owes):
        return IN_TRAINING
    return KNOWN
