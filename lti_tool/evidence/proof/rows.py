"""The tables of a pack against its entries, its checkpoints and its workbook."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lti_tool.evidence.proof.entries import Entry
from lti_tool.evidence.proof.findings import Findings
from lti_tool.evidence.proof.tables import differences, is_cell, rows_of_csv, rows_of_sheet

WORKBOOK: Final = "workbook.xlsx"
LIST: Final = "list"
COUNTS: Final = "counts"


def check(
    pack: Findings,
    manifest: Mapping[str, Any],
    said: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, Entry],
) -> None:
    """Every table: its rows in order, its cells as the entries have them, the sheet as well."""
    for table in manifest["tables"]:
        name, columns = table["file"], [str(one) for one in table.get("columns", [])]
        if name not in pack.files:
            continue
        try:
            written = rows_of_csv(pack.files[name])
        except ValueError:
            pack.add("unreadable", file=name)
            continue
        if not written or any(len(row) != len(columns) for row in written):
            pack.add("columns-differ", file=name)
            continue
        if len(written) - 1 != table.get("rows"):
            expected = str(table.get("rows"))
            pack.add("rows-differ", file=name, found=len(written) - 1, expected=expected)
        rows = [dict(zip(columns, row, strict=True)) for row in written[1:]]
        _check_order(pack, name, rows)
        if table.get("kind") == LIST:
            _check_list(pack, name, (written[0], columns), rows, known)
        else:
            _check_counts(pack, manifest, rows, said)
        _check_sheet(pack, table, written)


def _check_order(pack: Findings, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    expected = 1
    for line, row in enumerate(rows, 2):
        found = row.get("row", "")
        if found != str(expected):
            pack.add("row-order", file=name, line=line, found=found, expected=expected)
        is_number = found.isascii() and found.isdigit() and len(found) < 10
        expected = (int(found) if is_number else expected) + 1


def _check_list(
    pack: Findings,
    name: str,
    heads: tuple[Sequence[str], Sequence[str]],
    rows: Sequence[Mapping[str, str]],
    known: Mapping[str, Entry],
) -> None:
    titles = dict(zip(heads[1], heads[0], strict=True))
    missing = dict(known)
    for row in rows:
        record = row.get("record", "")
        if not record:
            continue
        entry = known.get(record)
        missing.pop(record, None)
        if entry is None:
            pack.add("row-added", file=name, row=row.get("row", ""))
            continue
        for column, expected in _said(entry):
            found = row.get(column)
            if found is not None and not is_cell(found, expected):
                pack.add(
                    "cell-differs",
                    file=name,
                    row=row.get("row", ""),
                    column=titles[column],
                    found=found,
                    expected=expected,
                )
    for entry in missing.values():
        pack.add("row-missing", file=name, entry=entry.sequence, school=entry.school)


def _said(entry: Entry) -> Iterator[tuple[str, str]]:
    """What an entry says for the columns of the list, as far as it says it here."""
    facts = entry.facts
    declaration, policy = facts.get("declaration"), facts.get("policy")
    yield "entry", str(entry.sequence)
    yield "key", entry.records
    if isinstance(declaration, dict):
        yield "declared_on", signed_on(declaration)
        if "method" in declaration:
            yield "method", str(declaration["method"])
    if isinstance(policy, dict):
        yield "version", str(policy.get("number", ""))
    if "printed_name" in entry.disclosed:
        yield "signed_as", str(entry.disclosed["printed_name"])
    if "score" in entry.disclosed:
        yield "score", str(entry.disclosed["score"])


def signed_on(declaration: Mapping[str, Any]) -> str:
    """The day of a declaration: one on paper has no more than that."""
    return str(declaration.get("signed_on") or declaration.get("signed_at_local", ""))[:10]


def _check_counts(
    pack: Findings,
    manifest: Mapping[str, Any],
    rows: Sequence[Mapping[str, str]],
    said: Mapping[str, Mapping[str, Any]],
) -> None:
    named: dict[str, str] = {one["name"]: one["id"] for one in manifest["schools"]}
    for row in rows:
        school = named.get(row.get("school", ""), "")
        if school not in said or "records" not in row:
            continue
        expected = str(said[school]["records"].get(row.get("key", ""), 0))
        if row["records"] != expected:
            where = {"school": school, "records": row.get("key", "")}
            pack.add("records-differ", **where, found=row["records"], expected=expected)


def _check_sheet(pack: Findings, table: Mapping[str, Any], written: list[list[str]]) -> None:
    if WORKBOOK not in pack.files:
        return
    where = {"file": WORKBOOK, "table": table["file"]}
    try:
        sheet = rows_of_sheet(pack.files[WORKBOOK], str(table.get("sheet")))
    except ValueError:
        pack.add("unreadable", file=f"{WORKBOOK}, {table.get('sheet')}")
        return
    there = {row[0]: row for row in reversed(sheet) if row}
    for row in written:
        if row[0] not in there:
            pack.add("workbook-row-missing", **where, row=row[0])
            continue
        for column, found, expected in differences(there.pop(row[0]), row):
            title = written[0][column] if column < len(row) else str(column + 1)
            pack.add(
                "workbook-differs",
                **where,
                row=row[0],
                column=title,
                found=found,
                expected=expected,
            )
    for number in there:
        pack.add("workbook-row-added", **where, row=number)
    if len(sheet) > len(written):
        pack.add("workbook-rows", **where, found=len(sheet) - 1, expected=len(written) - 1)
