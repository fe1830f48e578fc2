"""What somebody may do to a pack, and what a check must then say. Both checks are held to it: the
one on the command line and the one in the browser."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.factories import tampering
from tests.factories.packs import Change, altered
from tests.factories.registers import HEMSWELL

Finding = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Attack:
    """One attack. ``named``: findings that must be among those found, each with its place."""

    name: str
    change: Change
    named: tuple[Finding, ...]
    covers_up: bool = True
    """Whether the manifest is made to fit; its signature then no longer does."""


REFRESH: Final = "annual-refresh 2026-27"

ATTACKS: Final = (
    Attack(
        "flipped byte", tampering.flip, (("file-altered", {"file": "report.pdf"}),), covers_up=False
    ),
    Attack(
        "removed person",
        tampering.remove_person,
        (
            ("manifest-forged", {}),
            ("rows-differ", {"file": "people.csv", "found": 8, "expected": "9"}),
            ("row-order", {"file": "people.csv", "line": 5, "found": "5", "expected": 4}),
            ("row-missing", {"file": "people.csv", "entry": 2, "school": HEMSWELL}),
            ("workbook-row-added", {"file": "workbook.xlsx", "table": "people.csv", "row": "4"}),
        ),
    ),
    Attack(
        "removed person, as thoroughly as can be",
        tampering.remove_person_and_entry,
        (
            ("manifest-forged", {}),
            (
                "records-differ",
                {"school": HEMSWELL, "records": REFRESH, "found": 5, "expected": 6},
            ),
        ),
    ),
    Attack(
        "changed date in the CSV",
        tampering.change_date,
        (
            (
                "cell-differs",
                {
                    "file": "people.csv", "row": "4", "column": "Declared on",
                    "found": "2026-09-01", "expected": "2026-09-03",
                },
            ),
            (
                "workbook-differs",
                {
                    "file": "workbook.xlsx", "table": "people.csv", "row": "4",
                    "column": "Declared on", "found": "2026-09-03", "expected": "2026-09-01",
                },
            ),
        ),
    ),
    Attack(
        "changed signature in the CSV",
        tampering.change_name,
        (
            (
                "cell-differs",
                {
                    "file": "people.csv", "row": "4", "column": "Signed as",
                    "found": "Another Name", "expected": "Signed Name",
                },
            ),
        ),
    ),
    Attack(
        "changed date in an entry",
        tampering.backdate_entry,
        (("entry-altered", {"entry": 2, "school": HEMSWELL}),),
    ),
    Attack(
        "re-ordered rows",
        tampering.reorder_rows,
        (("row-order", {"file": "people.csv", "line": 5, "found": "5", "expected": 4}),),
    ),
    Attack(
        "re-ordered entries",
        tampering.reorder_entries,
        (
            (
                "entry-order",
                {"file": "entries.jsonl", "line": 2, "entry": 2, "school": HEMSWELL},
            ),
        ),
    ),
    Attack(
        "changed workbook",
        tampering.change_workbook,
        (
            (
                "workbook-differs",
                {
                    "file": "workbook.xlsx", "table": "people.csv", "row": "4",
                    "column": "Declared on", "found": "2026-09-01", "expected": "2026-09-03",
                },
            ),
        ),
    ),
    Attack(
        "changed count",
        tampering.change_count,
        (
            (
                "records-differ",
                {"school": HEMSWELL, "records": REFRESH, "found": "7", "expected": "6"},
            ),
        ),
    ),
    Attack(
        "entry left out",
        tampering.leave_out_entry,
        (
            (
                "records-differ",
                {"school": HEMSWELL, "records": REFRESH, "found": 5, "expected": 6},
            ),
            ("row-added", {"file": "people.csv", "row": "4"}),
        ),
    ),
    Attack("export hidden", tampering.hide_export, (("export-unrecorded", {"school": HEMSWELL}),)),
    Attack(
        "value opened otherwise",
        tampering.open_otherwise,
        (("disclosure-false", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack(
        "value held back",
        tampering.hold_back,
        (("value-withheld", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack(
        "value called erased",
        tampering.call_erased,
        (("erasure-unrecorded", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack(
        "forged signature",
        tampering.forge_signature,
        (("manifest-forged", {}),),
        covers_up=False,
    ),
    Attack(
        "forged checkpoint",
        tampering.forge_checkpoint,
        (("checkpoint-forged", {"school": HEMSWELL}),),
    ),
    Attack(
        "re-ordered files",
        tampering.reorder_files,
        (("file-moved", {"file": "people.csv"}),),
        covers_up=False,
    ),
    Attack(
        "checkpoint signed with another key",
        tampering.sign_checkpoint_anew,
        (("checkpoint-other-key", {"school": HEMSWELL}),),
    ),
    Attack("garbled table", tampering.garble_table, (("unreadable", {"file": "people.csv"}),)),
    Attack(
        "garbled entry",
        tampering.garble_entry,
        (("entry-unreadable", {"file": "entries.jsonl", "line": 1}),),
    ),
    Attack(
        "column taken out",
        tampering.drop_column,
        (("columns-differ", {"file": "people.csv"}),),
    ),
    Attack(
        "row taken out of the workbook",
        tampering.remove_from_workbook,
        (
            (
                "workbook-row-missing",
                {"file": "workbook.xlsx", "table": "people.csv", "row": "4"},
            ),
        ),
    ),
    Attack(
        "row twice in the workbook",
        tampering.twice_in_workbook,
        (
            (
                "workbook-rows",
                {"file": "workbook.xlsx", "table": "people.csv", "found": 10, "expected": 9},
            ),
        ),
    ),
    Attack(
        "added file",
        tampering.add_file,
        (("file-added", {"file": "more.csv"}),),
        covers_up=False,
    ),
    Attack(
        "file taken out",
        tampering.take_out,
        (("file-missing", {"file": "counts.csv"}),),
        covers_up=False,
    ),
)  # fmt: skip


def attacked(attack: Attack, folder: Path, data: bytes) -> bytes:
    """The pack after the attack."""
    return altered(folder, data, attack.change, covers_up=attack.covers_up)
