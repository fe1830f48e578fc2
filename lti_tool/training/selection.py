"""Which scenarios are asked, and in which order. Pure, and the same for the same seed.

A draw sorts by SHA-256 of the seed and the name, so that it is the same on every machine and in
every release, and needs no generator to be carried along.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lti_tool.policies.resolve import State


@dataclass(frozen=True)
class Candidate:
    """A scenario as one school's policy sees it."""

    scenario: str
    topic: str
    family: str
    state: State
    is_important: bool

    @property
    def is_scored(self) -> bool:
        return self.state is State.SETTLED


def drawn(names: Iterable[str], seed: str) -> list[str]:
    """The names in the order this seed gives them."""
    return sorted(names, key=lambda name: _lot(seed, name))


def choose(
    candidates: Iterable[Candidate], *, count: int, unscored_at_most: int, seed: str
) -> list[Candidate]:
    """The scenarios of a first round, important topics first; fewer than ``count`` where the
    bank has no more that fit.

    Topics come one each until they run out, a family once. Up to ``unscored_at_most`` places
    go to scenarios on which the policy is silent or says two things: to ask before acting is
    part of what is taught. One that says two things comes first, as such are few.
    """
    lot = sorted(
        candidates, key=lambda one: (not one.is_important, _lot(seed, one.topic, one.scenario))
    )
    unscored = [one for one in lot if not one.is_scored]
    if two_things := [one for one in unscored if one.state is State.CONFLICT]:
        unscored.remove(two_things[0])
        unscored.insert(0, two_things[0])
    kept = min(unscored_at_most, len({one.family for one in unscored}), count)
    chosen = _fill([], [one for one in lot if one.is_scored], count - kept)
    chosen = _fill(chosen, unscored, min(len(chosen) + unscored_at_most, count))
    chosen = _fill(chosen, [one for one in lot if one.is_scored], count)
    return sorted(chosen, key=lot.index)


def choose_again(
    candidates: Iterable[Candidate], *, missed: Sequence[str], asked: Sequence[str], seed: str
) -> list[Candidate]:
    """One scored scenario for each missed topic that has any: one not asked yet, else the one
    asked least often and longest ago. ``asked`` holds scenario ids in the order of asking."""
    last = {scenario: place for place, scenario in enumerate(asked)}
    lot = sorted(
        (one for one in candidates if one.is_scored),
        key=lambda one: (
            asked.count(one.scenario),
            last.get(one.scenario, -1),
            _lot(seed, one.scenario),
        ),
    )
    first = {one.topic: one for one in reversed(lot)}
    return [first[topic] for topic in missed if topic in first]


def _fill(chosen: list[Candidate], lot: Sequence[Candidate], count: int) -> list[Candidate]:
    """``chosen`` and as many more as make ``count``: each time the first of the lot whose topic
    has been asked least, from a family that has not been."""
    chosen = list(chosen)
    while len(chosen) < count:
        families = {one.family for one in chosen}
        topics = [one.topic for one in chosen]
        free = [one for one in lot if one.family not in families]
        if not free:
            break
        chosen.append(min(free, key=lambda one: topics.count(one.topic)))
    return chosen


def _lot(seed: str, *names: str) -> bytes:
    return hashlib.sha256("\n".join((seed, *names)).encode()).digest()
