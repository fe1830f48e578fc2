"""Pages: a manager asks for packs and fetches them; anybody checks one."""

from io import BytesIO
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.jobs import after_commit
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.evidence.packs import asking
from lti_tool.evidence.packs.models import FAILED, MAKING, READY, WAITING
from lti_tool.evidence.packs.page import page, policy
from lti_tool.evidence.packs.schemas import read_ask
from lti_tool.evidence.packs.tasks import drawer_of, register_tasks
from lti_tool.evidence.packs.words import AUDIENCES, HINTS
from lti_tool.evidence.proof.statements import shown_fingerprint
from lti_tool.evidence.register import cycles
from lti_tool.people import access
from lti_tool.people.memberships import manages, signed_in_as
from lti_tool.policies.policy import School
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import local

blueprint = Blueprint("packs", __name__, url_prefix="/packs", template_folder="templates")


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    app: Any = state.app
    app.extensions["wake_packs"] = register_tasks(app)


@blueprint.get("")
@access.manager()
def listed() -> str:
    """What to ask for, and what was asked for."""
    packs = asking.listed(g.session, g.visit)
    keys = current_app.extensions["evidence_keys"].listed()
    return render_template(
        "packs/packs.html",
        packs=packs,
        under_way=[one for one in packs if one.state in (WAITING, MAKING)],
        faults={one.id: ERRORS[one.reason] for one in packs if one.state == FAILED},
        ready=READY,
        audiences=AUDIENCES,
        hints=HINTS,
        cycles=_cycles(),
        trust=_trust(),
        kept_days=asking.KEPT.days,
        keys=[(shown_fingerprint(one.fingerprint), one) for one in keys],
    )


@blueprint.post("")
@access.manager()
def ask() -> AnyResponse:
    """Ask for a pack; the worker makes it."""
    audience, cycle, is_for_trust = read_ask(request.form.to_dict(), cycles=_cycles())
    own = g.visit.school_id
    pack = asking.ask(
        g.session,
        school_id=own,
        schools=[one.id for one in _trust()] or [own] if is_for_trust else [own],
        audience=audience,
        cycle=cycle,
        by=signed_in_as(g.session, g.visit),
        now=g.now,
    )
    pack_id, wake = str(pack.id), current_app.extensions["wake_packs"]
    after_commit(g.session, lambda: wake(pack_id))
    return redirect(url_for(".listed"), 303)


@blueprint.get("/<uuid:pack_id>.zip")
@access.manager(hands_out=True)
def fetch(pack_id: UUID) -> Response:
    """The file of a pack that is ready."""
    pack = asking.found(g.session, g.visit, pack_id=pack_id)
    g.names_nobody = pack.audience != "managers"
    whose = pack.school_id if len(pack.schools) == 1 else "trust"
    name = f"evidence-{whose}-{pack.audience}-{pack.cycle}-{local(pack.asked_at).date()}.zip"
    content = BytesIO(asking.content_of(drawer_of(current_app), pack))
    return send_file(content, mimetype="application/zip", as_attachment=True, download_name=name)


@blueprint.get("/check")
@access.public()
def check() -> Response:
    """The page that checks a pack in the reader's own browser."""
    response = Response(page(), mimetype="text/html")
    response.headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
    return response


@blueprint.get("/keys")
@access.public()
def keys() -> str:
    """The fingerprints of our keys, for whoever wants to compare."""
    found = current_app.extensions["evidence_keys"].listed()
    shown = [(shown_fingerprint(one.fingerprint), one) for one in found]
    return render_template("packs/keys.html", keys=shown)


def _cycles() -> list[str]:
    current = cycle_of(g.now, _school().year_starts)
    return cycles(g.session, school_id=g.visit.school_id, current=current)


def _trust() -> list[School]:
    """The schools of this one's trust that the visitor manages, where they are several."""
    own, schools = _school(), current_app.extensions["catalogue"].schools
    found = [
        one
        for one in schools.values()
        if own.trust and one.trust == own.trust and manages(g.session, g.visit, school_id=one.id)
    ]
    return found if len(found) > 1 else []


def _school() -> School:
    school: School = current_app.extensions["catalogue"].schools[g.visit.school_id]
    return school
