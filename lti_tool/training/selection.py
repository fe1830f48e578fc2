"""Which scenarios are asked, and in which order. Pure, and the same for the same seed.

A draw sorts by SHA-256 of the seed and the name, so that it is the same on every machine and in
every release, and needs no generator to be carried along.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
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


@dataclass(frozen=True)
class Past:
    """What somebody was asked before: scenarios and their topics in the order of answering."""

    asked: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    recent: frozenset[str] = frozenset()
    """The scenarios of the last training in full, and since."""
    missed: frozenset[str] = frozenset()
    """The topics that were not right then when first asked."""


@dataclass(frozen=True)
class Anew:
    """What is to be asked for its own sake: topics, the most telling first, and the scenarios that
    show what is new on them. ``is_all`` where nothing else is asked."""

    topics: tuple[str, ...] = ()
    scenarios: frozenset[str] = frozenset()
    is_all: bool = False


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


def most_telling(changes: Iterable[Collection[str]], answered_anew: Collection[str]) -> list[str]:
    """Topics in an order in which the first of them touch every change: those with another answer
    than before, and then each time the one that touches most of the changes not touched yet.
    ``changes`` are the topics of each change."""
    left = [frozenset(one) for one in changes if one]
    topics = set(answered_anew).union(*left)
    order: list[str] = []
    while topics:
        first = min(
            topics,
            key=lambda one: (one not in answered_anew, -sum(one in each for each in left), one),
        )
        topics.discard(first)
        left = [each for each in left if first not in each]
        order.append(first)
    return order


def choose_anew(
    candidates: Iterable[Candidate],
    *,
    anew: Anew,
    past: Past,
    count: int,
    at_most: int,
    unscored_at_most: int,
    seed: str,
) -> list[Candidate]:
    """The scenarios of a first round for somebody who was asked before: ``count`` of them, or up
    to ``at_most`` while there are topics that are new or were missed last time.

    New topics come first, in their order, then missed ones, important ones, and those longest
    unseen; of each a scenario that was not asked last time, where there is another, and the one
    asked longest ago. Topics come one each until they run out. ``unscored_at_most`` of them may
    be such as have nothing that is settled.
    """
    by_topic: dict[str, list[Candidate]] = {}
    for one in candidates:
        if one.topic in anew.topics or not anew.is_all:
            by_topic.setdefault(one.topic, []).append(one)
    seen, asked = _last_places(past.topics), _last_places(past.asked)
    pools = {
        topic: sorted(
            _worth_asking(each, past),
            key=lambda one: (
                one.scenario not in anew.scenarios,
                asked.get(one.scenario, -1),
                _lot(seed, one.scenario),
            ),
        )
        for topic, each in by_topic.items()
    }
    order = sorted(
        pools,
        key=lambda topic: (
            _rank(pools[topic][0], anew, past),
            seen.get(topic, -1),
            _lot(seed, topic),
        ),
    )
    pressing = [topic for topic in order if topic in anew.topics or topic in past.missed]
    limit = min(max(count, len(pressing)), max(count, at_most))
    chosen = _one_each(pools, order, min(limit, unscored_at_most), limit)
    free = [one for topic in order for one in pools[topic] if one.is_scored and one not in chosen]
    return chosen if anew.is_all else _fill(chosen, free, count)


def _one_each(
    pools: Mapping[str, Sequence[Candidate]], order: Iterable[str], unscored: int, limit: int
) -> list[Candidate]:
    chosen: list[Candidate] = []
    for topic in order:
        first = pools[topic][0]
        if len(chosen) == limit:
            break
        if first.is_scored or unscored:
            unscored -= not first.is_scored
            chosen.append(first)
    return chosen


def _worth_asking(siblings: Collection[Candidate], past: Past) -> Collection[Candidate]:
    """What can be scored, if anything can; and not what was asked last time, if there is more."""
    scored = [one for one in siblings if one.is_scored] or siblings
    return [one for one in scored if one.scenario not in past.recent] or scored


def _rank(one: Candidate, anew: Anew, past: Past) -> tuple[int, int]:
    if one.topic in anew.topics:
        return 0, anew.topics.index(one.topic)
    if one.topic in past.missed:
        return 1, 0
    return (2, 0) if one.is_important else (3, 0)


def _last_places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


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
