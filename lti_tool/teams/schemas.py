"""What the forms and addresses of this room hold."""

from dataclasses import dataclass
from typing import Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from lti_tool.core.errors import ToolError

TRAINING: Final = "training"
REGISTER: Final = "register"
MODULE: Final = "module/"


class TabForm(Schema):
    """What a tab is for. ``place`` is a deep link's own part, as Teams hands it to the page."""

    class Meta:
        unknown = EXCLUDE  # Teams and its links add parameters of their own

    school = fields.String(load_default="", validate=validate.Length(max=80))
    module = fields.String(load_default="", validate=validate.Length(max=40))
    to = fields.String(load_default="", validate=validate.Length(max=60))
    place = fields.String(load_default="", validate=validate.Length(max=200))


@dataclass(frozen=True)
class Place:
    """Where a tab leads: ``to`` is training or register."""

    school: str
    module: str
    to: str


def read_place(given: object) -> Place:
    """Where a tab or a deep link leads. ``place`` (``module/annual-refresh@glenmere``,
    ``next``, ``register``) goes before what the tab was set up for; what is in it that we do not
    know is passed over, for a link may be older or newer than we are.

    Raises ``ToolError`` form-incomplete.
    """
    try:
        form: dict[str, str] = TabForm().load(given)  # type: ignore[arg-type]
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    to, _at, school = form["place"].partition("@")
    to = to or form["to"]
    module = to.removeprefix(MODULE) if to.startswith(MODULE) else form["module"]
    return Place(school or form["school"], module, REGISTER if to == REGISTER else TRAINING)
