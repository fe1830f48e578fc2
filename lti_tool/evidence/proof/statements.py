"""What we sign: canonical JSON that says what it is, an Ed25519 signature, and the key's
fingerprint, the SHA-256 of its 32 public bytes."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

CHECKPOINT: Final = "clauseway checkpoint"
MANIFEST: Final = "clauseway manifest"


@dataclass(frozen=True)
class Signed:
    """The exact bytes that were signed, and what with."""

    text: bytes
    signature: bytes
    public_key: bytes

    def holds(self) -> bool:
        """Whether the signature is this key's, and the statement says that it is."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, self.text)
        except (InvalidSignature, ValueError):
            return False
        return self.said().get("key") == fingerprint(self.public_key)

    def said(self) -> dict[str, Any]:
        """The statement; empty where it is not JSON or no object."""
        try:
            said = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return said if isinstance(said, dict) else {}


def fingerprint(public_key: bytes) -> str:
    """By which a key is known: 64 hexadecimal digits."""
    return sha256(public_key).hexdigest()


def shown_fingerprint(found: str) -> str:
    """A fingerprint in groups of four, to be read and compared."""
    return " ".join(found[at : at + 4] for at in range(0, len(found), 4))


def read_fingerprint(typed: str) -> str:
    """A fingerprint as it was typed or pasted. Raises ``ValueError`` with the reason."""
    found = "".join(typed.lower().replace(":", "").replace("-", "").split())
    if len(found) != 64 or set(found) - set("0123456789abcdef"):
        raise ValueError("a fingerprint is 64 digits and letters from a to f")
    return found
