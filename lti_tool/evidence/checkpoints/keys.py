"""The keys checkpoints are signed with: Ed25519, in a drawer of their own.

Beside each private key lies its public half, which stays when the key is replaced: what was
signed with it must still be found to be ours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lti_tool.core.drawers import Drawer
from lti_tool.evidence.proof.statements import Signed, fingerprint

STAMP = "%Y%m%dT%H%M%S%f"
PEM: Final = ".pem"
PUBLIC: Final = ".public"


@dataclass(frozen=True)
class Listed:
    """One key of ours, as anybody may know it."""

    fingerprint: str
    made_at: datetime
    signs: bool


class EvidenceKeys:
    """The drawer of keys. A file's name is the moment its key was made; the newest signs.

    Several processes may share the drawer.
    """

    def __init__(self, drawer: Drawer) -> None:
        self._drawer = drawer

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
            (name.removesuffix(PUBLIC), fingerprint(self._drawer.read(name) or b""))
            for name in self._drawer.names(PUBLIC)
        ]
        return [
            Listed(name, datetime.strptime(stem, STAMP).replace(tzinfo=UTC), name == signing)
            for stem, name in sorted(found, reverse=True)
        ]

    def rotate(self, now: datetime) -> str:
        """Make a new key, which signs from now on; its fingerprint. Earlier private keys go."""
        earlier = self._drawer.names(PEM)
        key, stem = Ed25519PrivateKey.generate(), now.astimezone(UTC).strftime(STAMP)
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._drawer.put(f"{stem}{PUBLIC}", key.public_key().public_bytes_raw())
        self._drawer.put(f"{stem}{PEM}", pem)
        for name in earlier:
            self._drawer.remove(name)
        return fingerprint(key.public_key().public_bytes_raw())

    def _private(self) -> Ed25519PrivateKey:
        names = self._drawer.names(PEM)
        pem = self._drawer.read(names[-1]) if names else None
        if pem is None:
            if not names:  # else another process has just replaced it
                self.rotate(datetime.now(UTC))
            return self._private()
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError(f"{names[-1]} holds no Ed25519 key")
        return key
