"""Packs that are none, and everything a check may be handed."""

import json
import struct
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lti_tool.core import ledger
from lti_tool.evidence.proof.check import check
from lti_tool.evidence.proof.statements import fingerprint
from tests.factories.attacks import ATTACKS, attacked
from tests.factories.packs import altered, files
from tests.factories.registers import HEMSWELL
from tests.factories.tampering import signed_by


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
        found["checkpoints.json"] = json.dumps([signed_by(key, found)]).encode()
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
