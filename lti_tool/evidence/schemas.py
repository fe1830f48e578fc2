"""What the register may be asked for. Anything else is refused before a query runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from lti_tool.core.errors import ToolError
from lti_tool.people.memberships import ROLE_GROUPS
from lti_tool.training.cycles.owing import UPDATE
from lti_tool.training.cycles.states import STATES

LARGEST_PAGE = 10_000
POLICY: Final = "policy-"
"""What the cycles of policy updates begin with."""
CYCLE: Final = validate.Regexp(r"\A(\d{4}-\d{2}|policy-[0-9-]{1,13})\Z")


@dataclass(frozen=True)
class Filters:
    """What of a school's register to show. An empty value leaves a filter out."""

    module: str
    cycle: str
    q: str = ""
    """Part of a name, or a whole reference."""
    state: str = ""
    role_group: str = ""
    site: str = ""
    people: str = ""
    """counted, waiting or left; empty for all."""


class RegisterQuery(Schema):
    """The register's address, without its school: that is the visit's alone."""

    class Meta:
        unknown = RAISE

    # PostgreSQL has no null characters.
    q = fields.String(validate=[validate.Length(max=100), validate.ContainsNoneOf("\0")])
    state = fields.String(validate=validate.OneOf(STATES))
    role_group = fields.String(validate=validate.OneOf(ROLE_GROUPS))
    people = fields.String(validate=validate.OneOf(("counted", "waiting", "left")))
    cycle = fields.String(validate=CYCLE)
    module = fields.String()
    site = fields.String()
    page = fields.Integer(validate=validate.Range(1, LARGEST_PAGE))
    confirmed = fields.Integer(validate=validate.Range(0, LARGEST_PAGE))


class ConfirmForm(Schema):
    """The people a manager ticked."""

    class Meta:
        unknown = RAISE

    person = fields.List(fields.UUID(), required=True, validate=validate.Length(max=500))


class SendAgainForm(Schema):
    """Which score a manager wants sent again."""

    class Meta:
        unknown = EXCLUDE

    score = fields.UUID(required=True)
    replace = fields.String(load_default="", validate=validate.OneOf(("", "yes")))


def read_query(
    args: Mapping[str, str],
    *,
    modules: Iterable[str],
    sites: Iterable[str],
    module: str,
    cycle: str,
) -> tuple[Filters, int, int | None]:
    """The filters, the page and how many people were just confirmed, if any were to be.

    ``module`` and ``cycle`` are what an address that names none means. Raises ``ToolError``
    filter-unknown, naming the fields at fault.
    """
    schema = RegisterQuery()
    schema.fields["module"].validators = [validate.OneOf(tuple(modules))]
    schema.fields["site"].validators = [validate.OneOf(tuple(sites))]
    try:
        asked: dict[str, Any] = schema.load({name: value for name, value in args.items() if value})
    except ValidationError as fault:
        unfit = ", ".join(sorted(fault.messages_dict))
        raise ToolError("filter-unknown", fields=unfit) from fault
    page, confirmed = asked.pop("page", 1), asked.pop("confirmed", None)
    return Filters(**{"module": module, "cycle": cycle} | asked), page, confirmed


def fitting(filters: Filters, cycles: Sequence[str]) -> Filters:
    """The filters with a cycle of their training's own kind: what a policy version asked for has
    the version's, everything else a school year. ``cycles`` holds years first, newest first."""
    is_update = filters.module == UPDATE
    if filters.cycle.startswith(POLICY) == is_update:
        return filters
    versions = [cycle for cycle in cycles if cycle.startswith(POLICY)]
    return replace(filters, cycle=next(iter(versions), filters.cycle) if is_update else cycles[0])


def read_confirm(form: MultiDict[str, str]) -> list[UUID]:
    """The membership ids that were ticked. Raises ``ToolError`` form-incomplete."""
    try:
        chosen: list[UUID] = ConfirmForm().load({"person": form.getlist("person")})["person"]
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return chosen


def read_send_again(form: Mapping[str, str]) -> tuple[UUID, bool]:
    """The score, and whether it may replace what was changed in the platform by hand.

    Raises ``ToolError`` form-incomplete.
    """
    try:
        given: dict[str, Any] = SendAgainForm().load(form)
    except ValidationError as fault:
        raise ToolError("form-incomplete") from fault
    return given["score"], given["replace"] == "yes"
