"""Points and figures as the report of a pack sets them."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import gettext as _

from lti_tool.evidence.review.agenda import Agenda, Point, Told
from lti_tool.evidence.review.words import (
    DISCRIMINATION,
    METHOD,
    decision_words,
    discrimination_words,
)


def point(one: Point, of: str) -> dict[str, Any]:
    """A point with its clauses. ``of``: the school, where there are several."""
    return {
        "heading": _of(of, one.heading),
        "text": one.text,
        "cases": [_flat(case) for case in one.cases],
        "clauses": [
            {"text": _flat(clause.text["en"]), "locator": clause.locator} for clause in one.clauses
        ],
        "decision": decision_words(one.decision),
    }


def tables(agenda: Agenda, of: str) -> Iterator[dict[str, Any]]:
    """What first answers show, by topic and by clause, as far as there are such figures."""
    if agenda.topics:
        said = " ".join(str(one) for one in (*METHOD, DISCRIMINATION))
        heading = _("What first answers show of the policy")
        yield _table(_of(of, heading), said, _("Topic"), agenda.topics)
    if agenda.clauses:
        heading = _("By clause, in the policy’s order")
        yield _table(_of(of, heading), "", _("Clause"), agenda.clauses)


def _table(heading: str, text: str, first: str, rows: Sequence[Told]) -> dict[str, Any]:
    return {
        "heading": heading,
        "text": text,
        "widths": [8, 2, 3, 3, 3, 2],
        "numbers": [1, 2, 3, 4, 5],
        "head": [
            *(first, _("People"), _("Right at first"), _("Range"), _("Sure, but mistaken")),
            _("Fits the rest"),
        ],
        "rows": [
            [
                told.name,
                str(told.figure.people),
                _("%(number)s%%", number=told.figure.share),
                _("%(low)s to %(high)s%%", low=low, high=high),
                str(told.figure.sure_mistaken),
                discrimination_words(told.figure),
            ]
            for told in rows
            for low, high in [told.figure.interval]
        ],
    }


def _of(of: str, heading: str) -> str:
    return f"{of}: {heading}" if of else heading


def _flat(text: str) -> str:
    return " ".join(text.split())
