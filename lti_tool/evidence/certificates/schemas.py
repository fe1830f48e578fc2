"""What may be asked of certificates."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, fields, validate

from lti_tool.core.errors import ToolError
from lti_tool.evidence.certificates.models import RESTORED, WITHDRAWN
from lti_tool.evidence.certificates.numbers import read

LONGEST_REASON: Final = 1000


class DecisionForm(Schema):
    """What a manager decides, and why."""

    class Meta:
        unknown = EXCLUDE

    act = fields.String(required=True, validate=validate.OneOf((WITHDRAWN, RESTORED)))
    reason = fields.String(required=True, validate=validate.Length(1, LONGEST_REASON))


def read_decision(form: Mapping[str, str]) -> tuple[str, str]:
    """What is decided, and why; the reason empty where it is none. Raises ``ToolError``
    form-incomplete."""
    given = {name: value.replace("\0", "").strip() for name, value in form.items()}
    faults: dict[str, Any] = DecisionForm().validate(given)
    if "act" in faults:
        raise ToolError("form-incomplete")
    return given["act"], "" if faults else given["reason"]


def read_number(text: str) -> str:
    """The number that was typed. Raises ``ToolError`` certificate-mistyped."""
    number = read(text[:100])
    if not number:
        raise ToolError("certificate-mistyped")
    return number
