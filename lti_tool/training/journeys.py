"""A person's way through a training module: begun once a school year, resumed anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from lti_tool.core.database import Table, insert_missing
from lti_tool.core.errors import ToolError
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.curriculum.content import keep
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.people.memberships import ROLE_GROUPS
from lti_tool.training import questions
from lti_tool.training.course import Course
from lti_tool.training.cycles.versions import note_first
from lti_tool.training.models import Journey, SectionRead
from lti_tool.training.questions import Sitting
from lti_tool.training.refresh import rereading, standing


@dataclass(frozen=True)
class Progress:
    """What of a journey is done."""

    journey: Journey
    course: Course
    read: frozenset[str]
    sitting: Sitting

    @property
    def has_read(self) -> bool:
        if self.course.is_short:
            return self.journey.changes_read_at is not None
        return all(reading.id in self.read for reading in self.course.readings)

    @property
    def has_been_told(self) -> bool:
        return self.journey.told_at is not None or not self.course.module.tells

    @property
    def to_read_again(self) -> tuple[str, ...]:
        """The topics that the last round missed, until they are read again. Whoever read the
        whole policy has no need."""
        done = self.sitting.rounds_done
        if not self.course.is_short or not done or rereading.page(done) in self.read:
            return ()
        return self.sitting.outcome.missed

    @property
    def has_read_again(self) -> bool:
        return any(
            rereading.page(number + 1) in self.read for number in range(self.sitting.rounds_done)
        )

    @property
    def is_ready(self) -> bool:
        """Whether the learning is complete, so that it can be declared."""
        has_learned = self.journey.learned_at is not None and not self.to_read_again
        return self.has_read and self.has_been_told and has_learned


# Every page of the training asks this; building it would cost more than running it.
FIND: Final = select(Journey).where(
    Journey.school_id == bindparam("school_id"),
    Journey.person_id == bindparam("person_id"),
    Journey.module == bindparam("module"),
    Journey.cycle == bindparam("cycle"),
)
FIND_LOCKED: Final = FIND.with_for_update()
LOCK: Final = Hot(
    select(*Journey.__table__.c).where(Journey.id == bindparam("id")).with_for_update()
)


def find(
    session: Session,
    *,
    school_id: str,
    person_id: UUID,
    module: str,
    cycle: str,
    is_locked: bool = False,
) -> Journey | None:
    """A cycle's journey. ``is_locked`` keeps other tabs waiting until the commit."""
    which = {"school_id": school_id, "person_id": person_id, "module": module, "cycle": cycle}
    return session.scalar(FIND_LOCKED if is_locked else FIND, which)


def locked(session: Session, journey: Journey) -> Journey:
    """The journey as it is now, a plain row; other tabs wait until the commit."""
    return cast(Journey, LOCK.one(session, {"id": journey.id}))


def begin(
    session: Session, *, course: Course, person_id: UUID, now: datetime, cycle: str = ""
) -> Journey:
    """Begin a journey and draw its first questions; a second time finds the first. It counts for
    ``cycle``, or for the school year that is.

    Raises ``ToolError`` role-group-unknown.
    """
    if course.role_group not in ROLE_GROUPS:
        raise ToolError("role-group-unknown")
    school, version = course.school, course.version
    cycle = cycle or cycle_of(now, school.year_starts)
    is_new = _add_once(
        session,
        Journey,
        {
            "id": new_id(),
            "school_id": school.id,
            "person_id": person_id,
            "module": course.module.id,
            "cycle": cycle,
            "policy_number": version.number,
            "policy_sha256": version.sha256,
            "role_group": course.role_group,
            "language": course.language,
            "started_at": now,
            **standing.pins(session, course=course, person_id=person_id, cycle=cycle),
        },
    )
    journey = find(
        session, school_id=school.id, person_id=person_id, module=course.module.id, cycle=cycle
    )
    if journey is None:
        raise LookupError("a journey just begun must be there")
    if is_new:
        note_first(session, version, now=now)
        keep(
            session,
            kind="policy",
            ref=version.id,
            number=version.number,
            body=version.body,
            now=now,
        )
        course = standing.compared(session, course, journey)
        questions.begin_first_round(session, course=course, journey=journey, now=now)
    return journey


def progress(session: Session, *, course: Course, journey: Journey) -> Progress:
    """Where the journey stands."""
    read = session.scalars(
        select(SectionRead.section).where(
            SectionRead.journey_id == journey.id, SectionRead.school_id == journey.school_id
        )
    )
    return Progress(journey, course, frozenset(read), questions.sitting(session, course, journey))


def read_section(
    session: Session, *, course: Course, journey: Journey, section: str, now: datetime
) -> None:
    """Note that a section was read to its end; the first time counts.

    Raises ``ToolError`` page-not-found for a section that is not this reader's to read.
    """
    if section not in {reading.id for reading in course.readings}:
        raise ToolError("page-not-found")
    _note_read(session, journey, section, now)


def read_anew(session: Session, *, course: Course, journey: Journey, now: datetime) -> None:
    """Note that what changed, or what differs at the other school, was read; the first time
    counts.

    Raises ``ToolError`` page-not-found where the whole policy is to be read instead.
    """
    if not course.is_short:
        raise ToolError("page-not-found")
    session.execute(
        update(Journey)
        .where(
            Journey.id == journey.id,
            Journey.school_id == journey.school_id,
            Journey.changes_read_at.is_(None),
        )
        .values(changes_read_at=now)
    )


def read_again(session: Session, *, course: Course, journey: Journey, now: datetime) -> None:
    """Note that what the last round missed was read again; where nothing was, nothing is noted."""
    so_far = progress(session, course=course, journey=journey)
    if so_far.to_read_again:
        section = rereading.page(so_far.sitting.rounds_done)
        _note_read(session, journey, section, now)


def tell(session: Session, *, journey: Journey, now: datetime) -> None:
    """Note that the person has seen who to tell; the first time counts."""
    session.execute(
        update(Journey)
        .where(
            Journey.id == journey.id,
            Journey.school_id == journey.school_id,
            Journey.told_at.is_(None),
        )
        .values(told_at=now)
    )


def _note_read(session: Session, journey: Journey, section: str, now: datetime) -> None:
    row = {
        "journey_id": journey.id,
        "section": section,
        "school_id": journey.school_id,
        "read_at": now,
    }
    _add_once(session, SectionRead, row)


def _add_once(session: Session, table: type[Table], values: Mapping[str, Any]) -> bool:
    """Insert a row unless its key is there; a second tab may have been quicker."""
    key = next(iter(table.__table__.primary_key))
    added = insert_missing(session, table).values(values).returning(key)
    return session.execute(added).one_or_none() is not None
