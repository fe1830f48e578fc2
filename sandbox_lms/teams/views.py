"""The sandbox's Entra over HTTP, and the page that plays the Teams client."""

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, abort, current_app, jsonify, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms.course.asked import the_school
from sandbox_lms.schools import KINDS, Person
from sandbox_lms.services import the_platform
from sandbox_lms.teams.issuer import CLIENT_ID, TENANT_ID, TOKENS, Issuer, object_id

teams = Blueprint("teams", __name__)

TABS = {
    "training": "My training",
    "manage": "Manage",
    "channel": "a tab in a channel, with its configuration first",
}
THEMES = {"default": "light", "dark": "dark", "contrast": "high contrast"}
FAILURES = {
    "consent": ("nobody agreed to the app", "AADSTS65001: consent_required"),
    "assignment": ("the person was not given the app", "AADSTS50105: not assigned to a role"),
    "registration": ("the app is registered otherwise", "resourceDisabled: AADSTS500011"),
    "access": ("Conditional Access asks for more", "AADSTS50076: multi-factor is required"),
    "cancelled": ("the sign-in window was closed", "CancelledByUser"),
    "other": ("Teams says nothing of use", "internal error"),
}


@teams.route("/<uuid:tenant_id>/v2.0/.well-known/openid-configuration")
def discovery(tenant_id: UUID) -> AnyResponse:
    if str(tenant_id) != TENANT_ID:
        return make_response(jsonify({"error": "invalid_tenant"}), 400)
    return jsonify(the_issuer().discovery(TENANT_ID))


@teams.route("/<uuid:tenant_id>/discovery/v2.0/keys")
def keys(tenant_id: UUID) -> AnyResponse:
    the_issuer().asked += 1
    if str(tenant_id) != TENANT_ID:
        return make_response(jsonify({"error": "invalid_tenant"}), 400)
    answer = jsonify({"keys": the_issuer().published()})
    return the_platform().faults.around("entra", lambda: answer)


@teams.route("/teams/keys", methods=["POST"])
def rotate() -> AnyResponse:
    """Form: ``old`` is keep (still published) or drop."""
    key = the_issuer().rotate(keep_old=request.form.get("old", "keep") == "keep")
    return jsonify({"kid": key.kid})


@teams.route("/teams/token", methods=["POST"])
def token() -> AnyResponse:
    """What the host gives to a tab that calls getAuthToken: a token, or why there is none."""
    fault = request.form.get("fault", "good")
    if fault in FAILURES:
        return jsonify({"error": FAILURES[fault][1]})
    if fault not in TOKENS:
        abort(400, "There is no such fault.")
    return jsonify({"token": the_issuer().token(_person(), fault)})


@teams.route("/teams/<slug>")
def host(slug: str) -> str:
    """The Teams client with one of our tabs in it."""
    school = the_school(slug)
    tab = request.args.get("tab", "training")
    tool = the_platform().tool_url
    paths = {
        "training": "/teams/tab?" + urlencode({"school": slug}),
        "manage": "/teams/tab?" + urlencode({"school": slug, "to": "register"}),
        "channel": "/teams/configure",
    }
    if tab not in paths:
        abort(404, "There is no such tab.")
    chosen = {name: request.args.get(name, "") for name in ("person", "place", "theme", "fault")}
    person = _person() if chosen["person"] else the_platform().person(slug, "starter")
    return render_template(
        "teams.html",
        school=school,
        people=[*the_platform().people_at(school)],
        kinds=KINDS,
        tabs=TABS,
        themes=THEMES,
        tokens=TOKENS,
        failures=FAILURES,
        tab=tab,
        person=person,
        chosen=chosen,
        source=f"{tool}{paths[tab]}",
        object_id=object_id(person),
        tenant_id=TENANT_ID,
        client_id=CLIENT_ID,
    )


def _person() -> Person:
    person = the_platform().people.get(request.values.get("person", ""))
    if person is None:
        abort(400, "Choose somebody to be.")
    return person


def the_issuer() -> Issuer:
    issuer: Issuer = current_app.extensions["sandbox_entra"]
    return issuer
