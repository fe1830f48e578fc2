"""The agenda for the policy's next review, on screen and for printing."""

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import in_language
from lti_tool.evidence.review import words
from lti_tool.evidence.review.agenda import Agenda, agenda
from lti_tool.evidence.review.deciding import decide
from lti_tool.evidence.review.schemas import Decided, read_decision
from lti_tool.people import access
from lti_tool.policies.policy import School
from lti_tool.training.cycles.versions import in_use

blueprint = Blueprint("review", __name__, url_prefix="/policy/review", template_folder="templates")


@blueprint.get("")
@access.manager()
def current() -> str:
    """The agenda for the version in use."""
    return _page(_agenda(in_use(g.session, _school()).number))


@blueprint.get("/<number>")
@access.manager()
def page(number: str) -> str:
    """The agenda for any version of the school."""
    return _page(_agenda(number))


@blueprint.post("/<number>")
@access.manager()
def decide_(number: str) -> Response | tuple[str, int]:
    """Accept a point, note it, or say in which version it is to be mended."""
    shown = _agenda(number)
    given = read_decision(request.form, number=number)
    if given.error:
        return _page(shown, given), 400
    decide(
        g.session,
        school_id=g.visit.school_id,
        agenda=shown,
        point=given.point,
        decision=given.decision,
        mend_in=given.mend_in,
        by=g.visit.person_id,
        now=g.now,
    )
    return redirect(url_for(".page", number=number, _anchor=f"point-{given.point}"), 303)


def _page(shown: Agenda, given: Decided | None = None) -> str:
    return render_template(
        "review/page.html", agenda=shown, given=given, words=words, in_language=in_language
    )


def _agenda(number: str) -> Agenda:
    school = _school()
    version = school.version(number)
    if version is None:
        raise ToolError("page-not-found")
    return agenda(g.session, school=school, version=version, catalogue=_catalogue(), now=g.now)


def _school() -> School:
    school = _catalogue().schools[g.visit.school_id]
    if school.closed or not school.versions:
        raise ToolError("school-closed", log=school.id)
    return school


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
