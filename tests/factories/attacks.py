"""What somebody may do to a pack, and what a check must then say. Both checks are held to it: the
one on the command line and the one in the browser."""

import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lti_tool.core import ledger
from lti_tool.evidence.proof.check import check
from lti_tool.evidence.proof.container import unpack
from lti_tool.evidence.proof.statements import fingerprint
from tests.factories.packs import Change, altered, files

Finding = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Attack:
    """One attack. ``named``: findings that must be among those found, each with its place."""

    name: str
    change: Change
    named: tuple[Finding, ...]
    covers_up: bool = True
    """Whether the manifest is made to fit; its signature then no longer does."""


def _text(found: dict[str, bytes], name: str, change: Callable[[str], str]) -> None:
    found[name] = change(found[name].decode()).encode()


def _lines(
    found: dict[str, bytes], name: str, change: Callable[[list[str]], list[str]], end: str
) -> None:
    whole = found[name].decode()
    found[name] = (end.join(change(whole.rstrip(end).split(end))) + end).encode()


def _flip(found: dict[str, bytes]) -> None:
    content = bytearray(found["report.pdf"])
    content[1000] ^= 1
    found["report.pdf"] = bytes(content)


def _remove_person(found: dict[str, bytes]) -> None:
    _lines(found, "people.csv", lambda rows: rows[:4] + rows[5:], "\r\n")


def _remove_person_and_entry(found: dict[str, bytes]) -> None:
    """As thoroughly as can be without the key: entry, row, sheet, numbers."""
    record = next(
        row.split('","')[-1].strip('"')
        for row in found["people.csv"].decode().split("\r\n")
        if '"Person 0"' in row
    )
    _lines(found, "entries.jsonl", lambda all_: [one for one in all_ if record not in one], "\n")

    def drop(rows: list[str]) -> list[str]:
        kept = [row.partition(",")[2] for row in rows[1:] if record not in row]
        return [rows[0], *(f'"{at}",{row}' for at, row in enumerate(kept, 1))]

    _lines(found, "people.csv", drop, "\r\n")
    manifest = json.loads(found["manifest.json"])
    manifest["tables"][1]["rows"] -= 1
    found["manifest.json"] = ledger.canonical(manifest)
    del found["workbook.xlsx"]
    manifest["files"] = [one for one in manifest["files"] if one["name"] != "workbook.xlsx"]
    found["manifest.json"] = ledger.canonical(manifest)


def _change_date(found: dict[str, bytes]) -> None:
    _text(found, "people.csv", lambda text: text.replace("2026-09-03", "2026-09-01", 1))


def _change_name(found: dict[str, bytes]) -> None:
    _text(found, "people.csv", lambda text: text.replace("Signed Name", "Another Name", 1))


def _reorder_rows(found: dict[str, bytes]) -> None:
    _lines(found, "people.csv", lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]], "\r\n")


def _reorder_entries(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: [all_[1], all_[0], *all_[2:]], "\n")


def _backdate_entry(found: dict[str, bytes]) -> None:
    _text(
        found,
        "entries.jsonl",
        lambda text: text.replace("2026-09-03T15:05:00+01:00", "2026-09-01T15:05:00+01:00", 1),
    )


def _leave_out_entry(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: all_[1:], "\n")


def _hide_export(found: dict[str, bytes]) -> None:
    _lines(
        found, "entries.jsonl", lambda all_: [one for one in all_ if "pack-asked" not in one], "\n"
    )


def _open_otherwise(found: dict[str, bytes]) -> None:
    value = json.dumps(json.dumps("Signed Name"))[1:-1]
    assert value in found["entries.jsonl"].decode()
    _text(
        found, "entries.jsonl", lambda text: text.replace(value, value.replace("Name", "Nome"), 1)
    )


def _first_opened(text: str, change: Callable[[dict[str, Any]], None]) -> str:
    lines = text.split("\n")
    at = next(at for at, line in enumerate(lines) if '"disclosed"' in line)
    entry = json.loads(lines[at])
    change(entry)
    lines[at] = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    return "\n".join(lines)


def _hold_back(found: dict[str, bytes]) -> None:
    def change(entry: dict[str, Any]) -> None:
        del entry["disclosed"]["printed_name"]

    _text(found, "entries.jsonl", lambda text: _first_opened(text, change))


def _call_erased(found: dict[str, bytes]) -> None:
    """As if a retention period had taken a name that somebody would rather not show."""

    def change(entry: dict[str, Any]) -> None:
        del entry["disclosed"]["printed_name"]
        entry["erased"] = {"printed_name": json.loads(entry["entry"])["record"]}

    _text(found, "entries.jsonl", lambda text: _first_opened(text, change))


def _change_workbook(found: dict[str, bytes]) -> None:
    """The number of a day, in the sheet of people."""
    parts = unpack(found["workbook.xlsx"])
    sheet = parts["xl/worksheets/sheet2.xml"].decode()
    parts["xl/worksheets/sheet2.xml"] = sheet.replace("<v>46268</v>", "<v>46266</v>", 1).encode()
    assert sheet.encode() != parts["xl/worksheets/sheet2.xml"]
    found["workbook.xlsx"] = _zipped(parts)


def _zipped(parts: dict[str, bytes]) -> bytes:

    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return whole.getvalue()


def _forge_signature(found: dict[str, bytes]) -> None:
    said = json.loads(found["signature.json"])
    said["signature"] = ("0" if said["signature"][0] != "0" else "1") + said["signature"][1:]
    found["signature.json"] = json.dumps(said).encode()


def _forge_checkpoint(found: dict[str, bytes]) -> None:
    (one,) = json.loads(found["checkpoints.json"])
    said = json.loads(one["text"])
    said["records"] = {key: number - 1 for key, number in said["records"].items()}
    one["text"] = ledger.canonical(said).decode()
    found["checkpoints.json"] = json.dumps([one]).encode()


def _add_file(found: dict[str, bytes]) -> None:
    found["more.csv"] = b"Name\r\n"


def _reorder_files(found: dict[str, bytes]) -> None:
    """One of them comes first, with nothing in any changed."""
    whole = {"people.csv": found.pop("people.csv"), **found}
    found.clear()
    found |= whole


def _take_out(found: dict[str, bytes]) -> None:
    del found["counts.csv"]


def _garble_table(found: dict[str, bytes]) -> None:
    """Letters that are no letters."""
    found["people.csv"] += b"\xff"


def _garble_entry(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: ["{", *all_[1:]], "\n")


def _drop_column(found: dict[str, bytes]) -> None:
    _lines(found, "people.csv", lambda rows: [one.rpartition(",")[0] for one in rows], "\r\n")


def _change_rows_of_workbook(
    found: dict[str, bytes], change: Callable[[list[str]], list[str]]
) -> None:
    """The rows of the sheet of people."""
    parts = unpack(found["workbook.xlsx"])
    head, *rows = parts["xl/worksheets/sheet2.xml"].decode().split("<row")
    last, end, tail = rows[-1].partition("</row>")
    rows = change([*rows[:-1], last + end])
    parts["xl/worksheets/sheet2.xml"] = "<row".join([head, *rows]).encode() + tail.encode()
    found["workbook.xlsx"] = _zipped(parts)


def _remove_from_workbook(found: dict[str, bytes]) -> None:
    _change_rows_of_workbook(found, lambda rows: [*rows[:4], *rows[5:]])


def _twice_in_workbook(found: dict[str, bytes]) -> None:
    _change_rows_of_workbook(found, lambda rows: [*rows, rows[4]])


def _sign_checkpoint_anew(found: dict[str, bytes]) -> None:
    """With another key than the pack's."""
    key = Ed25519PrivateKey.generate()
    found["checkpoints.json"] = json.dumps([_signed_by(key, found)]).encode()


def _signed_by(key: Ed25519PrivateKey, found: dict[str, bytes]) -> dict[str, str]:
    """The checkpoint of a pack, as somebody else signs it."""
    public = key.public_key().public_bytes_raw()
    (one,) = json.loads(found["checkpoints.json"])
    text = ledger.canonical(json.loads(one["text"]) | {"key": fingerprint(public)})
    signed = {"text": text.decode(), "signature": key.sign(text).hex()}
    return {**one, **signed, "public_key": public.hex()}


def _change_count(found: dict[str, bytes]) -> None:
    _text(found, "counts.csv", lambda text: text.replace('"0","6"', '"0","7"'))


HEMSWELL: Final = "hemswell-cliff"
REFRESH: Final = "annual-refresh 2026-27"

ATTACKS: Final = (
    Attack(
        "flipped byte", _flip, (("file-altered", {"file": "report.pdf"}),), covers_up=False
    ),
    Attack(
        "removed person",
        _remove_person,
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
        _remove_person_and_entry,
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
        _change_date,
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
        _change_name,
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
        _backdate_entry,
        (("entry-altered", {"entry": 2, "school": HEMSWELL}),),
    ),
    Attack(
        "re-ordered rows",
        _reorder_rows,
        (("row-order", {"file": "people.csv", "line": 5, "found": "5", "expected": 4}),),
    ),
    Attack(
        "re-ordered entries",
        _reorder_entries,
        (
            (
                "entry-order",
                {"file": "entries.jsonl", "line": 2, "entry": 2, "school": HEMSWELL},
            ),
        ),
    ),
    Attack(
        "changed workbook",
        _change_workbook,
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
        _change_count,
        (
            (
                "records-differ",
                {"school": HEMSWELL, "records": REFRESH, "found": "7", "expected": "6"},
            ),
        ),
    ),
    Attack(
        "entry left out",
        _leave_out_entry,
        (
            (
                "records-differ",
                {"school": HEMSWELL, "records": REFRESH, "found": 5, "expected": 6},
            ),
            ("row-added", {"file": "people.csv", "row": "4"}),
        ),
    ),
    Attack("export hidden", _hide_export, (("export-unrecorded", {"school": HEMSWELL}),)),
    Attack(
        "value opened otherwise",
        _open_otherwise,
        (("disclosure-false", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack(
        "value held back",
        _hold_back,
        (("value-withheld", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack(
        "value called erased",
        _call_erased,
        (("erasure-unrecorded", {"entry": 2, "school": HEMSWELL, "field": "printed_name"}),),
    ),
    Attack("forged signature", _forge_signature, (("manifest-forged", {}),), covers_up=False),
    Attack(
        "forged checkpoint", _forge_checkpoint, (("checkpoint-forged", {"school": HEMSWELL}),)
    ),
    Attack(
        "re-ordered files",
        _reorder_files,
        (("file-moved", {"file": "people.csv"}),),
        covers_up=False,
    ),
    Attack(
        "checkpoint signed with another key",
        _sign_checkpoint_anew,
        (("checkpoint-other-key", {"school": HEMSWELL}),),
    ),
    Attack("garbled table", _garble_table, (("unreadable", {"file": "people.csv"}),)),
    Attack(
        "garbled entry",
        _garble_entry,
        (("entry-unreadable", {"file": "entries.jsonl", "line": 1}),),
    ),
    Attack("column taken out", _drop_column, (("columns-differ", {"file": "people.csv"}),)),
    Attack(
        "row taken out of the workbook",
        _remove_from_workbook,
        (
            (
                "workbook-row-missing",
                {"file": "workbook.xlsx", "table": "people.csv", "row": "4"},
            ),
        ),
    ),
    Attack(
        "row twice in the workbook",
        _twice_in_workbook,
        (
            (
                "workbook-rows",
                {"file": "workbook.xlsx", "table": "people.csv", "found": 10, "expected": 9},
            ),
        ),
    ),
    Attack("added file", _add_file, (("file-added", {"file": "more.csv"}),), covers_up=False),
    Attack(
        "file taken out", _take_out, (("file-missing", {"file": "counts.csv"}),), covers_up=False
    ),
)  # fmt: skip


def attacked(attack: Attack, folder: Path, data: bytes) -> bytes:
    """The pack after the attack."""
    return altered(folder, data, attack.change, covers_up=attack.covers_up)


def with_checkpoint_of(folder: Path, data: bytes, other: bytes) -> bytes:
    """A pack with the checkpoint of another school's pack."""

    def change(found: dict[str, bytes]) -> None:
        found["checkpoints.json"] = files(other)["checkpoints.json"]

    return altered(folder, data, change)


def resigned(folder: Path, data: bytes) -> bytes:
    """A pack of somebody who holds no key of ours, and signs everything with one of their own."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()

    def change(found: dict[str, bytes]) -> None:
        found["checkpoints.json"] = json.dumps([_signed_by(key, found)]).encode()
        manifest = json.loads(found["manifest.json"]) | {"key": fingerprint(public)}
        for listed in manifest["files"]:
            listed["sha256"] = sha256(found[listed["name"]]).hexdigest()
        found["manifest.json"] = ledger.canonical(manifest)
        said = {"signature": key.sign(found["manifest.json"]).hex(), "public_key": public.hex()}
        found["signature.json"] = json.dumps(said).encode()

    return altered(folder, data, change, covers_up=False)


def overlapping(data: bytes, times: int = 5_000) -> bytes:
    """A zip whose directory names one file so often that it would fill any memory: a few megabytes
    here, and all of them a file of its own to whoever believes it."""
    end = data[-22:]
    size, offset = struct.unpack_from("<II", end, 12)
    directory = data[offset : offset + size]
    names = struct.unpack_from("<3H", directory, 28)
    entry = directory[: 46 + sum(names)]
    tail = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, times, times, times * len(entry), offset, 0)
    return data[:offset] + entry * times + tail


def twice(data: bytes, folder: Path) -> bytes:
    """A pack with a second report under the name of the first."""
    name, other = b"report.pdf", b"reporu.pdf"
    content = b"%PDF-1.7 another"

    def change(found: dict[str, bytes]) -> None:
        found[other.decode()] = content

    whole = altered(folder, data, change, covers_up=False)
    return whole.replace(other, name)


def cases(folder: Path, pack: bytes, other: bytes) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    """Everything a check may be handed: what it is, its bytes, and what its reader knows. ``pack``
    is one of this school, ``other`` one of another school of the installation."""
    genuine = check(pack)
    code, key = genuine.codes[HEMSWELL], genuine.fingerprint
    forged = resigned(folder / "resigned", pack)
    yield "intact", pack, {}
    yield "intact, with names erased", other, {}
    yield "by key", pack, {"key": key}
    yield "by code", pack, {"code": code.lower()}
    yield "mistyped", pack, {"code": code[:-1]}
    yield "a letter that is none", pack, {"code": "O" + code[1:]}
    yield "swapped", pack, {"code": code[5:] + "-" + code[:4]}
    yield "the code of another", pack, {"code": next(iter(check(other).codes.values()))}
    yield "another key", forged, {"key": key}
    yield "another key, by code", forged, {"code": code}
    yield "another school", with_checkpoint_of(folder / "other", pack, other), {}
    yield "twice", twice(pack, folder / "twice"), {}
    yield "bomb", overlapping(pack), {}
    for one in ATTACKS:
        yield one.name, attacked(one, folder / one.name, pack), {"code": code}
    for at in (3, 12, 50, len(pack) // 3, len(pack) - 400, len(pack) - 12):
        yield f"byte {at}", pack[:at] + bytes([pack[at] ^ 4]) + pack[at + 1 :], {}
