"""Points and figures as the report of a pack sets them."""

from typing import Any

from flask_babel import gettext as _

from lti_tool.evidence.review.agenda import Agenda, Point
from lti_tool.evidence.review.words import METHOD, decision_words


def point(one: Point, of: str) -> dict[str, Any]:
    """A point with its clauses. ``of``: the school, where there are several."""
    return {
        "heading": f"{of}: {one.heading}" if of else one.heading,
        "text": one.text,
        "cases": [_flat(case) for case in one.cases],
        "clauses": [
            {"text": _flat(clause.text["en"]), "locator": clause.locator} for clause in one.clauses
        ],
        "decision": decision_words(one.decision),
    }


def table(agenda: Agenda, of: str) -> dict[str, Any]:
    """What first answers show, by topic."""
    heading = _("What first answers show of the policy")
    return {
        "heading": f"{heading}: {of}" if of else heading,
        "text": " ".join(str(said) for said in METHOD),
        "widths": [5, 1, 1, 2, 2],
        "numbers": [1, 2, 3, 4],
        "head": [
            *(_("Topic"), _("People"), _("Right at first"), _("Range")),
            _("Sure, but mistaken"),
        ],
        "rows": [
            [
                told.name,
                str(told.figure.people),
                _("%(number)s%%", number=told.figure.share),
                _("%(low)s to %(high)s%%", low=low, high=high),
                str(told.figure.sure_mistaken),
            ]
            for told in agenda.topics
            for low, high in [told.figure.interval]
        ],
    }


def _flat(text: str) -> str:
    return " ".join(text.split())
