"""A pack's figures from its lines. Pure: no database, no words.

A person counts once: where they owe several trainings, by the one that is furthest behind.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lti_tool.evidence.packs.reading import Line

BEHIND: Final = ("overdue", "paused", "in-progress", "due", "done")
"""The states of those who are asked, the furthest behind first."""
FEWEST: Final = 5
"""Fewer people than these are not shown as a group of their own."""
OTHERS: Final = "others"


@dataclass(frozen=True)
class Figures:
    """How many people stand where."""

    states: Mapping[str, int]
    left: int = 0
    """People who left before they had finished; they are not asked any more."""
    not_due: int = 0
    """People whose training has not opened yet."""

    @property
    def asked(self) -> int:
        """The denominator: everybody who owes a training now, or did it."""
        return sum(self.states.values())

    @property
    def done(self) -> int:
        return self.states.get("done", 0)

    @property
    def share(self) -> int:
        """Per cent done, rounded down: 100 means everybody."""
        return 100 * self.done // self.asked if self.asked else 0


def figures(lines: Iterable[Line]) -> Figures:
    """The figures of these lines; those of people who were not asked do not count."""
    whose: dict[tuple[str, UUID], list[str]] = {}
    for line in lines:
        if line.is_required:
            whose.setdefault((line.school_id, line.person_id), []).append(line.state)
    found = Counter(_of(states) for states in whose.values())
    return Figures(
        states={one: found[one] for one in reversed(BEHIND)},
        left=found["left-incomplete"],
        not_due=found["not-due"],
    )


def by(lines: Sequence[Line], key: Callable[[Line], str]) -> dict[str, Figures]:
    """The figures of each group of lines, in the groups' order."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return {name: figures(groups[name]) for name in sorted(groups)}


def by_role_group(lines: Sequence[Line], *, merges: bool) -> dict[str, Figures]:
    """The figures of each role group. ``merges``: groups of fewer than five are one, ``others``,
    together with the next smallest where they are fewer than five even then; and nothing at all
    is told apart where that leaves one group alone."""
    found = {name: one for name, one in by(lines, lambda one: one.role_group).items() if one.asked}
    if not merges:
        return found
    ordered = sorted(found, key=lambda name: (found[name].asked, name))
    merged: list[str] = []
    while ordered and (
        found[ordered[0]].asked < FEWEST or 0 < sum(found[name].asked for name in merged) < FEWEST
    ):
        merged.append(ordered.pop(0))
    if not ordered:
        return {}
    shown = {name: found[name] for name in sorted(ordered)}
    if merged:
        shown[OTHERS] = figures([one for one in lines if one.role_group in merged])
    return shown


def _of(states: Sequence[str]) -> str:
    """Where a person stands, who owes trainings in these states."""
    asked = [one for one in states if one in BEHIND]
    if asked:
        return min(asked, key=BEHIND.index)
    return "left-incomplete" if "left-incomplete" in states else "not-due"
