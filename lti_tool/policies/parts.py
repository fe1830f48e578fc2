"""What differs between the rules, and the tensions, of two versions of a policy. Pure."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any, Final

from lti_tool.policies.policy import PolicyVersion, Rule, Tension

Part = Rule | Tension

UNSEEN: Final = frozenset({"clauses", "topics"})
"""Of a rule: which clauses carry it and where it is sorted. Nobody reads either by itself."""
SPOKEN: Final = frozenset({"wording", "stated", "safer"}) | UNSEEN
"""What can change without any answer changing."""


@dataclass(frozen=True)
class PartChange:
    """A rule or a tension on both sides; a side is None where there is none.

    ``what`` names the fields that differ; it is empty where a side is missing. ``concerns`` are
    the groups for whom it differs.
    """

    before: Part | None
    after: Part | None
    what: frozenset[str]
    concerns: frozenset[str]

    @property
    def is_substantive(self) -> bool:
        """Whether an answer can come out otherwise for it."""
        return not self.what or not self.what <= _spoken(self.before)

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(one for part in (self.before, self.after) for one in topics_of_part(part))


def part_changes(
    before: PolicyVersion,
    after: PolicyVersion,
    parts: tuple[Sequence[Part], Sequence[Part]],
    renamed: Mapping[str, str],
) -> Iterator[PartChange]:
    """Rules, or tensions, that differ. They are paired by all they say, then by what that comes
    to, then by name."""
    left = sorted((_read(one, renamed) for one in parts[0]), key=_Read.whole)
    right = sorted((_read(one, {}) for one in parts[1]), key=_Read.whole)
    for key in (_Read.whole, _Read.substance, _Read.name):
        for one, twin in _paired(left, right, key):
            what = frozenset(name for name in one.said if one.said[name] != twin.said[name])
            if what - UNSEEN:
                sides = _bound(one.part, before), _bound(twin.part, after)
                is_for_others = what - UNSEEN == {"binds"}
                concerns = sides[0] ^ sides[1] if is_for_others else sides[0] | sides[1]
                yield PartChange(one.part, twin.part, what, concerns)
    for one in left:
        yield PartChange(one.part, None, frozenset(), _bound(one.part, before))
    for one in right:
        yield PartChange(None, one.part, frozenset(), _bound(one.part, after))


@dataclass(frozen=True)
class _Read:
    """A rule or tension with its content, field by field, in a form that can be compared."""

    part: Part
    said: Mapping[str, str]

    def whole(self) -> str:
        return repr(tuple(self.said.values()))

    def substance(self) -> str:
        spoken = _spoken(self.part)
        return repr([value for name, value in self.said.items() if name not in spoken])

    def name(self) -> str:
        if isinstance(self.part, Rule):
            return self.part.id
        return repr((self.part.topic, self.said["clauses"]))


def _read(part: Part, renamed: Mapping[str, str]) -> _Read:
    said = {
        one.name: repr(plain(getattr(part, one.name))) for one in fields(part) if one.name != "id"
    }
    said["clauses"] = repr(sorted(renamed.get(name, name) for name in part.clauses))
    return _Read(part, said)


def _paired(
    left: list[_Read], right: list[_Read], key: Callable[[_Read], str]
) -> list[tuple[_Read, _Read]]:
    """Those of both sides that share a key, each once; they are taken out of the lists."""
    waiting: dict[str, list[_Read]] = {}
    for one in reversed(right):
        waiting.setdefault(key(one), []).append(one)
    found = [(one, waiting[key(one)].pop()) for one in left if waiting.get(key(one))]
    for side, place in ((left, 0), (right, 1)):
        gone = {id(pair[place]) for pair in found}
        side[:] = [one for one in side if id(one) not in gone]
    return found


def plain(value: Any) -> Any:
    """The value without what makes no difference: the order in which its parts stand."""
    if isinstance(value, Mapping):
        return sorted((name, plain(one)) for name, one in value.items())
    if isinstance(value, (tuple, frozenset)):
        return sorted((plain(one) for one in value), key=repr)
    if is_dataclass(value):
        parts = [plain(getattr(value, one.name)) for one in fields(value)]
        return [type(value).__name__, *parts]
    # Python holds 1 equal to True; a number of years is no yes.
    return value if isinstance(value, Enum) else [type(value).__name__, value]


def _spoken(part: Part | None) -> frozenset[str]:
    # Which clauses are at odds decides for whom they are.
    return SPOKEN - {"clauses"} if isinstance(part, Tension) else SPOKEN


def _bound(part: Part, version: PolicyVersion) -> frozenset[str]:
    if isinstance(part, Rule):
        return part.binds
    # Clauses are at odds for those whom two of them bind.
    clauses = (version.clauses[name] for name in part.clauses if name in version.clauses)
    times = Counter(group for clause in clauses for group in clause.binds)
    return frozenset(group for group, number in times.items() if number > 1)


def topics_of_part(part: Part | None) -> tuple[str, ...]:
    """What it speaks on; nothing where there is none."""
    match part:
        case Rule(topics=topics):
            return topics
        case Tension(topic=topic):
            return (topic,)
    return ()


def rests_on(part: Part | None, clause: str | None) -> bool:
    """Whether the clause is one that it is drawn from."""
    return part is not None and clause in part.clauses


def rests_first_on(part: Part | None, clause: str | None) -> bool:
    """Whether that clause is the one it is drawn from before any other."""
    return part is not None and part.clauses[:1] == (clause,)
