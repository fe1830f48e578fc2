"""What differs between two versions of one school's policy, clause by clause. Pure.

What can change an answer, or asks something else of somebody, is *substantive* and makes a new
version *major*. Words, notices and places are shown to everybody and ask nothing again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, Final

from lti_tool.policies.parts import (
    PartChange,
    part_changes,
    plain,
    rests_first_on,
    rests_on,
    topics_of_part,
)
from lti_tool.policies.policy import Clause, ClauseKind, PolicyVersion, Rule, Tension
from lti_tool.policies.vocabulary import NOT_PEOPLE

KEPT: Final = 256
"""How many comparisons are kept: pages ask the same again and again."""
DETAILS: Final = (
    "title",
    "language",
    "approved_by",
    "approved_on",
    "review_cycles",
    "next_review_on",
    "source_name",
    "source_sha256",
)


class Kind(StrEnum):
    """What became of a clause, the gravest first."""

    ADDED = "added"
    REMOVED = "removed"
    RULE = "rule"
    """What it asks, or of whom; its words may have changed as well."""
    WORDING = "wording"
    MOVED = "moved"


class Weight(StrEnum):
    MAJOR = "major"
    MINOR = "minor"


@dataclass(frozen=True)
class ClauseChange:
    """A clause on both sides; a side is None where there is none.

    ``parts`` are the rules and tensions that rest on it and differ. ``topics`` are theirs, or else
    those of all that rests on it. ``concerns`` are the groups for whom anything differs, as in
    ``Clause.binds``; ``obliges`` those of people for whom it is substantive.
    """

    before: Clause | None
    after: Clause | None
    kind: Kind
    parts: tuple[PartChange, ...]
    topics: tuple[str, ...]
    concerns: frozenset[str]
    obliges: frozenset[str]

    @property
    def clause(self) -> Clause:
        """The clause as it is now, or as it was before it went."""
        clause = self.after or self.before
        if clause is None:
            raise LookupError("a change has one side at least")
        return clause

    @property
    def has_other_words(self) -> bool:
        """Whether both sides are there and read differently."""
        sides = self.before, self.after
        return sides[0] is not None and sides[1] is not None and sides[0].text != sides[1].text


@dataclass(frozen=True)
class DetailChange:
    """A fact about the version itself, by its name in ``PolicyVersion``; ``cites`` among them."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Diff:
    """What differs, in the order of the later version; what went stands last."""

    before: PolicyVersion
    after: PolicyVersion
    clauses: tuple[ClauseChange, ...]
    details: tuple[DetailChange, ...]

    @cached_property
    def obliging(self) -> tuple[ClauseChange, ...]:
        """The changes that make it major."""
        return tuple(one for one in self.clauses if one.obliges)

    @property
    def weight(self) -> Weight:
        """What the comparison proposes; a manager may say otherwise."""
        return Weight.MAJOR if self.obliging else Weight.MINOR


@lru_cache(maxsize=KEPT)
def compare(before: PolicyVersion, after: PolicyVersion) -> Diff:
    """What ``after`` says otherwise than ``before``.

    A clause is the same where its words are, and else where its id is: one that moved is known by
    its words, whatever line it stands in now. The names of rules, and the order in which things
    stand, are nothing that anybody reads, and make no difference.
    """
    pairs = _pairs(before.clauses, after.clauses)
    renamed = {old: new for old, new in pairs if old is not None and new is not None}
    parts = [
        *part_changes(before, after, (before.rules, after.rules), renamed),
        *part_changes(before, after, (before.tensions, after.tensions), renamed),
    ]
    found = []
    for old, new in pairs:
        mine = tuple(part for part in parts if _is_of(part, old, new))
        change = _change(_Side(before, old), _Side(after, new), mine)
        if change:
            found.append(change)
    return Diff(before, after, tuple(found), tuple(_details(before, after, renamed)))


def concerning(changes: Iterable[ClauseChange], role_group: str) -> tuple[ClauseChange, ...]:
    """Those in which something differs for that role group; a clause that only moved does not."""
    return tuple(
        one for one in changes if role_group in one.concerns and one.kind is not Kind.MOVED
    )


def obliged(changes: Iterable[ClauseChange]) -> frozenset[str]:
    """The groups of people of whom any of the changes asks something else."""
    return frozenset(group for one in changes for group in one.obliges)


def topics_of(changes: Iterable[ClauseChange]) -> frozenset[str]:
    """The topics that the changes touch."""
    return frozenset(topic for one in changes for topic in one.topics)


def marked(before: str, after: str) -> tuple[tuple[str, str], ...]:
    """Two texts in one, word by word: (``same`` | ``out`` | ``in``, words) in reading order."""
    one, other = before.split(), after.split()
    found: list[tuple[str, str]] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(("same", " ".join(other[j1:j2])))
            continue
        found += [("out", " ".join(one[i1:i2]))] * (i2 > i1)
        found += [("in", " ".join(other[j1:j2]))] * (j2 > j1)
    return tuple(found)


@dataclass(frozen=True)
class _Side:
    """One version's part in a change."""

    version: PolicyVersion
    id: str | None

    @property
    def clause(self) -> Clause | None:
        return None if self.id is None else self.version.clauses[self.id]

    @property
    def place(self) -> object:
        """Where a reader finds it."""
        titles = {one.id: one.title for one in self.version.sections}
        clause = self.clause
        return clause and (clause.locator, titles.get(clause.section))

    @property
    def binds(self) -> frozenset[str]:
        return self.clause.binds if self.clause else frozenset()

    @property
    def asks_of(self) -> frozenset[str]:
        """Whom it tells how to act."""
        is_conduct = self.clause is not None and self.clause.kind is ClauseKind.CONDUCT
        return self.binds if is_conduct else frozenset()

    @property
    def topics(self) -> frozenset[str]:
        parts: tuple[Rule | Tension, ...] = (*self.version.rules, *self.version.tensions)
        return frozenset(
            topic for part in parts if rests_on(part, self.id) for topic in topics_of_part(part)
        )


def _is_of(part: PartChange, old: str | None, new: str | None) -> bool:
    """Whether the part's change is one of this clause. Other words of force are those of the clause
    that a rule rests on first; what it names beside, or passed to, reads as it did."""
    if part.is_substantive:
        return rests_on(part.before, old) or rests_on(part.after, new)
    return rests_first_on(part.before, old) and rests_first_on(part.after, new)


def _change(before: _Side, after: _Side, parts: tuple[PartChange, ...]) -> ClauseChange | None:
    kind = _kind(before, after, parts)
    if kind is None:
        return None
    one, other = before.clause, after.clause
    reads_same = (
        one is not None
        and other is not None
        and (one.text, one.kind) == (other.text, other.kind)
        and kind is not Kind.MOVED
    )
    concerns = before.binds ^ after.binds if reads_same else before.binds | after.binds
    obliges = before.asks_of ^ after.asks_of
    for part in parts:
        concerns |= part.concerns
        obliges |= part.concerns if part.is_substantive else frozenset()
    topics = frozenset(topic for part in parts for topic in part.topics)
    return ClauseChange(
        before=one,
        after=other,
        kind=kind,
        parts=parts,
        topics=tuple(sorted(topics or before.topics | after.topics)),
        concerns=concerns | obliges,
        obliges=obliges - NOT_PEOPLE,
    )


def _kind(before: _Side, after: _Side, parts: Iterable[PartChange]) -> Kind | None:
    one, other = before.clause, after.clause
    if one is None:
        return Kind.ADDED
    if other is None:
        return Kind.REMOVED
    if one.binds != other.binds or before.asks_of != after.asks_of:
        return Kind.RULE
    if any(part.is_substantive for part in parts):
        return Kind.RULE
    if one.text != other.text or one.kind is not other.kind or any(parts):
        return Kind.WORDING
    return Kind.MOVED if before.place != after.place else None


def _pairs(
    before: Mapping[str, Clause], after: Mapping[str, Clause]
) -> list[tuple[str | None, str | None]]:
    """Ids of each clause before and after, in the order of the later version."""
    found: dict[str, str] = {}
    for same in (_same_id_and_words, _same_words, _same_id):
        taken = set(found.values())
        left = {name: one for name, one in before.items() if name not in taken}
        right = {name: one for name, one in after.items() if name not in found}
        found |= same(left, right)
    taken = set(found.values())
    here: list[tuple[str | None, str | None]] = [(found.get(name), name) for name in after]
    return [*here, *((name, None) for name in before if name not in taken)]


def _same_id(before: Mapping[str, Clause], after: Mapping[str, Clause]) -> dict[str, str]:
    return {name: name for name in after if name in before}


def _same_id_and_words(before: Mapping[str, Clause], after: Mapping[str, Clause]) -> dict[str, str]:
    return {name: name for name in _same_id(before, after) if before[name].text == after[name].text}


def _same_words(before: Mapping[str, Clause], after: Mapping[str, Clause]) -> dict[str, str]:
    """Words that stand twice on a side tell nothing."""
    old, new = _by_words(before), _by_words(after)
    return {name: old[words] for words, name in new.items() if words in old}


def _by_words(clauses: Mapping[str, Clause]) -> dict[tuple[tuple[str, str], ...], str]:
    words = {name: tuple(sorted(clause.text.items())) for name, clause in clauses.items()}
    times = Counter(words.values())
    return {said: name for name, said in words.items() if times[said] == 1}


def _details(
    before: PolicyVersion, after: PolicyVersion, renamed: Mapping[str, str]
) -> Iterator[DetailChange]:
    for name in DETAILS:
        one, other = getattr(before, name), getattr(after, name)
        if plain(one) != plain(other):
            yield DetailChange(name, one, other)
    cited = [
        sorted((one.name, one.edition, names.get(one.clause, one.clause)) for one in version.cites)
        for version, names in ((before, renamed), (after, {}))
    ]
    if cited[0] != cited[1]:
        yield DetailChange("cites", before.cites, after.cites)
