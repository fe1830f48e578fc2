"""Pages for managers: which courses are the school's staff lists, and how their reading went."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response

from lti_tool.lti.rosters import courses
from lti_tool.lti.rosters.models import FAILED, READING
from lti_tool.lti.rosters.reading import is_under_way, register_tasks
from lti_tool.lti.rosters.words import OURS, REASONS
from lti_tool.people.access import manager

blueprint = Blueprint("rosters", __name__, url_prefix="/staff-lists", template_folder="templates")


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    extensions = state.app.extensions
    extensions["lti"].wake_reader = register_tasks(extensions["queue"], extensions["lti"])


@blueprint.get("")
@manager()
def lists() -> str:
    """The school's staff lists, and the courses that may become one."""
    rows = courses.linked(g.session, school_id=g.visit.school_id)
    return render_template(
        "rosters/lists.html",
        rosters=rows,
        under_way={row.id for row, _ in rows if is_under_way(row, g.now)},
        stopped={
            row.id for row, _ in rows if row.state == READING and not is_under_way(row, g.now)
        },
        faults={
            row.id: REASONS.get(row.reason, REASONS[OURS]) for row, _ in rows if row.state == FAILED
        },
        offered=courses.offered(g.session, school_id=g.visit.school_id),
    )


@blueprint.get("/link/<uuid:place_id>")
@manager()
def check(place_id: UUID) -> str:
    """What linking a course means, before it is done."""
    found = courses.course(g.session, school_id=g.visit.school_id, place_id=place_id)
    return render_template("rosters/link.html", course=found, is_unticked=False)


@blueprint.post("/link/<uuid:place_id>")
@manager()
def link(place_id: UUID) -> Response | tuple[str, int]:
    """Link a course, if the manager says that it holds none but staff."""
    if request.form.get("is_staff_only") != "yes":
        found = courses.course(g.session, school_id=g.visit.school_id, place_id=place_id)
        return render_template("rosters/link.html", course=found, is_unticked=True), 400
    courses.link(
        g.session,
        school_id=g.visit.school_id,
        place_id=place_id,
        linked_by=g.visit.person_id,
        now=g.now,
    )
    return redirect(url_for(".lists"), 303)


@blueprint.post("/<uuid:roster_id>/read")
@manager()
def read(roster_id: UUID) -> Response:
    """Read a course now."""
    courses.ask(g.session, school_id=g.visit.school_id, roster_id=roster_id, now=g.now)
    return redirect(url_for(".lists"), 303)


@blueprint.post("/<uuid:roster_id>/unlink")
@manager()
def unlink(roster_id: UUID) -> Response:
    """Read a course no more."""
    courses.unlink(
        g.session,
        school_id=g.visit.school_id,
        roster_id=roster_id,
        unlinked_by=g.visit.person_id,
        now=g.now,
    )
    return redirect(url_for(".lists"), 303)
