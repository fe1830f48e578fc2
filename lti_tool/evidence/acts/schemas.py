"""What the access log may be asked for. Anything else is refused before a query runs."""

from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from lti_tool.core.errors import ToolError
from lti_tool.evidence.acts.listing import Filters
from lti_tool.evidence.acts.words import KIND_WORDS
from lti_tool.evidence.schemas import LARGEST_PAGE


class LogQuery(Schema):
    """The log's address, without its school: that is the visit's alone."""

    class Meta:
        unknown = RAISE

    kind = fields.String(validate=validate.OneOf(tuple(KIND_WORDS)))
    actor = fields.UUID()
    member = fields.UUID()
    since = fields.Date()
    until = fields.Date()
    page = fields.Integer(load_default=1, validate=validate.Range(1, LARGEST_PAGE))


def read_log_query(args: Mapping[str, str]) -> tuple[Filters, int]:
    """The filters and the page. Raises ``ToolError`` filter-unknown, naming the fields at fault."""
    try:
        asked: dict[str, Any] = LogQuery().load(
            {name: value for name, value in args.items() if value}
        )
    except ValidationError as fault:
        unfit = ", ".join(sorted(fault.messages_dict))
        raise ToolError("filter-unknown", fields=unfit) from fault
    number = asked.pop("page")
    return Filters(**asked), number
