"""Plots, drawn here as SVG that stands in the page: no script, no style of its own, no request.

pygal lays them out; what it would bring of styles and scripts is left out, since our Content
Security Policy runs neither, and ``clauseway.scss`` gives the shapes their colours by class. The
drawing is narrow, so that its letters can be read at 320 px. A state is never told by colour
alone: each segment bears its mark and number, the key under the plot says what the mark means,
and the same figures stand in a table beside it.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from xml.etree.ElementTree import Element

import pygal
from babel.dates import format_date
from flask_babel import get_locale
from markupsafe import Markup
from pygal.etree import etree
from pygal.style import Style

# pygal lets maps that are installed apart be imported, by a way that Python no longer has: each
# import that finds nothing else would warn of it.
sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, pygal.PluginImportFixer)]

etree.to_etree()  # the same drawing wherever lxml happens to be installed

MARKS: Final = {
    "done": "✓",
    "in-progress": "◐",
    "due": "○",
    "overdue": "!",
    "paused": "‖",
    "left-incomplete": "✕",
    "not-due": "–",
}
"""In the order in which they are stacked."""
WIDTH: Final = 330
ROW: Final = 34
LETTERS: Final = 13
LONGEST_LABEL: Final = 18
LEAST_SHARE: Final = 0.12
"""A segment narrower than this share of the plot has no room for its number."""
LEAST_HEIGHT: Final = 0.09
_style = Style(
    label_font_size=LETTERS,
    major_label_font_size=LETTERS,
    value_font_size=LETTERS,
    value_label_font_size=LETTERS,
    font_family="sans-serif",
)
_common: Final[dict[str, Any]] = {
    "js": (),
    "css": (),
    "style": _style,
    "width": WIDTH,
    "show_legend": False,
    "disable_xml_declaration": True,
    "margin": 4,
    "print_values": True,
    "print_zeroes": False,
    "no_prefix": True,
    "truncate_label": -1,
}


def states_by(rows: Sequence[tuple[str, Mapping[str, int]]], *, title: str, said: str) -> Markup:
    """A bar for each row, its states one after the other, as shares of the longest."""
    longest = max((sum(counts.values()) for _, counts in rows), default=0) or 1
    chart = pygal.HorizontalStackedBar(
        **_common, height=ROW * len(rows) + 34, spacing=4, show_x_guides=False,
        range=(0, longest), max_scale=5, order_min=0,
    )  # fmt: skip
    chart.x_labels = [_short(label) for label, _ in reversed(rows)]
    for state, mark in MARKS.items():
        numbers = [counts.get(state, 0) for _, counts in reversed(rows)]
        chart.add(
            state,
            [
                {"value": number or None, "formatter": _marked(mark, number / longest)}
                for number in numbers
            ],
        )
    return _drawn(chart, title, said)


def states_over_time(
    points: Sequence[tuple[date, Mapping[str, int]]], *, title: str, said: str
) -> Markup:
    """A column for each day, the states one on the other."""
    tallest = max((sum(counts.values()) for _, counts in points), default=0) or 1
    chart = pygal.StackedBar(
        **_common, height=210, spacing=2, max_scale=5, show_minor_x_labels=False
    )
    _days(chart, [day for day, _ in points])
    for state, mark in MARKS.items():
        counted = [counts.get(state, 0) for _, counts in points]
        chart.add(
            state,
            [
                {"value": number or None, "formatter": _mark(mark, number / tallest)}
                for number in counted
            ],
        )
    return _drawn(chart, title, said)


def years(
    days: Sequence[date], this: Sequence[int | None], last: Sequence[int | None],
    *, title: str, said: str,
) -> Markup:  # fmt: skip
    """Two lines, in per cent: this cycle's, whole, and last year's, dashed."""
    chart = pygal.Line(
        **_common | {"print_values": False}, height=210, range=(0, 100), max_scale=5,
        show_minor_x_labels=False, dots_size=3, margin_right=24,
    )  # fmt: skip
    _days(chart, days)
    chart.add("this", list(this))
    chart.add("last", list(last))
    return _drawn(chart, title, said)


def numbers(rows: Sequence[tuple[str, int]], *, title: str, said: str) -> Markup:
    """A column for each row, with its number."""
    chart = pygal.Bar(**_common, height=210, spacing=4, max_scale=4, print_values_position="top")
    chart.x_labels = [label for label, _ in rows]
    chart.add(
        "numbers",
        [{"value": number or None, "formatter": _plain} for _, number in rows],
    )
    return _drawn(chart, title, said)


def _days(chart: Any, days: Sequence[date]) -> None:
    """Every third day is named, the last one always."""
    locale = get_locale() or "en_GB"
    chart.x_labels = [format_date(day, "d MMM", locale=locale) for day in days]
    chart.x_labels_major = [
        label for place, label in enumerate(chart.x_labels) if (len(days) - 1 - place) % 3 == 0
    ]


def _short(label: str) -> str:
    """The table beside the plot has the whole of it."""
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1].rstrip() + "…"


def _marked(mark: str, share: float) -> Any:
    return lambda number: f"{mark} {number}" if number and share >= LEAST_SHARE else ""


def _mark(mark: str, share: float) -> Any:
    return lambda number: mark if number and share >= LEAST_HEIGHT else ""


def _plain(number: int | None) -> str:
    return str(number) if number else ""


def _drawn(chart: Any, title: str, said: str) -> Markup:
    def ours(root: Element) -> Element:
        return _ours(root, title, said)

    chart.add_xml_filter(ours)
    return Markup(chart.render(is_unicode=True))  # noqa: S704  (pygal escapes what it draws)


def _ours(root: Element, title: str, said: str) -> Element:
    """The drawing without what a page of ours cannot use, named for who cannot see it."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _is_left_out(child):
                parent.remove(child)
            child.attrib.pop("style", None)
    root.attrib.pop("id", None)
    root.set("class", "cw-plot")
    root.set("role", "img")
    root.set("aria-label", f"{title}. {said}")
    return root


def _is_left_out(part: Element) -> bool:
    """Styles, scripts, comments, and what a script would show under the mouse."""
    tag = "" if callable(part.tag) else part.tag.rpartition("}")[2]
    return tag in {"", "defs", "desc", "title"} or part.get("class") in {"tooltip", "plot overlay"}
