"""No cell of the export is a formula, whatever anybody is called."""

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lti_tool.evidence.export import csv_rows, safe_cell

HARMFUL = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A", "−1")


@pytest.mark.parametrize("text", HARMFUL)
@pytest.mark.parametrize("before", ["", " ", "\u00a0", "\u200b", "\ufeff", "\u3000", "\x00"])
def test_what_could_be_a_formula_is_made_text(before: str, text: str) -> None:
    assert safe_cell(before + text) == "'" + before + text


@pytest.mark.parametrize(
    "text", ["", "Amara Osei", "O'Neil", "Llŷr", "90", "2026-11-23", "–", "a=b", "x@example.org"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


@given(st.text())
@example("﹦1")
@example("⁺1")
@example("\u2028=1")
def test_no_cell_begins_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert cell in {text, "'" + text}
    shown = unicodedata.normalize("NFKC", cell).lstrip()
    assert not shown.startswith(("=", "+", "-", "@"))
    assert not cell.startswith(("\t", "\r", "\n"))


@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2), max_size=5)
)
def test_a_cell_never_breaks_out_into_another(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(csv_rows(rows), newline=""), strict=True))
    assert read == [[safe_cell(cell) for cell in row] for row in rows]
