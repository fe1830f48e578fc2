"""The entries of a pack: each in its place, each leading to the root that was signed for, and as
many as were."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from lti_tool.evidence.proof.findings import Findings
from lti_tool.evidence.proof.merkle import leaf_hash, root_by

FILE: Final = "entries.jsonl"
COMPLETION: Final = "completion"
ASKED: Final = "pack-asked"


@dataclass(frozen=True)
class Entry:
    """An entry whose words are in the pack, and what it discloses."""

    school: str
    sequence: int
    kind: str
    record: str
    facts: Mapping[str, Any]
    disclosed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def records(self) -> str:
        """Which training of which year, as checkpoints count them."""
        return f"{self.facts.get('module', '')} {self.facts.get('cycle', '')}"


def check(
    pack: Findings, manifest: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]
) -> dict[str, Entry]:
    """The completions whose words are in the pack, by record id. ``said``: by school, what its
    checkpoint says."""
    completions: dict[str, Entry] = {}
    numbers, sealed = Counter[tuple[str, str]](), Counter[str]()
    asked = set()
    for school, entry in _read(pack, said):
        if entry is None:
            sealed[school] += 1
        elif entry.kind == ASKED and entry.facts.get("pack") == manifest["pack"]:
            asked.add(school)
        elif entry.kind == COMPLETION:
            completions[entry.record] = entry
            numbers[school, entry.records] += 1
    for school, one in said.items():
        _count(pack, manifest, school, one["records"], numbers, sealed)
        if school not in asked:
            pack.add("export-unrecorded", school=school)
    return completions


def _count(
    pack: Findings,
    manifest: Mapping[str, Any],
    school: str,
    records: Mapping[str, Any],
    numbers: Counter[tuple[str, str]],
    sealed: Counter[str],
) -> None:
    wanted = {one: records.get(one, 0) for one in manifest["records"]}
    if manifest["audience"] == "governors":
        found, expected = sealed[school], sum(wanted.values())
        if found != expected:
            said = ", ".join(sorted(wanted))
            pack.add("records-differ", school=school, records=said, found=found, expected=expected)
        return
    for one, expected in wanted.items():
        found = numbers[school, one]
        if found != expected:
            pack.add("records-differ", school=school, records=one, found=found, expected=expected)


def _read(
    pack: Findings, said: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, Entry | None]]:
    """Each line that holds, with its entry or, where it is sealed, without."""
    last = ("", 0)
    try:
        text = pack.files.get(FILE, b"").decode()
    except UnicodeDecodeError:
        pack.add("unreadable", file=FILE)
        return
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            school, sequence, path, sealed, body, disclosed = _fields(json.loads(line))
        except (ValueError, TypeError, KeyError, RecursionError):
            pack.add("entry-unreadable", file=FILE, line=number)
            continue
        if (school, sequence) <= last:
            pack.add("entry-order", file=FILE, line=number, entry=sequence, school=school)
        last = max(last, (school, sequence))
        hash_ = sha256(body.encode("utf-8", "surrogatepass")).digest() if body else sealed
        root = root_by(
            path,
            leaf=leaf_hash(hash_),
            index=sequence - 1,
            size=said[school]["size"] if school in said else 0,
        )
        entry = _entry(pack, body, school, sequence, disclosed) if body else None
        if root is None or root.hex() != said[school]["root"] or (body and entry is None):
            pack.add("entry-altered", entry=sequence, school=school)
            continue
        yield school, entry


def _fields(found: Any) -> tuple[str, int, list[bytes], bytes, str, dict[str, Any]]:
    """A line's parts. Raises ``TypeError``, ``KeyError`` or ``ValueError`` where it is no line."""
    school, sequence, body = found["school"], found["sequence"], found.get("entry", "")
    if not isinstance(school, str) or type(sequence) is not int or not isinstance(body, str):
        raise TypeError
    path = [bytes.fromhex(one) for one in found["path"]]
    disclosed = found.get("disclosed", {})
    if not isinstance(disclosed, dict):
        raise TypeError
    return school, sequence, path, bytes.fromhex(found.get("hash", "")), body, disclosed


def _entry(
    pack: Findings, body: str, school: str, sequence: int, given: Mapping[str, Any]
) -> Entry | None:
    try:
        said = json.loads(body)
        facts, kind, record = dict(said["facts"]), str(said["kind"]), str(said["record"])
        if (said["school"], said["sequence"]) != (school, sequence):
            return None
        commitments = dict(said["personal"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    disclosed = {}
    for name in sorted(given):
        try:
            salt, value = bytes.fromhex(given[name]["salt"]), str(given[name]["value"])
            holds = sha256(salt + value.encode()).hexdigest() == commitments.get(name)
            disclosed[name] = json.loads(value)
        except (ValueError, TypeError, KeyError):
            holds = False
        if not holds:
            pack.add("disclosure-false", entry=sequence, school=school, field=name)
    return Entry(school, sequence, kind, record, facts, disclosed)
