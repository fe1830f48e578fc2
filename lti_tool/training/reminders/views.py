"""Pages for managers: what would go, send it now, what was sent, and how it is settled."""

from typing import Any, cast
from uuid import UUID

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from marshmallow import Schema, ValidationError
from werkzeug.wrappers import Response

from lti_tool.config import Config
from lti_tool.core.errors import ToolError
from lti_tool.core.jobs import after_commit
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.people.access import manager
from lti_tool.policies.policy import School
from lti_tool.training.reminders import batches, facts, letters, planning, settings, words
from lti_tool.training.reminders.batches import Outlook
from lti_tool.training.reminders.delivery import register_tasks
from lti_tool.training.reminders.schemas import PageQuery, SendForm, read_settings
from lti_tool.ui.format import local

blueprint = Blueprint("reminders", __name__, url_prefix="/reminders", template_folder="templates")


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)
    app.extensions["wake_reminders"] = register_tasks(app)


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"words": words}


@blueprint.get("")
@manager()
def overview() -> str:
    """What would go now, to whom and why not to others; what went, and what did not."""
    found = batches.outlook(
        g.session, school=_school(), has_server=bool(_config().smtp_url), now=g.now
    )
    sendings = batches.recent(g.session, school_id=_school().id)
    return render_template(
        "reminders/overview.html",
        outlook=found,
        holiday=planning.holiday(found.terms, local(g.now).date()),
        samples=_samples(found),
        sendings=sendings,
        outcomes=batches.outcomes(g.session, [batch.id for batch in sendings]),
        troubles=batches.troubles(g.session, school_id=_school().id),
        failed=batches.failed(g.session, school_id=_school().id, now=g.now),
        named=batches.PAGE,
    )


@blueprint.post("/send")
@manager()
def send() -> Response:
    """Send what was seen."""
    batches.send_now(
        g.session,
        school=_school(),
        seen=_read(SendForm(), request.form)["seen"],
        has_server=bool(_config().smtp_url),
        by=g.visit.person_id,
        now=g.now,
    )
    after_commit(g.session, current_app.extensions["wake_reminders"])
    return redirect(url_for(".overview"), 303)


@blueprint.get("/sent/<uuid:batch_id>")
@manager()
def sending(batch_id: UUID) -> str:
    """One sending: who got what, and what became of it."""
    number = _read(PageQuery(), request.args)["page"]
    batch, mails, total = batches.mails(
        g.session, school_id=_school().id, batch_id=batch_id, number=number
    )
    return render_template(
        "reminders/sending.html",
        batch=batch,
        mails=mails,
        number=number,
        pages=-(-total // batches.PAGE),
    )


@blueprint.get("/settings")
@manager()
def ask_settings() -> str:
    """How the school reminds."""
    kept = settings.read(g.session, school=_school(), now=g.now)
    held = {name: getattr(kept, name) for name in settings.FIELDS}
    return render_template("reminders/settings.html", held=held, faults={})


@blueprint.post("/settings")
@manager()
def change_settings() -> Response | tuple[str, int]:
    """Settle it."""
    values, faults = read_settings(request.form.to_dict(), own_url=_config().url)
    if faults:
        held = _typed(request.form.to_dict())
        return render_template("reminders/settings.html", held=held, faults=faults), 400
    settings.change(g.session, school=_school(), values=values, by=g.visit.person_id, now=g.now)
    return redirect(url_for(".overview"), 303)


def _samples(found: Outlook) -> list[tuple[planning.Letter, letters.Text]]:
    """The exact text of the first mail of each kind."""
    first = {letter.kind: letter for letter in reversed(found.plan.letters)}
    today = local(g.now).date()
    figures = facts.figures(g.session, found.readers, school_id=_school().id, today=today)
    return [
        (
            first[kind],
            letters.compose(
                first[kind],
                school=_school(),
                settings=found.settings,
                catalogue=_catalogue(),
                today=today,
                figures=figures if kind == "digest" else None,
            ),
        )
        for kind in planning.KINDS
        if kind in first
    ]


def _typed(form: dict[str, str]) -> dict[str, Any]:
    """What was filled in, as it was, to be put right."""
    held: dict[str, Any] = {name: form.get(name, "") for name in settings.FIELDS}
    return held | {name: held[name] == "yes" for name in ("is_on", "has_digest")}


def _read(schema: Schema, given: Any) -> dict[str, Any]:
    try:
        read: dict[str, Any] = schema.load(given)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return read


def _school() -> School:
    return _catalogue().schools[g.visit.school_id]


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config
