"""Pages between a launch and the training: start, who are you, finish, ask to manage."""

import secrets

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from marshmallow import Schema, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import CODES, LAUNCHES
from lti_tool.people import access, visits
from lti_tool.people.memberships import enter_manager_code, manages, signed_in_as
from lti_tool.people.models import Person, Visit
from lti_tool.people.schemas import ConfirmForm, ManagerCodeForm

blueprint = Blueprint("people", __name__, template_folder="templates")


@blueprint.get("/start")
@access.public(writes=True, limit=LAUNCHES)
def start() -> AnyResponse | str:
    """From the launch to the first page.

    The code is used up only where the launch's cookie arrived. Without one, or with the cookie
    of another visit (a second tab, the person before on a shared computer), nothing happens
    until somebody presses the button.
    """
    code = request.args.get("code", "")
    held: Visit | None = g.visit
    if held is not None and visits.has_code(held, code):
        return _enter(held, request.args.get("to", ""))
    visit = visits.by_code(g.session, code, now=g.now)
    g.visit = None  # the page belongs to neither visit
    g.frame_ancestors = visit.frame_ancestors.split()
    return render_template(
        "people/start.html",
        code=code,
        other_visit=held is not None,
        platform_name=visit.platform_name,
    )


@blueprint.post("/start")
@access.public(csrf=False, limit=LAUNCHES)
def carry_over() -> AnyResponse:
    """Begin the visit in a window of its own; the code in the form is the credential.

    A code can be sent to somebody else, who would then learn and declare in the sender's name.
    So a visit that is carried over without its cookie asks “is that you?” again.
    """
    code = request.form.get("code", "")
    held, _member = visits.visit_by_token(g.session, access.visit_token(request), now=g.now)
    if held is not None and visits.has_code(held, code):
        return _enter(held)
    visit = visits.by_code(g.session, code, now=g.now)
    token = secrets.token_urlsafe(32)
    visits.renew_token(g.session, visit, token=token, now=g.now)
    response = current_app.make_response(redirect(url_for("people.confirm"), 303))
    access.set_visit_cookie(response, token)
    return response


@blueprint.get("/confirm")
@access.arrived()
def confirm() -> AnyResponse | str:
    """“You are NAME at SCHOOL. Not you?” Nothing is saved before the answer."""
    if g.visit.confirmed_at is not None:
        return redirect(_first_page(g.visit), 303)
    return render_template("people/confirm.html", person=g.session.get(Person, g.visit.person_id))


@blueprint.post("/confirm")
@access.arrived()
def answer_confirm() -> AnyResponse:
    """Yes: on to the first page. No: the visit ends here."""
    if _form(ConfirmForm())["answer"] == "yes":
        g.visit = visits.mapped(g.session, g.visit)
        visits.confirm(g.session, g.visit, now=g.now)
        return redirect(_first_page(g.visit), 303)
    return _end("people/not_you.html")


@blueprint.post("/finish")
@access.arrived()
def finish() -> AnyResponse:
    """Finish on this computer."""
    return _end("people/finished.html")


@blueprint.get("/ask-to-manage")
@access.visitor()
def manage_ask() -> AnyResponse | str:
    """Where an instructor enters the manager code, and others read whom to ask."""
    if manages(g.session, g.visit):
        return redirect(url_for("evidence.register"), 303)
    return _ask_page()


@blueprint.post("/ask-to-manage")
@access.visitor(is_act=True, limit=CODES)
def manage() -> AnyResponse | tuple[str, int]:
    """Become a manager with a code.

    A code is one of 29 ** 12, lives thirty days, and only somebody whom the platform calls an
    instructor or administrator may try.
    """
    if not g.visit.may_ask_to_manage:
        raise ToolError("not-allowed")
    try:
        enter_manager_code(
            g.session,
            _form(ManagerCodeForm())["code"],
            person_id=signed_in_as(g.session, g.visit),
            school_id=g.visit.school_id,
            now=g.now,
        )
    except ToolError:
        return _ask_page(is_wrong=True), 400
    return redirect(url_for("evidence.register"), 303)


def _ask_page(*, is_wrong: bool = False) -> str:
    school = current_app.extensions["catalogue"].schools[g.visit.school_id]
    return render_template(
        "people/manage.html", whom=school.role(school.ask).title["en"], is_wrong=is_wrong
    )


def _enter(visit: Visit, to: str = "") -> AnyResponse:
    """Use the code up, if that has not been done, and go where the address shows no code."""
    if visit.code_used_at is None:
        visits.burn_code(g.session, visits.mapped(g.session, visit), now=g.now)
    return redirect(_first_page(visit, to), 303)


def _first_page(visit: Visit, to: str = "") -> str:
    """Where a visit begins; ``to`` is what its door was asked for: training or register."""
    if visit.confirmed_at is None:
        return url_for("people.confirm")
    if visit.review_of:
        return url_for("evidence.record", membership_id=visit.review_of)
    if not visit.school_id:
        return url_for("teams.school" if visit.door == "teams" else "lti.set_up")
    if to == "training":
        return url_for("training.home")
    if manages(g.session, visit):
        return url_for("evidence.register")
    if to == "register" or (not visit.module and visit.may_ask_to_manage):
        return url_for("people.manage_ask")
    return url_for("training.home")


def _end(template: str) -> Response:
    """End the visit and show a last page, which nobody's visit stands behind any more."""
    visit = visits.mapped(g.session, g.visit)
    visits.finish(g.session, visit, now=g.now)
    g.visit = None
    g.frame_ancestors = visit.frame_ancestors.split()
    response = current_app.make_response(
        render_template(template, platform_name=visit.platform_name)
    )
    access.drop_visit_cookie(response)
    return response


def _form(schema: Schema) -> dict[str, str]:
    """The form's values; raises ``ToolError`` form-incomplete."""
    values = {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        loaded: dict[str, str] = schema.load(values)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return loaded
