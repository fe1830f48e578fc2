"""The register's words for role groups, cycles and deliveries."""

import json
from collections.abc import Mapping
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.curriculum.catalogue import TrainingModule
from lti_tool.evidence.register import Line
from lti_tool.evidence.schemas import POLICY
from lti_tool.lti.services.scores import Delivery
from lti_tool.training.cycles.words import STATE_WORDS
from lti_tool.training.cycles.words import reason_words as due_words
from lti_tool.training.declarations import ONLINE
from lti_tool.training.paper.entering import PAPER
from lti_tool.training.staff.words import ROLE_GROUP_WORDS

REASON_WORDS: Final[dict[str, LazyString]] = {
    "unreachable": lazy_gettext("%(platform)s does not answer. We keep trying."),
    "platform-fault": lazy_gettext(
        "%(platform)s answers with an error, for instance because the mark is locked there."
    ),
    "lost": lazy_gettext(
        "%(platform)s had taken it and holds it no more: somebody may have cleared it there."
    ),
    "reconnect": lazy_gettext(
        "%(platform)s does not let us in. Whoever looks after it can see why on the health page."
    ),
    "forbidden": lazy_gettext(
        "%(platform)s refuses marks for this activity. Open the activity there once more; if that "
        "does not help, tell whoever looks after the platform."
    ),
    "no-line-item": lazy_gettext(
        "The activity has no column for marks in %(platform)s, and we may make none."
    ),
    "line-item-gone": lazy_gettext(
        "The activity or its column for marks has been deleted in %(platform)s."
    ),
    "refused": lazy_gettext("%(platform)s refused it."),
    "newer-there": lazy_gettext("%(platform)s holds a later mark for this person."),
    "overridden": lazy_gettext(
        "Somebody changed the mark in %(platform)s by hand. We leave it as it is. What is saved "
        "here stands."
    ),
    "not-gradable": lazy_gettext(
        "%(platform)s gives marks to learners of the course only. What is saved here is what "
        "counts."
    ),
    "not-granted": lazy_gettext(
        "%(platform)s has given us no leave to send marks. It is sent once there is leave. What "
        "is saved here is what counts."
    ),
    "no-marks": lazy_gettext(
        "The activity keeps no marks in %(platform)s. What is saved here is what counts."
    ),
}

METHOD_WORDS: Final = {ONLINE: lazy_gettext("On screen"), PAPER: lazy_gettext("On paper")}


def delivery_words(delivery: Delivery | None) -> str:
    """Where a score is on its way to the platform; empty where none is owed."""
    if delivery is None:
        return ""
    platform = delivery.platform_name or _("the platform")
    words = {
        "waiting": _("Waiting to be sent to %(platform)s", platform=platform),
        "sent": _("Sent to %(platform)s", platform=platform),
        "attention": _("Not sent to %(platform)s: needs attention", platform=platform),
        "changed": _("Changed by hand in %(platform)s", platform=platform),
        "not-scored": _("Not scored in %(platform)s", platform=platform),
    }
    return str(words.get(delivery.state, ""))


def reason_words(delivery: Delivery | None) -> str:
    """Why a score is not with the platform, and what can be done; empty where nothing is amiss."""
    if delivery is None or delivery.state in ("sent", "none"):
        return ""
    platform = delivery.platform_name or _("the platform")
    said = REASON_WORDS.get(delivery.reason_code)
    return str(said % {"platform": platform}) if said is not None else ""


def method_words(line: Line) -> str:
    """On the screen or on paper; empty where nothing was declared."""
    if line.declared_at is None:
        return ""
    return str(METHOD_WORDS[PAPER if line.on_paper else ONLINE])


def reason_of(written: str) -> str:
    """Why a training is due on its day, from how the database keeps it."""
    return due_words(json.loads(written))


def cycle_words(cycle: str) -> str:
    """A school year as it is; what a policy version asked for by that version."""
    if not cycle.startswith(POLICY):
        return cycle
    return str(_("policy version %(number)s", number=cycle.removeprefix(POLICY)))


def page_words(modules: Mapping[str, TrainingModule]) -> dict[str, object]:
    """What every page of this floor may say."""
    return {
        "state_words": STATE_WORDS,
        "role_group_words": ROLE_GROUP_WORDS,
        "delivery_words": delivery_words,
        "reason_words": reason_words,
        "due_words": due_words,
        "cycle_words": cycle_words,
        "method_words": method_words,
        "modules": modules,
    }
