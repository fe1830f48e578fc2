"""The card: what a channel reads. Pure.

Adaptive Cards 1.5, the newest that Teams draws. Everybody in the channel sees it, so it holds no
name, and no number from which one could tell who is meant is new to those who work there.
"""

import json
from datetime import date
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.training.reminders.planning import Figures
from lti_tool.ui.format import day

VERSION: Final = "1.5"
SCHEMA: Final = "http://adaptivecards.io/schemas/adaptive-card.json"
TYPE: Final = "application/vnd.microsoft.card.adaptive"


def card(
    *, school: str, figures: Figures, next_due: date | None, link: str, is_try: bool = False
) -> dict[str, Any]:
    """The card of one school; ``link`` opens everybody's own training, if there is such a link."""
    lines = [
        _text(_("Social media policy training"), size="Medium", weight="Bolder"),
        _text(school, isSubtle=True, spacing="None"),
    ]
    if is_try:
        lines.append(_text(_("This is a try: reminders to this channel will look like it.")))
    lines.append(_text(summary(figures, next_due)))
    lines.append(
        {
            "type": "FactSet",
            "facts": [
                {"title": title, "value": str(number)}
                for title, number in (
                    (_("Overdue"), figures.overdue),
                    (_("Due"), figures.due),
                    (_("Of those, begun"), figures.begun),
                    (_("Finished in the last seven days"), figures.finished),
                )
            ],
        }
    )
    lines.append(_text(_("Answers are for learning, not for discipline."), isSubtle=True))
    found: dict[str, Any] = {
        "$schema": SCHEMA,
        "type": "AdaptiveCard",
        "version": VERSION,
        "body": lines,
    }
    if link:
        found["actions"] = [{"type": "Action.OpenUrl", "title": _("Open my training"), "url": link}]
    return found


def summary(figures: Figures, next_due: date | None) -> str:
    """The card in a sentence or two."""
    left = figures.overdue + figures.due
    if not left:
        return str(_("Everybody has done what they have to do. Thank you."))
    said: str = ngettext(
        "%(num)d person still has something to do.",
        "%(num)d people still have something to do.",
        left,
    )
    if next_due is not None:
        said += " " + _("The next date is %(day)s.", day=day(next_due))
    return said


def message(given: dict[str, Any]) -> str:
    """What is sent to the webhook: a message with the card, as Workflows takes it."""
    attachment = {"contentType": TYPE, "contentUrl": None, "content": given}
    return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=False)


def _text(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **look}
