"""The tables of a pack: the same rows as CSV and as sheets of a workbook.

Each column has an id besides its heading. The manifest lists the ids, so that a check knows which
column is held against what, in whatever language the headings are.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from flask_babel import gettext as _

from lti_tool.evidence.export import BYTE_ORDER_MARK, safe_cell
from lti_tool.evidence.packs.figures import by, figures
from lti_tool.evidence.packs.reading import Line
from lti_tool.evidence.packs.words import DEFINITIONS, module_title, state_words
from lti_tool.evidence.proof.rows import COUNTS, LIST, WORKBOOK
from lti_tool.evidence.xlsx import Cell, Column, Sheet, workbook
from lti_tool.training.cycles.words import STATE_WORDS, reason_words
from lti_tool.training.staff.words import ROLE_GROUP_WORDS

GOVERNORS: Final = "governors"
MANAGERS: Final = "managers"
INSPECTOR: Final = "inspector"


@dataclass(frozen=True)
class Table:
    """One table: its file, the name of its sheet, its columns by id, its rows."""

    file: str
    kind: str
    name: str
    columns: Mapping[str, Column]
    rows: Sequence[Sequence[Cell]]


def tables(
    lines: Sequence[Line],
    *,
    audience: str,
    names: Mapping[str, str],
    modules: Mapping[str, Any],
    records: Mapping[str, Mapping[str, int]],
) -> list[Table]:
    """The tables this audience may see. ``names``: of the schools, by id; ``records``: by school,
    how many records of each training and cycle its checkpoint counts."""
    found = [_counts(lines, names, modules, records)]
    if audience != GOVERNORS:
        found.append(_list(lines, audience, names, modules))
    return found


def write(folder: Path, found: Sequence[Table], *, title: str, now: datetime) -> list[str]:
    """The CSV files, and the workbook with a sheet for each and one of definitions; their names."""
    for table in found:
        with (folder / table.file).open("w", encoding="utf-8", newline="") as file:
            file.write(BYTE_ORDER_MARK)
            file.writelines(_csv_lines(table))
    sheets = [Sheet(one.name, list(one.columns.values()), one.rows) for one in found]
    sheets.append(_definitions())
    with (folder / WORKBOOK).open("wb") as book:
        for piece in workbook(sheets, title=title, made_at=now):
            book.write(piece)
    return [*(table.file for table in found), WORKBOOK]


def described(found: Sequence[Table]) -> list[dict[str, Any]]:
    """What the manifest says of the tables."""
    return [
        {
            "file": table.file,
            "kind": table.kind,
            "sheet": f"sheet{number}",
            "columns": list(table.columns),
            "rows": len(table.rows),
        }
        for number, table in enumerate(found, 1)
    ]


def _csv_lines(table: Table) -> Iterable[str]:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    heads: list[Cell] = [one.title for one in table.columns.values()]
    for row in (heads, *table.rows):
        writer.writerow([safe_cell(_plain(cell)) for cell in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def _plain(cell: Cell) -> str:
    if cell is None:
        return ""
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _counts(
    lines: Sequence[Line],
    names: Mapping[str, str],
    modules: Mapping[str, Any],
    records: Mapping[str, Mapping[str, int]],
) -> Table:
    columns = {
        "row": Column(_("Row"), "number", 6),
        "school": Column(_("School"), width=36),
        "training": Column(_("Training"), width=28),
        "key": Column(_("Records of"), width=26),
        "asked": Column(_("People asked"), "number"),
        **{one: Column(str(STATE_WORDS[one]), "number") for one in _SHOWN},
        "left-incomplete": Column(str(STATE_WORDS["left-incomplete"]), "number"),
        "records": Column(_("Records in the ledger"), "number", 22),
    }
    rows: list[list[Cell]] = []
    for school_id, name in names.items():
        own = [line for line in lines if line.school_id == school_id]
        found = by(own, lambda line: f"{line.module} {line.cycle}")
        for key in sorted({*found, *records[school_id]}):
            counted = found.get(key, figures([]))
            title = module_title(modules, key.partition(" ")[0])
            rows.append(
                [
                    *(len(rows) + 1, name, title, key, counted.asked),
                    *(counted.states[one] for one in _SHOWN),
                    counted.left,
                    records[school_id].get(key, 0),
                ]
            )
    return Table("counts.csv", COUNTS, _("Counts"), columns, rows)


_SHOWN: Final = ("done", "in-progress", "due", "overdue", "paused")
_Reader = Callable[[Line], Cell]


def _list(
    lines: Sequence[Line], audience: str, names: Mapping[str, str], modules: Mapping[str, Any]
) -> Table:
    """For managers everything owed and done, with names; for an inspector the records alone."""
    reads = _columns(names, modules)
    if audience == INSPECTOR:
        lines = sorted(
            (line for line in lines if line.record_id is not None),
            key=lambda line: (line.school_id, line.entry or 0, line.module),
        )
        reads = {one: reads[one] for one in _WITHOUT_NAMES}
    rows: list[list[Cell]] = [
        [number, *(read(line) for _column, read in reads.values())]
        for number, line in enumerate(lines, 1)
    ]
    columns = {"row": Column(_("Row"), "number", 6)}
    columns |= {name: column for name, (column, _read) in reads.items()}
    if audience == INSPECTOR:
        return Table("records.csv", LIST, _("Records"), columns, rows)
    return Table("people.csv", LIST, _("People"), columns, rows)


_WITHOUT_NAMES: Final = (
    *("school", "training", "state", "declared_on", "method", "version"),
    *("key", "entry", "record"),
)


def _columns(
    names: Mapping[str, str], modules: Mapping[str, Any]
) -> dict[str, tuple[Column, _Reader]]:
    yes, no = _("Yes"), _("No")
    return {
        "school": (Column(_("School"), width=36), lambda one: names[one.school_id]),
        "name": (Column(_("Name"), width=28), lambda one: one.name),
        "reference": (
            Column(_("Reference"), width=12),
            lambda one: one.reference if one.person_id.int else "",
        ),
        "role_group": (
            Column(_("Role group"), width=18),
            lambda one: str(ROLE_GROUP_WORDS[one.role_group]),
        ),
        "site": (Column(_("Site")), lambda one: one.site),
        "training": (
            Column(_("Training"), width=28),
            lambda one: module_title(modules, one.module),
        ),
        "asked": (Column(_("Asked"), width=8), lambda one: yes if one.is_required else no),
        "state": (Column(_("State")), lambda one: state_words(one.state)),
        "due_on": (Column(_("Due on"), "date", 12), lambda one: one.due_on),
        "why": (
            Column(_("Why then"), width=48),
            lambda one: reason_words(one.reason) if one.reason else "",
        ),
        "declared_on": (Column(_("Declared on"), "date", 12), lambda one: one.declared_on),
        "signed_as": (Column(_("Signed as"), width=28), lambda one: one.signed_as),
        "method": (Column(_("Method"), width=10), lambda one: one.method),
        "version": (Column(_("Policy version")), lambda one: one.version),
        "score": (Column(_("Score in per cent"), "number"), lambda one: one.score),
        "key": (Column(_("Record of"), width=26), lambda one: one.key),
        "entry": (Column(_("Entry"), "number", 8), lambda one: one.entry),
        "record": (Column(_("Record"), width=38), lambda one: str(one.record_id or "")),
    }


def _definitions() -> Sheet:
    rows: list[list[Cell]] = [[str(word), str(meaning)] for word, meaning in DEFINITIONS]
    columns = [Column(_("Word"), width=26), Column(_("What it means"), width=110)]
    return Sheet(_("Definitions"), columns, rows)
