"""Our own keys, which platforms verify us by."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.clock import Clock
from lti_tool.core.drawers import Drawer
from lti_tool.core.keysets import KEY_BITS

# Platforms keep our key set for a while: they should have a key before it signs.
SHOWN_BEFORE_SIGNING: Final = timedelta(hours=1)
KEPT_AFTER_ROTATION: Final = timedelta(days=30)
PEM: Final = ".pem"


class ToolKeys:
    """Our RSA keys: one PEM file each in a drawer; all are published, one signs.

    A file's name is its ``kid`` and begins with the moment the key was made. Several processes
    may share the drawer; a key that another of them has made is seen at once. Which one signs
    follows from the names and the clock, so that all processes agree.
    """

    def __init__(self, drawer: Drawer, clock: Clock) -> None:
        self._drawer = drawer
        self._clock = clock
        self._keys: Mapping[str, rsa.RSAPrivateKey] = {}

    def signing(self) -> tuple[str, rsa.RSAPrivateKey]:
        """The ``kid`` and the key to sign with: the newest that has been published for an hour,
        or the oldest where none has."""
        keys = self._all()
        shown = _stamp(self._clock() - SHOWN_BEFORE_SIGNING)
        kid = max((kid for kid in keys if kid <= shown), default=min(keys))
        return kid, keys[kid]

    def kids(self) -> list[str]:
        """Every published key's ``kid``, the newest last."""
        return sorted(self._all())

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public halves as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_public_jwk(kid, key) for kid, key in sorted(self._all().items())]}

    def rotate(self, *, at_once: bool = False) -> str:
        """Make a new key, which signs in an hour; returns its ``kid``.

        The earlier ones stay published; those that were replaced more than thirty days ago go.
        ``at_once``, for a key that has fallen into wrong hands: all earlier ones go now.
        """
        now = self._clock()
        kids = self.kids()
        made = self._make(now)
        for kid, successor in pairwise([*kids, made]):
            if at_once or successor < _stamp(now - KEPT_AFTER_ROTATION):
                self._drawer.remove(f"{kid}{PEM}")
        return made

    def _make(self, now: datetime) -> str:
        kid = f"{_stamp(now)}-{secrets.token_hex(4)}"
        pem = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self._drawer.put(f"{kid}{PEM}", pem)
        return kid

    def _all(self) -> Mapping[str, rsa.RSAPrivateKey]:
        """By ``kid``. The drawer is looked at each time, and no file is read twice. A first key is
        made where there is none."""
        held = self._keys
        names = self._drawer.names(PEM)
        if not names:
            self._make(self._clock())
            names = self._drawer.names(PEM)
        kids = [name.removesuffix(PEM) for name in names]
        if set(kids) != held.keys():
            found = {kid: held.get(kid) or self._load(kid) for kid in kids}
            self._keys = {kid: key for kid, key in found.items() if key is not None}
        return self._keys

    def _load(self, kid: str) -> rsa.RSAPrivateKey | None:
        pem = self._drawer.read(f"{kid}{PEM}")
        if pem is None:
            return None  # another process has just taken it away
        key = serialization.load_pem_private_key(pem, None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError(f"{kid} is not an RSA key")
        return key


def open_tool_keys(drawer: Drawer, clock: Clock) -> ToolKeys:
    """Our keys, with a first one made where there is none: now, or where the database that keeps
    them does not answer, when one is needed."""
    keys = ToolKeys(drawer, clock)
    with suppress(SQLAlchemyError):
        keys.kids()
    return keys


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S%f")


def _public_jwk(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": kid,
        "n": jwk["n"],
        "e": jwk["e"],
    }
