"""The register's words for states, role groups and deliveries."""

from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.lti.services.scores import Delivery

STATE_WORDS: Final[dict[str, LazyString]] = {
    "done": lazy_gettext("Done"),
    "in-progress": lazy_gettext("In progress"),
    "not-started": lazy_gettext("Not started"),
}
ROLE_GROUP_WORDS: Final[dict[str, LazyString]] = {
    "": lazy_gettext("Not known yet"),
    "teaching": lazy_gettext("Teaching staff"),
    "support": lazy_gettext("Support staff"),
    "governor": lazy_gettext("Governor"),
    "volunteer": lazy_gettext("Volunteer"),
    "supply": lazy_gettext("Supply or visitor"),
}


def delivery_words(delivery: Delivery | None) -> str:
    """Where a score is on its way to the platform; empty where none is owed."""
    if delivery is None:
        return ""
    platform = delivery.platform_name or _("the platform")
    words = {
        "waiting": _("Waiting to be sent to %(platform)s", platform=platform),
        "sent": _("Sent to %(platform)s", platform=platform),
        "attention": _("Not sent to %(platform)s: needs attention", platform=platform),
        "not-scored": _("Not scored in %(platform)s", platform=platform),
    }
    return str(words.get(delivery.state, ""))
