"""A plot stands in a page of ours: no style, no script, named, its states told by marks too."""

from collections.abc import Iterator
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
from flask import Flask
from markupsafe import Markup

from lti_tool.evidence.dashboard import plots
from lti_tool.ui import pages

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(autouse=True)
def _speaking() -> Iterator[None]:
    app = Flask(__name__)
    pages.install(app)
    with app.test_request_context():
        yield


def every() -> dict[str, Markup]:
    days = [date(2026, 9, 7) + timedelta(weeks=week) for week in range(5)]
    rows = [("Teaching staff", {"done": 20, "overdue": 5}), ("Governor", {"not-due": 2})]
    said = {"title": "Who & what", "said": "20 of 25 <done>."}
    return {
        "states": plots.states_by(rows, **said),
        "time": plots.states_over_time([(day, {"done": 3, "due": 4}) for day in days], **said),
        "years": plots.years(days, [1, 2, 3, None, None], [2, 3, 4, 5, 6], **said),
        "numbers": plots.numbers([("0–19%", 3), ("100%", 0)], **said),
        "nobody": plots.states_by([("Teaching staff", {})], **said),
    }


@pytest.mark.parametrize("kind", ["states", "time", "years", "numbers", "nobody"])
def test_nothing_in_it_is_what_our_pages_do_not_run(kind: str) -> None:
    root = ElementTree.fromstring(every()[kind])
    assert root.tag == f"{SVG}svg"
    for element in root.iter():
        assert element.tag not in {f"{SVG}style", f"{SVG}script", f"{SVG}foreignObject"}
        assert not [name for name in element.attrib if name == "style" or name.startswith("on")]
        assert "id" not in element.attrib  # two plots stand in one page


@pytest.mark.parametrize("kind", ["states", "time", "years", "numbers"])
def test_it_says_in_words_what_it_shows(kind: str) -> None:
    root = ElementTree.fromstring(every()[kind])
    assert root.get("role") == "img"
    assert root.get("aria-label") == "Who & what. 20 of 25 <done>."


def test_a_segment_bears_its_states_mark_and_number() -> None:
    texts = [one.text for one in ElementTree.fromstring(every()["states"]).iter(f"{SVG}text")]
    assert "✓ 20" in texts
    assert "! 5" in texts
    assert "– 2" not in texts  # too narrow here: the table beside it has it
    assert len(set(plots.MARKS.values())) == len(plots.MARKS)


def test_a_name_cannot_break_out_of_the_drawing() -> None:
    drawn = plots.states_by(
        [("<script>alert(1)</script>", {"done": 1})], title='"><script>', said="x"
    )
    assert "<script" not in drawn


def test_the_colours_stand_in_the_order_of_the_states() -> None:
    """The style sheet counts the states as the plots stack them."""
    sheet = (pages.__file__ or "").replace("pages.py", "assets/clauseway.scss")
    with open(sheet) as file:
        listed = file.read().partition("$states: (")[2].partition(");")[0]
    places = [listed.index(f'"{state}":') for state in plots.MARKS]
    assert places == sorted(places)
