"""The list of a school's people, and one person: details, days away, whom they are one with."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from marshmallow import Schema, ValidationError
from sqlalchemy import select
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.people import joins
from lti_tool.people.access import manager
from lti_tool.people.details import absences, changing
from lti_tool.people.details.changing import Details
from lti_tool.people.models import Membership, Person
from lti_tool.training.staff import listing
from lti_tool.training.staff.here import school, settle_again, today
from lti_tool.training.staff.schemas import AddForm, AwayForm, BackForm, DetailsForm, PeopleQuery
from lti_tool.training.staff.words import ROLE_GROUP_WORDS, SHOW_WORDS
from lti_tool.ui.errors import ERRORS

Page = Response | str | tuple[str, int]

blueprint = Blueprint("staff", __name__, url_prefix="/people", template_folder="templates")

# What a form's fields can be refused for past their own reading: the field it stands beside.
REFUSED_AT = {
    "payroll-number-taken": "payroll_number",
    "reason-missing": "reason",
    "name-elsewhere": "name",
    "absence-ends-early": "away_until",
    "absence-overlaps": "away_from",
}


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return {"role_group_words": ROLE_GROUP_WORDS}


@blueprint.get("")
@manager()
def people() -> str:
    """Who the school's people are."""
    try:
        asked: dict[str, Any] = PeopleQuery().load(request.args)
    except ValidationError as fault:
        unfit = ", ".join(sorted(fault.messages_dict))
        raise ToolError("filter-unknown", fields=unfit) from fault
    q, show, number = asked["q"], asked["show"], asked["page"]
    lines, total = listing.page(
        g.session, school_id=g.visit.school_id, q=q, show=show, number=number, today=today()
    )
    return render_template(
        "staff/people.html",
        lines=lines,
        total=total,
        q=q,
        show=show,
        show_words=SHOW_WORDS,
        number=number,
        pages=-(-total // listing.PAGE),
        sites=school().sites,
    )


@blueprint.get("/add")
@manager()
def add_form() -> str:
    """Add one person by hand."""
    return _add_page({}, {})


@blueprint.post("/add")
@manager()
def add() -> Page:
    """Add one person; they count at once."""
    try:
        values = _read(AddForm(), request.form)
        del values["reason"]  # nothing is corrected by adding somebody
        member = changing.add(
            g.session,
            school_id=g.visit.school_id,
            name=values.pop("name"),
            email=values.pop("email"),
            details=_details(values),
            by=g.visit.person_id,
            now=g.now,
        )
    except (ValidationError, ToolError) as fault:
        return _add_page(request.form, _messages(fault)), 400
    settle_again([member.person_id])
    return redirect(url_for(".person", membership_id=member.id, saved=1), 303)


@blueprint.get("/<uuid:membership_id>")
@manager(shows_person=True)
def person(membership_id: UUID) -> Page:
    """One person."""
    member, found = changing.find(
        g.session, school_id=g.visit.school_id, membership_id=membership_id
    )
    if found.one_with is not None:
        root = g.session.scalar(
            select(Membership.id).where(
                Membership.school_id == member.school_id, Membership.person_id == found.one_with
            )
        )
        return redirect(url_for(".person", membership_id=root), 303)
    return _person_page(member, found, {}, {})


@blueprint.post("/<uuid:membership_id>")
@manager()
def change(membership_id: UUID) -> Page:
    """Say otherwise of somebody."""
    member, found = changing.find(
        g.session, school_id=g.visit.school_id, membership_id=membership_id
    )
    try:
        values = _read(DetailsForm(), request.form)
        changing.change(
            g.session,
            member,
            name=values.pop("name"),
            reason=values.pop("reason").strip(),
            details=_details(values),
            by=g.visit.person_id,
            now=g.now,
        )
    except (ValidationError, ToolError) as fault:
        return _person_page(member, found, request.form, _messages(fault)), 400
    settle_again([member.person_id])
    return redirect(url_for(".person", membership_id=membership_id, saved=1), 303)


@blueprint.post("/<uuid:membership_id>/away")
@manager()
def away(membership_id: UUID) -> Page:
    """Somebody is, was or will be away from work."""
    member, found = changing.find(
        g.session, school_id=g.visit.school_id, membership_id=membership_id
    )
    try:
        values = _read(AwayForm(), request.form)
        absences.enter(
            g.session,
            school_id=g.visit.school_id,
            person_id=member.person_id,
            person_ids=joins.everybody_who_is(g.session, member.person_id),
            starts_on=values["away_from"],
            ends_on=values["away_until"],
            by=g.visit.person_id,
            now=g.now,
        )
    except (ValidationError, ToolError) as fault:
        return _person_page(member, found, request.form, _messages(fault)), 400
    settle_again([member.person_id])
    return redirect(url_for(".person", membership_id=membership_id, saved=1), 303)


@blueprint.post("/<uuid:membership_id>/away/<uuid:absence_id>")
@manager()
def back(membership_id: UUID, absence_id: UUID) -> Page:
    """Give an absence its last day, or say that it was a mistake."""
    member, found = changing.find(
        g.session, school_id=g.visit.school_id, membership_id=membership_id
    )
    ids = joins.everybody_who_is(g.session, member.person_id)
    absence = absences.find(
        g.session, school_id=g.visit.school_id, person_ids=ids, absence_id=absence_id
    )
    by: UUID = g.visit.person_id
    if "remove" in request.form:
        absences.remove(g.session, absence, by=by, now=g.now)
    else:
        try:
            until = _read(BackForm(), request.form)["until"]
            absences.end(g.session, absence, person_ids=ids, ends_on=until, by=by, now=g.now)
        except (ValidationError, ToolError) as fault:
            errors = dict.fromkeys([f"until-{absence_id}"], *_messages(fault).values())
            given = {f"until-{absence_id}": request.form.get("until", "")}
            return _person_page(member, found, given, errors), 400
    settle_again([member.person_id])
    return redirect(url_for(".person", membership_id=membership_id, saved=1), 303)


def _read(form: Schema, sent: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = form.load(sent)
    return values


def _details(values: dict[str, Any]) -> Details:
    if values["site"] not in school().sites:
        values["site"] = ""
    return Details(**values)


def _messages(fault: ValidationError | ToolError) -> dict[str, str]:
    """One message for each field at fault. Raises the ``ToolError`` again that is of no field."""
    if isinstance(fault, ToolError):
        if fault.code not in REFUSED_AT:
            raise fault
        return {REFUSED_AT[fault.code]: str(ERRORS[fault.code].way_on)}
    return {name: str(said[0]) for name, said in fault.normalized_messages().items()}


def _add_page(given: Mapping[str, str], errors: Mapping[str, str]) -> str:
    return render_template("staff/add.html", given=given, errors=errors, sites=school().sites)


def _person_page(
    member: Membership, found: Person, given: Mapping[str, str], errors: Mapping[str, str]
) -> str:
    ids = joins.everybody_who_is(g.session, found.id)
    return render_template(
        "staff/person.html",
        member=member,
        person=found,
        given=given,
        errors=errors,
        sites=school().sites,
        absences=absences.of(g.session, school_id=g.visit.school_id, person_ids=ids),
        joins=joins.standing(g.session, person_id=found.id),
        today=today(),
        saved="saved" in request.args,
    )
