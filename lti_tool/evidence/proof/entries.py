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
DISPOSED: Final = "disposed"
VALUES: Final = ("person", "printed_name", "score")
"""What a pack for managers opens of each completion, as far as its entry holds it."""


@dataclass(frozen=True)
class Entry:
    """An entry whose words are in the pack, and what it discloses."""

    school: str
    sequence: int
    kind: str
    record: str
    facts: Mapping[str, Any]
    disclosed: Mapping[str, Any] = field(default_factory=dict)
    erased: Mapping[str, str] = field(default_factory=dict)
    """The values that a retention period has taken, with the record that says so."""
    personal: frozenset[str] = frozenset()
    """The names of all its personal values."""

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
    others: dict[str, set[tuple[str, str]]] = {ASKED: set(), DISPOSED: set()}
    for school, entry in _read(pack, said):
        if entry is None:
            sealed[school] += 1
        elif entry.kind in others:
            about = entry.record if entry.kind == DISPOSED else str(entry.facts.get("pack"))
            others[entry.kind].add((school, about))
        elif entry.kind == COMPLETION:
            completions[entry.record] = entry
            numbers[school, entry.records] += 1
    for school, one in said.items():
        _count(pack, manifest, school, one["records"], numbers, sealed)
        if (school, manifest["pack"]) not in others[ASKED]:
            pack.add("export-unrecorded", school=school)
    for completion in completions.values():
        _check_values(pack, completion, manifest["audience"] == "managers", others[DISPOSED])
    return completions


def _check_values(
    pack: Findings, entry: Entry, is_open: bool, disposals: set[tuple[str, str]]
) -> None:
    """What is not disclosed was erased, and what was erased was recorded as such."""
    where: dict[str, str | int] = {"entry": entry.sequence, "school": entry.school}
    for name in VALUES if is_open else ():
        known = {*entry.disclosed, *entry.erased}
        if name in entry.personal and name not in known:
            pack.add("value-withheld", **where, field=name)
    for name in sorted(entry.erased):
        is_recorded = (entry.school, entry.erased[name]) in disposals
        if not is_recorded or name not in entry.personal or name in entry.disclosed:
            pack.add("erasure-unrecorded", **where, field=name)


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
            school, sequence, path, sealed, body, opened = _fields(json.loads(line))
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
        entry = _entry(pack, body, school, sequence, *opened) if body else None
        if root is None or root.hex() != said[school]["root"] or (body and entry is None):
            pack.add("entry-altered", entry=sequence, school=school)
            continue
        yield school, entry


_Opened = tuple[dict[str, Any], dict[str, str]]


def _fields(found: Any) -> tuple[str, int, list[bytes], bytes, str, _Opened]:
    """A line's parts. Raises ``TypeError``, ``KeyError`` or ``ValueError`` where it is no line."""
    school, sequence, body = found["school"], found["sequence"], found.get("entry", "")
    if not isinstance(school, str) or type(sequence) is not int or not isinstance(body, str):
        raise TypeError
    path = [bytes.fromhex(one) for one in found["path"]]
    disclosed, erased = found.get("disclosed", {}), found.get("erased", {})
    if not isinstance(disclosed, dict) or not isinstance(erased, dict):
        raise TypeError
    if not all(isinstance(one, str) for one in erased.values()):
        raise TypeError
    return school, sequence, path, bytes.fromhex(found.get("hash", "")), body, (disclosed, erased)


def _entry(
    pack: Findings,
    body: str,
    school: str,
    sequence: int,
    given: Mapping[str, Any],
    erased: Mapping[str, str],
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
    names = frozenset(commitments)
    return Entry(school, sequence, kind, record, facts, disclosed, erased, names)
