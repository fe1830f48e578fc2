"""What a manager does for others: enters a declaration on paper, gives another due date."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.evidence import records
from lti_tool.evidence.dashboard import chasing
from lti_tool.evidence.dashboard.figures import when_words
from lti_tool.evidence.dashboard.schemas import (
    Errors,
    read_ids,
    read_move,
    read_paper,
    read_reason,
)
from lti_tool.evidence.records import Record, Taken
from lti_tool.evidence.words import cycle_words, page_words
from lti_tool.people import access, memberships
from lti_tool.policies.policy import School
from lti_tool.training.cycles import moving
from lti_tool.training.cycles.owing import UPDATE
from lti_tool.training.cycles.versions import in_use
from lti_tool.training.paper import entering
from lti_tool.ui.errors import ERRORS
from lti_tool.ui.format import local

blueprint = Blueprint("acting", __name__, template_folder="templates")
Page = Response | str | tuple[str, int]

# Which field of the form a refusal speaks of; the form is shown again with it.
FIELDS = {
    "paper-in-future": "signed_on",
    "paper-before-start": "signed_on",
    "paper-before-version": "policy_number",
    "paper-version-unknown": "policy_number",
    "paper-again": "training",
    "due-date-unfit": "to_on",
}


@blueprint.context_processor
def _words() -> dict[str, object]:
    return page_words(_catalogue().modules) | {"when_words": when_words}


@blueprint.get("/register/<uuid:membership_id>/paper")
@access.manager(shows_person=True)
def paper(membership_id: UUID) -> Page:
    """The form for a declaration on paper; with ``instead_of`` for one entered by mistake."""
    record = _record(membership_id)
    return _paper_page(record, _instead(record, request.args), {}, {})


@blueprint.post("/register/<uuid:membership_id>/paper")
@access.manager()
def enter_paper(membership_id: UUID) -> Page:
    """Enter it; a correction takes the wrong one back and enters the right one, at once."""
    record = _record(membership_id)
    instead = _instead(record, request.form)
    given = read_paper(request.form)
    if isinstance(given, dict):
        return _paper_page(record, instead, request.form, given), 400
    if f"{given.module} {given.cycle}" not in dict(_trainings(record, instead)):
        raise ToolError("form-incomplete")
    try:
        if instead is not None and instead.paper is not None:
            _withdraw(instead.paper.completion_id, given.reason)
        entering.enter(
            g.session,
            school=_school(),
            membership_id=membership_id,
            paper=entering.Paper(
                given.module, given.cycle, given.signed_on, given.policy_number, given.reason
            ),
            by=g.visit.person_id,
            now=g.now,
        )
    except ToolError as refusal:
        # The page is an answer of 400, with which everything is rolled back.
        return _paper_page(record, instead, request.form, _of_field(refusal)), 400
    return _to_record(membership_id, "paper")


@blueprint.post("/register/<uuid:membership_id>/paper/withdraw")
@access.manager()
def withdraw_paper(membership_id: UUID) -> Page:
    """Take back what was entered by mistake, without another in its place."""
    record = _record(membership_id)
    instead = _instead(record, request.form)
    if instead is None or instead.paper is None:
        raise ToolError("page-not-found")
    reason = read_reason(request.form)
    if isinstance(reason, dict):
        return _paper_page(record, instead, {}, {"withdraw_reason": reason["reason"]}), 400
    _withdraw(instead.paper.completion_id, reason)
    return _to_record(membership_id, "withdrawn")


@blueprint.get("/due-dates")
@access.manager()
def dates() -> Page:
    """The form for another due date, for those ticked."""
    found = _chosen(request.args)
    if not found:
        return redirect(url_for("dashboard.chase", moved=0), 303)
    return _dates_page(found, {}, {})


@blueprint.post("/due-dates")
@access.manager()
def move_dates() -> Page:
    """Give them the date."""
    found = _chosen(request.form)
    given = read_move(request.form)
    if isinstance(given, dict):
        return _dates_page(found, request.form, given), 400
    to_on, reason = given
    g.concerns |= memberships.people_of(
        g.session,
        school_id=g.visit.school_id,
        membership_ids=[one.membership_id for one in found],
    )
    try:
        number = moving.move(
            g.session,
            school_id=g.visit.school_id,
            obligation_ids=read_ids(request.form, "obligation"),
            to_on=to_on,
            reason=reason,
            by=g.visit.person_id,
            now=g.now,
        )
    except ToolError as refusal:
        return _dates_page(found, request.form, _of_field(refusal)), 400
    back = read_ids(request.form, "back")
    if back:
        return _to_record(back[0], "moved")
    return redirect(url_for("dashboard.chase", moved=number), 303)


def _of_field(refusal: ToolError) -> Errors:
    """A refusal as what is wrong with a field; raised again where no field is at fault."""
    if refusal.code not in FIELDS:
        raise refusal
    return {FIELDS[refusal.code]: ERRORS[refusal.code].text}


def _withdraw(completion_id: UUID, reason: str) -> None:
    entering.withdraw(
        g.session,
        school=_school(),
        completion_id=completion_id,
        reason=reason,
        by=g.visit.person_id,
        now=g.now,
    )


def _record(membership_id: UUID) -> Record:
    """Nobody opens the form for themselves. Raises ``ToolError`` paper-for-oneself too."""
    found = records.record(
        g.session,
        school_id=g.visit.school_id,
        membership_id=membership_id,
        today=local(g.now).date(),
    )
    entering.not_for_oneself(g.session, found.person_id, g.visit.person_id)
    return found


def _instead(record: Record, given: Mapping[str, str]) -> Taken | None:
    """The paper to be corrected. Raises ``ToolError`` page-not-found where it is not theirs."""
    wanted = given.get("instead_of", "")
    if not wanted:
        return None
    for taken in record.taken:
        standing = taken.paper and not taken.paper.withdrawn_at
        if standing and taken.paper and str(taken.paper.completion_id) == wanted:
            return taken
    raise ToolError("page-not-found")


def _trainings(record: Record, instead: Taken | None) -> list[tuple[str, str]]:
    """What the paper may be for: what is asked, then this school year's trainings."""
    wanted = [(one.module, one.cycle) for one in record.owed if one.state != "done"]
    if instead is not None:
        wanted.insert(0, (instead.module, instead.cycle))
    modules = _catalogue().modules
    current = cycle_of(g.now, _school().year_starts)
    done = {(one.module, one.cycle) for one in record.taken if one.completed_at and not (
        one.paper and one.paper.withdrawn_at)}  # fmt: skip
    wanted += [
        (module, current)
        for module in modules
        if module != UPDATE and (module, current) not in done
    ]
    return [
        (f"{module} {cycle}", f"{modules[module].title['en']}, {cycle_words(cycle)}")
        for module, cycle in dict.fromkeys(wanted)
        if module in modules
    ]


def _paper_page(
    record: Record, instead: Taken | None, given: Mapping[str, Any], errors: Errors
) -> str:
    school = _school()
    current = in_use(g.session, school).number
    return render_template(
        "dashboard/paper.html",
        record=record,
        instead=instead,
        trainings=_trainings(record, instead),
        versions=[
            one.number
            for one in reversed(school.versions)
            if not one.demonstration or one.number == current
        ],
        in_use=current,
        given=given,
        errors=errors,
    )


def _chosen(given: Any) -> list[chasing.Chased]:
    return chasing.chosen(
        g.session,
        school_id=g.visit.school_id,
        obligation_ids=read_ids(given, "obligation"),
        today=local(g.now).date(),
    )


def _dates_page(found: list[chasing.Chased], given: Mapping[str, Any], errors: Errors) -> str:
    back = read_ids(request.values, "back")
    return render_template(
        "dashboard/dates.html",
        chosen=found,
        given=given,
        errors=errors,
        back=back[0] if back else None,
    )


def _to_record(membership_id: UUID, noted: str) -> Response:
    return redirect(url_for("evidence.record", membership_id=membership_id, noted=noted), 303)


def _school() -> School:
    return _catalogue().schools[g.visit.school_id]


def _catalogue() -> Catalogue:
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return catalogue
