"""Where each learner's page is, and the pages on which one answers and declares."""

from collections.abc import Mapping
from typing import Any, Final, cast

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from marshmallow import ValidationError

from lti_tool.core.errors import ToolError
from lti_tool.lti.services import scores
from lti_tool.people import access
from lti_tool.training import declarations, journeys, learning_views, questions
from lti_tool.training.course import Course, course_of
from lti_tool.training.cycles.turn import last_done
from lti_tool.training.cycles.words import cycle_words
from lti_tool.training.doors.elsewhere import register_tasks
from lti_tool.training.feedback import feedback
from lti_tool.training.journeys import Progress
from lti_tool.training.learning_views import Page, manages, next_page, on_journey, turn_now
from lti_tool.training.models import Journey, Question
from lti_tool.training.questions import Sitting, scenario_of
from lti_tool.training.schemas import TICKED, AnswerForm, DeclarationForm

ANSWER: Final = AnswerForm()
blueprint = Blueprint("training", __name__, template_folder="templates")


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    register_tasks(cast(Flask, state.app))


blueprint.get("/")(learning_views.home)
blueprint.post("/begin")(learning_views.begin)
blueprint.get("/training")(learning_views.tasks)
blueprint.get("/training/policy")(learning_views.document)
blueprint.get("/training/policy/<section>")(learning_views.section)
blueprint.post("/training/policy/<section>")(learning_views.read_section)
blueprint.get("/training/document")(learning_views.original)
blueprint.get("/training/who-to-tell")(learning_views.tell)
blueprint.post("/training/who-to-tell")(learning_views.told)


@blueprint.get("/training/questions/<int:position>")
@access.visitor()
@on_journey
def question(course: Course, journey: Journey, position: int) -> Page:
    """A question; once it is answered, what the policy says about it."""
    so_far = questions.sitting(g.session, course, journey)
    asked, following = so_far.at(position), so_far.open
    if asked.answered_at is not None:
        return _feedback_page(course, so_far, asked)
    if following is not None and following.position != position:
        return _to(following)
    if course.is_short and so_far.rounds_done:
        progress = journeys.progress(g.session, course=course, journey=journey)
        if progress.to_read_again:
            return redirect(url_for("refresh.again"), 303)
    return _question_page(course, so_far, asked, {}, {})


@blueprint.post("/training/questions/<int:position>")
@access.visitor()
@on_journey
def answer(course: Course, journey: Journey, position: int) -> Page:
    """Answer a question, then show the same address again with what the policy says."""
    try:
        given = ANSWER.load(request.form)
    except ValidationError as fault:
        so_far = questions.sitting(g.session, course, journey)
        asked = so_far.at(position)
        if asked.answered_at is not None:
            return _to(asked)
        return _question_page(course, so_far, asked, request.form, fault.normalized_messages()), 400
    answered = questions.submit_answer(
        g.session, course=course, journey=journey, position=position, now=g.now, **given
    )
    return _to(answered.question, kept="first" if answered.was_kept else None)


@blueprint.get("/training/results")
@access.visitor()
@on_journey
def results(course: Course, journey: Journey) -> Page:
    """How it went, between two rounds and at the end."""
    so_far = questions.sitting(g.session, course, journey)
    if not so_far.questions:
        return redirect(url_for("training.tasks"), 303)
    if so_far.open is not None and so_far.open.round_id == so_far.questions[0].round_id:
        return _to(so_far.open)
    progress = journeys.progress(g.session, course=course, journey=journey)
    return render_template(
        "training/results.html",
        course=course,
        sitting=so_far,
        journey=journey,
        to_read_again=progress.to_read_again,
        onward_url=next_page(progress) if course.is_short else url_for("training.tasks"),
    )


@blueprint.post("/training/results")
@access.visitor()
@on_journey
def again(course: Course, journey: Journey) -> Page:
    """Go on: ask the missed topics once more, of one's own accord."""
    questions.go_on(g.session, course=course, journey=journey, now=g.now)
    return _onward(course, journey)


@blueprint.get("/training/declaration")
@access.visitor()
@on_journey
def declare(course: Course, journey: Journey) -> Page:
    """What is declared, to be read before it is signed."""
    if journey.completed_at is not None:
        return redirect(url_for("training.done"), 303)
    progress = journeys.progress(g.session, course=course, journey=journey)
    if not progress.is_ready:
        return redirect(url_for("training.tasks"), 303)
    return _declaration_page(progress, {}, {})


@blueprint.post("/training/declaration")
@access.visitor()
@on_journey
def sign(course: Course, journey: Journey) -> Page:
    """Sign the declaration."""
    progress = journeys.progress(g.session, course=course, journey=journey)
    try:
        given = DeclarationForm().load(request.form)
    except ValidationError as fault:
        if not progress.is_ready:
            raise ToolError("learning-incomplete") from fault
        return _declaration_page(progress, request.form, fault.normalized_messages()), 400
    declarations.declare(
        g.session,
        progress=progress,
        visit=g.visit,
        printed_name=given["printed_name"],
        has_agreed=given["has_agreed"] == TICKED,
        now=g.now,
    )
    return redirect(url_for("training.done"), 303)


@blueprint.get("/training/finished")
@access.visitor()
def done() -> Page:
    """Saved here, and what has become of the score: of what was completed last, as something else
    may be owed by now."""
    journey = last_done(g.session, school_id=g.visit.school_id, person_id=g.visit.person_id)
    completion = declarations.completion_of(g.session, journey) if journey else None
    if journey is None or completion is None:
        return redirect(url_for("training.tasks"), 303)
    course = course_of(current_app.extensions["catalogue"], journey)
    return render_template(
        "training/done.html",
        course=course,
        completion=completion,
        reference=completion.record_id.hex[-8:].upper(),
        signed_by=declarations.signed_by(g.session, completion),
        was_asked=bool(questions.sitting(g.session, course, journey).questions),
        delivery=scores.delivery(g.session, completion_id=completion.id),
        cycle_words=cycle_words,
        next_obligation=turn_now().obligation,
        manages=manages(),
    )


def _onward(course: Course, journey: Journey) -> Page:
    """The next open question, or the results where there is none."""
    following = questions.sitting(g.session, course, journey).open
    return redirect(url_for("training.results"), 303) if following is None else _to(following)


def _to(asked: Question, *, kept: str | None = None) -> Page:
    return redirect(url_for("training.question", position=asked.position, kept=kept), 303)


def _question_page(
    course: Course,
    so_far: Sitting,
    asked: Question,
    given: Mapping[str, Any],
    errors: Mapping[str, Any],
) -> str:
    scenario = scenario_of(course, asked)
    options = {one.id: one for one in scenario.options}
    return render_template(
        "training/question.html",
        course=course,
        topic=course.catalogue.topics[asked.topic],
        scenario=scenario,
        options=[options[one] for one in asked.option_order],
        asked=asked,
        round_now=so_far.round_of(asked),
        given=given,
        errors=errors,
    )


def _feedback_page(course: Course, so_far: Sitting, asked: Question) -> str:
    following = so_far.open
    round_now = so_far.round_of(asked)
    return render_template(
        "training/feedback.html",
        course=course,
        topic=course.catalogue.topics[asked.topic],
        scenario=scenario_of(course, asked),
        feedback=feedback(course, asked),
        asked=asked,
        round_now=round_now,
        following=following if following in round_now else None,
        was_kept="kept" in request.args,
    )


def _declaration_page(
    progress: Progress, given: Mapping[str, Any], errors: Mapping[str, Any]
) -> str:
    course, member = progress.course, g.member
    return render_template(
        "training/declare.html",
        course=course,
        paragraphs=declarations.paragraphs(progress, site=member.site if member else ""),
        note=declarations.note(course),
        approved=declarations.approved(course.version),
        language=declarations.language_name(course.language),
        given=given,
        errors=errors,
    )
