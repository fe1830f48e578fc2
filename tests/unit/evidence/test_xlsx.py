"""Workbooks that open as what they are, read back by a library that we did not write."""

import io
import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence import xlsx
from lti_tool.evidence.xlsx import Cell, Column, Sheet, workbook

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
COLUMNS = (
    Column("Name", width=30),
    Column("Score", "number"),
    Column("Due", "date"),
    Column("Signed", "moment"),
)


def read(rows: Sequence[Sequence[Cell]], columns: Sequence[Column] = COLUMNS) -> Any:
    pieces = workbook(
        [Sheet("People & states", columns, rows), Sheet("Words", [Column("Word")], [["<a>"]])],
        title="People",
        made_at=NOW,
    )
    return openpyxl.load_workbook(io.BytesIO(b"".join(pieces)))


def test_cells_have_types_and_the_headings_stay() -> None:
    row: list[Cell] = ["Siân", 90, date(2026, 10, 31), datetime(2026, 9, 3, 14, 30)]  # noqa: DTZ001
    book = read([row, ["", None, None, None]])
    sheet = book["People & states"]
    assert [cell.value for cell in sheet[1]] == ["Name", "Score", "Due", "Signed"]
    assert sheet["A1"].font.b
    assert sheet.freeze_panes == "A2"
    name, score, due, signed = sheet[2]
    assert (name.value, score.value) == ("Siân", 90)
    assert (due.value.date(), due.number_format) == (row[2], "yyyy\\-mm\\-dd")
    assert (signed.value, signed.is_date) == (row[3], True)
    assert [cell.value or None for cell in sheet[3]] == [None] * 4
    assert sheet.column_dimensions["A"].width == 30
    assert book["Words"]["A2"].value == "<a>"
    assert book.properties.title == "People"


@pytest.mark.parametrize("text", ["=1+1", "+44", "-1", "@x", "a & <b>", "two\nlines"])
def test_text_stays_text(text: str) -> None:
    cell = read([[text, 1, None, None]])["People & states"]["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_what_excel_would_read_as_an_escape_is_escaped() -> None:
    """Excel takes it back; the library we read with leaves it as it stands."""
    assert read([["_x0041_", 1, None, None]])["People & states"]["A2"].value == "_x005F_x0041_"


def test_what_xml_cannot_hold_is_replaced_and_too_much_cut() -> None:
    sheet = read([["a\x00b\ud800", None, None, None], ["x" * 40_000, None, None, None]])
    assert sheet["People & states"]["A2"].value == "a\N{REPLACEMENT CHARACTER}b" + "\ufffd"
    assert len(sheet["People & states"]["A3"].value) == 32_767


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1))
def test_any_text_comes_back(texts: list[str]) -> None:
    sheet = read([[text] for text in texts], [Column("Text")])["People & states"]
    found = [row[0].value or "" for row in sheet.iter_rows(min_row=2)]
    for text, value in zip(texts, found, strict=False):
        kept = xlsx._NOT_XML.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
        assert value == kept


def test_memory_stays_flat_and_the_first_piece_comes_at_once() -> None:
    taken = 0

    def rows() -> Iterator[list[Cell]]:
        nonlocal taken
        for number in range(60_000):
            taken = number
            yield [f"Person {number * 7919 % 60_000}", number, None, None]

    pieces = workbook([Sheet("Many", COLUMNS, rows())], title="", made_at=NOW)
    assert next(pieces)
    assert taken < 20_000
    tracemalloc.start()
    assert sum(len(piece) for piece in pieces) > 200_000
    assert tracemalloc.get_traced_memory()[1] < 4 << 20
    tracemalloc.stop()


def test_more_rows_than_a_sheet_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    read([["a", 1, None, None]] * 2)
    with pytest.raises(ValueError, match="at most 3 rows"):
        read([["a", 1, None, None]] * 3)
