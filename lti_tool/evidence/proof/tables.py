"""A pack's tables, read back: CSV as we write it, and a workbook's sheet as the same texts."""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from xml.etree import ElementTree

from lti_tool.evidence.proof.container import Unreadable, unpack

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_EPOCH: Final = date(1899, 12, 30)
_DAY_STYLE: Final = "2"
_UNREAD: Final = "\N{REPLACEMENT CHARACTER}"

csv.field_size_limit(1024 * 1024)


def rows_of_csv(content: bytes) -> list[list[str]]:
    """Every row, the headings first. Raises ``ValueError``."""
    try:
        text = content.decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except (UnicodeDecodeError, csv.Error) as fault:
        raise ValueError from fault


def rows_of_sheet(workbook: bytes, sheet: str) -> list[list[str]]:
    """Every row of one sheet as texts, days as ISO 8601. Raises ``ValueError``."""
    content = unpack(workbook).get(f"xl/worksheets/{sheet}.xml")
    try:
        text = (content or b"").decode()  # what is read as text is not read again as another code
        if "<!" in text:
            raise Unreadable
        root = ElementTree.fromstring(text)  # noqa: S314  (no declarations, and so no entities)
    except (UnicodeDecodeError, ElementTree.ParseError) as fault:
        raise Unreadable from fault
    return [[_cell(cell) for cell in row] for row in root.iter(f"{_MAIN}row")]


def differences(found: list[str], expected: list[str]) -> Iterator[tuple[int, str, str]]:
    """Column, what a row of the sheet says and what the same row of the table says, wherever they
    are not one."""
    for column in range(max(len(found), len(expected))):
        here = found[column] if column < len(found) else ""
        there = expected[column] if column < len(expected) else ""
        if not is_cell(there, here):
            yield column, here, there


def is_cell(written: str, text: str) -> bool:
    """Whether a cell of a CSV file says a text: some have an apostrophe before them there."""
    same = text.replace("\r\n", "\n").replace("\r", "\n")
    return written.replace("\r\n", "\n").replace("\r", "\n") in (same, f"'{same}")


def _cell(cell: ElementTree.Element) -> str:
    if cell.tag != f"{_MAIN}c" or set(cell.keys()) - {"t", "s"}:
        return _UNREAD
    if not len(cell):
        return ""
    if cell.get("t") == "inlineStr":
        return "".join(cell[0].itertext()).replace("_x005F_", "_")
    value = cell[0].text or ""
    if cell[0].tag != f"{_MAIN}v" or len(cell) > 1 or cell.get("t"):
        return _UNREAD
    if cell.get("s") == _DAY_STYLE and value.isdigit() and len(value) < 7:
        return (_EPOCH + timedelta(days=int(value))).isoformat()
    return value
