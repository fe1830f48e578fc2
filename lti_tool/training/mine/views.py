"""“My training”: what one owes, by when and why, and what one has done."""

from flask import Blueprint, current_app, g, render_template

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.people import access
from lti_tool.training.cycles.words import STATE_WORDS, cycle_words, reason_words
from lti_tool.training.learning_views import manages, settle_now, turn_now
from lti_tool.training.mine import record
from lti_tool.ui.format import local

blueprint = Blueprint("mine", __name__, template_folder="templates")


@blueprint.get("/my-training")
@access.visitor()
def page() -> str:
    """What is owed and what was done, at this school."""
    settle_now()
    catalogue: Catalogue = current_app.extensions["catalogue"]
    who = {"school_id": g.visit.school_id, "person_id": g.visit.person_id}
    owed, missed = record.duties(g.session, **who, today=local(g.now).date())
    return render_template(
        "mine/page.html",
        owed=owed,
        missed=missed,
        done=record.completions(g.session, **who),
        turn=turn_now(),
        titles={one.id: one.title["en"] for one in catalogue.modules.values()},
        state_words=STATE_WORDS,
        reason_words=reason_words,
        cycle_words=cycle_words,
        manages=manages(),
    )
