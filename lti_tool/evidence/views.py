"""Pages for managers: the register, one record, the export, and who belongs to the school."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Final
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.evidence import corrections, records, resending
from lti_tool.evidence import export as exports
from lti_tool.evidence import register as registers
from lti_tool.evidence.downloads import Download, chunks_of
from lti_tool.evidence.schemas import Filters, fitting, read_confirm, read_query, read_send_again
from lti_tool.evidence.words import cycle_words, page_words
from lti_tool.lti.rosters import courses
from lti_tool.people import access, memberships
from lti_tool.policies.policy import School
from lti_tool.ui.format import local

MIMETYPES: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

blueprint = Blueprint("evidence", __name__, template_folder="templates")


@blueprint.context_processor
def _words() -> dict[str, object]:
    return page_words(_catalogue().modules)


@blueprint.get("/register")
@access.manager()
def register() -> str:
    """Who has done the training."""
    cycles = _cycles()
    filters, number, confirmed = _query(cycles)
    school_id, today = g.visit.school_id, _today()
    lines, total = registers.page(
        g.session, school_id=school_id, filters=filters, number=number, today=today
    )
    return render_template(
        "evidence/register.html",
        filters=filters,
        link={name: value for name, value in asdict(filters).items() if value},
        confirmed=confirmed,
        list_failing_since=courses.failing_since(g.session, school_id=school_id),
        counts=registers.count(g.session, school_id=school_id, filters=filters, today=today),
        trainings=[(module.id, module.title["en"]) for module in _catalogue().modules.values()],
        cycles=[(cycle, cycle_words(cycle)) for cycle in cycles],
        sites=_school().sites,
        lines=lines,
        total=total,
        number=number,
        pages=-(-total // registers.PAGE),
    )


@blueprint.get("/register/<uuid:membership_id>")
@access.manager(shows_person=True)
def record(membership_id: UUID) -> str:
    """One person's record: states and dates, no answers."""
    found = records.record(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        today=_today(),
    )
    return render_template(
        "evidence/record.html",
        record=found,
        corrections=corrections.of(
            g.session, school_id=g.visit.school_id, person_id=found.person_id
        ),
        noted=request.args.get("noted"),
    )


@blueprint.post("/register/<uuid:membership_id>/send")
@access.manager()
def send_again(membership_id: UUID) -> AnyResponse:
    """Have a person's score sent to the platform again; the worker sends it."""
    score_id, replaces = read_send_again(request.form.to_dict())
    resending.send_again(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        score_id=score_id,
        replaces=replaces,
        by=g.visit.person_id,
        now=g.now,
    )
    return redirect(url_for("evidence.record", membership_id=membership_id, noted="sent"), 303)


@blueprint.post("/register/confirm")
@access.manager()
def confirm() -> AnyResponse:
    """Count the ticked people as the school's own."""
    ticked = read_confirm(request.form)
    g.concerns |= memberships.people_of(
        g.session, school_id=g.visit.school_id, membership_ids=ticked
    )
    number = memberships.confirm_members(
        g.session,
        school_id=g.visit.school_id,
        membership_ids=ticked,
        confirmed_by=g.visit.person_id,
        today=_today(),
        now=g.now,
    )
    return redirect(url_for("evidence.register", confirmed=number), 303)


@blueprint.get("/register.csv")
@access.manager(hands_out=True)
def export() -> Response:
    """The filtered register as a file; that it was taken is recorded."""
    return _export("csv")


@blueprint.get("/register.xlsx")
@access.manager(hands_out=True)
def export_workbook() -> Response:
    """The same as a workbook."""
    return _export("xlsx")


def _export(kind: str) -> Response:
    """It writes, so another site may not set it off behind a manager's back."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise ToolError("form-expired")
    filters, _, _ = _query(_cycles())
    school, today, extensions = _school(), _today(), current_app.extensions
    name = f"register-{school.id}-{today.isoformat()}.{kind}"
    noted = exports.note(
        g.session,
        school_id=school.id,
        person_id=g.visit.person_id,
        what=f"register.{kind}",
        filters=asdict(filters),
        now=g.now,
    )
    training = _catalogue().modules[filters.module].title["en"]
    download = Download(f"{school.name}, {name}", training, filters.cycle)
    chunks = chunks_of(extensions["database"], registers.exported(school.id, filters, today))
    is_csv = kind == "csv"
    pieces = exports.recorded(
        download.lines_of_csv(chunks) if is_csv else download.pieces_of_xlsx(chunks, now=g.now),
        lambda: {"export": str(noted), "rows": download.rows},
        school_id=school.id,
        database=extensions["database"],
        keys=extensions["evidence_keys"],
        clock=extensions["clock"],
    )
    response = Response(stream_with_context(pieces), mimetype=MIMETYPES[kind])
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _today() -> date:
    return local(g.now).date()


def _cycles() -> list[str]:
    current = cycle_of(g.now, _school().year_starts)
    return registers.cycles(g.session, school_id=g.visit.school_id, current=current)


def _query(cycles: Sequence[str]) -> tuple[Filters, int, int | None]:
    modules = _catalogue().modules
    filters, number, confirmed = read_query(
        request.args,
        modules=modules,
        sites=_school().sites,
        module=g.visit.module if g.visit.module in modules else next(iter(modules)),
        cycle=cycles[0],
    )
    return fitting(filters, cycles), number, confirmed


def _school() -> School:
    return _catalogue().schools[g.visit.school_id]


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
