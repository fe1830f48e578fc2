"""What learners' forms may send. Messages stand beside the field they are about."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext, lazy_gettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from lti_tool.people.memberships import ROLE_GROUPS
from lti_tool.training.declarations import LONGEST_NAME, is_name
from lti_tool.training.questions import SURENESS

TICKED: Final = "yes"


class Form(Schema):
    """Unknown fields (the form's token among them) are passed over; what a browser leaves out,
    such as a radio that nobody pressed, is the same as empty."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def _fill(self, sent: Mapping[str, str], **_: Any) -> dict[str, str]:
        return {name: sent.get(name, "") for name in self.fields}


def _name(value: str) -> None:
    if not value.strip():
        raise ValidationError(gettext("Type your name"))
    if not is_name(" ".join(value.split())):
        raise ValidationError(
            gettext("Type your name in letters, at most %(most)s of them", most=LONGEST_NAME)
        )


class StartForm(Form):
    """What somebody is at the school, where they say so; which sites there are, the view knows."""

    role_group = fields.String(
        validate=validate.OneOf(
            ("", *ROLE_GROUPS), error=lazy_gettext("Choose what you do at the school")
        )
    )
    site = fields.String()


class AnswerForm(Form):
    """One option of a question and, if the person likes, how sure they are."""

    choice = fields.String(
        validate=validate.Length(min=1, max=20, error=lazy_gettext("Choose what you would do"))
    )
    sureness = fields.String(
        validate=validate.OneOf(("", *SURENESS), error=lazy_gettext("Choose one of these"))
    )


class DeclarationForm(Form):
    """The typed name and the tick."""

    printed_name = fields.String(validate=_name)
    has_agreed = fields.String(
        validate=validate.Equal(TICKED, error=lazy_gettext("Tick the box to declare this"))
    )
