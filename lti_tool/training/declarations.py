"""The declaration: what is declared, signed once, and everything that is recorded with it."""

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from babel import Locale
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.catalogue import Reads
from lti_tool.lti.services import scores
from lti_tool.people.memberships import membership
from lti_tool.people.models import Membership, Visit
from lti_tool.policies.policy import PolicyVersion
from lti_tool.training.course import Course
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.settling import asking_for, settle
from lti_tool.training.doors.elsewhere import comment, owe_elsewhere
from lti_tool.training.journeys import Progress
from lti_tool.training.models import Completion, Declaration, Journey, Question
from lti_tool.training.refresh.record import clauses_shown, compared_with, what_was_read
from lti_tool.ui.format import day, local

RECORD_VERSION: Final = 2
TEXT_VERSION: Final = 3
"""Of the declaration's wording below; a change of it is a new number."""
ONLINE: Final = "online"
LONGEST_NAME: Final = 255


def paragraphs(progress: Progress, *, site: str) -> tuple[str, ...]:
    """What the person declares, a paragraph each, in the reader's language."""
    course = progress.course
    asked = course.role(course.school.ask)
    said = [
        _what_was_read(course),
        *([_("I have read again what I missed.")] if progress.has_read_again else []),
        _("I have done the training and know whom to tell if I am worried about a child."),
    ]
    if course.in_scope:
        said.append(_("I will follow the policy."))
    else:
        said.append(
            _(
                "I have been told that the policy does not say it applies to me. I will ask the "
                "%(role)s what I should follow.",
                role=asked,
            )
        )
    if course.in_scope and course.module.scenarios:
        said.append(
            _(
                "Where I was shown that it does not say, or says two things, I will ask the "
                "%(role)s before I act.",
                role=asked,
            )
        )
    said.append(
        _("Nothing here stops me reporting a concern, whistleblowing or speaking to my union.")
    )
    if site:
        said.insert(0, _("I work or help at %(site)s.", site=site))
    return tuple(said)


def _what_was_read(course: Course) -> str:
    """Nobody declares to have read what they were not asked to read."""
    version = course.version
    policy = {
        "title": course.say(version.title),
        "number": version.number,
        "status": status(version),
        "language": language_name(course.language),
    }
    if not course.in_scope:
        said = _(
            "I have been shown where to read the %(title)s, version %(number)s, %(status)s, in "
            "%(language)s.",
            **policy,
        )
    elif course.is_short:
        said = what_was_read(course, policy)
    elif course.module.reads is Reads.MUSTS:
        said = _(
            "I have read what I must and must not do under the %(title)s, version %(number)s, "
            "%(status)s, in %(language)s.",
            **policy,
        )
    else:
        said = _(
            "I have read the %(title)s, version %(number)s, %(status)s, in %(language)s.",
            **policy,
        )
    return str(said)


def language_name(language: str) -> str:
    """``English``, ``Welsh``: a language by its name, in the language of the page."""
    return Locale.parse(language).get_display_name(get_locale() or "en_GB") or language


def note(course: Course) -> str:
    """The version's own sentence above the tick, or the school's, if there is one."""
    said = course.version.declaration_note or course.school.declaration_note
    return course.say(said) if said else ""


def status(version: PolicyVersion) -> str:
    """``approved March 2022``; of a demonstration, that it is one."""
    if version.demonstration:
        return str(_("a demonstration not adopted by this school"))
    return str(_("approved %(date)s", date=as_precise(version.approved_on)))


def approved(version: PolicyVersion) -> str:
    """When it was approved, ``March 2022``; of a demonstration, that it was not."""
    if version.demonstration:
        return str(_("Demonstration: not adopted by this school"))
    return as_precise(version.approved_on)


def as_precise(written: str) -> str:
    """``2022-03`` as “March 2022”, ``2022-10-12`` as “12 October 2022”, ``2023`` as it is."""
    parts = [int(part) for part in written.split("-")]
    if len(parts) == 1:
        return written
    shown = day(date(parts[0], parts[1], parts[2] if len(parts) > 2 else 1))
    return shown if len(parts) > 2 else shown.split(" ", 1)[1]


def declare(
    session: Session,
    *,
    progress: Progress,
    visit: Visit,
    printed_name: str,
    has_agreed: bool,
    now: datetime,
) -> Completion:
    """Sign, and record it all in the caller's transaction: declaration, completion, ledger entry
    and the score that is owed. Whoever holds a completion already gets that one back. The
    journey's row must be locked.

    Raises ``ToolError``: learning-incomplete, declaration-incomplete.
    """
    journey, course = progress.journey, progress.course
    done = completion_of(session, journey)
    if done is not None:
        return done
    if not progress.is_ready:
        raise ToolError("learning-incomplete")
    name = " ".join(printed_name.split())
    if not has_agreed or not is_name(name):
        raise ToolError("declaration-incomplete")
    member = membership(session, school_id=journey.school_id, person_id=journey.person_id)
    obligation = asking_for(session, journey)
    declaration = _sign(progress, member, name, now)
    completion = Completion(
        id=new_id(),
        school_id=journey.school_id,
        person_id=journey.person_id,
        journey_id=journey.id,
        declaration_id=declaration.id,
        record_id=_record(session, progress, declaration, member, obligation, now),
        module=journey.module,
        cycle=journey.cycle,
        score=progress.sitting.outcome.score,
        first_score=progress.sitting.outcome.first_score,
        pass_mark=course.module.pass_percent,
        policy_number=journey.policy_number,
        completed_at=now,
    )
    session.execute(
        update(Journey)
        .where(Journey.id == journey.id, Journey.school_id == journey.school_id)
        .values(completed_at=now)
    )
    session.add(declaration)
    session.flush()
    session.add(completion)
    session.flush()
    settle(session, school=course.school, now=now, person_ids=[journey.person_id])
    scores.owe(
        session,
        visit=visit,
        completion_id=completion.id,
        cycle=journey.cycle,
        module=journey.module,
        score=progress.sitting.outcome.score,
        comment=comment(journey.policy_number),
        completed_at=now,
        now=now,
    )
    owe_elsewhere(
        session, schools={course.school.id: course.school}, now=now, person_id=journey.person_id
    )
    return completion


def completion_of(session: Session, journey: Journey) -> Completion | None:
    """The completion of a journey, if it has one."""
    return session.scalar(
        select(Completion).where(
            Completion.journey_id == journey.id, Completion.school_id == journey.school_id
        )
    )


def signed_by(session: Session, completion: Completion) -> str:
    """The name a completion was signed with."""
    return session.get_one(Declaration, completion.declaration_id).printed_name


def is_name(name: str) -> bool:
    """Whether this can be a typed name: some letter, nothing unprintable, not too long."""
    return (
        len(name) <= LONGEST_NAME
        and any(letter.isalpha() for letter in name)
        and not any(unicodedata.category(letter) in {"Cc", "Cs", "Co", "Cn"} for letter in name)
    )


def _sign(progress: Progress, member: Membership | None, name: str, now: datetime) -> Declaration:
    journey, course = progress.journey, progress.course
    said = [*paragraphs(progress, site=member.site if member else ""), note(course)]
    return Declaration(
        id=new_id(),
        school_id=journey.school_id,
        person_id=journey.person_id,
        journey_id=journey.id,
        printed_name=name,
        text="\n\n".join(part for part in said if part),
        language=journey.language,
        policy_number=journey.policy_number,
        policy_sha256=journey.policy_sha256,
        document_sha256=course.version.source_sha256,
        signed_at=now,
        method=ONLINE,
    )


def _record(
    session: Session,
    progress: Progress,
    declaration: Declaration,
    member: Membership | None,
    obligation: Obligation | None,
    now: datetime,
) -> UUID:
    journey, version = progress.journey, progress.course.version
    rounds = list(dict.fromkeys(one.round_id for one in progress.sitting.questions))
    facts: dict[str, ledger.Value] = {
        "schema": RECORD_VERSION,
        "module": journey.module,
        "cycle": journey.cycle,
        "obligation": str(obligation.id) if obligation else "",
        "site": member.site if member else "",
        "role_group": journey.role_group,
        "pass_percent": progress.course.module.pass_percent,
        "started_at": _utc(journey.started_at),
        "policy": {
            "id": version.id,
            "number": version.number,
            "sha256": version.sha256,
            "approved_by": version.approved_by,
            "approved_on": version.approved_on,
            "language": version.language,
            "document_sha256": version.source_sha256,
            "clauses_shown": clauses_shown(progress.course),
        },
        "changes": compared_with(progress.course),
        "declaration": {
            "text": declaration.text,
            "version": TEXT_VERSION,
            "language": declaration.language,
            "method": declaration.method,
            "signed_at": _utc(now),
            "signed_at_local": local(now).isoformat(timespec="seconds"),
        },
        "questions": [
            _asked(progress.course, one, rounds.index(one.round_id) + 1)
            for one in progress.sitting.questions
        ],
    }
    return ledger.append(
        session,
        school_id=journey.school_id,
        kind="completion",
        facts=facts,
        person_id=journey.person_id,
        personal=dict(_personal(progress, declaration, member)) | due(obligation),
        now=now,
    )


def due(obligation: Obligation | None) -> dict[str, ledger.Value]:
    """What a record says of what asked for it: by when, and why then. Personal, as it may tell of
    days away."""
    if obligation is None:
        return {"due_on": "", "due_reason": {}}
    return {"due_on": obligation.due_on.isoformat(), "due_reason": dict(obligation.reason)}


def _asked(course: Course, question: Question, number: int) -> Mapping[str, ledger.Value]:
    asked: dict[str, ledger.Value] = {
        "position": question.position,
        "round": number,
        "topic": question.topic,
        "scenario": question.scenario,
        "sha256": question.scenario_sha256,
        "option_order": list(question.option_order),
        "state": question.state,
        "first_asking": int(question.is_first_asking),
    }
    scenario = course.catalogue.scenarios.get(question.scenario)
    if scenario is None or scenario.sha256 != question.scenario_sha256:
        return asked  # the bank has moved on; its hash leads to what was kept
    said = course.resolution(scenario)
    cited = [one for each in said.judgements for why in each.reasons for one in why.clauses]
    return asked | {
        "version": scenario.version,
        "facts": {name: _plain(value) for name, value in scenario.case.facts.items()},
        "clauses": list(dict.fromkeys([*cited, *said.at_odds])),
    }


def _personal(
    progress: Progress, declaration: Declaration, member: Membership | None
) -> Iterator[tuple[str, ledger.Value]]:
    """What is committed to and kept apart: it can be erased, and disclosed field by field."""
    outcome = progress.sitting.outcome
    yield "person", str(declaration.person_id)
    yield "printed_name", declaration.printed_name
    yield "starts_on", member.starts_on.isoformat() if member and member.starts_on else ""
    if beside := progress.course.beside:
        yield "beside", f"{beside.version.id}/{beside.version.sha256}"
    yield "score", outcome.score
    yield "first_score", outcome.first_score
    for one in progress.sitting.questions:
        if one.answered_at is not None:
            yield f"choice-{one.position}", one.choice
            yield f"sureness-{one.position}", one.sureness
            yield f"verdict-{one.position}", one.verdict
            yield f"answered_at-{one.position}", _utc(one.answered_at)


def _plain(value: str | int | bool) -> str | int:
    return str(value).lower() if isinstance(value, bool) else value


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
