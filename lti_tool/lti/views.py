"""The doors: login, launch and our key set; and the page that sets an activity up."""

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.sansio.blueprints import BlueprintSetupState
from marshmallow import EXCLUDE, Schema, ValidationError, fields
from marshmallow.validate import OneOf
from werkzeug.wrappers import Response as BaseResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import LAUNCHES
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti import deep_linking, platforms
from lti_tool.lti import launch as launches
from lti_tool.lti import login as logins
from lti_tool.lti.claims import LONGEST_RETURN_URL, origin
from lti_tool.lti.message import Launch, prove
from lti_tool.lti.platforms import Lti
from lti_tool.lti.services.outbox import register_tasks
from lti_tool.people import visits
from lti_tool.people.access import arrived, public, set_cookie, set_visit_cookie
from lti_tool.people.arrive import Admission

blueprint = Blueprint("lti", __name__, url_prefix="/lti", template_folder="templates")


class SetUpForm(Schema):
    """Which school and which training an activity is for."""

    school = fields.String(required=True)
    module = fields.String(required=True)


class PickForm(Schema):
    """What is picked for a course, and the platform's request for it."""

    request = fields.String(required=True)
    school = fields.String(load_default="")
    module = fields.List(fields.String())
    answer = fields.String(load_default="add", validate=OneOf(("add", "nothing")))


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    extensions = state.app.extensions
    extensions["lti"].wake = register_tasks(extensions["queue"], extensions["lti"])


@blueprint.route("/login", methods=["GET", "POST"])
@public(csrf=False, limit=LAUNCHES)
def login() -> BaseResponse:
    """Send the browser to its platform, to come back with a launch.

    Answered with a 302 also to a POST: some platforms keep their own cookie from a form that
    another site sends. Where the platform offers a storage, a page gives it the cookie's value to
    keep on the way.
    """
    outset = logins.begin(_lti(), request.values, now=g.now)
    if outset.storage_target:
        g.frame_ancestors = ("*",)  # where the platform shows it is known when it has launched
        response: BaseResponse = make_response(render_template("lti/keep.html", outset=outset))
    else:
        response = redirect(outset.redirect_url, 302)
    lasts = int(logins.STATE_LIFE.total_seconds())
    set_cookie(response, outset.cookie_name, outset.cookie_value, seconds=lasts)
    return response


@blueprint.post("/launch")
@public(csrf=False, limit=LAUNCHES)
def launch() -> BaseResponse:
    """Let a person in who comes with a platform's signed word."""
    sender = request.headers.get("Origin", "")
    proved = prove(_lti(), request.form, request.cookies, sender=sender, now=g.now)
    if proved.claims.picking:
        asked = deep_linking.begin(g.session, proved, proved.claims.picking, lti=_lti(), now=g.now)
        return _let_pick(asked)
    if proved.storage_target:
        return _ask_storage(proved)
    admission = launches.settle(
        g.session,
        proved,
        lti=_lti(),
        catalogue=current_app.extensions["catalogue"],
        now=g.now,
    )
    response = make_response(redirect(_first_page(admission, proved), 303))
    set_visit_cookie(response, admission.token)
    if proved.has_cookie:
        set_cookie(response, logins.cookie_name(request.form["state"]), "", seconds=0)
    return response


@blueprint.post("/pick")
@public(csrf=False, limit=LAUNCHES)
def pick() -> BaseResponse:
    """Send what was picked back to the platform. The request in the form is the credential."""
    try:
        form = PickForm(unknown=EXCLUDE).load(
            request.form.to_dict() | {"module": request.form.getlist("module")}
        )
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    asked = deep_linking.unseal(_lti(), form["request"], now=g.now)
    signed = deep_linking.answer(
        _lti(),
        asked,
        school_id=form["school"],
        picked=form["module"] if form["answer"] == "add" else (),
        catalogue=current_app.extensions["catalogue"],
        now=g.now,
    )
    _frame(asked)
    g.form_action = (origin(asked.picking.return_url, longest=LONGEST_RETURN_URL),)
    return make_response(
        render_template(
            "lti/picked.html",
            return_url=asked.picking.return_url,
            signed=signed,
            platform_name=asked.platform.name,
        )
    )


@blueprint.get("/jwks")
@public()
def jwks() -> Response:
    """Our public keys, by which platforms know our requests."""
    response = jsonify(_lti().tool_keys.jwks())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@blueprint.get("/set-up")
@arrived()
def set_up() -> str:
    """Where an activity of a platform that serves several schools is told which it is for."""
    catalogue: Catalogue = current_app.extensions["catalogue"]
    offered = platforms.schools_offered(g.session, g.visit)
    return render_template(
        "lti/set_up.html",
        schools=[catalogue.schools[slug] for slug in offered if slug in catalogue.schools],
        modules=list(catalogue.modules.values()),
        chosen=g.visit.module,
    )


@blueprint.post("/set-up")
@arrived(is_act=True)
def choose() -> BaseResponse:
    """Keep the choice, for this visit at least."""
    try:
        form = SetUpForm(unknown=EXCLUDE).load(request.form.to_dict())
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    g.visit = visits.mapped(g.session, g.visit)
    platforms.choose(
        g.session,
        g.visit,
        school_id=form["school"],
        module=form["module"],
        catalogue=current_app.extensions["catalogue"],
        now=g.now,
    )
    return redirect(url_for("training.home"), 303)


def _let_pick(asked: deep_linking.Asked) -> BaseResponse:
    """The page of choices, in answer to the launch itself: no cookie has to come back for it."""
    catalogue: Catalogue = current_app.extensions["catalogue"]
    _frame(asked)
    return make_response(
        render_template(
            "lti/pick.html",
            picking=asked.picking,
            sealed=deep_linking.seal(_lti(), asked, now=g.now),
            schools=deep_linking.schools(asked, catalogue),
            choices=deep_linking.choices(catalogue),
            platform_name=asked.platform.name,
        )
    )


def _frame(asked: deep_linking.Asked) -> None:
    """Let the platform show the page in a frame."""
    back = origin(asked.picking.return_url, longest=LONGEST_RETURN_URL)
    g.frame_ancestors = launches.frame_ancestors(asked.platform, back).split()


def _ask_storage(proved: Launch) -> BaseResponse:
    """A page that asks the platform what it keeps, and posts the launch again with the answer.

    Nothing is used up or written before.
    """
    ancestors = launches.frame_ancestors(proved.platform, proved.claims.return_origin)
    g.frame_ancestors = ancestors.split()
    key = logins.cookie_name(request.form["state"])
    return make_response(render_template("lti/recall.html", proved=proved, key=key))


def _first_page(admission: Admission, proved: Launch) -> str:
    """Where to go on. The login's cookie came back, so the visit's will too, and no code is
    needed; without it the code says who comes."""
    if not proved.has_cookie:
        return url_for("people.start", code=admission.code)
    if admission.review_of:
        return url_for("evidence.record", membership_id=admission.review_of)
    if not admission.school_id:
        return url_for(".set_up")
    if admission.manages:
        return url_for("evidence.register")
    asks = proved.claims.module == launches.REGISTER and proved.claims.standing.may_ask_to_manage
    return url_for("people.manage_ask" if asks else "training.home")


def _lti() -> Lti:
    lti: Lti = current_app.extensions["lti"]
    return lti
