"""What a manager may ask a pack to be."""

from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from lti_tool.core.errors import ToolError
from lti_tool.evidence.packs.words import AUDIENCES


class PackForm(Schema):
    """The audience, the cycle, and whether it is for the school or its trust."""

    class Meta:
        unknown = EXCLUDE

    audience = fields.String(required=True, validate=validate.OneOf(tuple(AUDIENCES)))
    cycle = fields.String(required=True)
    covers = fields.String(load_default="school", validate=validate.OneOf(("school", "trust")))


def read_ask(form: Mapping[str, str], *, cycles: Collection[str]) -> tuple[str, str, bool]:
    """Audience, cycle, and whether it is for the trust. Raises ``ToolError`` form-incomplete."""
    schema = PackForm()
    schema.fields["cycle"].validators = [validate.OneOf(tuple(cycles))]
    try:
        given: dict[str, Any] = schema.load(form)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return given["audience"], given["cycle"], given["covers"] == "trust"
