"""Pages for managers: the policy's versions, what differs, what to check, and opening one."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.points.finding import HEADINGS, points_of
from lti_tool.curriculum.points.finding import words as point_words
from lti_tool.curriculum.questions import in_language
from lti_tool.people.access import manager
from lti_tool.policies.diff import Kind, Weight, marked
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.versions import in_use
from lti_tool.training.declarations import approved
from lti_tool.training.versions import words
from lti_tool.training.versions.opening import open_version, openings
from lti_tool.training.versions.preview import difference, preview
from lti_tool.training.versions.schemas import OpenForm
from lti_tool.ui.format import local

blueprint = Blueprint(
    "versions", __name__, url_prefix="/policy/versions", template_folder="templates"
)

Errors = Mapping[str, list[object]]
BESIDE_THE_FIELD: Final[dict[str, tuple[str, LazyString]]] = {
    "reason-missing": ("reason", _("Say why it is not what the comparison proposes")),
    "due-date-wrong": ("day", _("Write a day from tomorrow on, within a year")),
}


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "words": words,
        "marked": marked,
        "Kind": Kind,
        "approved": approved,
        "in_language": in_language,
        "topics": _catalogue().topics,
    }


@blueprint.get("")
@manager()
def listed() -> str:
    """The school's versions, newest first, and which were in use when."""
    school = _school()
    return render_template(
        "versions/listed.html",
        versions=school.versions[::-1],
        current=in_use(g.session, school),
        openings=openings(g.session, school_id=school.id),
        opened=request.args.get("opened", type=int),
    )


@blueprint.get("/<number>")
@manager()
def compared(number: str) -> str:
    """One version beside the one in use, clause by clause."""
    diff = difference(g.session, school=_school(), number=number)
    return render_template("versions/compared.html", diff=diff)


@blueprint.get("/<number>/points")
@manager()
def points(number: str) -> str:
    """What to check in a version, each point with its clauses."""
    school, version = _school(), _version(number)
    found = points_of(_catalogue(), school, version, today=local(g.now).date())
    return render_template(
        "versions/points.html",
        version=version,
        points=[
            (
                HEADINGS[one.kind],
                point_words(_catalogue(), version, one, "en"),
                [version.clauses[name] for name in one.clauses],
            )
            for one in found
        ],
    )


@blueprint.get("/<number>/open")
@manager()
def ask(number: str) -> str:
    """What opening a version would do, before it is done."""
    return _ask_page(number, {}, {})


@blueprint.post("/<number>/open")
@manager()
def open_(number: str) -> Response | tuple[str, int]:
    """Bring a version into use."""
    version = _version(number)
    try:
        given = OpenForm().load(request.form)
    except ValidationError as fault:
        return _ask_page(number, request.form, fault.normalized_messages()), 400
    if version.demonstration and not given.pop("is_known"):
        missing = _("Tick the box: this version was not adopted")
        return _ask_page(number, request.form, {"is_known": [missing]}), 400
    given.pop("is_known", None)
    try:
        opened = open_version(
            g.session, school=_school(), number=number, by=g.visit.person_id, now=g.now, **given
        )
    except ToolError as error:
        if error.code not in BESIDE_THE_FIELD:
            raise
        field, text = BESIDE_THE_FIELD[error.code]
        return _ask_page(number, request.form, {field: [text]}), 400
    return redirect(url_for(".listed", opened=opened.people), 303)


def _ask_page(number: str, given: Mapping[str, Any], errors: Errors) -> str:
    school = _school()
    diff = difference(g.session, school=school, number=number)
    if diff.before.number == number:
        raise ToolError("version-in-use", number=number)
    major = preview(g.session, school=school, diff=diff, weight=Weight.MAJOR, now=g.now)
    due_on = major.due_on
    proposed = {
        "weight": diff.weight.value,
        "day": due_on.day,
        "month": due_on.month,
        "year": due_on.year,
    }
    return render_template(
        "versions/open.html",
        diff=diff,
        major=major,
        given={**proposed, **{name: given[name] for name in given}},
        errors=errors,
    )


def _version(number: str) -> PolicyVersion:
    version = _school().version(number)
    if version is None:
        raise ToolError("page-not-found")
    return version


def _school() -> School:
    school = _catalogue().schools[g.visit.school_id]
    if school.closed or not school.versions:
        raise ToolError("school-closed", log=school.id)
    return school


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
