"""The shape of topics, training modules and scenarios."""

from marshmallow import Schema, fields, validate

from lti_tool.curriculum.catalogue import Reads
from lti_tool.policies.schemas import FILLED, NAME, name_field, text_field

PERCENT = validate.Range(min=1, max=100)
OPTIONS = validate.Length(min=3, max=4, error="A scenario has three or four options.")


class TopicSchema(Schema):
    title = text_field()
    why = text_field()
    important = fields.Boolean(load_default=False)
    child_safety = fields.Boolean(load_default=False)


class TopicsSchema(Schema):
    topics = fields.Dict(
        fields.String(validate=NAME), fields.Nested(TopicSchema), required=True, validate=FILLED
    )


class ModuleSchema(Schema):
    title = text_field()
    about = text_field()
    minutes = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    scenarios = fields.Integer(strict=True, required=True, validate=validate.Range(min=0))
    scenarios_at_most = fields.Integer(strict=True, load_default=0)
    unscored_at_most = fields.Integer(strict=True, load_default=0)
    pass_percent = fields.Integer(strict=True, load_default=80, validate=PERCENT)
    reads = fields.Enum(Reads, by_value=True, load_default=Reads.POLICY)
    asks_changes_alone = fields.Boolean(load_default=False)
    tells = fields.Boolean(load_default=True)


class AgreementSchema(Schema):
    role = fields.String(required=True, data_key="from")
    written = fields.Boolean(load_default=False)
    before = fields.Boolean(load_default=True)


class OptionSchema(Schema):
    text = text_field()
    why = text_field()
    acts = fields.List(fields.Dict(fields.String()), required=True, validate=FILLED)


class ScenarioSchema(Schema):
    version = fields.Integer(strict=True, required=True, validate=validate.Range(min=1))
    topic = name_field()
    family = fields.String(validate=NAME)
    one_wrong = fields.Boolean(load_default=False)
    text = text_field()
    facts = fields.Dict(fields.String(), required=True)
    agreements = fields.List(fields.Nested(AgreementSchema), load_default=[])
    options = fields.Dict(
        fields.String(validate=NAME), fields.Nested(OptionSchema), required=True, validate=OPTIONS
    )
