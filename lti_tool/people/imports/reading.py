"""Reads a staff file, as Excel and hands write them, into rows and a list of everything amiss.

Pure: bytes in, values out. Nothing is worked out, opened or fetched.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from hashlib import sha256
from typing import Any, Final

from lti_tool.core.errors import ToolError
from lti_tool.people.imports import columns
from lti_tool.people.imports.columns import CellError, clean, number_key, plain

LARGEST: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 5_000
# Of lines that hold signs but say nothing: spreadsheets end in some, a trap is made of them.
MOST_IDLE: Final = 20_000
MOST_CELLS: Final = 200
DELIMITERS: Final = (",", ";", "\t")
HEADER_WITHIN: Final = 10
# A cell may hold a line break; one that holds more has lost its closing quotation mark.
LINES_OF_A_ROW: Final = 4
NOT_TEXT: Final = {
    b"PK\x03\x04": "file-workbook",
    b"PK\x05\x06": "file-workbook",
    b"\xd0\xcf\x11\xe0": "file-workbook",
    b"%PDF": "file-not-text",
    b"\x1f\x8b": "file-not-text",
}


@dataclass(frozen=True)
class StaffRow:
    """One person as the file has them; what is empty is not said, and changes nothing."""

    line: int
    name: str
    email: str = ""
    role_group: str = ""
    site: str = ""
    starts_on: date | None = None
    payroll_number: str = ""
    ends_on: date | None = None

    @property
    def key(self) -> str:
        """What the file itself tells people apart by, where they have no payroll number."""
        return sha256(f"{plain(self.name)}\n{self.email.casefold()}".encode()).hexdigest()


@dataclass(frozen=True)
class Fault:
    """Something amiss in a line, which is therefore left out."""

    line: int
    code: str
    column: str = ""
    """The header, as the file has it."""
    cell: str = ""
    """What stands there, shortened; or the other line."""


@dataclass(frozen=True)
class StaffFile:
    """What a file says."""

    rows: tuple[StaffRow, ...]
    faults: tuple[Fault, ...]
    unread: tuple[str, ...] = ()
    """Columns that we do not know, and did not keep."""


@dataclass
class _Header:
    line: int
    delimiter: str
    names: list[str]
    fields: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fields = [columns.field_of(name) for name in self.names]


def read_staff_file(data: bytes, *, sites: tuple[str, ...] = ()) -> StaffFile:
    """Everything a file says, and everything amiss in it with its line.

    ``sites`` are the school's; where it has none, a column of sites is not read. Raises
    ``ToolError`` for a file that is none: file-empty, file-too-large, file-workbook,
    file-not-text, file-without-header, file-columns-twice, file-too-long.
    """
    lines = _lines(_text(data))
    header = _find_header(lines)
    if not sites:
        header.fields = ["" if one == "site" else one for one in header.fields]
    twice = [name for name, number in Counter(header.fields).items() if name and number > 1]
    if twice:
        shown = [
            name for name, one in zip(header.names, header.fields, strict=True) if one in twice
        ]
        raise ToolError("file-columns-twice", columns=", ".join(shown)[:200])
    rows: list[StaffRow] = []
    faults: list[Fault] = []
    for number, (line, cells) in enumerate(_rows(lines, header.line, header.delimiter)):
        if len(rows) + len(faults) > MOST_ROWS or number > MOST_IDLE:
            raise ToolError("file-too-long", most=MOST_ROWS)
        if isinstance(cells, str):
            faults.append(Fault(line, cells))
        elif _say_something(cells):
            row, amiss = _read_row(line, cells, header, sites)
            faults += amiss
            rows += [row] if row else []
    if not rows and not faults:
        raise ToolError("file-empty")
    rows, repeated = _without_repeats(rows)
    unread = (name for name, one in zip(header.names, header.fields, strict=True) if not one)
    return StaffFile(
        tuple(rows),
        tuple(sorted([*faults, *repeated], key=lambda fault: fault.line)),
        tuple(filter(None, (clean(name)[: columns.SHOWN] for name in unread))),
    )


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise ToolError("file-too-large")
    for start, code in NOT_TEXT.items():
        if data.startswith(start):
            raise ToolError(code)
    text = _decode(data)
    if not text.strip("\ufeff \t\r\n"):
        raise ToolError("file-empty")
    if re.search(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]", text):
        raise ToolError("file-not-text")
    return text.removeprefix("\ufeff")


def _decode(data: bytes) -> str:
    """UTF-16 by its mark or its zeros, UTF-8 where it is that, else what Windows writes."""
    try:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return data.decode("utf-16")
        zeros = data[:2000].count(0)
        if zeros and zeros * 3 >= len(data[:2000]):
            return data.decode("utf-16-be" if data[:1] == b"\0" else "utf-16-le")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return data.decode("cp1252")
    except UnicodeDecodeError as fault:
        raise ToolError("file-not-text") from fault


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)


def _find_header(lines: Sequence[str]) -> _Header:
    """The line, among the first, with the most columns we know; titles may stand above it."""
    best: tuple[int, _Header | None] = (0, None)
    for delimiter in DELIMITERS:
        for line, cells in _rows(lines[:HEADER_WITHIN], 0, delimiter):
            if isinstance(cells, str):
                continue
            header = _Header(line, delimiter, cells)
            known = set(header.fields) - {""}
            if ("name" in known or {"forename", "surname"} <= known) and len(known) > best[0]:
                best = len(known), header
    if best[1] is None:
        raise ToolError("file-without-header")
    return best[1]


def _rows(
    lines: Sequence[str], after: int, delimiter: str
) -> Iterator[tuple[int, list[str] | str]]:
    """Each row with the number of its first line, but for those of delimiters alone; a code in
    place of cells that cannot be read."""
    place, empty = after, f"{delimiter} \t\r\n"
    while place < len(lines):
        if not lines[place].strip(empty):
            place += 1
            continue
        cells, taken = _row(lines[place : place + LINES_OF_A_ROW], delimiter)
        place += taken
        yield place - taken + 1, cells


def _row(lines: Sequence[str], delimiter: str) -> tuple[list[str] | str, int]:
    for taken in range(1, len(lines) + 1):
        try:
            found = list(csv.reader(lines[:taken], delimiter=delimiter, strict=True))
        except csv.Error as fault:
            if "unexpected end" in str(fault):
                continue
            return "quotes", 1
        cells = found[0] if found else []
        return ("too-many-cells" if sum(map(bool, cells)) > MOST_CELLS else cells), taken
    return "quotes", 1


def _say_something(cells: Iterable[str]) -> bool:
    return any(clean(cell) for cell in cells if cell)


def _read_row(
    line: int, cells: Sequence[str], header: _Header, sites: tuple[str, ...]
) -> tuple[StaffRow | None, list[Fault]]:
    if _say_something(cells[len(header.names) :]):
        return None, [Fault(line, "too-many-cells")]
    texts = {one: clean(cell) for one, cell in zip(header.fields, cells, strict=False) if one}
    titles = dict(zip(header.fields, map(clean, header.names), strict=True))
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, read in _readers(sites):
        text = _full_name(texts) if name == "name" else texts.get(name, "")
        try:
            values[name] = read(text)
        except CellError as fault:
            title = titles.get(name) or titles.get("surname", "")
            faults.append(Fault(line, fault.code, title, text[: columns.SHOWN]))
    starts_on, ends_on = values.get("starts_on"), values.get("ends_on")
    if starts_on and ends_on and ends_on < starts_on:
        faults.append(Fault(line, "ends-before-it-starts", titles["ends_on"]))
    return (None if faults else StaffRow(line, **values)), faults


def _readers(sites: tuple[str, ...]) -> Iterable[tuple[str, Callable[[str], Any]]]:
    return (
        ("name", columns.read_name),
        ("email", columns.read_email),
        ("role_group", columns.read_role_group),
        ("site", partial(columns.read_site, sites=sites)),
        ("starts_on", columns.read_date),
        ("payroll_number", columns.read_number),
        ("ends_on", columns.read_date),
    )


def _full_name(texts: dict[str, str]) -> str:
    both = f"{texts.get('forename', '')} {texts.get('surname', '')}".strip()
    return texts.get("name", "") or " ".join(both.replace(",", " ").split())


def _without_repeats(rows: Sequence[StaffRow]) -> tuple[list[StaffRow], list[Fault]]:
    """Rows that stand alone, and faults for those that say who another row is.

    Which of two rows with one payroll number is right, nobody can tell from the file.
    """
    first: dict[tuple[str, str], StaffRow] = {}
    faults: dict[int, Fault] = {}
    for row in rows:
        number = number_key(row.payroll_number)
        which = ("number-twice", number) if number else ("person-twice", row.key)
        if other := first.get(which):
            faults[row.line] = Fault(row.line, which[0], cell=str(other.line))
            faults.setdefault(other.line, Fault(other.line, which[0], cell=str(row.line)))
        else:
            first[which] = row
    return [row for row in rows if row.line not in faults], list(faults.values())
