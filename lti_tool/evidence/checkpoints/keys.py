"""The keys checkpoints are signed with: Ed25519, in a folder of ``instance/``, owner only.

Beside each private key lies its public half, which stays when the key is replaced: what was
signed with it must still be found to be ours.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lti_tool.core.secret import write_private
from lti_tool.evidence.proof.statements import Signed, fingerprint

STAMP = "%Y%m%dT%H%M%S%f"


@dataclass(frozen=True)
class Listed:
    """One key of ours, as anybody may know it."""

    fingerprint: str
    made_at: datetime
    signs: bool


class EvidenceKeys:
    """The folder of keys. A file's name begins with the moment its key was made; the newest signs.

    Several processes may share the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, text: bytes) -> Signed:
        """Sign a statement with the newest key, which must be the one that the text names."""
        key = self._private()
        return Signed(text, key.sign(text), key.public_key().public_bytes_raw())

    def fingerprint(self) -> str:
        """Of the key that signs; one is made where there is none."""
        return fingerprint(self._private().public_key().public_bytes_raw())

    def listed(self) -> list[Listed]:
        """Every key there was, the newest first."""
        signing = self.fingerprint()
        found = [
            (path.stem, fingerprint(path.read_bytes())) for path in self._folder.glob("*.public")
        ]
        return [
            Listed(name, datetime.strptime(stem, STAMP).replace(tzinfo=UTC), name == signing)
            for stem, name in sorted(found, reverse=True)
        ]

    def rotate(self, now: datetime) -> str:
        """Make a new key, which signs from now on; its fingerprint. Earlier private keys go."""
        earlier = list(self._folder.glob("*.pem"))
        key, stem = Ed25519PrivateKey.generate(), now.astimezone(UTC).strftime(STAMP)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._folder / f"{stem}.public", key.public_key().public_bytes_raw())
        # Under another name first: nobody may read half a key.
        write_private(self._folder / f"{stem}.new", pem)
        os.replace(self._folder / f"{stem}.new", self._folder / f"{stem}.pem")
        for path in earlier:
            path.unlink(missing_ok=True)
        return fingerprint(key.public_key().public_bytes_raw())

    def _private(self) -> Ed25519PrivateKey:
        newest = max(self._folder.glob("*.pem"), default=None)
        if newest is None:
            self.rotate(datetime.now(UTC))
            return self._private()
        key = serialization.load_pem_private_key(newest.read_bytes(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{newest.name} holds no Ed25519 key")
        return key
