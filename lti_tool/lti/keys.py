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
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.core.clock import Clock
from lti_tool.core.errors import ToolError
from lti_tool.core.secret import write_private
from lti_tool.lti.outside import Answer, HostRefused, Outage, Outside

log = logging.getLogger(__name__)

KEY_BITS: Final = 2048
MOST_KEY_BITS: Final = 16384  # what OpenSSL verifies with
# Platforms keep our key set for a while: they should have a key before it signs.
SHOWN_BEFORE_SIGNING: Final = timedelta(hours=1)
KEPT_AFTER_ROTATION: Final = timedelta(days=30)

KEYS_LIFE: Final = timedelta(hours=1)
KEYS_STALE_LIFE: Final = timedelta(days=1)
FETCHES_WITHIN: Final = timedelta(minutes=1)
FETCHES: Final = 2
PAUSE: Final = timedelta(seconds=3)
FETCH_SECONDS: Final = 4
LARGEST_KEY_SET: Final = 256 * 1024


class ToolKeys:
    """Our RSA keys: one PEM file each in a folder; all are published, one signs.

    A file's name is its ``kid`` and begins with the moment the key was made. Several processes
    may share the folder; a key that another of them has made is seen at once. Which one signs
    follows from the names and the clock, so that all processes agree.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
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
                (self.folder / f"{kid}.pem").unlink(missing_ok=True)
        return made

    def _make(self, now: datetime) -> str:
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
        return kid

    def _all(self) -> Mapping[str, rsa.RSAPrivateKey]:
        """By ``kid``. The folder is looked at each time, and no file is read twice."""
        held = self._keys
        paths = {path.stem: path for path in self.folder.glob("*.pem")}
        if paths.keys() != held.keys():
            found = {kid: held.get(kid) or _load(path) for kid, path in paths.items()}
            self._keys = {kid: key for kid, key in found.items() if key is not None}
        return self._keys


def open_tool_keys(folder: Path, clock: Clock) -> ToolKeys:
    """Our keys, with a first one made where there is none."""
    keys = ToolKeys(folder, clock)
    if not keys.kids():
        keys.rotate()
    return keys


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%S%f")


def _load(path: Path) -> rsa.RSAPrivateKey | None:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        return None  # another process has just taken it away
    key = serialization.load_pem_private_key(pem, None)
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
    """One platform's keys as last fetched, and how that went."""

    url: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    fetched_at: datetime | None = None
    fetches: list[datetime] = field(default_factory=list)
    """The latest that succeeded."""
    tries: int = 0
    failed_at: datetime | None = None
    """When the latest try ended, if it failed."""


class PlatformKeys:
    """The platforms' public keys, as loaded objects, by registration and ``kid``.

    A ``kid`` we do not know makes us look again, at most twice a minute. A platform that cannot
    be reached is an outage; while it lasts, keys that we hold already go on being good for a day.
    Nobody waits longer for a platform than one fetch may take, and after one has failed nobody
    waits for another: they are told of the outage until it has gone well, and for three seconds
    the platform is not even asked.
    """

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._sets: dict[tuple[UUID, str], _KeySet] = {}

    def get(self, registration_id: UUID, jwks_url: str, kid: str, *, now: datetime) -> Any:
        """The RSA public key called ``kid``.

        Raises ``ToolError``: platform-keys-unavailable, launch-token-invalid.
        """
        held = self._sets.setdefault((registration_id, jwks_url), _KeySet(jwks_url))
        key = held.keys.get(kid)
        age = now - held.fetched_at if held.fetched_at else timedelta.max
        if key is not None and age < KEYS_LIFE:
            return key
        is_good_still = key is not None and age <= KEYS_STALE_LIFE
        try:
            self._refetch(held, now, waits=not is_good_still)
        except ToolError:
            if not is_good_still:
                raise
            log.warning("stale platform keys", extra={"registration": str(registration_id)})
            return key
        key = held.keys.get(kid)
        if key is None:
            raise ToolError(
                "launch-token-invalid", log=f"registration {registration_id}: unknown kid"
            )
        return key

    def _refetch(self, held: _KeySet, now: datetime, *, waits: bool) -> None:
        """Fetch once for all who wait for it, unless that was done twice in this minute."""
        tries, has_failed = held.tries, held.failed_at is not None
        if not held.lock.acquire(timeout=FETCH_SECONDS if waits and not has_failed else 0):
            raise _outage(f"{held.url}: somebody is asking")
        try:
            # Clocks are set back at times: what lies in the future was not a moment ago.
            if held.failed_at is not None and (
                held.tries != tries or abs(now - held.failed_at) < PAUSE
            ):
                raise _outage(f"{held.url}: has just failed")
            recent = [moment for moment in held.fetches if abs(now - moment) < FETCHES_WITHIN]
            if held.tries == tries and len(recent) < FETCHES:
                self._fetch(held, now)
                held.fetches = [*recent, now]
        finally:
            held.lock.release()

    def _fetch(self, held: _KeySet, now: datetime) -> None:
        started = time.monotonic()
        try:
            held.keys = read_keys(ask_for_keys(self._outside, held.url, seconds=FETCH_SECONDS))
            held.fetched_at, held.failed_at = now, None
        except (HostRefused, Outage) as fault:
            held.failed_at = now + timedelta(seconds=time.monotonic() - started)
            raise _outage(f"{held.url}: {fault}") from fault
        finally:
            held.tries += 1


def ask_for_keys(outside: Outside, url: str, *, seconds: float = FETCH_SECONDS) -> Answer:
    """What a platform answers when it is asked for its keys. Raises ``HostRefused``, ``Outage``."""
    return outside.call(
        "GET",
        url,
        headers={"Accept": "application/json"},
        seconds=seconds,
        largest=LARGEST_KEY_SET,
    )


def read_keys(answer: Answer) -> dict[str, rsa.RSAPublicKey]:
    """The keys that may have signed a launch, by ``kid``; what else is in the set is passed over.
    Raises ``Outage`` where there is none."""
    if not answer.is_ok:
        raise Outage(f"answered {answer.status}")
    try:
        entries = json.loads(answer.body)["keys"]
        keys = {entry["kid"]: key for entry in entries if (key := _usable(entry)) is not None}
    except (ValueError, LookupError, TypeError, RecursionError) as fault:
        raise Outage("is no key set") from fault
    if not keys:
        raise Outage("no key that could sign a launch")
    return keys


def _outage(log: str) -> ToolError:
    return ToolError("platform-keys-unavailable", log=log, retry_after=PAUSE.seconds)


def _usable(entry: object) -> rsa.RSAPublicKey | None:
    """A key of the set that may have signed a launch, else nothing."""
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("kid"), str)
        or entry.get("kty") != "RSA"
        or entry.get("use", "sig") != "sig"
        or entry.get("alg", "RS256") != "RS256"
        or "d" in entry  # a private key: from a large one it takes minutes to find its primes
    ):
        return None
    try:
        key = jwt.algorithms.RSAAlgorithm.from_jwk(entry)
    except (jwt.InvalidKeyError, ValueError):
        return None
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    return key if KEY_BITS <= key.key_size <= MOST_KEY_BITS else None
