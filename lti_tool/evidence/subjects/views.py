"""A copy of all that is held of a person: for a manager to hand over, or for the person."""

from uuid import UUID

from flask import Blueprint, Response, current_app, g, render_template

from lti_tool.evidence import records
from lti_tool.evidence.subjects import writing
from lti_tool.people import access
from lti_tool.policies.policy import School
from lti_tool.ui.format import local

blueprint = Blueprint("subjects", __name__, template_folder="templates")


@blueprint.get("/register/<uuid:membership_id>/copy")
@access.manager(shows_person=True)
def ask(membership_id: UUID) -> str:
    """What a copy holds, before it is made."""
    return render_template("subjects/ask.html", record=_record(membership_id))


@blueprint.post("/register/<uuid:membership_id>/copy")
@access.manager()
def hand_over(membership_id: UUID) -> Response:
    """The copy, for a manager of the school to hand over."""
    return _copy(_record(membership_id).person_id, is_own=False)


@blueprint.post("/my-data/copy")
@access.visitor(is_act=True)
def mine() -> Response:
    """The copy, for the person themselves."""
    g.concerns.add(g.visit.person_id)
    return _copy(g.visit.person_id, is_own=True)


def _copy(person_id: UUID, *, is_own: bool) -> Response:
    school: School = current_app.extensions["catalogue"].schools[g.visit.school_id]
    whole = writing.make(
        g.session,
        school=school,
        person_id=person_id,
        by=g.visit.person_id,
        is_own=is_own,
        catalogue=current_app.extensions["catalogue"],
        now=g.now,
    )
    response = Response(whole, mimetype="application/zip")
    name = f"my-data-{school.id}-{local(g.now).date()}.zip" if is_own else "subject-access.zip"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _record(membership_id: UUID) -> records.Record:
    return records.record(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        today=local(g.now).date(),
    )
