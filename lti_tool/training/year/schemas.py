"""What the forms on the school's year may send."""

from calendar import monthrange
from datetime import date, timedelta
from typing import Any, Final

from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError, fields, validate, validates_schema

from lti_tool.training.schemas import Form

LONGEST_HOLIDAY: Final = timedelta(days=100)
_DAY: Final = lazy_gettext("Enter a day, such as 31")
_MONTH: Final = lazy_gettext("Choose a month")
_DATE: Final = lazy_gettext("Enter a date")


def _number(least: int, most: int, error: Any) -> fields.Integer:
    return fields.Integer(
        required=True,
        validate=validate.Range(least, most, error=error),
        error_messages={"invalid": [error]},
    )


def _date() -> fields.Date:
    return fields.Date(required=True, error_messages={"invalid": [_DATE]})


class DatesForm(Form):
    """The school's own dates, which recur every year."""

    opens_day = _number(1, 31, _DAY)
    opens_month = _number(1, 12, _MONTH)
    closes_day = _number(1, 31, _DAY)
    closes_month = _number(1, 12, _MONTH)
    induction_days = _number(1, 60, lazy_gettext("Enter a number of school days from 1 to 60"))
    grace_days = _number(0, 366, lazy_gettext("Enter a number of days from 0 to 366"))
    began_on = _date()

    @validates_schema
    def _are_days(self, data: dict[str, Any], **_: Any) -> None:
        for name in ("opens", "closes"):
            # A leap year has every day that any year has.
            if data[f"{name}_day"] > monthrange(2024, data[f"{name}_month"])[1]:
                raise ValidationError(gettext("That month has no such day"), f"{name}_day")


class HolidayForm(Form):
    """Days on which the school is closed."""

    name = fields.String(
        required=True,
        validate=validate.Length(
            1, 80, error=lazy_gettext("Say what it is, in at most 80 letters")
        ),
    )
    starts_on = _date()
    ends_on = _date()

    @validates_schema
    def _are_in_order(self, data: dict[str, Any], **_: Any) -> None:
        first: date = data["starts_on"]
        last: date = data["ends_on"]
        if last < first:
            raise ValidationError(gettext("The last day is before the first"), "ends_on")
        if last - first > LONGEST_HOLIDAY:
            raise ValidationError(gettext("That is longer than a hundred days"), "ends_on")


class CycleForm(Form):
    """When a cycle that is started now closes."""

    closes_on = _date()
