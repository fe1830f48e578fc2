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

EXCUSES: Final[dict[str, LazyString]] = {
    "not-counted": lazy_gettext("not confirmed yet as your school’s own, so not counted"),
    "left": lazy_gettext("left the school"),
    "new": lazy_gettext("new after the day it opens: new starter training instead"),
    "induction-owed": lazy_gettext("new starter training still to do, which stands for it"),
    "induction-done": lazy_gettext("new starter training done a short time before, which counts"),
    "counted-later": lazy_gettext("counted only since it was over"),
}
"""Why somebody is not asked to do a refresh; reads after “3 people:”."""


def group_counts(by_role_group: Mapping[str, int]) -> list[str]:
    """“26 teaching staff”: how many people of each role group, in words, most first."""
    words = {
        "teaching": lambda num: ngettext(
            "%(num)s member of teaching staff", "%(num)s members of teaching staff", num
        ),
        "support": lambda num: ngettext(
            "%(num)s member of support staff", "%(num)s members of support staff", num
        ),
        "governor": lambda num: ngettext("%(num)s governor", "%(num)s governors", num),
        "volunteer": lambda num: ngettext("%(num)s volunteer", "%(num)s volunteers", num),
        "supply": lambda num: ngettext(
            "%(num)s supply teacher or visitor", "%(num)s supply teachers or visitors", num
        ),
        "": lambda num: ngettext(
            "%(num)s person whose role group is not known yet",
            "%(num)s people whose role group is not known yet",
            num,
        ),
    }
    ordered = sorted(by_role_group.items(), key=lambda one: (-one[1], one[0]))
    return [str(words.get(group, words[""])(number)) for group, number in ordered if number]


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
                "after the return.",
                "There is time until then because of days away from work: %(num)s school days "
                "after the return.",
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
