"""What the dashboard's addresses and forms may hold. Anything else is refused before a query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate
from werkzeug.datastructures import MultiDict

from lti_tool.core.errors import ToolError
from lti_tool.evidence.dashboard.chasing import ChaseFilters
from lti_tool.evidence.schemas import CYCLE, LARGEST_PAGE
from lti_tool.people.memberships import ROLE_GROUPS

MOST: Final = 500
Errors = dict[str, LazyString]
"""What is wrong with a form, by the name of its field."""


class _Query(Schema):
    class Meta:
        unknown = RAISE

    module = fields.String()
    cycle = fields.String(validate=CYCLE)
    site = fields.String()
    order = fields.String(validate=validate.OneOf(("name", "share", "overdue")))
    when = fields.String(validate=validate.OneOf(("overdue", "soon")))
    role_group = fields.String(validate=validate.OneOf(ROLE_GROUPS))
    page = fields.Integer(validate=validate.Range(1, LARGEST_PAGE))
    moved = fields.Integer(validate=validate.Range(0, LARGEST_PAGE))


class _PaperForm(Schema):
    class Meta:
        unknown = EXCLUDE

    training = fields.String(required=True, validate=validate.Length(1, 80))
    policy_number = fields.String(required=True, validate=validate.Length(1, 20))
    reason = fields.String(required=True, validate=validate.Length(1, 1000))


class _Reason(Schema):
    class Meta:
        unknown = EXCLUDE

    reason = fields.String(required=True, validate=validate.Length(1, 1000))


@dataclass(frozen=True)
class PaperForm:
    """A paper as a manager typed it."""

    module: str
    cycle: str
    signed_on: date
    policy_number: str
    reason: str


def read_query(
    args: Mapping[str, str], *fields_of: str, modules: Iterable[str], sites: Iterable[str]
) -> dict[str, Any]:
    """The values of an address that may hold these fields. Raises ``ToolError`` filter-unknown,
    naming the fields at fault."""
    schema = _Query(only=fields_of)
    for name, known in (("module", modules), ("site", sites)):
        if name in schema.fields:
            schema.fields[name].validators = [validate.OneOf(tuple(known))]
    try:
        given: dict[str, Any] = schema.load({name: value for name, value in args.items() if value})
    except ValidationError as fault:
        raise ToolError("filter-unknown", fields=", ".join(sorted(fault.messages_dict))) from fault
    return given


def read_chase(
    args: Mapping[str, str], *, modules: Iterable[str], sites: Iterable[str]
) -> tuple[ChaseFilters, int, int | None]:
    """The filters, the page, and how many dates were just moved, if any were to be."""
    names = ("when", "module", "role_group", "site", "page", "moved")
    given = read_query(args, *names, modules=modules, sites=sites)
    page, moved = given.pop("page", 1), given.pop("moved", None)
    return ChaseFilters(**given), page, moved


def read_ids(given: MultiDict[str, str], name: str) -> list[UUID]:
    """The ids that were ticked, each once. Raises ``ToolError`` form-incomplete."""
    try:
        found = {UUID(one) for one in given.getlist(name)}
    except ValueError as fault:
        raise ToolError("form-incomplete") from fault
    if len(found) > MOST:
        raise ToolError("form-incomplete")
    return sorted(found)


def read_day(form: Mapping[str, str], name: str) -> date | None:
    """The day typed in the three fields of a date; None where they name no day."""
    parts = [form.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    try:
        return date(*map(int, parts))
    except ValueError:
        return None


def read_paper(form: Mapping[str, str]) -> PaperForm | Errors:
    """What was typed, or what is wrong with it."""
    given = _typed(form)
    errors = _errors(_PaperForm(), given)
    signed_on = read_day(form, "signed_on")
    if signed_on is None:
        errors["signed_on"] = _("Enter the day on which it was signed, such as 7 9 2026")
    if errors or signed_on is None:
        return errors
    module, _sign, cycle = given["training"].partition(" ")
    return PaperForm(module, cycle, signed_on, given["policy_number"], given["reason"])


def read_move(form: Mapping[str, str]) -> tuple[date, str] | Errors:
    """The new date and why, or what is wrong."""
    given = _typed(form)
    errors = _errors(_Reason(), given)
    to_on = read_day(form, "to_on")
    if to_on is None:
        errors["to_on"] = _("Enter the new date, such as 30 11 2026")
    return errors if errors or to_on is None else (to_on, given["reason"])


def read_reason(form: Mapping[str, str]) -> str | Errors:
    """Why, or what is wrong."""
    given = _typed(form)
    return _errors(_Reason(), given) or given["reason"]


def _errors(schema: Schema, given: Mapping[str, str]) -> Errors:
    return {name: WRONG[name] for name in schema.validate(given) if isinstance(name, str)}


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """Without blanks around it, or null characters, of which PostgreSQL has none."""
    return {name: value.replace("\0", "").strip() for name, value in form.items()}


WRONG: Final = {
    "training": _("Choose the training"),
    "policy_number": _("Choose the version that the paper names"),
    "reason": _("Say why, in at most 1,000 letters"),
}
