"""Staff files: brought, looked at before anything happens, applied, undone."""

from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.people.access import manager
from lti_tool.people.imports import importing, undoing
from lti_tool.people.imports.models import StaffImport, StaffImportChange
from lti_tool.people.imports.reading import LARGEST
from lti_tool.people.models import Person
from lti_tool.training.staff.here import school, settle_again
from lti_tool.training.staff.learned import learned_since
from lti_tool.training.staff.schemas import ApplyForm
from lti_tool.training.staff.tasks import register_tasks
from lti_tool.training.staff.words import change_words, fault_words
from lti_tool.ui.errors import ERRORS

Page = Response | str | tuple[str, int]

blueprint = Blueprint("imports", __name__, url_prefix="/people/files", template_folder="templates")

# The file and what a browser sends around it.
LARGEST_FORM = LARGEST + 64 * 1024
# So many lines of one kind a page shows; of more it says how many there are.
MOST_SHOWN = 500
FILE_FAULTS = frozenset(code for code in ERRORS if code.startswith("file-"))


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    found = state.app.extensions
    register_tasks(found["queue"], found["database"], found["clock"])


@blueprint.get("")
@manager()
def files() -> str:
    """Bring a staff file; and those that were applied."""
    return _files_page("")


@blueprint.post("")
@manager(largest=LARGEST_FORM)
def bring() -> Page:
    """Read a file, and show what it would do."""
    sent = request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise ToolError("file-missing")
        found = importing.receive(
            g.session,
            sent.stream.read(),
            school_id=g.visit.school_id,
            sites=school().sites,
            by=g.visit.person_id,
            now=g.now,
        )
    except ToolError as fault:
        if fault.code not in FILE_FAULTS:
            raise
        words = ERRORS[fault.code]
        return _files_page(f"{words.text} {words.way_on}" % fault.details), 400
    return redirect(url_for(".preview", import_id=found.id), 303)


@blueprint.get("/<uuid:import_id>")
@manager()
def preview(import_id: UUID) -> str:
    """What a file will do, before it does it."""
    found = importing.waiting(
        g.session, school_id=g.visit.school_id, import_id=import_id, now=g.now
    )
    return _preview_page(found, is_overtaken=False)


@blueprint.post("/<uuid:import_id>")
@manager()
def apply(import_id: UUID) -> Page:
    """Do what was shown."""
    given = _read_apply()
    try:
        found = importing.apply(
            g.session,
            school_id=g.visit.school_id,
            import_id=import_id,
            shown=given["shown"],
            ticked=frozenset(given["same"]),
            by=g.visit.person_id,
            now=g.now,
        )
    except ToolError as fault:
        if fault.code != "import-overtaken":
            raise
        waiting = importing.waiting(
            g.session, school_id=g.visit.school_id, import_id=import_id, now=g.now
        )
        return _preview_page(waiting, is_overtaken=True), 409
    settle_again([person.id for _, person in _changes(found)])
    return redirect(url_for(".result", import_id=import_id), 303)


@blueprint.post("/<uuid:import_id>/put-aside")
@manager()
def put_aside(import_id: UUID) -> Page:
    """Do nothing, and keep nothing of the file."""
    importing.forget(g.session, now=g.now, school_id=g.visit.school_id)
    return redirect(url_for(".files"), 303)


@blueprint.get("/<uuid:import_id>/result")
@manager()
def result(import_id: UUID) -> str:
    """What a file did, and whether that can still be undone."""
    found = undoing.applied(g.session, school_id=g.visit.school_id, import_id=import_id)
    changes = _changes(found)
    return render_template(
        "staff/result.html",
        found=found,
        changes=changes[:MOST_SHOWN],
        more=max(0, len(changes) - MOST_SHOWN),
        learned=len(_learned(found)),
        change_words=change_words,
    )


@blueprint.post("/<uuid:import_id>/undo")
@manager()
def undo(import_id: UUID) -> Page:
    """Make it as if the file had not been applied."""
    found = undoing.applied(g.session, school_id=g.visit.school_id, import_id=import_id)
    touched = undoing.undo(
        g.session, found, learned=_learned(found), by=g.visit.person_id, now=g.now
    )
    settle_again(touched)
    return redirect(url_for(".result", import_id=import_id), 303)


def _changes(found: StaffImport) -> list[tuple[StaffImportChange, Person]]:
    return undoing.changes_of(g.session, school_id=found.school_id, import_id=found.id)


def _learned(found: StaffImport) -> set[UUID]:
    if found.applied_at is None or found.undone_at is not None:
        return set()
    return learned_since(
        g.session,
        school_id=found.school_id,
        person_ids=[person.id for _, person in _changes(found)],
        moment=found.applied_at,
    )


def _read_apply() -> dict[str, Any]:
    try:
        given: dict[str, Any] = ApplyForm().load(
            {"shown": request.form.get("shown", ""), "same": request.form.getlist("same")}
        )
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return given


def _files_page(error: str) -> str:
    return render_template(
        "staff/files.html",
        error=error,
        applied=importing.listed(g.session, school_id=g.visit.school_id),
        sites=school().sites,
    )


def _preview_page(found: StaffImport, *, is_overtaken: bool) -> str:
    plan, unread = importing.plan_of(g.session, found)
    return render_template(
        "staff/preview.html",
        found=found,
        plan=plan,
        unread=unread,
        is_overtaken=is_overtaken,
        most=MOST_SHOWN,
        change_words=change_words,
        fault_words=fault_words,
        sites=school().sites,
    )
