"""Two persons who are one: offered to managers, and “Is this also you?” for the person."""

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import CODES
from lti_tool.people import joins, memberships
from lti_tool.people.access import manager, visitor
from lti_tool.people.details import changing
from lti_tool.people.joining import codes, offers
from lti_tool.people.models import Grant, Person
from lti_tool.training.staff.here import settle_again
from lti_tool.training.staff.learned import in_order

Page = Response | str | tuple[str, int]

blueprint = Blueprint("joins", __name__, template_folder="templates")


@blueprint.get("/people/same")
@manager()
def offered() -> str:
    """Who of the school's people may be one."""
    found = offers.offers(g.session, school_id=g.visit.school_id)
    return render_template("staff/same.html", offers=found)


@blueprint.get("/people/same/<uuid:first>/<uuid:second>")
@manager(shows_person=True)
def compare(first: UUID, second: UUID) -> str:
    """Two people side by side, before they are joined."""
    found = offers.pair(g.session, school_id=g.visit.school_id, person_ids=(first, second))
    g.concerns |= {first, second}
    shown_as = in_order(g.session, (first, second))[0]
    found.sort(key=lambda one: one.person_id != shown_as)
    return render_template("staff/compare.html", pair=found)


@blueprint.post("/people/same/<uuid:first>/<uuid:second>")
@manager()
def join(first: UUID, second: UUID) -> Page:
    """Join them, if the manager says that they are one human."""
    found = offers.pair(g.session, school_id=g.visit.school_id, person_ids=(first, second))
    managed = g.session.scalars(
        select(Grant.school_id).where(
            Grant.person_id == _signed_in_as(), Grant.revoked_at.is_(None)
        )
    ).all()
    joins.check_manager_may(g.session, school_ids=managed, person_ids=(first, second))
    root, joined = in_order(g.session, (first, second))
    joins.join(
        g.session,
        root_id=root,
        joined_id=joined,
        school_id=g.visit.school_id,
        now=g.now,
        made_by=g.visit.person_id,
    )
    settle_again([root, joined])
    shown = next(one for one in found if one.person_id == root)
    return redirect(url_for("staff.person", membership_id=shown.membership_id, saved=1), 303)


@blueprint.post("/people/<uuid:membership_id>/separate/<uuid:join_id>")
@manager()
def separate(membership_id: UUID, join_id: UUID) -> Page:
    """They are two after all."""
    changing.find(g.session, school_id=g.visit.school_id, membership_id=membership_id)
    made = joins.separate(
        g.session,
        join_id=join_id,
        school_id=g.visit.school_id,
        now=g.now,
        by=g.visit.person_id,
    )
    settle_again([made.root_id, made.joined_id])
    return redirect(url_for("staff.person", membership_id=membership_id, saved=1), 303)


@blueprint.get("/also-you")
@visitor()
def also_you() -> str:
    """Where somebody who signs in at two places says so."""
    return _also_page()


@blueprint.post("/also-you/code")
@visitor()
def show_code() -> str:
    """A code to enter at the other place; it is shown once."""
    return _also_page(code=codes.make_code(g.session, g.visit, now=g.now))


@blueprint.post("/also-you/who")
@visitor(limit=CODES)
def who() -> Page:
    """Whose code it is, before anything happens."""
    code = request.form.get("code", "")[:100]
    try:
        found, other = codes.by_code(g.session, code, now=g.now)
    except ToolError:
        return _also_page(is_wrong=True), 400
    return render_template(
        "staff/is_it_you.html",
        code=code,
        other=other,
        platform_name=found.platform_name,
        own=g.session.get(Person, _signed_in_as()),
    )


@blueprint.post("/also-you")
@visitor(limit=CODES)
def yes() -> Page:
    """Yes, that is also me."""
    if request.form.get("answer") != "yes":
        return redirect(url_for(".also_you"), 303)
    try:
        found, other = codes.by_code(g.session, request.form.get("code", "")[:100], now=g.now)
    except ToolError:
        return _also_page(is_wrong=True), 400
    both = _root(other.id), _root(_signed_in_as())
    if both[0] == both[1]:
        raise ToolError("joined-already")
    root, joined = in_order(g.session, both)
    joins.join(g.session, root_id=root, joined_id=joined, school_id=g.visit.school_id, now=g.now)
    found.used_at = g.now
    settle_again([root, joined])
    return redirect(url_for(".also_you", saved=1), 303)


@blueprint.post("/also-you/separate/<uuid:join_id>")
@visitor()
def not_me(join_id: UUID) -> Page:
    """It is not me after all: of joins that are this visit's person's."""
    if join_id not in {made.id for made, _ in joins.standing(g.session, person_id=_signed_in_as())}:
        raise ToolError("page-not-found")
    made = joins.separate(g.session, join_id=join_id, school_id=g.visit.school_id, now=g.now)
    settle_again([made.root_id, made.joined_id])
    return redirect(url_for(".also_you"), 303)


def _signed_in_as() -> UUID:
    return memberships.signed_in_as(g.session, g.visit)


def _root(person_id: UUID) -> UUID:
    root: UUID = g.session.scalars(select(joins.root_of(person_id))).one()
    return root


def _also_page(*, code: str = "", is_wrong: bool = False) -> str:
    return render_template(
        "staff/also_you.html",
        code=code,
        is_wrong=is_wrong,
        joins=joins.standing(g.session, person_id=g.visit.person_id),
        saved="saved" in request.args,
    )
