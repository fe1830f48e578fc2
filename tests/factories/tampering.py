"""What somebody may change in a pack: each function changes the files that it is given."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lti_tool.core import ledger
from lti_tool.evidence.proof.container import unpack
from lti_tool.evidence.proof.statements import fingerprint


def _text(found: dict[str, bytes], name: str, change: Callable[[str], str]) -> None:
    found[name] = change(found[name].decode()).encode()


def _lines(
    found: dict[str, bytes], name: str, change: Callable[[list[str]], list[str]], end: str
) -> None:
    whole = found[name].decode()
    found[name] = (end.join(change(whole.rstrip(end).split(end))) + end).encode()


def flip(found: dict[str, bytes]) -> None:
    content = bytearray(found["report.pdf"])
    content[1000] ^= 1
    found["report.pdf"] = bytes(content)


def remove_person(found: dict[str, bytes]) -> None:
    _lines(found, "people.csv", lambda rows: rows[:4] + rows[5:], "\r\n")


def remove_person_and_entry(found: dict[str, bytes]) -> None:
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


def change_date(found: dict[str, bytes]) -> None:
    _text(found, "people.csv", lambda text: text.replace("2026-09-03", "2026-09-01", 1))


def change_name(found: dict[str, bytes]) -> None:
    _text(found, "people.csv", lambda text: text.replace("Signed Name", "Another Name", 1))


def reorder_rows(found: dict[str, bytes]) -> None:
    _lines(found, "people.csv", lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]], "\r\n")


def reorder_entries(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: [all_[1], all_[0], *all_[2:]], "\n")


def backdate_entry(found: dict[str, bytes]) -> None:
    _text(
        found,
        "entries.jsonl",
        lambda text: text.replace("2026-09-03T15:05:00+01:00", "2026-09-01T15:05:00+01:00", 1),
    )


def leave_out_entry(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: all_[1:], "\n")


def hide_export(found: dict[str, bytes]) -> None:
    _lines(
        found, "entries.jsonl", lambda all_: [one for one in all_ if "pack-asked" not in one], "\n"
    )


def open_otherwise(found: dict[str, bytes]) -> None:
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


def hold_back(found: dict[str, bytes]) -> None:
    def change(entry: dict[str, Any]) -> None:
        del entry["disclosed"]["printed_name"]

    _text(found, "entries.jsonl", lambda text: _first_opened(text, change))


def call_erased(found: dict[str, bytes]) -> None:
    """As if a retention period had taken a name that somebody would rather not show."""

    def change(entry: dict[str, Any]) -> None:
        del entry["disclosed"]["printed_name"]
        entry["erased"] = {"printed_name": json.loads(entry["entry"])["record"]}

    _text(found, "entries.jsonl", lambda text: _first_opened(text, change))


def change_workbook(found: dict[str, bytes]) -> None:
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


def forge_signature(found: dict[str, bytes]) -> None:
    said = json.loads(found["signature.json"])
    said["signature"] = ("0" if said["signature"][0] != "0" else "1") + said["signature"][1:]
    found["signature.json"] = json.dumps(said).encode()


def forge_checkpoint(found: dict[str, bytes]) -> None:
    (one,) = json.loads(found["checkpoints.json"])
    said = json.loads(one["text"])
    said["records"] = {key: number - 1 for key, number in said["records"].items()}
    one["text"] = ledger.canonical(said).decode()
    found["checkpoints.json"] = json.dumps([one]).encode()


def add_file(found: dict[str, bytes]) -> None:
    found["more.csv"] = b"Name\r\n"


def reorder_files(found: dict[str, bytes]) -> None:
    """One of them comes first, with nothing in any changed."""
    whole = {"people.csv": found.pop("people.csv"), **found}
    found.clear()
    found |= whole


def take_out(found: dict[str, bytes]) -> None:
    del found["counts.csv"]


def garble_table(found: dict[str, bytes]) -> None:
    """Letters that are no letters."""
    found["people.csv"] += b"\xff"


def garble_entry(found: dict[str, bytes]) -> None:
    _lines(found, "entries.jsonl", lambda all_: ["{", *all_[1:]], "\n")


def drop_column(found: dict[str, bytes]) -> None:
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


def remove_from_workbook(found: dict[str, bytes]) -> None:
    _change_rows_of_workbook(found, lambda rows: [*rows[:4], *rows[5:]])


def twice_in_workbook(found: dict[str, bytes]) -> None:
    _change_rows_of_workbook(found, lambda rows: [*rows, rows[4]])


def sign_checkpoint_anew(found: dict[str, bytes]) -> None:
    """With another key than the pack's."""
    key = Ed25519PrivateKey.generate()
    found["checkpoints.json"] = json.dumps([signed_by(key, found)]).encode()


def signed_by(key: Ed25519PrivateKey, found: dict[str, bytes]) -> dict[str, str]:
    """The checkpoint of a pack, as somebody else signs it."""
    public = key.public_key().public_bytes_raw()
    (one,) = json.loads(found["checkpoints.json"])
    text = ledger.canonical(json.loads(one["text"]) | {"key": fingerprint(public)})
    signed = {"text": text.decode(), "signature": key.sign(text).hex()}
    return {**one, **signed, "public_key": public.hex()}


def change_count(found: dict[str, bytes]) -> None:
    _text(found, "counts.csv", lambda text: text.replace('"0","6"', '"0","7"'))
