"""Which training somebody has before them: the same link leads to whatever is owed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from lti_tool.core.hot import Hot
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.people.models import Person
from lti_tool.policies.policy import School
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.owing import FIRST_DAY, INDUCTION, REFRESH
from lti_tool.training.cycles.settling import open_obligations
from lti_tool.training.models import Completion, Journey
from lti_tool.ui.format import local

GOES_ON: Final = timedelta(days=90)
"""What was begun so long ago at most is finished before the next school year's is begun."""


@dataclass(frozen=True)
class Turn:
    """A training and the cycle it counts for; ``journey`` once it is begun, or done."""

    module: str
    cycle: str
    journey: Journey | None = None
    obligation: Obligation | None = None
    """What asks for it; empty where nobody asks."""
    rests: bool = False
    """Whether nothing is owed, and something was done before."""

    @property
    def is_done(self) -> bool:
        return self.journey is not None and self.journey.completed_at is not None


# As one set, so that each is looked up by school and person: with an OR around a part of it both
# databases read all that the school has.
_OF_THIS_PERSON: Final = select(Person.id).where(
    or_(Person.id == bindparam("person_id"), Person.one_with == bindparam("person_id"))
)
# Every page of the training asks this.
BEGUN: Final = Hot(
    select(*Journey.__table__.c)
    .where(
        Journey.school_id == bindparam("school_id"),
        Journey.person_id.in_(_OF_THIS_PERSON),
        Journey.module.not_like("%/%"),  # what carries a paper is no way of anybody's
    )
    .order_by(Journey.started_at.desc(), Journey.id.desc())
)
ON_PAPER: Final = (
    select(Completion.id)
    .where(
        # Not by the index of schools and dates, by which SQLite would read all of the school's.
        Completion.school_id.concat("") == bindparam("school_id"),
        Completion.person_id.in_(_OF_THIS_PERSON),
        Completion.withdrawn_at.is_(None),
    )
    .limit(1)
)


def turn_of(
    session: Session,
    *,
    school: School,
    person_id: UUID,
    asked: str,
    modules: Collection[str],
    now: datetime,
) -> Turn:
    """What a person has before them here who came for ``asked``; only of ``modules``."""
    owed = open_obligations(
        session, school_id=school.id, person_id=person_id, today=local(now).date()
    )
    who = {"school_id": school.id, "person_id": person_id}
    begun = BEGUN.all(session, who)
    turn = choose(
        [one for one in owed if one.module in modules],
        begun,
        asked=asked,
        cycle=cycle_of(now, school.year_starts),
        now=now,
    )
    if not owed and not begun and session.scalar(ON_PAPER, who) is not None:
        return replace(turn, rests=True)  # all that they have done here was on paper
    return turn


def last_done(session: Session, *, school_id: str, person_id: UUID) -> Journey | None:
    """What a person completed last here."""
    done = (
        one
        for one in BEGUN.all(session, {"school_id": school_id, "person_id": person_id})
        if one.completed_at is not None
    )
    return max(done, key=lambda one: (one.completed_at, one.id), default=None)


def choose(
    owed: Sequence[Obligation], begun: Sequence[Journey], *, asked: str, cycle: str, now: datetime
) -> Turn:
    """``owed`` is what is open, first due first; ``begun`` what was begun, the latest first."""
    unfinished = [one for one in begun if one.completed_at is None]
    recent = [one for one in unfinished if now - one.started_at <= GOES_ON]
    if owed:
        return _owed(owed, unfinished, recent, asked)
    on_the_way = _first(recent, asked) or _first(unfinished, asked, cycle)
    if on_the_way is not None:
        return Turn(asked, on_the_way.cycle, on_the_way)
    done = [one for one in begun if one.completed_at is not None]
    same = _first(done, asked, cycle)
    if same is not None:
        return Turn(asked, cycle, same)
    last = max(
        (one for one in done if one.cycle == cycle or one.cycle.startswith("policy-")),
        key=lambda one: (one.completed_at or now, one.id),
        default=None,
    )
    return Turn(asked, cycle, last, rests=bool(done))


def _owed(
    owed: Sequence[Obligation], unfinished: list[Journey], recent: list[Journey], asked: str
) -> Turn:
    # What has to be known before the first lesson goes before all else.
    wanted = (FIRST_DAY, asked)
    one = next((one for name in wanted for one in owed if one.module == name), owed[0])
    if one.module == REFRESH and asked == INDUCTION:
        # An induction that is under way counts for the refresh that opened meanwhile.
        under_way = _first(recent, INDUCTION)
        if under_way is not None:
            return Turn(INDUCTION, under_way.cycle, under_way, one)
    journey = _first(unfinished, one.module, one.cycle)
    if journey is None and one.module == INDUCTION:
        journey = _first(recent, INDUCTION)
    return Turn(one.module, journey.cycle if journey else one.cycle, journey, one)


def _first(begun: Iterable[Journey], module: str, cycle: str = "") -> Journey | None:
    fitting = (one for one in begun if one.module == module and (not cycle or one.cycle == cycle))
    return next(fitting, None)
