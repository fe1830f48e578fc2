"""Who is reminded of what today, and why the others are not. Pure: facts in, a plan out.

At most one mail in seven days goes to one person, of whatever kind and from whichever school. So a
manager who gets the weekly digest finds their own training in it, and gets no other.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

DUE_SOON: Final = timedelta(days=7)
WEEK: Final = timedelta(days=7)
SATURDAY: Final = 5
KINDS: Final = ("overdue", "due", "opened", "digest")
LEFT_OUT: Final = (
    "this-week",
    "not-yet",
    "with-digest",
    "no-address",
    "away",
    "waiting",
    "nothing-owed",
    "left",
)
"""Why somebody gets no mail, in the order in which a manager may want to know."""


@dataclass(frozen=True)
class Duty:
    """One training somebody has still to do."""

    module: str
    cycle: str
    opens_on: date
    due_on: date
    since: datetime
    """When it came to be known."""
    is_begun: bool = False
    reason: Mapping[str, Any] = field(default_factory=dict)
    """Why it is due then, as ``cycles.words`` takes it."""


@dataclass(frozen=True)
class Reader:
    """Somebody at a school, under however many identities."""

    person_id: UUID
    name: str
    address: str
    """Empty where none is known to which mail can be sent."""
    language: str = "en"
    standing: str = "counted"
    """counted, waiting (to be confirmed), away or left."""
    duties: tuple[Duty, ...] = ()
    is_manager: bool = False
    mailed_on: date | None = None
    """The latest day on which a mail was sent to them, or is to be; by another school, of the
    last seven days."""
    told_at: datetime | None = None
    """When the last that may have reached them went."""


@dataclass(frozen=True)
class Terms:
    """What a school has settled, and its holidays: name, first day, last day."""

    is_on: bool
    quiet_from: int
    quiet_until: int
    has_digest: bool
    digest_weekday: int
    holidays: tuple[tuple[str, date, date], ...] = ()


@dataclass(frozen=True)
class Letter:
    """One mail to one person."""

    reader: Reader
    kind: str
    duties: tuple[Duty, ...]


@dataclass(frozen=True)
class Plan:
    """The mails of a day, and everybody else by the reason for which they get none."""

    letters: tuple[Letter, ...]
    left_out: Mapping[str, tuple[Reader, ...]]

    def counts(self) -> dict[str, int]:
        """How many mails of each kind."""
        kinds = [letter.kind for letter in self.letters]
        return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def shut(terms: Terms, moment: datetime) -> str:
    """Why nothing may be sent at a moment of the school's own clocks; empty if it may.

    One of off, weekend, holiday, quiet.
    """
    if not terms.is_on:
        return "off"
    if moment.weekday() >= SATURDAY:
        return "weekend"
    if holiday(terms, moment.date()):
        return "holiday"
    return "quiet" if _is_quiet(terms, moment.hour) else ""


def holiday(terms: Terms, day: date) -> str:
    """The name of the holiday a day falls in, or nothing."""
    return next((name for name, first, last in terms.holidays if first <= day <= last), "")


def _is_quiet(terms: Terms, hour: int) -> bool:
    first, end = terms.quiet_from, terms.quiet_until
    return first <= hour < end if first <= end else hour >= first or hour < end


def is_digest_day(terms: Terms, today: date) -> bool:
    """Whether managers get their digest today."""
    return terms.has_digest and today.weekday() == terms.digest_weekday


def in_turn(school_ids: Iterable[str], today: date) -> list[str]:
    """The schools in the order in which they may write, another each week: of two that share
    somebody, not always the same comes first."""
    week = today.isocalendar()[:2]
    return sorted(school_ids, key=lambda one: hashlib.sha256(f"{week} {one}".encode()).digest())


def plan(
    readers: Iterable[Reader],
    *,
    has_digest: bool,
    is_digest_day: bool,
    today: date,
) -> Plan:
    """Who gets which mail today. Whether any may go today at all, ``shut`` says.

    There is a digest while anybody has still something to do.
    """
    letters: list[Letter] = []
    left_out: dict[str, list[Reader]] = {reason: [] for reason in LEFT_OUT}
    everybody = tuple(readers)
    has_news = is_digest_day and any(
        open_duties(reader, today) for reader in everybody if reader.standing == "counted"
    )
    for reader in everybody:
        duties = open_duties(reader, today)
        if reader.is_manager and has_digest:
            kind = "digest" if has_news else ""
        else:
            kind = _kind(reader, duties, today)
        reason = _hindrance(reader, duties, kind, has_digest=has_digest, today=today)
        if reason:
            left_out[reason].append(reader)
        else:
            letters.append(Letter(reader, kind, duties))
    letters.sort(key=lambda letter: KINDS.index(letter.kind))
    return Plan(tuple(letters), {reason: tuple(who) for reason, who in left_out.items() if who})


def open_duties(reader: Reader, today: date) -> tuple[Duty, ...]:
    """What somebody has still to do and can do now, the most pressing first."""
    duties = (duty for duty in reader.duties if duty.opens_on <= today)
    return tuple(sorted(duties, key=lambda duty: (duty.due_on, duty.module, duty.cycle)))


def _kind(reader: Reader, duties: tuple[Duty, ...], today: date) -> str:
    """The most pressing thing there is to say to somebody, if anything."""
    if any(duty.due_on < today for duty in duties):
        return "overdue"
    if any(duty.due_on - today <= DUE_SOON for duty in duties):
        return "due"
    return "opened" if any(not _knows(reader, duty) for duty in duties) else ""


def _knows(reader: Reader, duty: Duty) -> bool:
    """Whether the last mail named this duty: each names all that is open."""
    told_at = reader.told_at
    return told_at is not None and told_at >= duty.since and told_at.date() >= duty.opens_on


def _hindrance(
    reader: Reader, duties: tuple[Duty, ...], kind: str, *, has_digest: bool, today: date
) -> str:
    if reader.standing != "counted":
        return reader.standing
    if not duties and kind != "digest":
        return "nothing-owed"
    if not reader.address:
        return "no-address"
    if reader.mailed_on is not None and today - reader.mailed_on < WEEK:
        return "this-week"
    if not kind:
        return "with-digest" if reader.is_manager and has_digest else "not-yet"
    return ""


@dataclass(frozen=True)
class Figures:
    """How a school's own people stand, each counted once, by what presses most."""

    overdue: int
    due: int
    begun: int
    """Of those due: on the way."""
    paused: int
    """Away from work, with something still to do."""
    finished: int = 0
    failed: int = 0
    """Trainings that were finished, and mails that did not arrive, in the last seven days."""


def figures(
    readers: Iterable[Reader], *, today: date, finished: int = 0, failed: int = 0
) -> Figures:
    """What managers read in their digest."""
    overdue = due = begun = paused = 0
    for reader in readers:
        duties = open_duties(reader, today)
        if not duties or reader.standing not in ("counted", "away"):
            continue
        if reader.standing == "away":
            paused += 1
        elif duties[0].due_on < today:
            overdue += 1
        else:
            due += 1
            begun += any(duty.is_begun for duty in duties)
    return Figures(overdue, due, begun, paused, finished, failed)
