"""The shape of policy content. What the words in it may be, ``vocabulary`` checks."""

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lti_tool.policies.policy import ClauseKind, Force, Mode

NAME = validate.Regexp(r"[a-z0-9]+(-[a-z0-9]+)*\Z", error="Use small letters, digits and hyphens.")
DATE = validate.Regexp(r"\d{4}-\d{2}(-\d{2})?\Z", error="Write a date as 2022-03 or 2022-03-31.")
SHA256 = validate.Regexp(r"[0-9a-f]{64}\Z", error="A SHA-256 has 64 small hexadecimal digits.")
FILLED = validate.Length(min=1, error="Must not be empty.")


def name_field(*, required: bool = True) -> fields.String:
    """An identifier."""
    return fields.String(required=required, validate=NAME)


def names_field(*, required: bool = False) -> fields.List[Any]:
    """A list of identifiers."""
    inner = fields.String(validate=NAME)
    return fields.List(inner, required=True) if required else fields.List(inner, load_default=[])


def text_field(*, required: bool = True) -> fields.Dict:
    """Language code to text; ``en`` must be there."""
    keys = fields.String(validate=validate.Regexp(r"[a-z]{2}\Z", error="Not a language code."))
    values = fields.String(validate=FILLED)
    if required:
        return fields.Dict(keys, values, required=True, validate=_has_english)
    return fields.Dict(keys, values, load_default={}, validate=_has_english)


def _has_english(text: dict[str, str]) -> None:
    if text and "en" not in text:
        raise ValidationError("English (en) is missing.")


def _recurs_every_year(day: str) -> None:
    try:
        date.fromisoformat(f"2001-{day}")
    except ValueError:
        raise ValidationError("Write a month and a day of every year, as 09-01.") from None


class KindSchema(Schema):
    about = fields.String(required=True)
    type = fields.String(
        load_default="choice", validate=validate.OneOf(["choice", "number", "truth", "role"])
    )
    choices = fields.List(fields.String(validate=NAME), load_default=[])
    same_as = fields.String(load_default="")

    @validates_schema
    def choices_go_with_choice(self, data: dict[str, object], **_: object) -> None:
        given = bool(data["choices"]) + bool(data["same_as"])
        if given != (data["type"] == "choice"):
            raise ValidationError("A choice, and only a choice, has “choices” or “same_as”.")


class ActKindSchema(Schema):
    about = fields.String(required=True)
    careful = fields.Boolean(load_default=False)
    takes = fields.Dict(fields.String(validate=NAME), fields.Nested(KindSchema), load_default={})


class VocabularySchema(Schema):
    terms = fields.Dict(fields.String(validate=NAME), fields.String(), load_default={})
    groups = fields.Dict(fields.String(validate=NAME), fields.String(), required=True)
    roles = fields.Dict(fields.String(validate=NAME), fields.String(), required=True)
    facts = fields.Dict(fields.String(validate=NAME), fields.Nested(KindSchema), required=True)
    acts = fields.Dict(fields.String(validate=NAME), fields.Nested(ActKindSchema), required=True)


class RoleSchema(Schema):
    title = text_field()
    phone = fields.String(load_default="")


class SchoolSchema(Schema):
    name = fields.String(required=True, validate=FILLED)
    nation = fields.String(
        required=True,
        validate=validate.OneOf(["england", "wales", "scotland", "northern-ireland"]),
    )
    languages = fields.List(fields.String(), required=True, validate=FILLED)
    sites = fields.List(fields.String(validate=FILLED), load_default=[])
    roles = fields.Dict(fields.String(validate=NAME), fields.Nested(RoleSchema), required=True)
    also = fields.Dict(fields.String(), fields.List(fields.String()), load_default={})
    report_to = fields.List(fields.String(), required=True, validate=FILLED)
    ask = name_field()
    terms = fields.Dict(fields.String(validate=NAME), text_field(), load_default={})
    example = fields.Boolean(load_default=False)
    declaration_note = text_field(required=False)
    document = fields.String(load_default="")
    trust = fields.String(load_default="", validate=NAME)
    year_starts = fields.String(load_default="09-01", validate=_recurs_every_year)


class ApprovedSchema(Schema):
    by = fields.String(required=True)
    on = fields.String(required=True, validate=DATE)


class ReviewSchema(Schema):
    cycles = fields.List(fields.String(), load_default=[])
    next = fields.Date(load_default=None, allow_none=True)


class SourceSchema(Schema):
    name = fields.String(required=True)
    sha256 = fields.String(required=True, validate=SHA256)


class ClauseSchema(Schema):
    at = fields.String(required=True, validate=FILLED)
    text = text_field()
    kind = fields.Enum(ClauseKind, by_value=True, load_default=ClauseKind.CONDUCT)
    binds = names_field()


class SectionSchema(Schema):
    title = text_field()
    clauses = fields.Dict(
        fields.String(validate=NAME), fields.Nested(ClauseSchema), required=True, validate=FILLED
    )


class ApprovalSchema(Schema):
    all_of = names_field()
    any_of = names_field()
    written = fields.Boolean(load_default=False)
    before = fields.Boolean(load_default=True)

    @validates_schema
    def names_somebody(self, data: dict[str, object], **_: object) -> None:
        if not data["all_of"] and not data["any_of"]:
            raise ValidationError("Say whose approval: all_of or any_of.")


class RuleSchema(Schema):
    topics = fields.List(fields.String(), required=True, validate=FILLED)
    clauses = fields.List(
        fields.String(), required=True, validate=validate.Length(min=1, error="Name a clause.")
    )
    forbids = fields.Raw()
    requires = fields.Raw()
    permits = fields.Raw()
    force = fields.Enum(Force, by_value=True, required=True)
    wording = fields.String(required=True, validate=FILLED)
    basis = fields.String(load_default="stated", validate=validate.OneOf(["stated", "inferred"]))
    binds = names_field()
    when = fields.Raw(load_default=None)
    unless = fields.Raw(load_default=None)
    if_doing = fields.Raw(load_default=None)
    approval = fields.Nested(ApprovalSchema, load_default=None)
    exception = fields.String(load_default="lifts", validate=validate.OneOf(["lifts", "permits"]))

    @validates_schema
    def is_of_one_sense(self, data: dict[str, object], **_: object) -> None:
        modes = [mode for mode in Mode if mode in data]
        if len(modes) != 1:
            raise ValidationError("A rule has one of forbids, requires, permits.")
        if modes == [Mode.REQUIRES] and data["when"] is None and data["if_doing"] is None:
            raise ValidationError("A duty needs “when” or “if_doing”: else it holds everywhere.")
        if data["if_doing"] is not None and modes != [Mode.REQUIRES]:
            raise ValidationError("Only a duty has “if_doing”.")
        if data["exception"] == "permits" and data["unless"] is None and data["approval"] is None:
            raise ValidationError("“exception” needs “unless” or “approval”.")


class TensionSchema(Schema):
    topic = name_field()
    clauses = fields.List(
        fields.String(),
        required=True,
        validate=validate.Length(min=2, error="Clauses at odds are two or more."),
    )
    when = fields.Raw(load_default=None)
    safer = text_field()


class CitationSchema(Schema):
    name = fields.String(required=True)
    edition = fields.Integer(strict=True, required=True)
    clause = name_field()


class PolicySchema(Schema):
    demonstration = fields.Boolean(load_default=False)
    title = text_field()
    language = fields.String(load_default="en")
    approved = fields.Nested(ApprovedSchema, required=True)
    review = fields.Nested(ReviewSchema, load_default={"cycles": [], "next": None})
    source = fields.Nested(SourceSchema, load_default={"name": "", "sha256": ""})
    binds = names_field(required=True)
    cites = fields.List(fields.Nested(CitationSchema), load_default=[])
    declaration_note = text_field(required=False)
    sections = fields.Dict(
        fields.String(validate=NAME), fields.Nested(SectionSchema), required=True, validate=FILLED
    )
    rules = fields.Dict(fields.String(validate=NAME), fields.Nested(RuleSchema), required=True)
    tensions = fields.List(fields.Nested(TensionSchema), load_default=[])

    @validates_schema
    def has_a_source(self, data: dict[str, Any], **_: object) -> None:
        # A demonstration is nobody's document.
        if bool(data["source"]["name"]) is data["demonstration"]:
            raise ValidationError("A version has a source, a demonstration none.", "source")
