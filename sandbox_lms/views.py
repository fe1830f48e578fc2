"""The pages of the sandbox and its side of the OpenID Connect exchange."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms import claims, faults
from sandbox_lms.course.adding import course
from sandbox_lms.course.asked import SIGNED_IN_COOKIE, signed_in, the_activity, the_school
from sandbox_lms.course.reviewing import reviews
from sandbox_lms.platform import CLIENT_ID, Clock, Launch, Platform, Seen, describe, utc_now
from sandbox_lms.schools import KINDS, MODULES, SCHOOLS, Activity, Person, School
from sandbox_lms.services import services, the_platform
from sandbox_lms.teams.issuer import Issuer
from sandbox_lms.teams.views import teams
from sandbox_lms.tools.views import tools

pages = Blueprint("pages", __name__)

SHARING = {
    "name and e-mail": (True, True),
    "name only": (True, False),
    "e-mail only": (False, True),
    "neither name nor e-mail": (False, False),
}
STORAGE = {
    "none": "no",
    "page": "yes, in the page around the tool",
    "frame": "yes, in a frame that the page names when asked",
    "named": "yes, in a frame that the login names, as Canvas does",
    "no-reply": "and never answers",
    "error": "and answers with an error",
    "wrong-number": "and answers another question",
    "wrong-origin": "and answers from another address",
    "another-value": "and gives back something else",
}
STORAGE_FRAME = "post_message_forwarding"


def create_platform(
    *, tool_url: str, issuer: str, state: Path | None = None, clock: Clock = utc_now
) -> Flask:
    """The sandbox as an app. `issuer` must be the base URL it will be served at, `tool_url` the
    tool's, both without a trailing slash. `platform_of` gives the state behind it."""
    app = Flask(__name__)
    app.config["TRUSTED_HOSTS"] = ["localhost", "127.0.0.1", "[::1]"]
    app.extensions["sandbox_platform"] = Platform(
        tool_url=tool_url, issuer=issuer, state=state, clock=clock
    )
    app.extensions["sandbox_entra"] = Issuer(issuer, clock)
    app.add_template_filter(_moment, "moment")
    app.register_blueprint(pages)
    app.register_blueprint(course)
    app.register_blueprint(reviews)
    app.register_blueprint(services)
    app.register_blueprint(tools)
    app.register_blueprint(teams)
    app.before_request(_remember_request)
    app.after_request(_protect)
    app.register_error_handler(HTTPException, _error_page)
    return app


def platform_of(app: Flask) -> Platform:
    platform: Platform = app.extensions["sandbox_platform"]
    return platform


def _moment(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat()


def _remember_request() -> None:
    the_platform().requests_seen.append(
        Seen(
            request.method,
            request.full_path.removesuffix("?"),
            dict(request.headers),
            request.get_data(),
        )
    )


def _protect(response: Response) -> Response:
    tool = urlsplit(the_platform().tool_url)
    origin = f"{tool.scheme}://{tool.netloc}"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; img-src 'self' {origin}; frame-src 'self' {origin} {_elsewhere()}; "
        f"form-action 'self' {origin}; base-uri 'none'; "
        f"frame-ancestors 'self' {the_platform().issuer}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.date = the_platform().clock()
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _elsewhere() -> str:
    """This platform under its other name: another site to a browser."""
    issuer = urlsplit(the_platform().issuer)
    other = "localhost" if issuer.hostname == "127.0.0.1" else "127.0.0.1"
    return f"{issuer.scheme}://{other}:{issuer.port}"


def _error_page(error: HTTPException) -> tuple[str, int]:
    text = error.description or "Something went wrong."
    if isinstance(error, SecurityError):  # a name that is not ours: there is no URL to build
        return text, 400
    page = render_template("message.html", title=error.name, text=text)
    return page, error.code or 500


# Choosing somebody to be


@pages.route("/")
def front() -> str:
    return render_template(
        "front.html",
        schools=SCHOOLS.values(),
        platform=the_platform(),
        kinds=KINDS,
        modules=MODULES,
        sharing=SHARING,
        storage=STORAGE,
    )


@pages.route("/launch", methods=["POST"])
def launch() -> AnyResponse:
    """Sign in as somebody and go to the page of the activity, or straight into a new window."""
    platform = the_platform()
    person = platform.people.get(request.form.get("person", ""))
    if person is None:
        abort(400, "Choose somebody to launch as.")
    school = the_school(request.form.get("school") or person.school or "hemswell-cliff")
    activity = _chosen(school, request.form.get("module", "induction"))
    if activity is None or person.school not in (school.slug, None):
        abort(400, "That person or activity is not of this school.")
    sharing = SHARING.get(request.form.get("sharing", ""))
    if sharing:
        platform.set_sharing(person, name=sharing[0], email=sharing[1])
    container = request.values.get("container", "iframe")
    page = "pages.frame" if container == "iframe" else "pages.start"
    method = request.form.get("method", "post")
    storage, tool = request.form.get("storage", "none"), request.values.get("tool") or None
    asked: dict[str, Any] = {
        "container": container,
        "method": method,
        "storage": storage,
        "tool": tool,
    }
    place = url_for(page, activity_id=activity.id, **asked)
    response = redirect(place, 303)
    # A tool's page that speaks to the storage goes on to /auth by itself: a navigation from
    # another site, with which a browser sends no Lax cookie inside a frame.
    is_lax = storage == "none"
    response.set_cookie(
        SIGNED_IN_COOKIE,
        person.id,
        httponly=True,
        samesite="Lax" if is_lax else "None",
        secure=not is_lax,
    )
    return response


def _chosen(school: School, module: str) -> Activity | None:
    """An activity of the school's course, by its module or, where it was added, by its id."""
    found = the_platform().activities_at(school)
    first = school.activities
    return next((one for one in found if module == (one.module if one in first else one.id)), None)


@pages.route("/people", methods=["POST"])
def enrol() -> AnyResponse:
    """Enrol another new member of staff, so that the demonstration can begin again."""
    school = the_school(request.form.get("school", ""))
    the_platform().enrol_starter(school)
    return redirect(url_for("pages.front", _anchor=school.slug), 303)


@pages.route("/activities/<activity_id>")
def frame(activity_id: str) -> str:
    activity = the_activity(activity_id)
    asked: dict[str, Any] = {name: request.args.get(name) for name in ("method", "storage", "tool")}
    source = url_for("pages.start", activity_id=activity.id, **asked)
    return render_template(
        "frame.html",
        school=SCHOOLS[activity.school],
        activity=activity,
        person=signed_in(),
        source=source,
        storage=asked["storage"] or "none",
        storage_frame=STORAGE_FRAME,
        elsewhere=_elsewhere(),
    )


@pages.route("/start/<activity_id>")
def start(activity_id: str) -> AnyResponse | str:
    """Login initiation: a form the browser posts to the tool, or with `method=get` a redirect."""
    activity = the_activity(activity_id)
    person = signed_in()
    if person is None:
        abort(401, "Choose somebody to launch as on the front page first.")
    target: claims.Target = "window" if request.args.get("container") == "window" else "iframe"
    client_id = request.args.get("tool", CLIENT_ID)
    if not the_platform().is_client(client_id):
        abort(404, "There is no such tool, or it is pending.")
    fields = the_platform().login_parameters(person, activity, target, client_id)
    storage = request.args.get("storage", "none")
    if storage != "none":
        fields["lti_storage_target"] = STORAGE_FRAME if storage == "named" else "_parent"
    login_url = f"{the_platform().tool_url}/lti/login"
    if request.args.get("method") == "get":
        return redirect(f"{login_url}?{urlencode(fields)}")
    return render_template("post.html", action=login_url, fields=fields)


@pages.route("/storage")
def storage() -> str:
    """A frame of the platform's that keeps things for tools, or speaks from another address."""
    return render_template("storage.html", storage=request.args.get("storage", "none"))


@pages.route("/return")
def came_back() -> AnyResponse | str:
    """Where the tool sends people when they are done (`launch_presentation.return_url`)."""
    if "lti_errormsg" in request.args:
        said = request.args["lti_errormsg"]
        text = f"An error occurred when launching the external tool: {said}"
        return render_template("message.html", title="Error", text=text)
    if "lti_msg" in request.args:
        return render_template("message.html", title="Back", text=request.args["lti_msg"])
    return redirect(url_for("pages.front"))


# The authentication request and its response


@pages.route("/auth", methods=["GET", "POST"])
def auth() -> str:
    """Answer an authentication request with a form that posts an id_token to the tool.

    Moodle's strictness: what could not come from a registered tool gets an error page (404); what
    could is told to the tool as `error`. A message hint works once.
    """
    asked = request.values
    _refuse_unusable(asked)
    if not the_platform().is_client(asked.get("client_id")):
        return _post_back({"error": "unauthorized_client"})
    person = signed_in()
    if person is None:
        text = "Choose somebody to launch as on the front page first."
        return render_template("message.html", title="Not signed in", text=text)
    if asked.get("login_hint") != person.id:
        return _post_back({"error": "access_denied"})
    for name, only in (("response_mode", "form_post"), ("prompt", "none")):
        if asked.get(name) != only:
            return _post_back({"error": "invalid_request", "error_description": f"Invalid {name}"})
    begun = the_platform().take_launch(asked["lti_message_hint"])
    if begun is None or (begun.person_id, begun.client_id) != (person.id, asked["client_id"]):
        abort(404, "Invalid request")
    return _post_back({"id_token": _id_token(begun, person, asked["nonce"])})


def _refuse_unusable(asked: Any) -> None:
    usable = (
        asked.get("redirect_uri") == the_platform().redirect_uri
        and asked.get("scope") == "openid"
        and asked.get("response_type") == "id_token"
        and asked.get("nonce")
        and asked.get("lti_message_hint")
    )
    if not usable:
        abort(404, "Invalid request")


def _id_token(begun: Launch, person: Person, nonce: str) -> str:
    platform = the_platform()
    if begun.activity is None:
        return platform.sign(platform.picking_claims(person, begun.school, nonce))
    presentation = claims.launch_presentation(
        platform.issuer, begun.activity, person, begun.target, platform.session_key
    )
    changes: dict[str, object] = {f"{claims.LTI}launch_presentation": presentation}
    if begun.for_user:
        changes |= claims.review_claims(begun.for_user)
    said = platform.id_token_claims(person, begun.activity, nonce, **changes)
    return platform.sign(_as_told(begun, said))


def _as_told(begun: Launch, said: dict[str, object]) -> dict[str, object]:
    """The claims as the launched tool gets them: a registered one only what it asked for."""
    tool = the_platform().tools.get(begun.client_id)
    if tool is None:
        return said
    kept = claims.for_tool(said, tool.client_id, tool.deployment_id, tool.claims)
    if not set(claims.AGS_SCOPES) & set(tool.scopes):
        del kept[f"{claims.AGS}claim/endpoint"]
    if claims.SCOPE_MEMBERS not in tool.scopes:
        del kept[f"{claims.NRPS}claim/namesroleservice"]
    return kept


def _post_back(fields: dict[str, str]) -> str:
    fields["state"] = request.values.get("state", "")
    return render_template("post.html", action=the_platform().redirect_uri, fields=fields)


# Looking behind the scenes


@pages.route("/schools/<slug>/gradebook")
def gradebook(slug: str) -> str:
    platform = the_platform()
    school = the_school(slug)
    with platform.lock:
        items = [
            item for item in platform.gradebook.items.values() if item.course_id == school.course_id
        ]
        people = [one for one in platform.people_at(school) if one.school]
        grades = {(i.id, p.id): platform.gradebook.grade(i.id, p.id) for i in items for p in people}
    return render_template(
        "gradebook.html", school=school, items=items, people=people, grades=grades, kinds=KINDS
    )


@pages.route("/faults", methods=["GET", "POST"])
def set_faults() -> AnyResponse:
    """GET: the switches. POST, form or JSON: `target`, `fault`, and if wanted `seconds`, `times`;
    `{"target": "all", "fault": "none"}` clears everything."""
    platform = the_platform()
    if request.method == "POST":
        sent = request.get_json(silent=True) or request.form
        try:
            platform.faults.put(
                str(sent.get("target")),
                str(sent.get("fault")),
                seconds=float(sent.get("seconds") or 0),
                times=int(sent["times"]) if sent.get("times") else None,
            )
        except (ValueError, TypeError) as problem:
            abort(400, str(problem))
        if not request.is_json:
            return redirect(url_for("pages.set_faults"), 303)
    state = {target: platform.faults.of(target) for target in faults.TARGETS}
    if request.is_json:
        return jsonify({target: vars(fault) for target, fault in state.items()})
    page = render_template("faults.html", state=state, kinds=faults.KINDS, keys=platform.keys)
    return make_response(page)


@pages.route("/keys", methods=["POST"])
def rotate_key() -> AnyResponse:
    """Form or JSON: `old` is `keep` (still published) or `drop`."""
    sent = request.get_json(silent=True) or request.form
    key = the_platform().rotate_key(keep_old=sent.get("old", "keep") == "keep")
    if request.is_json:
        return jsonify({"kid": key.kid})
    return redirect(url_for("pages.set_faults"), 303)


@pages.route("/describe")
def describe_platform() -> AnyResponse:
    return jsonify(describe(the_platform().issuer))
