"""The tab, its configuration, and the sign-in that leads from either into the training."""

import io
from typing import Final

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    jsonify,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import LAUNCHES
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.people.access import arrived, manager, public, set_visit_cookie
from lti_tool.people.arrive import Admission
from lti_tool.people.memberships import manages
from lti_tool.teams import arriving, packages, set_up, tenants
from lti_tool.teams.schemas import read_place
from lti_tool.teams.tenants import Known, Teams
from lti_tool.teams.tokens import Proved, prove

THEME_COOKIE: Final = "clauseway-theme"
THEMES: Final = ("dark", "contrast")
"""Besides the light one; ``teams.js`` writes the cookie."""

blueprint = Blueprint("teams", __name__, url_prefix="/teams", template_folder="templates")

IN_TEAMS: Final = {"teams.tab", "teams.enter", "teams.configure", "teams.choices"}
"""What stands in Teams' frame before there is a visit, refusals included."""


@blueprint.before_request
def _stand_in_teams() -> None:
    if request.endpoint in IN_TEAMS:
        g.door, g.frame_ancestors = "teams", _teams().framed_by


@blueprint.get("/tab")
@public(csrf=False)
def tab() -> str:
    """What a tab opens. It holds nothing but the script that asks Teams who is there."""
    return render_template("teams/tab.html", asked=read_place(request.args))


@blueprint.post("/enter")
@public(csrf=False, limit=LAUNCHES)
def enter() -> AnyResponse:
    """Let a person in who brings a token. In a header: no page of another site can send one."""
    place = read_place(request.form)
    admission: Admission = arriving.settle(
        g.session,
        _prove(),
        teams=_teams(),
        school=place.school,
        module=place.module,
        catalogue=_catalogue(),
        now=g.now,
    )
    response = jsonify({"next": url_for("people.start", code=admission.code, to=place.to)})
    set_visit_cookie(response, admission.token)
    return response


@blueprint.get("/configure")
@public(csrf=False)
def configure() -> str:
    """What Teams opens when somebody adds the tab to a channel."""
    return render_template("teams/configure.html")


@blueprint.post("/configure")
@public(csrf=False, limit=LAUNCHES)
def choices() -> str:
    """The form of that page, for somebody who brings a token: whose schools there are is told to
    their own organisation."""
    return render_template(
        "teams/choices.html",
        schools=arriving.offered(_prove().tenant, _catalogue()),
        modules=arriving.trainings(_catalogue()),
        tab_url=f"{_teams().config.url}{url_for('.tab')}",
    )


@blueprint.get("/about")
@public(csrf=False)
def about() -> str:
    """What the app package names as its pages on privacy and terms."""
    return render_template("teams/about.html")


@blueprint.get("/set-up")
@public()
def guide() -> str:
    """The steps for a Microsoft 365 administrator; with their own values for the school's
    managers, with blanks for everybody else."""
    visit = g.visit
    may_see = visit is not None and visit.confirmed_at and manages(g.session, visit)
    tenant = _tenant(visit.school_id) if may_see else None
    return render_template(
        "teams/set_up.html",
        manages=may_see,
        tenant=tenant,
        steps=set_up.steps(_teams(), tenant),
        links=set_up.links(_teams(), tenant, visit.school_id) if tenant else (),
    )


@blueprint.get("/app.zip")
@manager()
def download() -> Response:
    """The app package of the school's organisation."""
    tenant = _tenant(g.visit.school_id)
    if tenant is None:
        raise ToolError("page-not-found")
    made = packages.package(_teams(), tenant)
    return send_file(
        io.BytesIO(made), "application/zip", as_attachment=True, download_name=packages.FILE_NAME
    )


def _tenant(school_id: str) -> Known | None:
    """The organisation the school's staff come from; the first by name where there are several."""
    return next(iter(tenants.of_school(g.session, school_id)), None)


@blueprint.get("/school")
@arrived()
def school() -> str:
    """Where somebody of an organisation with several schools says which is theirs."""
    if g.visit.door != "teams":
        raise ToolError("page-not-found")
    tenant = tenants.by_row(g.session, g.visit.place_id)
    return render_template(
        "teams/school.html",
        schools=arriving.offered(tenant, _catalogue()),
        module=g.visit.module,
    )


def _prove() -> Proved:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return prove(
        _teams(), g.session, token.strip() if scheme.lower() == "bearer" else "", now=g.now
    )


def _teams() -> Teams:
    teams: Teams = current_app.extensions["teams"]
    return teams


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
