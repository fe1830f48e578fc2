"""Pages of learning anew: what changed or differs, and what was missed, read again."""

from typing import Final

from flask import Blueprint, g, redirect, render_template, url_for
from flask_babel import lazy_gettext as _

from lti_tool.people import access
from lti_tool.policies.diff import Kind, marked
from lti_tool.training import feedback, journeys
from lti_tool.training.course import Course
from lti_tool.training.declarations import status
from lti_tool.training.learning_views import FORCE_WORDS, Page, on_journey, onward
from lti_tool.training.models import Journey

blueprint = Blueprint("refresh", __name__, template_folder="templates")

KIND_WORDS: Final = {
    Kind.ADDED: (_("New"), _("This was not in the policy before.")),
    Kind.REMOVED: (_("Gone"), _("This is no longer in the policy.")),
    Kind.RULE: (_("Changed"), _("What this asks has changed.")),
    Kind.WORDING: (_("New words"), _("The words have changed. What they ask has not.")),
}


@blueprint.get("/training/changes")
@access.visitor()
@on_journey
def changes(course: Course, journey: Journey) -> Page:
    """What changed since the person last declared, or what differs at their other school."""
    known = course.since or course.beside
    if known is None or not course.is_short:
        return redirect(url_for("training.tasks"), 303)
    return render_template(
        f"refresh/{'differences' if course.reads_differences else 'changes'}.html",
        course=course,
        known=known,
        before=course.as_of(known),
        journey=journey,
        status=status(course.version),
        marked=marked,
        kind_words=KIND_WORDS,
        force_words=FORCE_WORDS,
    )


@blueprint.post("/training/changes")
@access.visitor()
@on_journey
def read_changes(course: Course, journey: Journey) -> Page:
    """“I have read this.”"""
    journeys.read_anew(g.session, course=course, journey=journey, now=g.now)
    return onward(course, journeys.locked(g.session, journey))


@blueprint.get("/training/again")
@access.visitor()
@on_journey
def again(course: Course, journey: Journey) -> Page:
    """What the policy says on the topics that were missed, before they are asked again."""
    progress = journeys.progress(g.session, course=course, journey=journey)
    if not progress.to_read_again:
        return onward(course, journey)
    return render_template(
        "refresh/again.html",
        course=course,
        journey=journey,
        topics=[
            (course.catalogue.topics[one], feedback.read_again(course, progress.sitting, one))
            for one in progress.to_read_again
        ],
        force_words=FORCE_WORDS,
    )


@blueprint.post("/training/again")
@access.visitor()
@on_journey
def read_again(course: Course, journey: Journey) -> Page:
    """“I have read this, ask me again.”"""
    journeys.read_again(g.session, course=course, journey=journey, now=g.now)
    return onward(course, journey)
