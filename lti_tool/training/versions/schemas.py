"""What the form that opens a version may send."""

from datetime import date
from typing import Any, Final

from flask_babel import gettext, lazy_gettext
from marshmallow import ValidationError, fields, post_load, validate

from lti_tool.policies.diff import Weight
from lti_tool.training.schemas import TICKED, Form

LONGEST: Final = 1000


class OpenForm(Form):
    """The weight, why it is another than proposed, and by when; a major version has a date."""

    before = fields.String()
    weight = fields.String(
        validate=validate.OneOf(list(Weight), error=lazy_gettext("Choose major or minor"))
    )
    reason = fields.String(
        validate=validate.Length(max=LONGEST, error=lazy_gettext("Write at most {max} letters"))
    )
    day = fields.String()
    month = fields.String()
    year = fields.String()
    is_known = fields.String()

    @post_load
    def _read(self, sent: dict[str, str], **_: Any) -> dict[str, Any]:
        weight = Weight(sent["weight"])
        return {
            "before": sent["before"],
            "weight": weight,
            "reason": " ".join(sent["reason"].split()),
            "due_on": None if weight is Weight.MINOR else _date(sent),
            "is_known": sent["is_known"] == TICKED,
        }


def _date(sent: dict[str, str]) -> date:
    try:
        return date(*(int(sent[part]) for part in ("year", "month", "day")))
    except ValueError:
        raise ValidationError(gettext("Write a day, a month and a year"), "day") from None
