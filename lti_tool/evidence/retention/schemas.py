"""What the forms about retention may send."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from lti_tool.core.errors import ToolError


class PeriodForm(Schema):
    """How long a kind is kept; nothing where the period is taken back."""

    class Meta:
        unknown = EXCLUDE

    number = fields.Integer(required=True, validate=validate.Range(1, 1200))
    unit = fields.String(required=True, validate=validate.OneOf(("months", "years")))


class ReasonForm(Schema):
    """Why."""

    class Meta:
        unknown = EXCLUDE

    reason = fields.String(
        required=True, validate=[validate.Length(1, 1000), validate.ContainsNoneOf("\0")]
    )


class PreviewQuery(Schema):
    """For which day."""

    class Meta:
        unknown = EXCLUDE

    on = fields.Date()


def read_period(form: Mapping[str, str]) -> int | str | None:
    """Months, or None where it is taken back; a message where it is neither."""
    if "unset" in form:
        return None
    try:
        given: dict[str, Any] = PeriodForm().load(form)
    except ValidationError:
        return str(_("Write a whole number of months or years"))
    return int(given["number"]) * (12 if given["unit"] == "years" else 1)


def read_reason(form: Mapping[str, str]) -> str:
    """The reason; empty where none was given."""
    try:
        reason: str = ReasonForm().load({"reason": form.get("reason", "").strip()})["reason"]
    except ValidationError:
        return ""
    return reason


def read_preview(args: Mapping[str, str]) -> date | None:
    """The day that is asked about, if any. Raises ``ToolError`` filter-unknown."""
    try:
        asked: dict[str, Any] = PreviewQuery().load({k: v for k, v in args.items() if v})
    except ValidationError as fault:
        raise ToolError("filter-unknown", fields="on") from fault
    return asked.get("on")
