"""What the form of a decision may send."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from lti_tool.core.errors import ToolError
from lti_tool.evidence.review.words import DECISIONS
from lti_tool.policies.reading import VERSION_FILE


class _Form(Schema):
    class Meta:
        unknown = EXCLUDE

    point = fields.String(required=True, validate=validate.Regexp(r"[0-9a-f]{32}\Z"))
    decision = fields.String(load_default="")
    mend_in = fields.String(load_default="")


@dataclass(frozen=True)
class Decided:
    """A decision as a manager sent it, or what is wrong with it."""

    point: str
    decision: str
    mend_in: str
    error: str = ""


def read_decision(form: Mapping[str, str], *, number: str) -> Decided:
    """What was sent about a point of version ``number``. Raises ``ToolError`` form-incomplete
    for a form that is not ours."""
    try:
        sent: dict[str, str] = _Form().load(form)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    point, decision, mend_in = sent["point"], sent["decision"], sent["mend_in"].strip()
    if decision not in DECISIONS:
        return Decided(point, "", mend_in, _("Choose what is to become of this point"))
    if decision != "mend":
        return Decided(point, decision, "")
    is_number = VERSION_FILE.fullmatch(f"policy-{mend_in}.yaml") is not None
    if not is_number or mend_in <= number:
        said = _("Write the number of a version after %(number)s, such as 2027-09", number=number)
        return Decided(point, decision, mend_in, said)
    return Decided(point, decision, mend_in)
