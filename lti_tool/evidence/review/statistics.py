"""What first answers tell of a policy. Pure: no database, no Flask, no clock.

No figure may let anybody work out what one person answered. Hiding figures of fewer than ten
people is not enough for that, since two figures can be taken from each other. So:

- There is one set of people: all of the school who were asked under one version. Nothing is told
  apart by role group, site, cycle or day.
- People are counted in whole tens, in the order of their answers. A figure looked at today and
  again after the next person has answered is the same figure, until ten have.
- A topic's figure and a clause's overlap. A clause's is shown only where it differs from every
  figure that is shown by nobody or by ten people or more, on either side.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import sqrt
from statistics import NormalDist, StatisticsError, correlation
from typing import Final
from uuid import UUID

FEWEST: Final = 10
"""Fewer people than these are never a figure, nor the difference of two."""
FEWEST_TO_DISCRIMINATE: Final = 30
LOW_SHARE: Final = 0.6
"""Fewer right at first asking than this share is low."""
HIGH_SURENESS: Final = 0.5
"""So many of the mistaken were sure, or more: they did not guess."""
DOMINANT: Final = 0.5
"""So many of the mistaken, or more, chose the same option."""
FEWEST_FAVOURING: Final = 3
Z: Final = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Asking:
    """One person's first asking on one topic. ``scenario`` is an id and the SHA-256 of what was
    asked, ``clauses`` those that the answers to it rest on, ``rest`` the share of this person's
    other topics that were right at first asking; None where nothing else was asked."""

    person: UUID
    topic: str
    scenario: tuple[str, str]
    choice: str
    is_right: bool
    is_sure: bool
    clauses: frozenset[str] = frozenset()
    rest: float | None = None

    @property
    def key(self) -> tuple[UUID, str]:
        """A person is asked first on a topic once."""
        return self.person, self.topic


@dataclass(frozen=True)
class Favoured:
    """The wrong option that most of the mistaken chose."""

    scenario: tuple[str, str]
    choice: str


@dataclass(frozen=True)
class Figure:
    """What people's first askings on a topic, or about a clause, come to."""

    people: int
    right: int
    sure_mistaken: int
    favoured: Favoured | None
    discrimination: float | None
    """How far those who are right here are right elsewhere, -1 to 1; None under thirty."""

    @property
    def share(self) -> int:
        """Per cent right, to the nearest."""
        return round(100 * self.right / self.people)

    @property
    def interval(self) -> tuple[int, int]:
        """The Wilson interval in whole per cents, never narrower than it is."""
        low, high = wilson(self.right, self.people)
        return int(100 * low), -int(-100 * high // 1)

    @property
    def is_unclear(self) -> bool:
        """Few are right, the others are sure, and they agree: they read it otherwise."""
        mistaken = self.people - self.right
        return (
            self.favoured is not None
            and self.right < LOW_SHARE * self.people
            and self.sure_mistaken >= HIGH_SURENESS * mistaken
        )


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927). ``of`` is at least one."""
    share, square = right / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def in_tens(askings: Sequence[Asking]) -> Sequence[Asking]:
    """The first whole tens of them, one each of as many people; none of fewer than ten."""
    return askings[: len(askings) // FEWEST * FEWEST]


def by_topic(askings: Iterable[Asking]) -> dict[str, Sequence[Asking]]:
    """The askings that count on each topic, in whole tens; topics with fewer are left out."""
    found: dict[str, list[Asking]] = {}
    for one in askings:
        found.setdefault(one.topic, []).append(one)
    return {topic: tens for topic in found if (tens := in_tens(found[topic]))}


def by_clause(
    askings: Sequence[Asking], clauses: Iterable[str], beside: Mapping[str, Sequence[Asking]]
) -> dict[str, Sequence[Asking]]:
    """Each person's first asking about each clause, in whole tens, but for clauses that could be
    told from another figure by taking one from the other. ``beside`` are the figures that are
    shown anyway."""
    shown = [frozenset(one.key for one in group) for group in beside.values()]
    found = {}
    for clause in clauses:
        firsts: dict[UUID, Asking] = {}
        for one in askings:
            if clause in one.clauses:
                firsts.setdefault(one.person, one)
        tens = in_tens(list(firsts.values()))
        keys = frozenset(one.key for one in tens)
        if tens and all(_is_safe(keys, other) for other in shown):
            found[clause] = tens
            shown.append(keys)
    return found


def figure(askings: Sequence[Asking]) -> Figure:
    """What they come to. They are ten or more, in whole tens: ``in_tens`` sees to it."""
    mistaken = [one for one in askings if not one.is_right]
    return Figure(
        people=len(askings),
        right=len(askings) - len(mistaken),
        sure_mistaken=sum(one.is_sure for one in mistaken),
        favoured=_favoured(askings),
        discrimination=_discrimination(askings),
    )


def _is_safe(one: frozenset[tuple[UUID, str]], other: frozenset[tuple[UUID, str]]) -> bool:
    """Whether neither has a few that the other has not. A person is in a figure once."""
    both = len(one & other)
    return all(len(side) - both not in range(1, FEWEST) for side in (one, other))


def _favoured(askings: Sequence[Asking]) -> Favoured | None:
    """Of the scenarios that ten or more were asked, the option that took in most."""
    best: tuple[int, Favoured] | None = None
    ordered = sorted(askings, key=lambda one: one.scenario)
    for scenario, grouped in groupby(ordered, key=lambda one: one.scenario):
        group = list(grouped)
        wrong = Counter(one.choice for one in group if not one.is_right)
        if len(group) < FEWEST or not wrong:
            continue
        choice, count = max(wrong.items(), key=lambda one: (one[1], one[0]))
        is_dominant = count >= max(FEWEST_FAVOURING, DOMINANT * wrong.total())
        if is_dominant and (best is None or count > best[0]):
            best = count, Favoured(scenario, choice)
    return best[1] if best else None


def _discrimination(askings: Sequence[Asking]) -> float | None:
    """Correlation of being right here with the share right on the other topics."""
    pairs = [(float(one.is_right), one.rest) for one in askings if one.rest is not None]
    if len(pairs) < FEWEST_TO_DISCRIMINATE:
        return None
    try:
        return correlation([here for here, _rest in pairs], [rest for _here, rest in pairs])
    except StatisticsError:  # all the same here, or all the same elsewhere
        return None
