"""Who manages the school: made and taken back by managers, never by a role."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.people import managers
from lti_tool.people.access import manager
from lti_tool.training.staff.here import settle_again
from lti_tool.training.staff.schemas import PersonForm

blueprint = Blueprint("managers", __name__, url_prefix="/managers", template_folder="templates")


@blueprint.get("")
@manager()
def listed() -> str:
    """Who manages the school, and who could."""
    school_id = g.visit.school_id
    return render_template(
        "staff/managers.html",
        managers=managers.managers(g.session, school_id=school_id),
        others=managers.others(g.session, school_id=school_id),
    )


@blueprint.post("")
@manager()
def appoint() -> Response:
    """Make one of the school's people a manager."""
    try:
        person_id: UUID = PersonForm().load(request.form)["person"]
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    managers.appoint(
        g.session,
        school_id=g.visit.school_id,
        person_id=person_id,
        by=g.visit.person_id,
        now=g.now,
    )
    settle_again([person_id])
    return redirect(url_for(".listed"), 303)


@blueprint.post("/<uuid:person_id>/dismiss")
@manager()
def dismiss(person_id: UUID) -> Response:
    """Take a manager's leave back."""
    g.concerns.add(person_id)
    managers.dismiss(
        g.session,
        school_id=g.visit.school_id,
        person_id=person_id,
        by=g.visit.person_id,
        now=g.now,
    )
    is_own = person_id == g.visit.person_id
    return redirect(url_for("training.home" if is_own else ".listed"), 303)
