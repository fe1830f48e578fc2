"""The page that says whether a platform is well connected, and what to do where it is not."""

from flask import Blueprint, current_app, g, render_template

from lti_tool.lti.health import report, words
from lti_tool.people.access import arrived

blueprint = Blueprint("health", __name__, url_prefix="/health", template_folder="templates")


@blueprint.get("/")
@arrived()
def page() -> str:
    """Ask the platforms that this visit may look after, and say what was found."""
    registrations, schools = report.shown_to(g.session, g.visit)
    reports = report.check(
        current_app.extensions["lti"],
        g.session,
        registrations,
        schools=schools,
        catalogue=current_app.extensions["catalogue"],
        now=g.now,
    )
    return render_template("health/report.html", reports=reports, states=words.STATES)
