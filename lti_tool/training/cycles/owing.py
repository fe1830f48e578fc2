"""Who owes which training by when, from the facts alone. Pure: no database, no clock, no words.

Dates are those of the school's wall; moments never enter, so daylight saving cannot matter.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import zip_longest
from typing import Final
from uuid import UUID

from lti_tool.curriculum.cycles import school_year
from lti_tool.training.cycles.school_days import days_of, school_day_after

INDUCTION: Final = "induction"
REFRESH: Final = "annual-refresh"
FIRST_DAY: Final = "before-you-start"
UPDATE: Final = "policy-update"

OPEN: Final = ""
DONE: Final = "done"
LEFT: Final = "left-incomplete"
LAPSED: Final = "lapsed"
WITHDRAWN: Final = "withdrawn"

Key = tuple[str, str]
"""A module and a cycle: what one person can owe once."""


@dataclass(frozen=True)
class Done:
    """A training somebody has completed."""

    completion_id: UUID
    module: str
    cycle: str
    on: date
    number: str
    """The policy version that was declared."""

    @property
    def key(self) -> Key:
        return self.module, self.cycle


@dataclass(frozen=True)
class Standing:
    """One person at one school, whatever identities and memberships they have there."""

    role_group: str = ""
    counted_on: date | None = None
    """Since when they count as the school's own; empty where they do not."""
    starts_on: date | None = None
    left_on: date | None = None
    """Their last day, once it has passed."""
    away: frozenset[tuple[date, date | None]] = frozenset()
    """First and last day of each absence; the last is empty while nobody knows."""
    done: frozenset[Done] = frozenset()
    moved: Mapping[Key, date] = field(default_factory=dict)
    """The dates a manager gave them."""
    held: Set[Key] = frozenset()
    """What they have been made to owe before, ended or not."""

    @property
    def start(self) -> date | None:
        return self.starts_on or self.counted_on

    @cached_property
    def in_order(self) -> tuple[Done, ...]:
        return tuple(sorted(self.done, key=lambda one: (one.on, one.completion_id)))

    def is_away(self, day: date) -> bool:
        return any(first <= day and (last is None or day <= last) for first, last in self.away)


@dataclass(frozen=True)
class Terms:
    """A school's own dates."""

    began_on: date
    """Whoever starts later is new; the others are known to have been taught before."""
    induction_days: int = 10
    grace_days: int = 90
    closed: frozenset[date] = frozenset()
    """The days of its holidays."""
    year_starts: tuple[int, int] = (9, 1)


@dataclass(frozen=True)
class Window:
    """One annual refresh: a cycle's dates."""

    name: str
    opens_on: date
    closes_on: date


@dataclass(frozen=True)
class Opened:
    """A policy version that came into use."""

    number: str
    weight: str
    opened_on: date
    binds: frozenset[str] = frozenset()
    due_on: date | None = None


@dataclass(frozen=True)
class Owed:
    """What somebody owes, or owed."""

    module: str
    cycle: str
    opens_on: date
    due_on: date
    reason: Mapping[str, str | int]
    """A code, and what its words need; dates as ISO text."""
    outcome: str = OPEN
    ended_on: date | None = None
    completion_id: UUID | None = None

    @property
    def key(self) -> Key:
        return self.module, self.cycle


def owed(
    standing: Standing,
    terms: Terms,
    cycles: Sequence[Window],
    openings: Sequence[Opened],
    today: date,
) -> tuple[Owed, ...]:
    """Everything the facts ask of a person up to today, with what became of it.

    ``cycles`` may come in any order, ``openings`` in the order in which they were opened. At most
    one of induction, refresh and update is open at a time.
    """
    if standing.counted_on is None:
        return ()
    if standing.left_on is not None:
        today = min(today, standing.left_on)
    found = [*_starting(standing, terms, today), *_refreshes(standing, terms, cycles, today)]
    found += _updates(standing, terms, openings, tuple(found), today)
    return tuple(_left(one, standing.left_on) for one in found)


def state_of(one: Owed | None, *, is_away: bool, has_begun: bool, today: date) -> str:
    """not-due, due, in-progress, done, overdue, paused or left-incomplete.

    The same as ``states.state`` in SQL. What lapsed was never done, so it stays overdue.
    """
    if one is None or one.outcome == WITHDRAWN:
        return "not-due"
    if one.outcome in (DONE, LEFT):
        return one.outcome
    if one.outcome == LAPSED:
        return "overdue"
    if is_away:
        return "paused"
    if today > one.due_on:
        return "overdue"
    if has_begun:
        return "in-progress"
    return "due" if today >= one.opens_on else "not-due"


def excuse(
    standing: Standing, terms: Terms, cycle: Window, ends_on: date | None, today: date
) -> str:
    """Why somebody does not owe the refresh of a cycle; empty where they do.

    not-counted, left, counted-later (only after the next cycle had opened), new (they started
    after it opened), induction-owed, or induction-done (short enough before it opened).
    """
    start = standing.start
    if standing.counted_on is None or start is None:
        return "not-counted"
    if standing.left_on is not None and standing.left_on < cycle.opens_on:
        return "left"
    if ends_on is not None and standing.counted_on >= ends_on:
        return "counted-later"
    if start > cycle.opens_on:
        return "new"
    return _inducted_for(standing, terms, cycle, start)


def _inducted_for(standing: Standing, terms: Terms, cycle: Window, start: date) -> str:
    since = cycle.opens_on - timedelta(days=terms.grace_days)
    if start > terms.began_on:
        done = _taught(standing, terms, school_year(start, terms.year_starts))
        if done is None:
            return "induction-owed"
        if done.on >= since:
            return "induction-done"
    is_recent = _first_after(standing, (INDUCTION,), since, cycle.opens_on) is not None
    return "induction-done" if is_recent else ""


def _starting(standing: Standing, terms: Terms, today: date) -> Iterator[Owed]:
    start = standing.start
    if start is None or start <= terms.began_on:
        return
    if standing.left_on is not None and standing.left_on < start:
        return
    cycle = school_year(start, terms.year_starts)
    inducted = _first_after(standing, (INDUCTION,), _since(standing, terms))
    inducted = inducted or _exact(standing, (INDUCTION, cycle))
    if inducted is not None or _taught(standing, terms, cycle) is None:
        due = school_day_after(
            start, terms.induction_days, terms.closed | _days_away(standing, today)
        )
        reason: dict[str, str | int] = {
            "code": "new",
            "start": start.isoformat(),
            "days": terms.induction_days,
        }
        one = Owed(INDUCTION, cycle, start, due, reason)
        yield _settled(one, standing, inducted)
    if standing.role_group == "supply":
        reason = {"code": "first-day", "start": start.isoformat()}
        told = _first_after(standing, (FIRST_DAY, INDUCTION), _since(standing, terms))
        yield _settled(Owed(FIRST_DAY, cycle, start, start, reason), standing, told)


def _refreshes(
    standing: Standing, terms: Terms, cycles: Sequence[Window], today: date
) -> Iterator[Owed]:
    ordered = sorted(cycles, key=lambda one: (one.opens_on, one.name))
    for cycle, following in zip_longest(ordered, ordered[1:]):
        if cycle.opens_on > today:
            continue
        ends_on = following.opens_on if following and following.opens_on <= today else None
        done = _exact(standing, (REFRESH, cycle.name))
        if done is None:
            if excuse(standing, terms, cycle, ends_on, today):
                continue
            done = _first_after(standing, (INDUCTION,), cycle.opens_on, ends_on)
        elif standing.start is None or standing.start > cycle.opens_on:
            continue
        closes = {"code": "refresh", "closes": cycle.closes_on.isoformat()}
        due, reason = _later(standing, terms, cycle.opens_on, cycle.closes_on, closes)
        one = Owed(REFRESH, cycle.name, cycle.opens_on, due, reason)
        one = _settled(one, standing, done)
        if one.outcome == OPEN and ends_on is not None:
            one = replace(one, outcome=LAPSED, ended_on=ends_on)
        yield one


def _updates(
    standing: Standing,
    terms: Terms,
    openings: Sequence[Opened],
    others: Sequence[Owed],
    today: date,
) -> Iterator[Owed]:
    """What a new version's changed clauses ask. Only the last that binds the person is open; the
    refresh that opens next takes its place."""
    place = {one.number: number for number, one in enumerate(openings)}
    declared = [one for one in standing.in_order if one.module != FIRST_DAY]
    is_busy = any(one.outcome == OPEN and one.module != FIRST_DAY for one in others)
    majors = [
        (number, one)
        for number, one in enumerate(openings)
        if number and one.weight == "major" and one.opened_on <= today
        and standing.role_group in one.binds
    ]  # fmt: skip
    for number, opening in reversed(majors if declared else []):
        one = _update(standing, terms, opening)
        newer = [
            d for d in declared
            if place.get(d.number, -1) >= number and d.on >= opening.opened_on
        ]  # fmt: skip
        taken_on = _taken_on(opening, others, newer)
        done = next((d for d in newer if d.key == one.key or d.on < taken_on), None)
        last = min(taken_on, majors[-1][1].opened_on if number != majors[-1][0] else date.max)
        if done is not None or last < date.max:
            if one.key in standing.held:
                lapsed = replace(one, outcome=LAPSED, ended_on=last)
                yield lapsed if done is None else _settled(one, standing, done)
        elif not is_busy and place.get(declared[-1].number, -1) < number:
            yield _settled(one, standing, None)


def _taken_on(opening: Opened, others: Iterable[Owed], newer: Sequence[Done]) -> date:
    """When a refresh took the place of an update; the last of days while none has. One that was
    done with an older version did not."""
    taught = {one.completion_id for one in newer}
    refreshes = (
        one.opens_on
        for one in others
        if one.module == REFRESH and (one.outcome != DONE or one.completion_id in taught)
    )
    return min((day for day in refreshes if day > opening.opened_on), default=date.max)


def _update(standing: Standing, terms: Terms, opening: Opened) -> Owed:
    due = opening.due_on or school_day_after(opening.opened_on, terms.induction_days, terms.closed)
    opened_on = opening.opened_on.isoformat()
    reason = {"code": "policy", "number": opening.number, "opened": opened_on}
    due, said = _later(standing, terms, opening.opened_on, due, reason)
    return Owed(UPDATE, f"policy-{opening.number}", opening.opened_on, due, said)


def _later(
    standing: Standing, terms: Terms, opens: date, due: date, reason: Mapping[str, str | int]
) -> tuple[date, dict[str, str | int]]:
    """The date, or a later one for whoever was counted late or came back between the two. While
    nobody knows when somebody comes back there is no later date; nothing is asked of them."""
    said = dict(reason)
    if standing.counted_on is not None and standing.counted_on > opens:
        later = school_day_after(standing.counted_on, terms.induction_days, terms.closed)
        if later > due:
            due = later
            said |= {"counted": standing.counted_on.isoformat(), "days": terms.induction_days}
    for first, last in sorted((one, end) for one, end in standing.away if end is not None):
        if first <= due and last >= opens:
            back = school_day_after(last, 1, terms.closed)
            later = school_day_after(back, terms.induction_days, terms.closed)
            if later > due:
                due = later
                said |= {"back": back.isoformat(), "days": terms.induction_days}
    return due, said


def _days_away(standing: Standing, today: date) -> frozenset[date]:
    """An absence without an end is taken to last through today."""
    return days_of([(first, max(first, today) if last is None else last)
                    for first, last in standing.away])  # fmt: skip


def _settled(one: Owed, standing: Standing, done: Done | None) -> Owed:
    """With the date a manager gave, and with what fulfilled it."""
    moved = standing.moved.get(one.key)
    if moved is not None:
        reason = {**one.reason, "moved_from": one.due_on.isoformat()}
        one = replace(one, due_on=moved, reason=reason)
    if done is None:
        return one
    return replace(one, outcome=DONE, ended_on=done.on, completion_id=done.completion_id)


def _left(one: Owed, left_on: date | None) -> Owed:
    if one.outcome == OPEN and left_on is not None:
        return replace(one, outcome=LEFT, ended_on=left_on)
    return one


def _since(standing: Standing, terms: Terms) -> date:
    """Training done before it belongs to an earlier time at the school. Where no start is known
    there was no earlier time."""
    if standing.starts_on is None:
        return date.min
    return standing.starts_on - timedelta(days=terms.grace_days)


def _taught(standing: Standing, terms: Terms, cycle: str) -> Done | None:
    """What a new starter has done: since the start, or else in its school year. A refresh serves
    too, so that nobody owes twice whose start was entered late."""
    since = _first_after(standing, (INDUCTION, REFRESH), _since(standing, terms))
    return since or _exact(standing, (INDUCTION, cycle)) or _exact(standing, (REFRESH, cycle))


def _exact(standing: Standing, key: Key) -> Done | None:
    return next((one for one in standing.in_order if one.key == key), None)


def _first_after(
    standing: Standing, modules: Iterable[str], since: date, until: date | None = None
) -> Done | None:
    wanted = frozenset(modules)
    for one in standing.in_order:
        if one.module in wanted and since <= one.on and (until is None or one.on < until):
            return one
    return None


def kept(before: Owed | None, now: Owed | None, done: Set[Done], today: date) -> Owed | None:
    """What to hold of one obligation, given what was held and what the facts ask now.

    What was done stays done as long as its completion is this person's. What is no longer asked
    is withdrawn if it was open, and stays as it ended if it was not.
    """
    if before is None:
        return now
    if before.outcome == DONE and any(before.completion_id == one.completion_id for one in done):
        return before
    if now is None:
        exact = sorted((one.on, one.completion_id) for one in done if one.key == before.key)
        if exact:
            on, completion_id = exact[0]
            return replace(before, outcome=DONE, ended_on=on, completion_id=completion_id)
        if before.outcome in (OPEN, DONE):
            return replace(before, outcome=WITHDRAWN, ended_on=today, completion_id=None)
        return before
    has_ended = before.outcome in (LEFT, LAPSED, WITHDRAWN)
    return before if has_ended and now.outcome in (LEFT, LAPSED) else now
