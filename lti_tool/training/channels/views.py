"""The page on which a manager lets reminders go to a channel of Teams."""

import json
from typing import cast

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from huey import crontab
from marshmallow import RAISE, Schema, ValidationError, fields, validate
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.core.jobs import after_commit
from lti_tool.people.access import manager
from lti_tool.policies.policy import School
from lti_tool.teams.tenants import Teams
from lti_tool.training.channels import posting
from lti_tool.training.channels.posting import Work

blueprint = Blueprint("channels", __name__, url_prefix="/channel", template_folder="templates")


class ChannelForm(Schema):
    """What to do, and with ``keep`` the webhook's address."""

    class Meta:
        unknown = RAISE

    url = fields.String(load_default="", validate=validate.Length(max=2000))
    act = fields.String(
        required=True, validate=validate.OneOf(("keep", "on", "off", "try", "forget"))
    )


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    app = cast(Flask, state.app)

    @app.extensions["queue"].periodic_task(crontab(minute="*/10"), name="post_to_channels")  # type: ignore[untyped-decorator]
    def post_to_channels() -> None:
        with app.app_context():
            posting.run(work_of(app))

    @app.extensions["queue"].task(name="post_to_a_channel")  # type: ignore[untyped-decorator]
    def post_to_a_channel() -> None:
        with app.app_context():
            posting.send_due(work_of(app))

    app.extensions["wake_channels"] = post_to_a_channel


def work_of(app: Flask) -> Work:
    """The app's own work."""
    extensions = app.extensions
    known = extensions["catalogue"].schools
    return Work(
        extensions["teams"],
        extensions["database"],
        extensions["clock"],
        {one.id: one for one in known.values() if not one.closed},
    )


@blueprint.get("")
@manager()
def page() -> str:
    """Where it is posted to, what would go now, and what went."""
    made = posting.outlook(g.session, school=_school(), teams=_teams(), now=g.now)
    kept = posting.channel(g.session, _school().id)
    return render_template(
        "channels/channel.html",
        kept=kept,
        host=posting.host(kept.url) if kept else "",
        card=json.loads(made),
        posts=posting.recent(g.session, school_id=_school().id),
    )


@blueprint.post("")
@manager()
def change() -> Response:
    """Keep an address, switch, try, forget."""
    values = {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        form = ChannelForm().load(values)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    school_id, by = _school().id, g.visit.person_id
    if form["act"] == "keep":
        posting.keep(g.session, school_id=school_id, url=form["url"], by=by, now=g.now)
    elif form["act"] == "forget":
        posting.forget(g.session, school_id=school_id, by=by, now=g.now)
    elif form["act"] == "try":
        posting.try_now(g.session, school=_school(), teams=_teams(), now=g.now)
        after_commit(g.session, current_app.extensions["wake_channels"])
    else:
        is_on = form["act"] == "on"
        posting.switch(g.session, school_id=school_id, is_on=is_on, by=by, now=g.now)
    return redirect(url_for(".page"), 303)


def _school() -> School:
    school: School = current_app.extensions["catalogue"].schools[g.visit.school_id]
    return school


def _teams() -> Teams:
    teams: Teams = current_app.extensions["teams"]
    return teams
