"""Rounds of questions: drawn, answered once each, and asked again where a topic was missed.

Everybody who writes here holds the journey's row locked (``journeys.find(is_locked=True)``), so
that two tabs cannot end one round twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.curriculum.catalogue import Reads, Scenario
from lti_tool.curriculum.content import keep_scenarios
from lti_tool.training.course import Course
from lti_tool.training.marking import Marked, Outcome, mark, verdict_of
from lti_tool.training.models import Journey, Question, Round
from lti_tool.training.refresh import rereading, standing
from lti_tool.training.selection import Candidate, choose, choose_again, choose_anew, drawn

SURENESS: Final = ("sure", "fairly-sure", "not-sure")
# Every page of a question asks this.
ASKED: Final = Hot(
    select(*Question.__table__.c)
    .where(Question.journey_id == bindparam("journey"), Question.school_id == bindparam("school"))
    .order_by(Question.position)
)
GIVE_ANSWER: Final = Hot(
    update(Question.metadata.tables["question"]).where(
        Question.id == bindparam("which"),
        Question.school_id == bindparam("school"),
        Question.answered_at.is_(None),
    ),
    *("scenario_sha256", "state", "choice", "sureness", "verdict", "answered_at"),
)


@dataclass(frozen=True)
class Sitting:
    """All that was asked in a journey, in order, and what it is worth."""

    asked: tuple[Question, ...]
    """Plain rows: nothing that is changed in them is kept."""
    questions: tuple[Question, ...]
    """Without those nobody can answer any more, because the bank has lost their scenario."""
    important: frozenset[str]
    pass_percent: int

    @cached_property
    def outcome(self) -> Outcome:
        """What the answers so far are worth; an open question counts as not right yet."""
        return mark(
            (Marked(one.position, one.topic, one.state, one.verdict) for one in self.questions),
            important=self.important,
            pass_percent=self.pass_percent,
        )

    @property
    def open(self) -> Question | None:
        """The next question without an answer."""
        return next((one for one in self.questions if one.answered_at is None), None)

    @property
    def round_now(self) -> tuple[Question, ...]:
        """The questions of the round the person is in, or has done last."""
        return self.round_of(self.questions[-1]) if self.questions else ()

    @property
    def rounds_done(self) -> int:
        """How many rounds are answered to their end."""
        rounds = {one.round_id for one in self.questions}
        return len(rounds - {one.round_id for one in self.questions if one.answered_at is None})

    def round_of(self, question: Question) -> tuple[Question, ...]:
        """The questions of one round."""
        return tuple(one for one in self.questions if one.round_id == question.round_id)

    def given(self, question: Question) -> "Sitting":
        """The same with a question as it is once answered."""
        asked, questions = (
            tuple(question if one.id == question.id else one for one in every)
            for every in (self.asked, self.questions)
        )
        return replace(self, asked=asked, questions=questions)

    def at(self, position: int) -> Question:
        """The question at a place. Raises ``ToolError`` page-not-found."""
        for question in self.questions:
            if question.position == position:
                return question
        raise ToolError("page-not-found")


@dataclass(frozen=True)
class Answered:
    """A question with its answer; ``was_kept`` where an earlier, other answer stands."""

    question: Question
    was_kept: bool


def sitting(session: Session, course: Course, journey: Journey) -> Sitting:
    """Everything asked in a journey so far."""
    asked = ASKED.all(session, {"journey": journey.id, "school": journey.school_id})
    return Sitting(
        tuple(asked),
        tuple(one for one in asked if one.answered_at is not None or _scenario(course, one)),
        course.important,
        course.module.pass_percent,
    )


def scenario_of(course: Course, question: Question) -> Scenario:
    """The scenario a question put. Raises ``ToolError`` question-withdrawn where the bank no
    longer has it with the same options."""
    scenario = _scenario(course, question)
    if scenario is None:
        raise ToolError("question-withdrawn", log=question.scenario)
    return scenario


def begin_first_round(session: Session, *, course: Course, journey: Journey, now: datetime) -> None:
    """Draw the journey's first questions; where there is nothing to ask, that part is done."""
    module = course.module
    if course.is_short or module.reads is Reads.CHANGES:
        chosen = choose_anew(
            course.candidates,
            anew=course.anew(),
            past=standing.past(session, journey=journey),
            count=module.scenarios,
            at_most=module.scenarios_at_most,
            unscored_at_most=module.unscored_at_most,
            seed=str(journey.id),
        )
    else:
        chosen = choose(
            course.candidates,
            count=module.scenarios,
            unscored_at_most=module.unscored_at_most,
            seed=str(journey.id),
        )
    if chosen:
        _begin_round(session, course, journey, (), chosen, now)
    else:
        _learned(session, journey, now)


def submit_answer(
    session: Session,
    *,
    course: Course,
    journey: Journey,
    position: int,
    choice: str,
    sureness: str,
    now: datetime,
) -> Answered:
    """Answer a question, once: whatever is sent later, the first answer stands. The answer that
    ends a round begins the next, unless the person has passed.

    Raises ``ToolError``: page-not-found, choice-unknown, question-withdrawn, read-first.
    """
    so_far = sitting(session, course, journey)
    question = so_far.at(position)
    if choice not in question.option_order or sureness not in ("", *SURENESS):
        raise ToolError("choice-unknown")
    if question.answered_at is None and course.is_short:
        rereading.require(session, journey=journey, rounds_done=so_far.rounds_done)
    if question.answered_at is None:
        question = _answer(session, course, question, choice, sureness, now)
        so_far = so_far.given(question)
        if so_far.open is None:
            _end_round(session, course, journey, so_far, now)
    return Answered(question, was_kept=question.choice != choice)


def go_on(session: Session, *, course: Course, journey: Journey, now: datetime) -> None:
    """Ask the missed topics again, though the person may have passed; not once it is declared,
    nor while questions are open."""
    so_far = sitting(session, course, journey)
    if journey.completed_at is not None or so_far.open is not None:
        return
    if journey.learned_at is None:  # its last questions left the bank
        _end_round(session, course, journey, so_far, now)
    elif so_far.outcome.missed:
        _ask_again(session, course, journey, so_far, now)


def _answer(
    session: Session, course: Course, question: Question, choice: str, sureness: str, now: datetime
) -> Question:
    scenario = scenario_of(course, question)
    resolution = course.resolution(scenario)
    if scenario.sha256 != question.scenario_sha256:  # its words were changed since it was drawn
        keep_scenarios(session, [scenario], now=now)
    values = {
        "scenario_sha256": scenario.sha256,
        "state": resolution.state.value,
        "choice": choice,
        "sureness": sureness,
        "verdict": verdict_of(resolution, choice).value,
        "answered_at": now,
    }
    which = {"which": question.id, "school": question.school_id}
    if GIVE_ANSWER.run(session, {**which, **values}) != 1:
        raise LookupError("a journey was not locked: its question has another answer meanwhile")
    answered: Question = cast(Any, question)._replace(**values)
    return answered


def _end_round(
    session: Session, course: Course, journey: Journey, so_far: Sitting, now: datetime
) -> None:
    if so_far.outcome.is_passed:
        _learned(session, journey, now)
    else:
        _ask_again(session, course, journey, so_far, now)


def _learned(session: Session, journey: Journey, now: datetime) -> None:
    """The scenarios are passed; the first time counts."""
    session.execute(
        update(Journey)
        .where(
            Journey.id == journey.id,
            Journey.school_id == journey.school_id,
            Journey.learned_at.is_(None),
        )
        .values(learned_at=now)
    )


def _ask_again(
    session: Session, course: Course, journey: Journey, so_far: Sitting, now: datetime
) -> None:
    asked = so_far.asked
    chosen = choose_again(
        course.candidates,
        missed=so_far.outcome.missed,
        asked=[one.scenario for one in asked],
        seed=f"{journey.id} {len(asked)}",
    )
    if chosen:
        _begin_round(session, course, journey, asked, chosen, now)


def _begin_round(
    session: Session,
    course: Course,
    journey: Journey,
    asked: Sequence[Question],
    chosen: Sequence[Candidate],
    now: datetime,
) -> None:
    round_id = new_id()
    number = len({one.round_id for one in asked}) + 1
    common = {"school_id": journey.school_id, "journey_id": journey.id}
    session.execute(insert(Round).values(id=round_id, number=number, started_at=now, **common))
    scenarios = [course.catalogue.scenarios[one.scenario] for one in chosen]
    keep_scenarios(session, scenarios, now=now)
    seen = {one.topic for one in asked}
    rows = []
    for position, (one, scenario) in enumerate(
        zip(chosen, scenarios, strict=True), start=len(asked) + 1
    ):
        rows.append(
            {
                "id": new_id(),
                "round_id": round_id,
                "position": position,
                "topic": one.topic,
                "scenario": one.scenario,
                "scenario_sha256": scenario.sha256,
                "option_order": _shuffled(scenario, round_id),
                "state": one.state.value,
                "is_first_asking": one.topic not in seen,
                **common,
            }
        )
        seen.add(one.topic)
    session.execute(insert(Question), rows)


def _scenario(course: Course, question: Question) -> Scenario | None:
    scenario = course.catalogue.scenarios.get(question.scenario)
    if scenario and {one.id for one in scenario.options} == set(question.option_order):
        return scenario
    return None


def _shuffled(scenario: Scenario, round_id: UUID) -> list[str]:
    return drawn((one.id for one in scenario.options), f"{round_id} {scenario.id}")
