"""How often one may ask or fail at a door, counted in memory by each process for itself.

Nothing is written, so a flood costs the database nothing, and no address is kept. Several
processes let through so many times as much; so nothing hangs on a limit that must never be
passed: whatever could be guessed is too long to be guessed.

It counts as a leaky bucket does (ITU-T I.371, the generic cell rate algorithm): one number a
caller, the moment at which all that it has asked for so far is worked off.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_network
from typing import Final

MOST_CALLERS: Final = 20_000
NETWORK_BITS: Final = 64
"""Of an IPv6 address: one household or school has at least as many addresses as that leaves."""


@dataclass(frozen=True)
class Limit:
    """``tries`` at once, and as many again spread over ``seconds``."""

    tries: int
    seconds: int
    failures_only: bool = True
    """Whether only what is refused counts; else everything does."""
    patience: int = 1
    """After how many times as many the door is closed to the caller, good or bad. Until then, and
    past the limit, what is good goes on being let in: only the bad is told to wait."""


LAUNCHES: Final = Limit(600, 60, patience=10)
"""Doors whose callers bring a proof that cannot be guessed. A school stands behind one address, its
pupils too: nobody's failures may keep another's launch out before they are so many (100 a second)
that they would hold up every school. Six hundred a minute are a staff of three hundred whose
platform was set up wrongly, and everybody tries twice: they still read what is wrong."""

CODES: Final = Limit(10, 600)
"""Codes that somebody types: ten mistakes at once, and one a minute. For each person apart."""

LOOK_UPS: Final = Limit(60, 60, failures_only=False)
"""Pages that tell strangers something, or call another computer for them: one a second is more
than anybody reads, and too little to go through what there is."""


class Tally:
    """Who has asked how often. ``clock`` gives seconds that only go forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._worked_off: dict[tuple[str, str], float] = {}

    def wait(self, limit: Limit, caller: tuple[str, str], *, patience: int = 1) -> int:
        """Seconds until ``caller`` (door, who) may try again; 0 for at once."""
        behind = self._worked_off.get(caller, 0.0) - self._clock()
        return max(0, math.ceil(behind + limit.seconds / limit.tries - limit.seconds * patience))

    def count(self, limit: Limit, caller: tuple[str, str]) -> None:
        """One more."""
        now = self._clock()
        with self._lock:
            if len(self._worked_off) >= MOST_CALLERS and caller not in self._worked_off:
                self._forget(now)
            before = max(self._worked_off.get(caller, 0.0), now)
            self._worked_off[caller] = before + limit.seconds / limit.tries

    def _forget(self, now: float) -> None:
        """Make room: those who have worked everything off, else those who soonest will have."""
        left = sorted((when, caller) for caller, when in self._worked_off.items() if when > now)
        self._worked_off = {caller: when for when, caller in left[-MOST_CALLERS // 2 :]}


def network(address: str) -> str:
    """Whom an address stands for: itself, or the network of an IPv6 one."""
    if ":" not in address:
        return address[:64]
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ip_network((found, NETWORK_BITS), strict=False))
