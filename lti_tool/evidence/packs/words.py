"""The words of packs: audiences, states, titles."""

from collections.abc import Mapping
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from lti_tool.training.cycles.words import STATE_WORDS

AUDIENCES: Final[dict[str, LazyString]] = {
    "governors": lazy_gettext("Governors"),
    "managers": lazy_gettext("Managers"),
    "inspector": lazy_gettext("An inspector"),
}
HINTS: Final[dict[str, LazyString]] = {
    "governors": lazy_gettext("Counts, no names. Role groups of fewer than five are put together."),
    "managers": lazy_gettext("Names, states and dates. No answers."),
    "inspector": lazy_gettext("Counts, dates and policy versions. Names stay on screen."),
}

DEFINITIONS: Final[tuple[tuple[LazyString, LazyString], ...]] = (
    (
        lazy_gettext("People asked"),
        lazy_gettext(
            "Everybody on the school’s staff list who owes a training now or has done it, those "
            "away from work among them. People who left before finishing are not, and people "
            "the school has not counted as its own are not either."
        ),
    ),
    (
        STATE_WORDS["done"],
        lazy_gettext("The training was finished and the declaration signed."),
    ),
    (STATE_WORDS["in-progress"], lazy_gettext("Begun, and not yet due.")),
    (STATE_WORDS["due"], lazy_gettext("Open, not begun, and not yet due.")),
    (STATE_WORDS["overdue"], lazy_gettext("The due date has passed.")),
    (STATE_WORDS["paused"], lazy_gettext("Away from work. No reason is kept.")),
    (STATE_WORDS["left-incomplete"], lazy_gettext("They left before finishing.")),
    (
        lazy_gettext("Records in the ledger"),
        lazy_gettext(
            "How many completions of that training and year were signed for. It can differ from "
            "“Done”: people who left, or were not asked, may have done it too, and a record that "
            "was taken back stands there still."
        ),
    ),
    (
        lazy_gettext("Withdrawn"),
        lazy_gettext("Entered from paper by mistake, and taken back by an entry that says so."),
    ),
    (
        lazy_gettext("Method"),
        lazy_gettext("online: declared in the tool. paper: signed on paper, entered by a manager."),
    ),
    (lazy_gettext("Entry"), lazy_gettext("The record’s number in the school’s ledger.")),
    (
        lazy_gettext("Record"),
        lazy_gettext("The record’s own number; on screen it leads to the person."),
    ),
)


def state_words(state: str) -> str:
    """What a line's state is called."""
    return _("Withdrawn") if state == "withdrawn" else str(STATE_WORDS[state])


def module_title(modules: Mapping[str, Any], module: str) -> str:
    """A training's title."""
    found = modules.get(module)
    if found is not None:
        return str(found.title["en"])
    return _("Update on the policy") if module == "policy-update" else module
