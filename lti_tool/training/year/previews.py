"""How many people would owe what, and why others would not, before anything is opened.

Worked out by the same rules that are kept to once it is: nothing here decides.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.policies.policy import School
from lti_tool.training.cycles.facts import Facts, read_facts
from lti_tool.training.cycles.models import PolicyOpening
from lti_tool.training.cycles.owing import LAPSED, OPEN, REFRESH, UPDATE, Opened, Window, excuse
from lti_tool.training.cycles.settling import Change, changes_of
from lti_tool.ui.format import local


@dataclass(frozen=True)
class Preview:
    """What opening something would ask, of whom."""

    by_role_group: Mapping[str, int]
    """How many people of each group would owe it; the empty group is not known yet."""
    away: int = 0
    """How many of them are away that day; they have time once they are back."""
    clauses: int = 0
    """How many clauses of the policy have changed since they were asked last."""
    excused: Mapping[str, int] = field(default_factory=dict)
    """How many would not owe it, by why; see ``owing.excuse``."""
    lapsing: int = 0
    """How many have not done the last one, which this one takes the place of."""

    @property
    def people(self) -> int:
        return sum(self.by_role_group.values())


def of_cycle(session: Session, *, school: School, window: Window, now: datetime) -> Preview:
    """What a cycle would ask if it opened with these dates, as things stand today."""
    today = max(local(now).date(), window.opens_on)
    facts = read_facts(session, school=school, now=now)
    before = facts.cycles
    then = replace(facts, cycles=(*before, window)[-2:])
    changes = list(changes_of(then, today))
    asked = [one for one in changes if _begins(one, REFRESH, window.name)]
    lapsing = sum(one.now.outcome == LAPSED and one.now.module == REFRESH for one in changes)
    excused = Counter(
        excuse(standing, facts.terms, window, None, today) for standing in facts.standings.values()
    )
    del excused[""]
    return Preview(
        by_role_group=_by_group(facts, asked),
        away=_away(facts, asked, today),
        clauses=_changed_since(session, school.id, before[-1].opens_on if before else None),
        excused=excused,
        lapsing=lapsing,
    )


def of_version(session: Session, *, school: School, opened: Opened, now: datetime) -> Preview:
    """What a policy version would ask if it were opened so today."""
    today = local(now).date()
    facts = read_facts(session, school=school, now=now)
    then = replace(facts, openings=(*facts.openings, opened))
    asked = [
        one for one in changes_of(then, today) if _begins(one, UPDATE, f"policy-{opened.number}")
    ]
    return Preview(by_role_group=_by_group(facts, asked), away=_away(facts, asked, today))


def _begins(change: Change, module: str, cycle: str) -> bool:
    return (
        change.before is None and change.now.outcome == OPEN and change.now.key == (module, cycle)
    )


def _by_group(facts: Facts, asked: Iterable[Change]) -> Mapping[str, int]:
    return Counter(facts.standings[one.person_id].role_group for one in asked)


def _away(facts: Facts, asked: Iterable[Change], today: date) -> int:
    return sum(facts.standings[one.person_id].is_away(today) for one in asked)


def _changed_since(session: Session, school_id: str, since: date | None) -> int:
    """The clauses that openings have named since a day, each once."""
    asked = select(PolicyOpening.clauses).where(PolicyOpening.school_id == school_id)
    if since is not None:
        asked = asked.where(PolicyOpening.opened_on >= since)
    return len({clause for clauses in session.scalars(asked) for clause in clauses})
