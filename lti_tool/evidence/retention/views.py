"""Pages for managers: how long what is kept, what would go when, and of whom nothing goes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.sansio.blueprints import BlueprintSetupState
from sqlalchemy import select
from werkzeug.wrappers import Response

from lti_tool.core.erasure import Disposal
from lti_tool.core.errors import ToolError
from lti_tool.evidence import records
from lti_tool.evidence.retention import disposing, setting
from lti_tool.evidence.retention.kinds import KINDS, period_words
from lti_tool.evidence.retention.schemas import read_period, read_preview, read_reason
from lti_tool.evidence.retention.tasks import register_tasks
from lti_tool.people import access
from lti_tool.people.models import Person
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import local

blueprint = Blueprint("retention", __name__, template_folder="templates")
Page = Response | str | tuple[str, int]

MOST_NAMED: Final = 50
MOST_SHOWN: Final = 20


@blueprint.record_once
def _open(state: BlueprintSetupState) -> None:
    app: Any = state.app
    register_tasks(app)


@blueprint.get("/retention")
@access.manager()
def page() -> str:
    """What is set, and what would go on a day."""
    return _page({}, {})


@blueprint.post("/retention/<kind>")
@access.manager()
def set_(kind: str) -> Page:
    """Set how long a kind is kept, or take it back."""
    months = read_period(request.form)
    try:
        if isinstance(months, str):
            return _page(request.form, {kind: months}), 400
        setting.set_period(
            g.session,
            school_id=g.visit.school_id,
            kind=kind,
            months=months,
            by=g.visit.person_id,
            now=g.now,
        )
    except ToolError as refusal:
        if refusal.code not in ("retention-too-short", "retention-too-long"):
            raise
        said = ERRORS[refusal.code]
        return _page(request.form, {kind: f"{said.text} {said.way_on}" % refusal.details}), 400
    return redirect(url_for(".page", saved=kind) + f"#{kind}", 303)


@blueprint.get("/register/<uuid:membership_id>/hold")
@access.manager(shows_person=True)
def hold(membership_id: UUID) -> str:
    """Whether what concerns one person is held back."""
    return _hold_page(membership_id, is_wrong=False)


@blueprint.post("/register/<uuid:membership_id>/hold")
@access.manager()
def change_hold(membership_id: UUID) -> Page:
    """Hold back what concerns one person, or let it go again."""
    reason = read_reason(request.form)
    if not reason:
        return _hold_page(membership_id, is_wrong=True), 400
    change = setting.lift_hold if "lift" in request.form else setting.place_hold
    change(
        g.session,
        school_id=g.visit.school_id,
        person_id=_record(membership_id).person_id,
        reason=reason,
        by=g.visit.person_id,
        now=g.now,
    )
    return redirect(url_for(".hold", membership_id=membership_id), 303)


def _page(given: Mapping[str, str], errors: Mapping[str, str]) -> str:
    school_id = g.visit.school_id
    # A period that was set today first counts in a week.
    day = read_preview(request.args) or local(g.now).date() + disposing.RESPITE + timedelta(1)
    shown = disposing.preview(g.session, school_id=school_id, on=day)
    done = g.session.scalars(
        select(Disposal)
        .where(Disposal.school_id == school_id)
        .order_by(Disposal.began_at.desc(), Disposal.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    return render_template(
        "retention/page.html",
        kinds=KINDS,
        periods=disposing.periods(g.session, school_id=school_id),
        period_words=period_words,
        preview=shown,
        names={kind: _names(shown.due.get(kind, ())) for kind in disposing.OF_PEOPLE},
        holds=setting.holds(g.session, school_id=school_id),
        done=done,
        given=given,
        errors=errors,
        saved=request.args.get("saved", ""),
    )


def _names(person_ids: Sequence[UUID]) -> list[str]:
    found = g.session.scalars(
        select(Person)
        .where(Person.id.in_(person_ids[: 10 * MOST_NAMED]), Person.one_with.is_(None))
        .order_by(Person.name, Person.id)
        .limit(MOST_NAMED)
    )
    return [one.name or one.reference for one in found]


def _record(membership_id: UUID) -> records.Record:
    return records.record(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        today=local(g.now).date(),
    )


def _hold_page(membership_id: UUID, *, is_wrong: bool) -> str:
    found = _record(membership_id)
    every = setting.holds(g.session, school_id=g.visit.school_id)
    return render_template(
        "retention/hold.html",
        record=found,
        standing=setting.standing(
            g.session, school_id=g.visit.school_id, person_id=found.person_id
        ),
        holds=[one for one in every if one.membership_id == membership_id],
        is_wrong=is_wrong,
    )
