"""What the settings of the reminders may be. Anything else is refused, each field by name."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from flask_babel import gettext, lazy_gettext
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

HOURS: Final = range(24)
WEEKDAYS: Final = range(5)
PORTS: Final = {"http": 80, "https": 443}
MISSING: Final = lazy_gettext("Choose one of the answers.")


def _(words: str) -> str:
    return str(gettext(words))


class SettingsForm(Schema):
    """How a school reminds; ``is_on`` and ``has_digest`` are yes or no."""

    class Meta:
        unknown = EXCLUDE

    is_on = fields.String(required=True, validate=validate.OneOf(("yes", "no")))
    activity_url = fields.String(load_default="", validate=validate.Length(max=500))
    sender_name = fields.String(load_default="", validate=validate.Length(max=80))
    quiet_from = fields.Integer(required=True, validate=validate.OneOf(HOURS))
    quiet_until = fields.Integer(required=True, validate=validate.OneOf(HOURS))
    has_digest = fields.String(required=True, validate=validate.OneOf(("yes", "no")))
    digest_weekday = fields.Integer(required=True, validate=validate.OneOf(WEEKDAYS))

    def __init__(self, own_url: str) -> None:
        super().__init__()
        self.own = urlsplit(own_url)

    @validates_schema(skip_on_field_errors=False)
    def fits_together(self, data: Mapping[str, Any], **_given: Any) -> None:
        """Switched on it needs an address and a name; neither may be a trap."""
        is_on = data.get("is_on") == "yes"
        faults = {
            "activity_url": _address_fault(data.get("activity_url", ""), self.own, is_on=is_on),
            "sender_name": _name_fault(data.get("sender_name", ""), is_on=is_on),
        }
        if found := {field: [fault] for field, fault in faults.items() if fault}:
            raise ValidationError(found)


class SendForm(Schema):
    """Which mails a manager saw."""

    class Meta:
        unknown = EXCLUDE

    seen = fields.String(required=True, validate=validate.Length(max=64))


class PageQuery(Schema):
    """Which page of a sending."""

    class Meta:
        unknown = EXCLUDE

    page = fields.Integer(load_default=1, validate=validate.Range(1, 10_000))


def read_settings(
    form: Mapping[str, str], *, own_url: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings, and a sentence for each field that does not do; of the two one is empty."""
    try:
        given = SettingsForm(own_url).load({name: value.strip() for name, value in form.items()})
    except ValidationError as fault:
        return {}, {
            field: said[0] if field in ("activity_url", "sender_name") else str(MISSING)
            for field, said in fault.messages_dict.items()
        }
    return given | {name: given[name] == "yes" for name in ("is_on", "has_digest")}, {}


def _address_fault(url: str, own: SplitResult, *, is_on: bool) -> str:
    if not url:
        return (
            _("Enter the address of the activity. Without it nobody can be led there.")
            if (is_on)
            else ""
        )
    # An address is copied from a browser, which writes it in these letters alone.
    if not all("!" <= letter <= "~" and letter not in '"<>\\^`{|}@' for letter in url):
        return _("Copy the address from your browser, without spaces and without a sign-in.")
    try:
        parts = urlsplit(url)
        place = (parts.hostname or "").rstrip("."), parts.port or PORTS["https"]
    except ValueError:
        place, parts = ("", 0), urlsplit("")
    if parts.scheme != "https" or not place[0]:
        return _("The address has to begin with https:// and name your learning platform.")
    if place == (own.hostname, own.port or PORTS.get(own.scheme, 0)):
        return _(
            "This address leads to this tool, where nobody can sign in. Enter the address of the "
            "activity on your learning platform: it knows who people are."
        )
    return ""


def _name_fault(name: str, *, is_on: bool) -> str:
    if not name:
        return _("Enter who the e-mails come from.") if is_on else ""
    if not name.isprintable() or any(letter in '<>@"\\' for letter in name):
        return _("Enter a plain name, such as your school’s, without an address.")
    return ""
