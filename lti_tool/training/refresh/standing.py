"""What somebody has declared and been asked before; what a new journey is compared with."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from lti_tool.curriculum.catalogue import Catalogue, Reads
from lti_tool.curriculum.content import version_of
from lti_tool.people.joins import everybody_who_is
from lti_tool.policies.resolve import Verdict
from lti_tool.training.course import Course
from lti_tool.training.models import Completion, Declaration, Journey, Question
from lti_tool.training.refresh.comparing import Known
from lti_tool.training.selection import Past
from lti_tool.ui.format import local

UPDATE: Final = "policy-update"


def pins(session: Session, *, course: Course, person_id: UUID, cycle: str) -> dict[str, Any]:
    """What a journey that begins is compared with, as its columns: the policy this person
    declared last here, and the one they declared at another school of the trust."""
    persons = everybody_who_is(session, person_id)
    pinned: dict[str, Any] = {}
    if before := session.execute(_declared(course, [course.school.id], persons)).first():
        declaration, role_group = before
        pinned |= {
            "since_number": declaration.policy_number,
            "since_sha256": declaration.policy_sha256,
            "since_role_group": role_group,
            "since_at": declaration.signed_at,
        }
    if beside := session.execute(_beside(course, persons, cycle, is_new=not pinned)).first():
        declaration, role_group = beside
        pinned |= {
            "beside_school": declaration.school_id,
            "beside_number": declaration.policy_number,
            "beside_sha256": declaration.policy_sha256,
            "beside_role_group": role_group,
            "beside_at": declaration.signed_at,
        }
    return pinned


def compared(session: Session, course: Course, journey: Journey) -> Course:
    """The course with what its journey is compared with. A version that nobody can read any
    more leaves it without, and the whole policy is read."""
    return replace(
        course,
        since=_known(
            session,
            course.catalogue,
            journey.school_id,
            (journey.since_number, journey.since_sha256, journey.since_role_group),
            journey.since_at,
        ),
        beside=_known(
            session,
            course.catalogue,
            journey.beside_school,
            (journey.beside_number, journey.beside_sha256, journey.beside_role_group),
            journey.beside_at,
        ),
    )


def past(session: Session, *, journey: Journey) -> Past:
    """What this person was asked at this school before this journey."""
    asked = session.execute(
        select(Question, Journey.started_at, Journey.module)
        .join(Journey, Journey.id == Question.journey_id)
        .where(
            Question.school_id == journey.school_id,
            Journey.school_id == journey.school_id,
            Journey.person_id.in_(everybody_who_is(session, journey.person_id)),
            Journey.id != journey.id,
            Question.answered_at.is_not(None),
        )
        .order_by(Question.answered_at, Question.position)
    ).all()
    # A policy's update asks about little; what was missed last is what was missed in full.
    full = max((begun for _one, begun, module in asked if module != UPDATE), default=None)
    recent = [one for one, begun, _module in asked if full is None or begun >= full]
    return Past(
        asked=tuple(one.scenario for one, _begun, _module in asked),
        recent=frozenset(one.scenario for one in recent),
        missed=frozenset(
            one.topic
            for one in recent
            if one.is_first_asking and one.state == "settled" and one.verdict != Verdict.RIGHT
        ),
        topics=tuple(one.topic for one, _begun, _module in asked),
    )


def _declared(
    course: Course, schools: Iterable[str], persons: Collection[UUID]
) -> Select[Declaration, str]:
    """The last declaration of a policy at any of the schools. Who declared the musts alone has
    not read the policy."""
    short = [one.id for one in course.catalogue.modules.values() if one.reads is Reads.MUSTS]
    return (
        select(Declaration, Journey.role_group)
        .join(Journey, Journey.id == Declaration.journey_id)
        .join(Completion, Completion.declaration_id == Declaration.id)
        .where(
            Declaration.school_id.in_(schools),
            Declaration.person_id.in_(persons),
            Completion.module.not_in(short),
            Completion.withdrawn_at.is_(None),
        )
        .order_by(Declaration.signed_at.desc(), Declaration.id.desc())
        .limit(1)
    )


def _beside(
    course: Course, persons: Collection[UUID], cycle: str, *, is_new: bool
) -> Select[Declaration, str]:
    """At another school of the trust: for somebody who is new here, whatever they declared last;
    else the same training of the same cycle, so that a refresh is not done twice in full."""
    school, module = course.school, course.module
    others = [
        one.id
        for one in course.catalogue.schools.values()
        if school.trust and one.trust == school.trust and one.id != school.id and not one.closed
    ]
    is_full = not (module.reads is Reads.MUSTS or module.asks_changes_alone)
    if is_new and is_full:
        return _declared(course, others, persons)
    if module.reads is not Reads.CHANGES or not is_full:
        others = []
    same = _declared(course, others, persons)
    return same.where(Completion.module == module.id, Completion.cycle == cycle)


def _known(
    session: Session,
    catalogue: Catalogue,
    school_id: str,
    pinned: tuple[str, str, str],
    declared_at: Any,
) -> Known | None:
    number, digest, role_group = pinned
    school = catalogue.schools.get(school_id)
    if school is None or not digest:
        return None
    version = version_of(session, catalogue, school=school, number=number, digest=digest)
    if version is None:
        return None
    return Known(school, version, role_group, local(declared_at).date() if declared_at else None)
