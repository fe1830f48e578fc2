"""Why a training is due on its day, and what its state is called, in words."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext
from flask_babel.speaklater import LazyString

from lti_tool.ui.format import day

STATE_WORDS: Final[dict[str, LazyString]] = {
    "not-due": lazy_gettext("Not due"),
    "due": lazy_gettext("Due"),
    "in-progress": lazy_gettext("In progress"),
    "done": lazy_gettext("Done"),
    "overdue": lazy_gettext("Overdue"),
    "paused": lazy_gettext("Paused"),
    "left-incomplete": lazy_gettext("Left incomplete"),
}


def reason_words(reason: Mapping[str, Any]) -> str:
    """Why it is due on that day: a sentence or two, the same for whoever reads it."""
    said = [_because(reason)]
    if "counted" in reason:
        said.append(
            _(
                "There is time until then because the school has counted this person since "
                "%(counted)s.",
                counted=_day(reason["counted"]),
            )
        )
    if "back" in reason:
        said.append(
            ngettext(
                "There is time until then because of days away from work: %(num)s school day "
                "after them.",
                "There is time until then because of days away from work: %(num)s school days "
                "after them.",
                int(reason["days"]),
            )
        )
    if "moved_from" in reason:
        said.append(
            _("The school moved the date; it was %(date)s.", date=_day(reason["moved_from"]))
        )
    return " ".join(str(one) for one in said)


def _because(reason: Mapping[str, Any]) -> str:
    code = reason.get("code", "")
    if code == "new":
        return str(
            ngettext(
                "New starter training is due %(num)s school day after the start on %(start)s. "
                "Weekends, school holidays and days away from work do not count.",
                "New starter training is due %(num)s school days after the start on %(start)s. "
                "Weekends, school holidays and days away from work do not count.",
                int(reason["days"]),
                start=_day(reason["start"]),
            )
        )
    if code == "first-day":
        return str(_("It is due on the first day here, %(start)s.", start=_day(reason["start"])))
    if code == "policy":
        return str(
            _(
                "The school’s policy changed on %(opened)s. This covers what changed.",
                opened=_day(reason["opened"]),
            )
        )
    return str(
        _("This year’s refresh closes on %(closes)s.", closes=_day(reason.get("closes", "")))
    )


def _day(written: str) -> str:
    return day(date.fromisoformat(written)) if written else ""


def cycle_words(cycle: str) -> str:
    """A cycle as people say it: ``2026-27``, or the version that a policy’s update is about."""
    is_update = cycle.startswith("policy-")
    return (
        str(_("version %(number)s", number=cycle.removeprefix("policy-"))) if is_update else cycle
    )
