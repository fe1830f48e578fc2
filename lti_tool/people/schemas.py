"""What the forms of this room hold."""

from marshmallow import RAISE, Schema, fields, validate


class _Form(Schema):
    class Meta:
        unknown = RAISE


class ConfirmForm(_Form):
    """“You are NAME at SCHOOL. Not you?”"""

    answer = fields.String(required=True, validate=validate.OneOf(("yes", "no")))


class ManagerCodeForm(_Form):
    """The one-time code that makes somebody a manager."""

    code = fields.String(required=True, validate=validate.Length(max=100))
