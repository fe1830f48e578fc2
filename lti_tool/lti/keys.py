"""Keys: our own, which platforms verify us by, and the platforms', which we verify them by."""

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.core.errors import ToolError
from lti_tool.core.secret import write_private

log = logging.getLogger(__name__)

KEY_BITS: Final = 2048
KEPT_AFTER_ROTATION: Final = timedelta(days=30)
KEYS_LIFE: Final = timedelta(hours=1)
KEYS_STALE_LIFE: Final = timedelta(days=1)
FETCHES_A_MINUTE: Final = 2
LARGEST_KEY_SET: Final = 256 * 1024
FETCH_TIMEOUTS: Final = (5, 5)
FETCH_SECONDS: Final = 10


class ToolKeys:
    """Our RSA keys: one PEM file each in a folder, the newest signs, all are published.

    A file's name is its ``kid`` and begins with the moment the key was made. Several processes
    may share the folder; a key that another of them has made is seen at once.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read_at = -1
        self._keys: dict[str, rsa.RSAPrivateKey] = {}

    def signing(self) -> tuple[str, rsa.RSAPrivateKey]:
        """The ``kid`` and the key to sign with."""
        keys = self._all()
        kid = max(keys)
        return kid, keys[kid]

    def kids(self) -> list[str]:
        """Every published key's ``kid``, the one that signs last."""
        return sorted(self._all())

    def jwks(self) -> dict[str, list[dict[str, Any]]]:
        """The public halves as a JSON Web Key Set (RFC 7517)."""
        return {"keys": [_public_jwk(kid, key) for kid, key in sorted(self._all().items())]}

    def rotate(self, *, now: datetime) -> str:
        """Make a new signing key; returns its ``kid``.

        The earlier ones stay published, because platforms keep our key set for a while; those
        that were replaced more than thirty days ago go.
        """
        kids = sorted(path.stem for path in self.folder.glob("*.pem"))
        for kid, successor in pairwise(kids):
            if successor < _stamp(now - KEPT_AFTER_ROTATION):
                (self.folder / f"{kid}.pem").unlink(missing_ok=True)
        kid = f"{_stamp(now)}-{secrets.token_hex(4)}"
        pem = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Under another name first: nobody may read half a key.
        write_private(self.folder / f"{kid}.new", pem)
        os.replace(self.folder / f"{kid}.new", self.folder / f"{kid}.pem")
        self._read_at = -1
        return kid

    def _all(self) -> Mapping[str, rsa.RSAPrivateKey]:
        changed_at = self.folder.stat().st_mtime_ns if self.folder.exists() else 0
        if changed_at != self._read_at:
            keys = {path.stem: _load(path) for path in self.folder.glob("*.pem")}
            self._keys, self._read_at = keys, changed_at
        return self._keys


def open_tool_keys(folder: Path, *, now: datetime) -> ToolKeys:
    """Our keys, with a first one made where there is none."""
    keys = ToolKeys(folder)
    if not any(folder.glob("*.pem")):
        keys.rotate(now=now)
    return keys


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S%f")


def _load(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{path.name} is not an RSA key")
    return key


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


@dataclass
class _KeySet:
    """One platform's keys as last fetched; ``tried_at`` are the latest tries that succeeded."""

    url: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    fetched_at: datetime | None = None
    tries: int = 0
    fault: ToolError | None = None
    tried_at: list[datetime] = field(default_factory=list)


class PlatformKeys:
    """The platforms' public keys, as loaded objects, by registration and ``kid``.

    A ``kid`` we do not know makes us look again, at most twice a minute. A platform that cannot
    be reached is an outage that ends with the next good answer: no failure is kept. While it
    lasts, keys that we hold already go on being good for a day.
    """

    def __init__(self, http: requests.Session) -> None:
        self._http = http
        self._sets: dict[UUID, _KeySet] = {}

    def get(self, registration_id: UUID, jwks_url: str, kid: str, *, now: datetime) -> Any:
        """The RSA public key called ``kid``.

        Raises ``ToolError``: platform-keys-unavailable, launch-token-invalid.
        """
        held = self._sets.get(registration_id)
        if held is None or held.url != jwks_url:
            held = self._sets[registration_id] = _KeySet(jwks_url)
        key = held.keys.get(kid)
        age = now - held.fetched_at if held.fetched_at else timedelta.max
        if key is not None and age < KEYS_LIFE:
            return key
        try:
            self._refetch(held, now)
        except ToolError:
            if key is None or age > KEYS_STALE_LIFE:
                raise
            log.warning("stale platform keys", extra={"registration": str(registration_id)})
            return key
        key = held.keys.get(kid)
        if key is None:
            raise ToolError(
                "launch-token-invalid", log=f"registration {registration_id}: unknown kid"
            )
        return key

    def _refetch(self, held: _KeySet, now: datetime) -> None:
        """Fetch once for all who wait for it, unless that was done twice in this minute."""
        tries = held.tries
        with held.lock:
            if held.tries != tries:  # somebody fetched while we waited: their outcome is ours
                if held.fault:
                    raise held.fault
                return
            recent = [moment for moment in held.tried_at if now - moment < timedelta(minutes=1)]
            if len(recent) >= FETCHES_A_MINUTE:
                return
            held.fault = None
            try:
                held.keys = self._fetch(held.url)
                held.fetched_at, held.tried_at = now, [*recent, now]
            except ToolError as fault:
                held.fault = fault
                raise
            finally:
                held.tries += 1

    def _fetch(self, url: str) -> dict[str, rsa.RSAPublicKey]:
        try:
            raw = fetch(self._http, url)
            entries = json.loads(raw)["keys"]
            return {entry["kid"]: key for entry in entries if (key := _usable(entry)) is not None}
        except (
            requests.RequestException,
            ValueError,
            LookupError,
            TypeError,
            RecursionError,
        ) as fault:
            raise ToolError(
                "platform-keys-unavailable", log=f"{url}: {type(fault).__name__}"
            ) from fault


def fetch(http: requests.Session, url: str) -> bytes:
    """The body at ``url``, within limits of size and time and without following a redirect.

    Raises ``requests.RequestException`` or ``ValueError``.
    """
    deadline = time.monotonic() + FETCH_SECONDS
    with http.get(
        url,
        headers={"Accept": "application/json"},
        timeout=FETCH_TIMEOUTS,
        allow_redirects=False,
        stream=True,
    ) as response:
        if response.status_code != 200:
            raise ValueError(f"answered {response.status_code}")
        body = b""
        for chunk in response.iter_content(16 * 1024):
            body += chunk
            if len(body) > LARGEST_KEY_SET or time.monotonic() > deadline:
                raise ValueError("too large or too slow")
        return body


def _usable(entry: object) -> rsa.RSAPublicKey | None:
    """A key of the set that may have signed a launch, else nothing."""
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("kid"), str)
        or entry.get("kty") != "RSA"
        or entry.get("use", "sig") != "sig"
        or entry.get("alg", "RS256") != "RS256"
    ):
        return None
    try:
        key = jwt.algorithms.RSAAlgorithm.from_jwk(entry)
    except (jwt.InvalidKeyError, ValueError):
        return None
    return key if isinstance(key, rsa.RSAPublicKey) and key.key_size >= KEY_BITS else None
