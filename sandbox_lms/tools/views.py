"""The administrator's page of external tools, and the two addresses of dynamic registration."""

from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms.services import the_platform
from sandbox_lms.tools import registration
from sandbox_lms.tools.registered import Tool

tools = Blueprint("tools", __name__)


@tools.route("/tools")
def listed() -> str:
    return render_template("tools.html", tools=the_platform().tools.values())


@tools.route("/tools", methods=["POST"])
def add() -> AnyResponse | str:
    """Open a tool's registration page in a frame. Where a tool of the same domain is there,
    the first answer asks whether to update it, as Moodle does."""
    platform = the_platform()
    url, choice = request.form.get("url", "").strip(), request.form.get("choice", "")
    if urlsplit(url).netloc != urlsplit(platform.tool_url).netloc:
        abort(400, f"The sandbox knows one tool only, {platform.tool_url}.")
    known = list(platform.tools.values())
    if known and not choice:
        return render_template("tool_known.html", url=url, tools=known)
    token = registration.issue_token(platform, platform.tools.get(choice))
    said = {
        "openid_configuration": f"{platform.issuer}{url_for('.openid_configuration')}",
        "registration_token": token,
    }
    source = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(said)}"
    return render_template("tool_register.html", source=source)


@tools.route("/tools/<client_id>/activate", methods=["POST"])
def activate(client_id: str) -> AnyResponse:
    _tool(client_id)
    with the_platform().lock:
        the_platform().tools.activate(client_id)
        the_platform().save()
    return redirect(url_for(".listed"), 303)


@tools.route("/tools/<client_id>/delete", methods=["POST"])
def delete(client_id: str) -> AnyResponse:
    _tool(client_id)
    with the_platform().lock:
        del the_platform().tools[client_id]
        the_platform().save()
    return redirect(url_for(".listed"), 303)


@tools.route("/mod/lti/openid-configuration.php")
def openid_configuration() -> Response:
    platform = the_platform()
    return platform.faults.around(
        "configuration", lambda: jsonify(registration.configuration(platform))
    )


@tools.route("/mod/lti/openid-registration.php", methods=["GET", "POST"])
def openid_registration() -> Response:
    return the_platform().faults.around("registration", _register)


def _register() -> Response:
    platform, authorization = the_platform(), request.headers.get("Authorization", "")
    try:
        if request.method == "GET":
            return jsonify(registration.read(platform, authorization))
        sent = request.get_json(silent=True)
        return jsonify(registration.register(platform, authorization, sent))
    except registration.Refused as refused:
        if refused.status == 404:
            page = render_template("message.html", title="Error", text=refused.text)
            return Response(page, 404)
        return Response(refused.text, refused.status, content_type="text/html; charset=utf-8")


def _tool(client_id: str) -> Tool:
    return the_platform().tools.get(client_id) or abort(404, "There is no such tool.")
