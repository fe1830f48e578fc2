"""Workbooks (ECMA-376) written as a stream: a few kilobytes of memory for any number of rows.

Texts stand in the cells themselves (inline strings), so nothing is kept for a table of strings at
the end. A column has one kind for all its cells, so a row is one formatting of one string. Text
is text: a cell that begins with ``=`` is no formula here.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

Cell = str | int | date | None
"""None is an empty cell."""

MOST_ROWS: Final = 1_048_576
MOST_TEXT: Final = 32_767
PIECE: Final = 64 * 1024

_EPOCH: Final = date(1899, 12, 30)
_EPOCH_MOMENT: Final = datetime(1899, 12, 30)  # noqa: DTZ001  (a spreadsheet knows no zones)
_DAY: Final = 86_400
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_READ_AS_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
_XML: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"


@dataclass(frozen=True)
class Column:
    """A heading, what kind of cells stand under it, and its width in letters."""

    title: str
    kind: str = "text"
    """text, number (whole), date or moment (as the clock on the wall shows it)."""
    width: int = 16


@dataclass(frozen=True)
class Sheet:
    """One sheet: its first row are the headings, which stay when the rest is scrolled."""

    name: str
    """At most 31 letters, none of them one of ``[]:*?/\\``."""
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def workbook(sheets: Sequence[Sheet], *, title: str, made_at: datetime) -> Iterator[bytes]:
    """The file in pieces of some 64 KiB. Rows are asked for as the pieces are taken, the first
    after the first piece.

    Raises ``ValueError`` for more rows than a sheet may have.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, text in _frame(sheets, title, made_at):
            file.writestr(zipfile.ZipInfo(name, _STAMP), text, zipfile.ZIP_DEFLATED)
        yield sink.take()
        for number, sheet in enumerate(sheets, 1):
            info = zipfile.ZipInfo(f"xl/worksheets/sheet{number}.xml", _STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            with file.open(info, "w", force_zip64=True) as part:
                for piece in _sheet(sheet):
                    part.write(piece.encode())
                    if sink.waiting >= PIECE:
                        yield sink.take()
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """What ``zipfile`` writes to: it cannot be gone back in, and is emptied as it fills."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        self.waiting += len(data)
        return len(data)

    def take(self) -> bytes:
        found = b"".join(self._pieces)
        self._pieces, self.waiting = [], 0
        return found


def _sheet(sheet: Sheet) -> Iterator[str]:
    widths = "".join(
        f'<col min="{at}" max="{at}" width="{column.width}" customWidth="1"/>'
        for at, column in enumerate(sheet.columns, 1)
    )
    head = "".join(
        f'<c s="1" t="inlineStr"><is><t>{_text(one.title)}</t></is></c>' for one in sheet.columns
    )
    yield (
        f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f"</sheetView></sheetViews><cols>{widths}</cols><sheetData><row>{head}</row>"
    )
    yield from _rows(sheet)
    yield "</sheetData></worksheet>"


def _rows(sheet: Sheet) -> Iterator[str]:
    """Rows by the hundred. Where nothing needs care a row is one formatting of one string."""
    kinds = [column.kind for column in sheet.columns]
    typed = [(at, kind) for at, kind in enumerate(kinds) if kind in _NUMBER_OF]
    formats: dict[tuple[int, ...], tuple[str, int]] = {}
    waiting = list[str]()
    for count, row in enumerate(sheet.rows, 2):
        if count > MOST_ROWS:
            raise ValueError(f"a sheet has at most {MOST_ROWS} rows")
        cells: list[Any] = list(row)
        empty = (
            tuple([at for at, cell in enumerate(cells) if cell is None]) if None in cells else ()
        )
        for at, kind in typed:
            if cells[at] is not None:
                cells[at] = _NUMBER_OF[kind](cells[at])
        if empty not in formats:
            form = _row_form(kinds, empty)
            formats[empty] = form, form.count("<")
        form, marks = formats[empty]
        line = form % tuple(cells)
        if _needs_care(line) or line.count("<") != marks:
            line = form % tuple([_text(cell) if isinstance(cell, str) else cell for cell in cells])
        waiting.append(line)
        if len(waiting) == 100:
            yield "".join(waiting)
            waiting.clear()
    yield "".join(waiting)


def _needs_care(line: str) -> bool:
    return not line.isprintable() or "&" in line or "_x" in line or len(line) > MOST_TEXT


def _row_form(kinds: Sequence[str], empty: tuple[int, ...]) -> str:
    cells = ["<c/>%.0s" if at in empty else _FORMS[kind] for at, kind in enumerate(kinds)]
    return f"<row>{''.join(cells)}</row>"


def _text(text: str) -> str:
    """As XML holds it, without what XML cannot hold, and no longer than a cell may be."""
    plain = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)[:MOST_TEXT]
    return escape(_READ_AS_ESCAPE.sub("_x005F_", plain))


def _day_number(day: date) -> int:
    return (day - _EPOCH).days


def _moment_number(moment: datetime) -> float:
    return (moment.replace(tzinfo=None) - _EPOCH_MOMENT).total_seconds() / _DAY


_NUMBER_OF: Final[dict[str, Callable[[Any], object]]] = {
    "date": _day_number,
    "moment": _moment_number,
}
_FORMS: Final = {
    "text": '<c t="inlineStr"><is><t>%s</t></is></c>',
    "number": "<c><v>%d</v></c>",
    "date": '<c s="2"><v>%s</v></c>',
    "moment": '<c s="3"><v>%r</v></c>',
}


def _frame(sheets: Sequence[Sheet], title: str, made_at: datetime) -> Iterator[tuple[str, str]]:
    """Everything but the sheets."""
    numbers = range(1, len(sheets) + 1)
    made = made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
        f'ContentType="{_TYPES}worksheet+xml"/>'
        for number in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}sheet.main+xml"/>{types}'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}styles+xml"/>'
        '<Override PartName="/docProps/core.xml" '
        'ContentType="application/vnd.openxmlformats-package.core-properties+xml"/></Types>',
    )
    yield (
        "_rels/.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{_PACKAGE}/relationships/metadata/core-properties" '
        'Target="docProps/core.xml"/></Relationships>',
    )
    yield (
        "docProps/core.xml",
        f'{_XML}<cp:coreProperties xmlns:cp="{_PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<dc:title>{_text(title)}</dc:title><dc:creator>Clauseway</dc:creator>"
        f'<dcterms:created xsi:type="dcterms:W3CDTF">{made}</dcterms:created></cp:coreProperties>',
    )
    names = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{names}</sheets></workbook>',
    )
    parts = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{parts}'
        f'<Relationship Id="rId0" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
    )
    yield "xl/styles.xml", _XML + _STYLES


_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml."
# Styles by number: 0 plain, 1 a heading, 2 a day, 3 a moment.
_STYLES: Final = f"""<styleSheet xmlns="{_MAIN}">
<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>\
<numFmt numFmtId="165" formatCode="yyyy\\-mm\\-dd\\ hh:mm"/></numFmts>
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>
<fills count="3"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill>\
<fill><patternFill patternType="solid"><fgColor rgb="FFE8EDF2"/></patternFill></fill></fills>
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs>
<cellXfs count="4"><xf/><xf fontId="1" fillId="2" applyFont="1" applyFill="1"/>\
<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/></cellXfs>
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>
</styleSheet>"""
