"""What the forms of these pages may send. Messages stand beside the field they are about."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import lazy_gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from lti_tool.people.imports import columns
from lti_tool.people.imports.columns import CellError
from lti_tool.people.memberships import ROLE_GROUPS
from lti_tool.training.staff.listing import SHOWN

LARGEST_PAGE: Final = 10_000
MESSAGES: Final = {
    "name-missing": _("Write the name"),
    "formula": _("Write it without a sign such as = in front"),
    "too-long": _("Write less"),
    "email": _("Write an e-mail address such as name@school.sch.uk, or leave it empty"),
    "date": _("Write a date such as 1/9/2026 or 1 September 2026"),
    "excel-fault": _("Write what it should say"),
    "too-narrow": _("Write a date such as 1/9/2026 or 1 September 2026"),
    "number-shortened": _("Write the whole number"),
}


class _Cell(fields.Field[Any]):
    """A field read as a cell of a staff file is."""

    def __init__(self, read: Any, *, is_required: bool = False) -> None:
        super().__init__(load_default="")
        self._read, self._is_required = read, is_required

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_given: Any) -> Any:
        text = columns.clean(str(value))
        if not text and self._is_required:
            raise ValidationError(str(_("Write a date such as 1/9/2026 or 1 September 2026")))
        try:
            return self._read(text)
        except CellError as fault:
            raise ValidationError(str(MESSAGES[fault.code])) from fault


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE

    @pre_load
    def _fill(self, sent: Mapping[str, str], **_given: Any) -> dict[str, str]:
        return {name: sent.get(name, "") for name in self.fields}


class DetailsForm(_Form):
    """What a manager says of somebody; which sites there are, the view knows."""

    role_group = fields.String(validate=validate.OneOf(("", *ROLE_GROUPS)))
    site = fields.String()
    starts_on = _Cell(columns.read_date)
    ends_on = _Cell(columns.read_date)
    payroll_number = _Cell(columns.read_number)
    name = _Cell(lambda text: columns.read_name(text) if text else "")
    reason = fields.String(
        validate=[validate.Length(max=1000), validate.ContainsNoneOf("\0")], load_default=""
    )

    @post_load
    def _in_order(self, values: dict[str, Any], **_given: Any) -> dict[str, Any]:
        starts_on, ends_on = values["starts_on"], values["ends_on"]
        if starts_on and ends_on and ends_on < starts_on:
            raise ValidationError(str(_("Write a day after the start date")), "ends_on")
        return values


class AddForm(DetailsForm):
    """Somebody whom no platform and no file has brought."""

    name = _Cell(columns.read_name)
    email = _Cell(columns.read_email)


class AwayForm(_Form):
    """From when somebody is away, and until when if that is known."""

    away_from = _Cell(columns.read_date, is_required=True)
    away_until = _Cell(columns.read_date)


class BackForm(_Form):
    """The last day away; empty while nobody knows."""

    until = _Cell(columns.read_date)


class PeopleQuery(Schema):
    """The list's address."""

    class Meta:
        unknown = EXCLUDE

    q = fields.String(
        load_default="", validate=[validate.Length(max=100), validate.ContainsNoneOf("\0")]
    )
    show = fields.String(load_default="counted", validate=validate.OneOf(SHOWN))
    page = fields.Integer(load_default=1, validate=validate.Range(1, LARGEST_PAGE))


class PersonForm(Schema):
    """Whom a manager chose."""

    class Meta:
        unknown = EXCLUDE

    person = fields.UUID(required=True)


class ApplyForm(Schema):
    """The plan as it was shown, and the lines whose offer was ticked."""

    class Meta:
        unknown = EXCLUDE

    shown = fields.String(required=True, validate=validate.Length(equal=64))
    same = fields.List(fields.Integer(), load_default=list)
