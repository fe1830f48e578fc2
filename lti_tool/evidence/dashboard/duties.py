"""What is owed at one school, counted for any day: today, along the way, last year.

The rows are read once; what they came to on a day is worked out here, from the dates that hold
now. Absences count by their dates, so a day in the past is told as it is known today.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.people.models import Absence, Membership, Person
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import INDUCTION, OPEN, WITHDRAWN, Owed, state_of
from lti_tool.training.models import Journey
from lti_tool.ui.format import local

POINTS: Final = 13
WEEK: Final = timedelta(days=7)
Away = tuple[tuple[date, date | None], ...]
Counts = Mapping[str, int]
"""How many are in each state, by its code."""


@dataclass(frozen=True)
class Duty:
    """What one of the school's people owes, without who it is."""

    role_group: str
    site: str
    opens_on: date
    due_on: date
    outcome: str
    ended_on: date | None
    begun_on: date | None
    away: Away

    def state_on(self, day: date) -> str:
        """Its state at the end of a day. ``owing.state_of`` decides."""
        outcome = self.outcome if self.ended_on and self.ended_on <= day else OPEN
        return state_of(
            Owed("", "", self.opens_on, self.due_on, {}, outcome),
            is_away=any(
                first <= day and (last is None or day <= last) for first, last in self.away
            ),
            has_begun=self.begun_on is not None and self.begun_on <= day,
            today=day,
        )


Duties = Mapping[Duty, int]
"""How many are alike."""


def read(session: Session, *, school_id: str, module: str, cycle: str, site: str = "") -> Duties:
    """Everybody's duty in one training of one cycle, at all sites or at one."""
    away, begun = _away(session, school_id), _begun(session, school_id, module, cycle)
    asked = (
        select(
            Obligation.person_id,
            Membership.role_group,
            Membership.site,
            Obligation.opens_on,
            Obligation.due_on,
            Obligation.outcome,
            Obligation.ended_on,
        )
        .join(
            Membership,
            and_(
                Membership.school_id == Obligation.school_id,
                Membership.person_id == Obligation.person_id,
            ),
        )
        .where(
            Obligation.school_id == school_id,
            Obligation.module == module,
            Obligation.cycle == cycle,
            Obligation.outcome != WITHDRAWN,
            *([Membership.site == site] if site else ()),
        )
    )
    return Counter(
        Duty(
            role_group=row.role_group,
            site=row.site,
            opens_on=row.opens_on,
            due_on=row.due_on,
            outcome=row.outcome,
            ended_on=row.ended_on,
            begun_on=begun.get(row.person_id),
            away=away.get(row.person_id, ()),
        )
        for row in session.execute(asked)
    )


def _begun(session: Session, school_id: str, module: str, cycle: str) -> dict[UUID, date]:
    """When people set out. An induction goes on into the next year."""
    root = func.coalesce(Person.one_with, Person.id)
    rows = session.execute(
        select(root, func.min(Journey.started_at))
        .join(Person, Person.id == Journey.person_id)
        .where(
            Journey.school_id == school_id,
            Journey.module == module,
            or_(Journey.cycle == cycle, Journey.module == INDUCTION),
        )
        .group_by(root)
    )
    return {person_id: local(started_at).date() for person_id, started_at in rows}


def _away(session: Session, school_id: str) -> dict[UUID, Away]:
    rows = session.execute(
        select(func.coalesce(Person.one_with, Person.id), Absence.starts_on, Absence.ends_on)
        .join(Person, Person.id == Absence.person_id)
        .where(Absence.school_id == school_id, Absence.removed_at.is_(None))
    )
    found: dict[UUID, Away] = {}
    for person_id, first, last in rows:
        found[person_id] = (*found.get(person_id, ()), (first, last))
    return found


def count(duties: Duties, day: date) -> Counts:
    """How many are in which state on a day."""
    found: Counter[str] = Counter()
    for duty, number in duties.items():
        found[duty.state_on(day)] += number
    return found


def count_by(duties: Duties, key: Callable[[Duty], str], day: date) -> dict[str, Counts]:
    """The same, apart for each role group or site."""
    found: dict[str, Counter[str]] = {}
    for duty, number in duties.items():
        found.setdefault(key(duty), Counter())[duty.state_on(day)] += number
    return dict(found)


def over_time(duties: Duties, days: Iterable[date]) -> list[tuple[date, Counts]]:
    """The states on each day, of what had been asked by then."""
    points: list[tuple[date, Counts]] = []
    for day in days:
        counts = {name: number for name, number in count(duties, day).items() if name != "not-due"}
        points.append((day, counts))
    return points


def asked(counts: Counts) -> int:
    """Of how many it is asked: not of those for whom it has not begun, nor of who left before."""
    return sum(number for name, number in counts.items() if name not in NOT_ASKED)


def share(counts: Counts) -> int | None:
    """Per cent done, rounded down so that 100 is everybody; None where it is asked of nobody."""
    people = asked(counts)
    return 100 * counts.get("done", 0) // people if people else None


NOT_ASKED: Final = frozenset({"not-due", "left-incomplete"})


def first_day(duties: Duties) -> date | None:
    """When the first of them was asked."""
    return min((duty.opens_on for duty in duties), default=None)


def days_between(first: date, last: date, *, through: date | None = None) -> list[date]:
    """About a dozen days from one to the other, whole weeks apart; the last one is among them,
    or ``through``."""
    step = WEEK * max(1, -(-(last - first).days // (7 * (POINTS - 1))))
    fixed = through or last
    before, after = (fixed - first).days // step.days, (last - fixed).days // step.days
    return [fixed + number * step for number in range(-before, after + 1)]


def year_before(day: date) -> date:
    """The same day a year ago; of 29 February the 28th."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def year_of(cycle: str, starts: tuple[int, int]) -> tuple[date, date]:
    """The first and the last day of a school year, ``2026-27``."""
    first = date(int(cycle[:4]), *starts)
    return first, date(first.year + 1, *starts) - timedelta(days=1)


def cycle_before(cycle: str) -> str:
    """``2025-26`` for ``2026-27``."""
    first = int(cycle[:4])
    return f"{first - 1}-{first % 100:02}"


@dataclass(frozen=True)
class Years:
    """This cycle against last year's."""

    cycle: str
    before: str
    this: Counts
    same_day: date
    then: Counts
    end: date
    at_end: Counts
    days: Sequence[date]
    lines: tuple[Sequence[int | None], Sequence[int | None]]
    """Per cent done on each of the days, this year (None ahead of today) and last."""


def compare(
    this: Duties, last: Duties, *, cycle: str, starts: tuple[int, int], today: date
) -> Years | None:
    """A school year beside the one before; None where there is no year before to show."""
    if not last:
        return None
    first, final = year_of(cycle, starts)
    day = min(today, final)
    same, end = year_before(day), first - timedelta(days=1)
    start = min(one for one in (first_day(this), _year_on(first_day(last))) if one)
    latest = max(duty.ended_on or duty.due_on for duty in last)
    horizon = min(final, max(day, _year_on(latest) or day))
    days = days_between(max(first, start), horizon, through=day)
    return Years(
        cycle=cycle,
        before=cycle_before(cycle),
        this=count(this, day),
        same_day=same,
        then=count(last, same),
        end=end,
        at_end=count(last, end),
        days=days,
        lines=(
            [share(count(this, one)) if one <= day else None for one in days],
            [share(count(last, year_before(one))) for one in days],
        ),
    )


def _year_on(day: date | None) -> date | None:
    """The same day a year later; of 29 February 1 March."""
    if day is None:
        return None
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return date(day.year + 1, 3, 1)
