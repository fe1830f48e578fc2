"""Pages: a certificate for its holder and for managers, and what anybody may learn of a number."""

from uuid import UUID

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import LOOK_UPS
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence import records
from lti_tool.evidence.certificates import issuing, paper
from lti_tool.evidence.certificates.numbers import shown
from lti_tool.evidence.certificates.schemas import read_decision, read_number
from lti_tool.evidence.certificates.words import STATES
from lti_tool.evidence.packs.words import module_title
from lti_tool.evidence.words import cycle_words
from lti_tool.people import access
from lti_tool.people.models import Person
from lti_tool.policies.policy import School
from lti_tool.training.models import Completion
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import local

blueprint = Blueprint("certificates", __name__, template_folder="templates")
Page = str | tuple[str, int]


@blueprint.get("/certificates")
@access.public()
def ask() -> str:
    """The form for a number."""
    return render_template("certificates/check.html", number="", error="")


@blueprint.post("/certificates")
@access.public(csrf=False, limit=LOOK_UPS)
def check() -> Page:
    """What a number stands for. It is sent in the form, so that no address names it."""
    typed = request.form.get("number", "")
    try:
        found = issuing.look_up(g.session, number=read_number(typed), today=local(g.now).date())
    except ToolError as refusal:
        error = ERRORS[refusal.code].text
        page = render_template("certificates/check.html", number=typed[:100], error=error)
        return page, ERRORS[refusal.code].status
    school = _catalogue().schools.get(found.completion.school_id)
    return render_template(
        "certificates/found.html",
        found=found,
        number=shown(found.number),
        school_name=school.name if school else found.completion.school_id,
        words=STATES[found.state],
    )


@blueprint.get("/my-training/certificates/<uuid:completion_id>.pdf")
@access.visitor(writes=True)
def own(completion_id: UUID) -> Response:
    """The holder's own; the first time it is issued."""
    return _pdf(_completion(g.visit.person_id, completion_id))


@blueprint.get("/register/<uuid:membership_id>/certificates/<uuid:completion_id>.pdf")
@access.manager(hands_out=True)
def theirs(membership_id: UUID, completion_id: UUID) -> Response:
    """Somebody's, for a manager; that it was taken goes into the access log."""
    g.names_nobody = True  # but whom it is about
    return _pdf(_completion(_record(membership_id).person_id, completion_id))


@blueprint.get("/register/<uuid:membership_id>/certificates/<uuid:completion_id>")
@access.manager(shows_person=True)
def one(membership_id: UUID, completion_id: UUID) -> Page:
    """What has become of a certificate, and the form to withdraw it."""
    return _page(membership_id, completion_id, error="")


@blueprint.post("/register/<uuid:membership_id>/certificates/<uuid:completion_id>")
@access.manager()
def decide(membership_id: UUID, completion_id: UUID) -> Page | AnyResponse:
    """Withdraw it, or let it stand again."""
    act, reason = read_decision(request.form)
    if not reason:
        return _page(membership_id, completion_id, error="reason"), 400
    issuing.decide(
        g.session,
        completion=_completion(_record(membership_id).person_id, completion_id),
        act=act,
        reason=reason,
        by=g.visit.person_id,
        now=g.now,
    )
    back = url_for(".one", membership_id=membership_id, completion_id=completion_id)
    return redirect(back, 303)


def _page(membership_id: UUID, completion_id: UUID, *, error: str) -> str:
    record = _record(membership_id)
    completion = _completion(record.person_id, completion_id)
    found = issuing.issued(g.session, completion=completion, today=local(g.now).date())
    return render_template(
        "certificates/one.html",
        record=record,
        completion=completion,
        title=_title(completion),
        found=found,
        number=shown(found.number) if found else "",
        words=STATES[found.state] if found else None,
        error=error,
    )


def _pdf(completion: Completion) -> Response:
    """It writes, so another site may not set it off behind somebody's back."""
    if request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
        raise ToolError("form-expired")
    issued = issuing.issue(g.session, school=_school(), completion=completion, now=g.now)
    config = current_app.extensions["config"]
    file = paper.pdf(
        issued,
        school=_school(),
        training=_title(completion),
        reference=Person(id=completion.person_id).reference,
        address=config.url + url_for(".ask"),
        now=issued.issued_at,
    )
    response = Response(file, mimetype="application/pdf")
    name = f"certificate-{shown(issued.number)}.pdf"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _title(completion: Completion) -> str:
    title = module_title(_catalogue().modules, completion.module)
    return f"{title}, {cycle_words(completion.cycle)}"


def _completion(person_id: UUID, completion_id: UUID) -> Completion:
    return issuing.completion_of(
        g.session,
        school_id=g.visit.school_id,
        person_id=person_id,
        completion_id=completion_id,
    )


def _record(membership_id: UUID) -> records.Record:
    return records.record(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        today=local(g.now).date(),
    )


def _school() -> School:
    return _catalogue().schools[g.visit.school_id]


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
