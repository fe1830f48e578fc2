"""The public keys of those who sign what comes to us: fetched, kept, looked at again."""

import json
import logging
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from lti_tool.core.errors import ToolError
from lti_tool.core.outside import Answer, HostRefused, Outage, Outside

log = logging.getLogger(__name__)

KEY_BITS: Final = 2048
MOST_KEY_BITS: Final = 16384  # what OpenSSL verifies with
KEYS_LIFE: Final = timedelta(hours=1)
KEYS_STALE_LIFE: Final = timedelta(days=1)
FETCHES_WITHIN: Final = timedelta(minutes=1)
FETCHES: Final = 2
PAUSE: Final = timedelta(seconds=3)
FETCH_SECONDS: Final = 4
LARGEST_KEY_SET: Final = 256 * 1024


@dataclass
class _KeySet:
    """One signer's keys as last fetched, and how that went."""

    url: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    keys: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    fetched_at: datetime | None = None
    fetches: list[datetime] = field(default_factory=list)
    """The latest that succeeded."""
    tries: int = 0
    failed_at: datetime | None = None
    """When the latest try ended, if it failed."""


class KeySets:
    """Public keys as loaded objects, by whose they are and ``kid``.

    A ``kid`` we do not know makes us look again, at most twice a minute. A signer that cannot
    be reached is an outage; while it lasts, keys that we hold already go on being good for a day.
    Nobody waits longer for a signer than one fetch may take, and after one has failed nobody
    waits for another: they are told of the outage until it has gone well, and for three seconds
    the signer is not even asked. ``unknown`` and ``away`` are the codes of the two refusals.
    """

    def __init__(self, outside: Outside, *, unknown: str, away: str) -> None:
        self._outside = outside
        self._unknown, self._away = unknown, away
        self._sets: dict[tuple[Hashable, str], _KeySet] = {}

    def get(self, whose: Hashable, url: str, kid: str, *, now: datetime) -> Any:
        """The RSA public key called ``kid`` of the set at ``url``.

        Raises ``ToolError``: the code for an unknown key, or for a signer that is away.
        """
        held = self._sets.setdefault((whose, url), _KeySet(url))
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
            log.warning("stale keys", extra={"whose": str(whose)})
            return key
        key = held.keys.get(kid)
        if key is None:
            raise ToolError(self._unknown, log=f"{whose}: unknown kid")
        return key

    def _refetch(self, held: _KeySet, now: datetime, *, waits: bool) -> None:
        """Fetch once for all who wait for it, unless that was done twice in this minute."""
        tries, has_failed = held.tries, held.failed_at is not None
        if not held.lock.acquire(timeout=FETCH_SECONDS if waits and not has_failed else 0):
            raise self._outage(f"{held.url}: somebody is asking")
        try:
            # Clocks are set back at times: what lies in the future was not a moment ago.
            if held.failed_at is not None and (
                held.tries != tries or abs(now - held.failed_at) < PAUSE
            ):
                raise self._outage(f"{held.url}: has just failed")
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
            raise self._outage(f"{held.url}: {fault}") from fault
        finally:
            held.tries += 1

    def _outage(self, log: str) -> ToolError:
        return ToolError(self._away, log=log, retry_after=PAUSE.seconds)


def ask_for_keys(outside: Outside, url: str, *, seconds: float = FETCH_SECONDS) -> Answer:
    """What a signer answers when asked for its keys. Raises ``HostRefused``, ``Outage``."""
    return outside.call(
        "GET",
        url,
        headers={"Accept": "application/json"},
        seconds=seconds,
        largest=LARGEST_KEY_SET,
    )


def read_keys(answer: Answer) -> dict[str, rsa.RSAPublicKey]:
    """The keys that may have signed a message, by ``kid``; what else is in the set is passed over.
    Raises ``Outage`` where there is none."""
    if not answer.is_ok:
        raise Outage(f"answered {answer.status}")
    try:
        entries = json.loads(answer.body)["keys"]
        keys = {entry["kid"]: key for entry in entries if (key := _usable(entry)) is not None}
    except (ValueError, LookupError, TypeError, RecursionError) as fault:
        raise Outage("is no key set") from fault
    if not keys:
        raise Outage("no key that could sign")
    return keys


def _usable(entry: object) -> rsa.RSAPublicKey | None:
    """A key of the set that may have signed a message, else nothing."""
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
