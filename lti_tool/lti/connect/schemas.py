"""What the forms of connecting may hold."""

from marshmallow import Schema, fields, validate

from lti_tool.lti.connect.offers import WANTED


class RegisterForm(Schema):
    """What may be asked of the platform. ``sealed`` is what it offered, as we signed it."""

    sealed = fields.String(required=True)
    wanted = fields.List(fields.String(validate=validate.OneOf(WANTED)), load_default=list)
