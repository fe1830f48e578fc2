"""Checks a pack, with nothing but its own bytes and what its reader knows from elsewhere.

A pack never vouches for itself: whoever can make a zip can make one whose parts fit one another.
Its origin is shown only by the fingerprint of the key, or by the code from the minutes, which
names a checkpoint and so the key that signed it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from lti_tool.evidence.proof import entries, rows
from lti_tool.evidence.proof.codes import CodeMistyped, code_of, read_code
from lti_tool.evidence.proof.container import Unreadable, read
from lti_tool.evidence.proof.findings import Finding, Findings
from lti_tool.evidence.proof.statements import (
    CHECKPOINT,
    MANIFEST,
    Signed,
    fingerprint,
    read_fingerprint,
)

FORMAT: Final = 1
UNLISTED: Final = ("manifest.json", "signature.json")
MANIFEST_SHAPE: Final = {
    "pack": str,
    "audience": str,
    "cycle": str,
    "made_at": str,
    "schools": list,
    "records": list,
    "files": list,
    "tables": list,
}


@dataclass(frozen=True)
class Report:
    """What a check came to. ``verdict`` is a key of ``words.VERDICTS``."""

    verdict: str
    findings: Sequence[Finding] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str = ""
    """Of the key the manifest is signed with, whoever holds it."""
    codes: Mapping[str, str] = field(default_factory=dict)
    """By school, the code of its checkpoint."""
    erased: int = 0
    """Of how many records a retention period has taken personal values."""


def check(data: bytes, *, key: str = "", code: str = "") -> Report:
    """Check a pack's bytes against the fingerprint or the code that was typed in, if any was."""
    pack = Findings()
    try:
        files, changed = read(data)
    except Unreadable:
        return Report("altered", [Finding("no-pack", {})])
    for offset in changed:
        pack.add("container", offset=offset)
    for name, content in files:
        if name in pack.files:
            pack.add("file-twice", file=name)
        pack.files[name] = content
    manifest = _shaped(pack.json_of("manifest.json"))
    if not manifest:
        pack.add("manifest-forged")
        return Report("altered", pack.found)
    signer = _check_manifest(pack)
    _check_files(pack, manifest)
    checkpoints = _checkpoints(pack, manifest, signer)
    said = {school: one.said() for school, one in checkpoints.items()}
    known = entries.check(pack, manifest, said)
    rows.check(pack, manifest, said, known)
    codes = {school: code_of(one.text, one.signature) for school, one in checkpoints.items()}
    is_known = _check_origin(pack, signer, codes, key, code)
    verdict = "altered" if pack.found else "genuine" if is_known else "origin-not-shown"
    erased = sum(bool(one.erased) for one in known.values())
    return Report(verdict, pack.found, manifest, signer, codes, erased)


def _shaped(manifest: Any) -> dict[str, Any]:
    """The manifest, if it has the form of one; else empty."""
    if not isinstance(manifest, dict) or manifest.get("what") != MANIFEST:
        return {}
    if manifest.get("format") != FORMAT:
        return {}
    fits = all(isinstance(manifest.get(name), kind) for name, kind in MANIFEST_SHAPE.items())
    parts = [("schools", ("id", "name")), ("files", ("name", "sha256")), ("tables", ("file",))]
    for name, needed in parts:
        for one in manifest[name] if fits else ():
            if not isinstance(one, dict) or not all(isinstance(one.get(at), str) for at in needed):
                return {}
    return manifest if fits else {}


def _check_manifest(pack: Findings) -> str:
    """The fingerprint of the key that signed it; a finding where nobody did."""
    said = pack.json_of("signature.json")
    signed = _signed(said, pack.files["manifest.json"])
    if signed is None or not signed.holds():
        pack.add("manifest-forged")
    return fingerprint(signed.public_key) if signed else ""


def _signed(said: Any, text: bytes) -> Signed | None:
    try:
        return Signed(text, bytes.fromhex(said["signature"]), bytes.fromhex(said["public_key"]))
    except (TypeError, KeyError, ValueError):
        return None


def _check_files(pack: Findings, manifest: Mapping[str, Any]) -> None:
    listed = {one["name"]: one["sha256"] for one in manifest["files"]}
    for name, digest in listed.items():
        if name not in pack.files:
            pack.add("file-missing", file=name)
        elif sha256(pack.files[name]).hexdigest() != digest:
            pack.add("file-altered", file=name)
    for name in pack.files:
        if name not in listed and name not in UNLISTED:
            pack.add("file-added", file=name)
    in_order = [name for name in dict.fromkeys((*listed, *UNLISTED)) if name in pack.files]
    lies = [name for name in pack.files if name in in_order]
    if lies != in_order:
        moved = next(here for here, due in zip(lies, in_order, strict=True) if here != due)
        pack.add("file-moved", file=moved)


def _checkpoints(pack: Findings, manifest: Mapping[str, Any], signer: str) -> dict[str, Signed]:
    """Each school's checkpoint, of those that hold."""
    schools = [one["id"] for one in manifest["schools"]]
    listed = pack.json_of("checkpoints.json")
    found: dict[str, Signed] = {}
    for one in listed if isinstance(listed, list) else []:
        text = one.get("text") if isinstance(one, dict) else None
        signed = _signed(one, text.encode()) if isinstance(text, str) else None
        said = signed.said() if signed else {}
        school = str(said.get("school", ""))
        if signed is None or not signed.holds() or not _is_checkpoint(said):
            pack.add("checkpoint-forged", school=school)
        elif school not in schools or school in found:
            pack.add("checkpoint-foreign", school=school)
        else:
            found[school] = signed
            if fingerprint(signed.public_key) != signer:
                pack.add("checkpoint-other-key", school=school)
    for school in schools:
        if school not in found:
            pack.add("checkpoint-missing", school=school)
    return found


def _is_checkpoint(said: Mapping[str, Any]) -> bool:
    return (
        said.get("what") == CHECKPOINT
        and isinstance(said.get("size"), int)
        and isinstance(said.get("records"), dict)
        and len(str(said.get("root"))) == 64
    )


def _check_origin(
    pack: Findings, signer: str, codes: Mapping[str, str], key: str, code: str
) -> bool:
    """Whether what the reader knows shows where the pack comes from."""
    if key and read_fingerprint(key) != signer:
        pack.add("key-other")
    if code:
        try:
            if read_code(code) not in codes.values():
                pack.add("code-other")
        except CodeMistyped as fault:
            pack.add("code-mistyped", why=str(fault))
    return bool(key or code)


def counted(records: Sequence[str], said: Mapping[str, Any]) -> Counter[str]:
    """How many records of each kind that the pack shows a checkpoint was signed for."""
    return Counter({one: int(said["records"].get(one, 0)) for one in records})
