"""The school's year: dates, holidays, and a cycle that is looked at before it is opened."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from babel.dates import get_month_names
from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask_babel import get_locale
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from lti_tool.core.errors import ToolError
from lti_tool.people import access
from lti_tool.policies.policy import School
from lti_tool.training.cycles import calendars, opening
from lti_tool.training.cycles.facts import read_cycles
from lti_tool.training.cycles.settling import settle
from lti_tool.training.cycles.words import EXCUSES, group_counts
from lti_tool.training.year import previews
from lti_tool.training.year.bank_holidays import NATIONS, bank_holidays
from lti_tool.training.year.schemas import CycleForm, DatesForm, HolidayForm
from lti_tool.ui.format import local

blueprint = Blueprint("year", __name__, url_prefix="/year", template_folder="templates")
Page = Response | str | tuple[str, int]
AHEAD: Final = timedelta(days=400)
"""How far bank holidays are looked up."""


@blueprint.get("")
@access.manager()
def page() -> str:
    """The school's dates, and where its cycle stands."""
    return _page({}, {})


@blueprint.post("/dates")
@access.manager()
def save_dates() -> Page:
    """Set the dates that recur every year."""
    try:
        values = DatesForm().load(request.form)
    except ValidationError as fault:
        return _page(request.form, fault.normalized_messages()), 400
    calendars.change_calendar(
        g.session, school_id=_school().id, values=values, by=g.visit.person_id, now=g.now
    )
    return _saved("dates")


@blueprint.post("/holidays")
@access.manager()
def add_holiday() -> Page:
    """Close the school for some days."""
    try:
        values = HolidayForm().load(request.form)
    except ValidationError as fault:
        return _page(request.form, fault.normalized_messages()), 400
    calendars.add_holiday(
        g.session, school_id=_school().id, by=g.visit.person_id, now=g.now, **values
    )
    return _saved("holidays")


@blueprint.post("/holidays/bank")
@access.manager()
def add_bank_holidays() -> Page:
    """Close the school on the bank holidays to come."""
    for name, day in _bank_holidays():
        calendars.add_holiday(
            g.session, school_id=_school().id, name=name, starts_on=day, ends_on=day,
            by=g.visit.person_id, now=g.now,
        )  # fmt: skip
    return _saved("holidays")


@blueprint.post("/holidays/<uuid:holiday_id>/remove")
@access.manager()
def remove_holiday(holiday_id: UUID) -> Page:
    """Take a holiday back."""
    calendars.remove_holiday(
        g.session, school_id=_school().id, holiday_id=holiday_id, by=g.visit.person_id, now=g.now
    )
    return _saved("holidays")


@blueprint.get("/cycle")
@access.manager()
def check() -> Page:
    """Whom a cycle would ask if it were started now."""
    window = opening.next_cycle(g.session, school=_school(), now=g.now)
    return _check_page(window.closes_on, {})


@blueprint.post("/cycle")
@access.manager()
def open_cycle() -> Page:
    """Start the cycle."""
    try:
        closes_on: date = CycleForm().load(request.form)["closes_on"]
        opened = opening.open_now(
            g.session, school=_school(), closes_on=closes_on, by=g.visit.person_id, now=g.now
        )
    except ValidationError as fault:
        return _check_page(None, fault.normalized_messages()), 400
    return redirect(url_for("year.page", opened=opened.people), 303)


def _page(given: Mapping[str, Any], errors: Mapping[str, Any]) -> str:
    school, today = _school(), _today()
    calendar = calendars.calendar_of(g.session, school_id=school.id, now=g.now)
    dates = {name: getattr(calendar, name) for name in calendars.FIELDS}
    cycles = read_cycles(g.session, school_id=school.id)
    return render_template(
        "year/page.html",
        dates={**dates, **given} if "opens_day" in given else dates,
        holiday=given if "starts_on" in given else {},
        errors=errors,
        holidays=[
            one
            for one in calendars.holidays(g.session, school_id=school.id)
            if one.ends_on >= today
        ],
        bank_holidays=_bank_holidays(),
        cycles=cycles[::-1],
        today=today,
        may_start=_may_start(),
        next_on=opening.next_set_date(g.session, school=school, now=g.now),
        months=get_month_names("wide", locale=get_locale() or "en_GB"),
        saved=request.args.get("saved", ""),
        opened=request.args.get("opened", type=int),
    )


def _check_page(closes_on: date | None, errors: Mapping[str, Any]) -> str:
    window = opening.next_cycle(g.session, school=_school(), now=g.now)
    preview = previews.of_cycle(g.session, school=_school(), window=window, now=g.now)
    return render_template(
        "year/check.html",
        window=window,
        preview=preview,
        groups=group_counts(preview.by_role_group),
        excuses=EXCUSES,
        closes_on=closes_on.isoformat() if closes_on else request.form.get("closes_on", ""),
        errors=errors,
    )


def _saved(what: str) -> Response:
    """What is open may fall due another day now."""
    settle(g.session, school=_school(), now=g.now)
    return redirect(url_for("year.page", saved=what), 303)


def _may_start() -> bool:
    try:
        opening.next_cycle(g.session, school=_school(), now=g.now)
    except ToolError:
        return False
    return True


def _bank_holidays() -> list[tuple[str, date]]:
    """Those to come that are not entered yet, by name and day."""
    if _school().nation not in NATIONS:
        return []
    known = {
        day
        for one in calendars.holidays(g.session, school_id=_school().id)
        for day in (one.starts_on, one.ends_on)
    }
    return [one for one in bank_holidays(_today(), _today() + AHEAD) if one[1] not in known]


def _school() -> School:
    school: School = current_app.extensions["catalogue"].schools[g.visit.school_id]
    return school


def _today() -> date:
    return local(g.now).date()
