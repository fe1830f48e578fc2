"""The access log, for managers; and “My data”, where each person sees what concerned them."""

from dataclasses import asdict

from flask import Blueprint, g, render_template, request

from lti_tool.evidence.acts import listing
from lti_tool.evidence.acts.schemas import read_log_query
from lti_tool.evidence.acts.words import KIND_WORDS, act_words
from lti_tool.people import access

blueprint = Blueprint("acts", __name__, template_folder="templates")


@blueprint.get("/access-log")
@access.manager()
def log() -> str:
    """What managers of this school did."""
    filters, number = read_log_query(request.args)
    lines, total = listing.page(
        g.session, school_id=g.visit.school_id, filters=filters, number=number
    )
    return render_template(
        "acts/log.html",
        lines=lines,
        total=total,
        filters=filters,
        link={name: value for name, value in asdict(filters).items() if value},
        number=number,
        pages=-(-total // listing.PAGE),
        actors=listing.actors(g.session, school_id=g.visit.school_id),
        kind_words=KIND_WORDS,
        act_words=act_words,
    )


@blueprint.get("/my-data")
@access.visitor()
def mine() -> str:
    """Who looked at one's own record, and did what with it, and when."""
    return render_template(
        "acts/mine.html",
        lines=listing.of(
            g.session, school_id=g.visit.school_id, person_id=g.visit.person_id, most=200
        ),
        # Whom the school has not yet said to be its own is shown no names of its staff.
        shows_names=g.member is not None and g.member.confirmed_at is not None,
        act_words=act_words,
    )
