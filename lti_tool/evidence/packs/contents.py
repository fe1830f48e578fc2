"""Writes the files of a pack into a folder: report, tables, entries with their proofs, checkpoints,
how to check it all, and the signed manifest of it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.core.erasure import erased
from lti_tool.core.ledger import canonical
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.checkpoints.tree import Tree
from lti_tool.evidence.packs import reading, report, tables
from lti_tool.evidence.packs.page import page
from lti_tool.evidence.packs.reading import Entry, Line, Part
from lti_tool.evidence.packs.tables import GOVERNORS, MANAGERS
from lti_tool.evidence.proof.check import FORMAT, UNLISTED
from lti_tool.evidence.proof.entries import FILE as ENTRIES
from lti_tool.evidence.proof.entries import VALUES
from lti_tool.evidence.proof.merkle import inclusion_path
from lti_tool.evidence.proof.statements import MANIFEST, shown_fingerprint
from lti_tool.evidence.review.agenda import Agenda, agenda
from lti_tool.policies.policy import School
from lti_tool.training.cycles.versions import in_use

REPORT: Final = "report.pdf"
GUIDE: Final = "how-to-check.txt"
PAGE: Final = "verify.html"
CHECKPOINTS: Final = "checkpoints.json"


@dataclass(frozen=True)
class Claimed:
    """A pack to be made, taken upon us for one attempt."""

    id: UUID
    schools: Sequence[School]
    audience: str
    cycle: str
    attempt: int


def write(
    folder: Path,
    database: Database,
    *,
    claimed: Claimed,
    catalogue: Catalogue,
    keys: EvidenceKeys,
    checkpoints: Mapping[str, Checkpoint],
    parts: Mapping[str, Part],
    now: datetime,
    progress: Callable[[int], None],
) -> list[str]:
    """Every file of the pack, in the order in which the zip has them; their names.

    ``checkpoints`` and ``parts`` are by school. ``progress`` is told the per cent done.
    """
    lines = [line for school in claimed.schools for line in parts[school.id].lines]
    key = keys.fingerprint()
    _write_report(folder, database, lines, claimed, catalogue, checkpoints, key, now)
    progress(30)
    shown = tables.tables(
        lines,
        audience=claimed.audience,
        names={school.id: school.name for school in claimed.schools},
        modules=catalogue.modules,
        records={school_id: _counted(checkpoints[school_id], parts) for school_id in parts},
    )
    names = [REPORT, *tables.write(folder, shown, title=_("Evidence"), now=now)]
    progress(50)
    entries = _write_entries(folder, database, claimed, checkpoints, parts)
    progress(90)
    (folder / CHECKPOINTS).write_text(
        json.dumps([_signed(checkpoints[school.id]) for school in claimed.schools], indent=1)
    )
    (folder / GUIDE).write_text(_guide(key), encoding="utf-8")
    (folder / PAGE).write_bytes(page())
    names += [ENTRIES, CHECKPOINTS, GUIDE, PAGE]
    manifest = canonical(
        {
            "what": MANIFEST,
            "format": FORMAT,
            "key": key,
            "pack": str(claimed.id),
            "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "audience": claimed.audience,
            "cycle": claimed.cycle,
            "schools": [{"id": school.id, "name": school.name} for school in claimed.schools],
            "records": sorted({one for part in parts.values() for one in part.records}),
            "entries": entries,
            "tables": tables.described(shown),
            "files": [_described(folder / name) for name in names],
        }
    )
    signed = keys.sign(manifest)
    (folder / UNLISTED[0]).write_bytes(manifest)
    said = {"signature": signed.signature.hex(), "public_key": signed.public_key.hex()}
    (folder / UNLISTED[1]).write_text(json.dumps(said))
    return [*names, *UNLISTED]


def _write_report(
    folder: Path,
    database: Database,
    lines: Sequence[Line],
    claimed: Claimed,
    catalogue: Catalogue,
    checkpoints: Mapping[str, Checkpoint],
    key: str,
    now: datetime,
) -> None:
    with database.reading() as session:
        shown = [
            report.Shown(
                school,
                in_use(session, school) if school.versions else None,
                checkpoints[school.id],
                _agenda(session, school, catalogue, now),
            )
            for school in claimed.schools
        ]
    report.write(
        folder / REPORT,
        lines,
        audience=claimed.audience,
        cycle=claimed.cycle,
        shown=shown,
        catalogue=catalogue,
        key=key,
        now=now,
    )


def _agenda(session: Session, school: School, catalogue: Catalogue, now: datetime) -> Agenda | None:
    """What there is to review in the version in use."""
    if not school.versions:
        return None
    version = in_use(session, school)
    return agenda(session, school=school, version=version, catalogue=catalogue, now=now)


def _counted(checkpoint: Checkpoint, parts: Mapping[str, Part]) -> dict[str, int]:
    """How many records of each training and cycle of the pack one school was signed for."""
    said: dict[str, int] = json.loads(checkpoint.text)["records"]
    return {one: said[one] for one in parts[checkpoint.school_id].records}


def _write_entries(
    folder: Path,
    database: Database,
    claimed: Claimed,
    checkpoints: Mapping[str, Checkpoint],
    parts: Mapping[str, Part],
) -> int:
    """A line for each entry, with what leads it to the signed root; how many there are.

    Governors get records sealed: that each is there, and nothing of what it says.
    """
    count = 0
    with (folder / ENTRIES).open("w", encoding="utf-8", newline="\n") as file:
        for school_id in sorted(parts):
            with database.reading() as session:
                for said in _entries_of(session, claimed, checkpoints[school_id], parts[school_id]):
                    file.write(json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n")
                    count += 1
    return count


def _entries_of(
    session: Session, claimed: Claimed, checkpoint: Checkpoint, part: Part
) -> Iterator[dict[str, Any]]:
    school_id, size = checkpoint.school_id, checkpoint.size
    asked, body = reading.asked_for(session, school_id=school_id, pack_id=claimed.id)
    tree = Tree(session, school_id=school_id, size=size)
    lines = [(asked, {"entry": body.decode()})]
    if claimed.audience == GOVERNORS:
        shown = [one for one in part.entries if one.is_completion and one.key in part.records]
        lines += [(one.sequence, {"hash": one.hash}) for one in shown]
    else:
        lines += [(one.sequence, _opened(one, {})) for one in part.entries]
    if claimed.audience == MANAGERS:
        ids = [one.record_id for one in part.entries]
        salts = reading.disclosures(session, school_id=school_id, record_ids=ids)
        gone = erased(session, ids)
        opened = [
            (one.sequence, _opened(one, salts.get(one.record_id, {}), gone.get(one.record_id, {})))
            for one in part.entries
        ]
        about = {record for fields in gone.values() for record in fields.values()}
        told = reading.disposals(session, school_id=school_id, record_ids=about)
        lines = [lines[0], *opened, *((at, {"entry": body.decode()}) for at, body in told)]
    for sequence, said in sorted(lines, key=lambda one: one[0]):
        path = [one.hex() for one in inclusion_path(sequence - 1, size, tree.subtree)]
        yield {"school": school_id, "sequence": sequence, **said, "path": path}


def _opened(
    entry: Entry,
    salts: Mapping[str, tuple[bytes, bytes]],
    gone: Mapping[str, UUID] = MappingProxyType({}),
) -> dict[str, Any]:
    said: dict[str, Any] = {"entry": entry.body.decode()}
    if salts:
        said["disclosed"] = {
            name: {"salt": salt.hex(), "value": value.decode()}
            for name, (salt, value) in sorted(salts.items())
        }
    if erased_here := {name: str(gone[name]) for name in sorted(gone) if name in VALUES}:
        said["erased"] = erased_here
    return said


def _signed(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "text": checkpoint.text.decode(),
        "signature": checkpoint.signature.hex(),
        "public_key": checkpoint.public_key.hex(),
        "code": checkpoint.code,
    }


def _described(path: Path) -> dict[str, str | int]:
    content = path.read_bytes()
    return {"name": path.name, "sha256": sha256(content).hexdigest(), "bytes": len(content)}


def _guide(key: str) -> str:
    """How to check the pack, in plain text."""
    said = [
        _("How to check this pack"),
        "",
        *report.how_to_check(),
        "",
        _("The key’s fingerprint, if this pack is what it says it is:"),
        shown_fingerprint(key),
        _("Compare it with where the school publishes it, not with this file."),
        "",
        _("On the command line, with the tool or its folder lti_tool/evidence/proof alone:"),
        "  clauseway evidence verify pack.zip --code CODE",
        "  python -m lti_tool.evidence.proof pack.zip --key FINGERPRINT",
        "",
        _("What each file is:"),
        *(f"  {name}: {words}" for name, words in _files()),
        "",
        _(
            "An entry’s leaf is SHA-256(0x00 ‖ SHA-256(its text)); its path leads to the root in "
            "the checkpoint as in RFC 6962. A disclosed value is shown to be the recorded one by "
            "SHA-256(salt ‖ value), which stands in the entry under “personal”. Signatures are "
            "Ed25519 over the exact bytes."
        ),
        "",
    ]
    return "\n".join(str(line) for line in said)


def _files() -> list[tuple[str, str]]:
    return [
        (REPORT, _("the report, for reading and printing")),
        ("*.csv", _("the tables, for a spreadsheet")),
        ("workbook.xlsx", _("the same tables in one workbook, with what the words mean")),
        (ENTRIES, _("the ledger’s entries, each with its proof")),
        (CHECKPOINTS, _("what was signed for at each school")),
        (PAGE, _("checks a pack in a browser, without a network")),
        (UNLISTED[0], _("the SHA-256 of every file")),
        (UNLISTED[1], _("the signature of the manifest")),
    ]
