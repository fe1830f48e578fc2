"""The declared words of content: facts, acts and roles with their types.

A misspelt word is a fault, never a silent miss: everything typed goes through here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lti_tool.policies.case import Act, FactValue
from lti_tool.policies.conditions import (
    ActPattern,
    AllOf,
    AnyOf,
    Condition,
    Doing,
    FactCompares,
    FactIs,
    Not,
    Order,
)
from lti_tool.policies.documents import Document, Key
from lti_tool.policies.schemas import VocabularySchema

Declared = TypeVar("Declared")

NOT_PEOPLE = frozenset({"moderator", "school"})
"""Whom a clause may bind beside the role groups of people."""
JOINING = ("all", "any", "not", "doing")


@dataclass(frozen=True)
class Kind:
    """The type of a fact or parameter: ``choice``, ``number``, ``truth`` or ``role``."""

    type: str
    choices: frozenset[str] = frozenset()

    def problem(self, value: object) -> str:
        """Why the value is not of this kind, or an empty text."""
        match self.type:
            case "truth":
                return "" if isinstance(value, bool) else "must be true or false"
            case "number":
                whole = isinstance(value, int) and not isinstance(value, bool)
                return "" if whole else "must be a whole number"
        if isinstance(value, str) and value in self.choices:
            return ""
        return f"“{value}” is none of {', '.join(sorted(self.choices))}"


@dataclass(frozen=True)
class ActKind:
    """An act that options may do, and its parameters."""

    careful: bool
    parameters: Mapping[str, Kind]


@dataclass(frozen=True)
class Vocabulary:
    """Every word that rules and scenarios may use."""

    facts: Mapping[str, Kind] = field(default_factory=dict)
    acts: Mapping[str, ActKind] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    """Role groups of people, with ``moderator`` and ``school``."""
    terms: frozenset[str] = frozenset()
    """Statutory names that schools fill in beside the roles."""

    @property
    def role_groups(self) -> tuple[str, ...]:
        """The groups people belong to."""
        return tuple(sorted(self.groups - NOT_PEOPLE))


def read_vocabulary(document: Document) -> Vocabulary:
    """The vocabulary of ``modules/vocabulary.yaml``; empty with faults noted where it is bad."""
    data = document.load(VocabularySchema())
    if data is None:
        return Vocabulary()
    roles = frozenset(data["roles"])
    for name in JOINING:
        if name in data["facts"]:
            document.fault(f"“{name}” joins conditions and cannot name a fact", "facts", name)
    facts = {name: _kind(one, roles, {}) for name, one in data["facts"].items()}
    acts = {
        name: ActKind(
            one["careful"], {key: _kind(kind, roles, facts) for key, kind in one["takes"].items()}
        )
        for name, one in data["acts"].items()
    }
    for name, act in acts.items():
        for key, kind in act.parameters.items():
            if kind.type == "choice" and not kind.choices:
                document.fault("“same_as” names no fact with choices", "acts", name, "takes", key)
    return Vocabulary(
        facts, acts, roles, groups=frozenset(data["groups"]), terms=frozenset(data["terms"])
    )


def _kind(declared: Mapping[str, Any], roles: frozenset[str], facts: Mapping[str, Kind]) -> Kind:
    if declared["same_as"]:
        return facts.get(declared["same_as"], Kind("choice"))
    if declared["type"] == "role":
        return Kind("role", roles)
    return Kind(declared["type"], frozenset(declared["choices"]))


@dataclass(frozen=True)
class Typed:
    """Reads the typed parts of one document, noting every fault at its line.

    What is faulty comes back as None or is left out: a document with faults is not used.
    """

    document: Document
    vocabulary: Vocabulary

    def facts(self, data: Mapping[str, Any], *keys: Key) -> dict[str, FactValue]:
        """The facts of a situation."""
        for name, value in data.items():
            kind = self._known("fact", name, self.vocabulary.facts, *keys, name)
            if kind and (problem := kind.problem(value)):
                self.document.fault(f"{name} {problem}", *keys, name)
        return dict(data)

    def act(self, data: Mapping[str, Any], *keys: Key) -> Act | None:
        """``{act: report, to: designated-person}`` as an act."""
        found = self._known("act", data.get("act"), self.vocabulary.acts, *keys)
        if found is None:
            return None
        parameters = {name: value for name, value in data.items() if name != "act"}
        for name, value in parameters.items():
            self._parameter(data["act"], found, name, value, *keys)
        return Act(data["act"], parameters, found.careful)

    def pattern(self, data: object, *keys: Key) -> ActPattern | None:
        """As an act, but each parameter may list several values."""
        if not isinstance(data, Mapping):
            self.document.fault("must be an act with its parameters: {act: …}", *keys)
            return None
        found = self._known("act", data.get("act"), self.vocabulary.acts, *keys)
        if found is None:
            return None
        parameters = {name: _listed(value) for name, value in data.items() if name != "act"}
        for name, values in parameters.items():
            for value in values:
                self._parameter(data["act"], found, name, value, *keys)
        if not all(isinstance(one, FactValue) for values in parameters.values() for one in values):
            return None
        return ActPattern(data["act"], {name: frozenset(one) for name, one in parameters.items()})

    def patterns(self, data: object, *keys: Key) -> tuple[ActPattern, ...]:
        """One pattern, or a list of which any fits."""
        if isinstance(data, list):
            found = [self.pattern(one, *keys, place) for place, one in enumerate(data)]
        else:
            found = [self.pattern(data, *keys)]
        return tuple(one for one in found if one)

    def condition(self, data: object, *keys: Key) -> Condition | None:
        """A map of facts and of ``all``, ``any``, ``not``, ``doing``; all of it must hold."""
        if not isinstance(data, Mapping) or not data:
            self.document.fault("must be a map of facts, or of all, any, not, doing", *keys)
            return None
        parts = [self._part(name, value, *keys, name) for name, value in data.items()]
        sound = tuple(part for part in parts if part)
        return sound[0] if len(sound) == 1 else AllOf(sound)

    def _part(self, name: str, value: object, *keys: Key) -> Condition | None:
        match name:
            case "all" | "any":
                if not isinstance(value, list) or not value:
                    self.document.fault(f"“{name}” needs a list of conditions", *keys)
                    return None
                found = [self.condition(one, *keys, place) for place, one in enumerate(value)]
                parts = tuple(part for part in found if part)
                return AllOf(parts) if name == "all" else AnyOf(parts)
            case "not":
                part = self.condition(value, *keys)
                return Not(part) if part else None
            case "doing":
                patterns = self.patterns(value, *keys)
                return AnyOf(tuple(Doing(pattern) for pattern in patterns))
        return self._fact(name, value, *keys)

    def _fact(self, name: str, value: object, *keys: Key) -> Condition | None:
        kind = self._known("fact", name, self.vocabulary.facts, *keys)
        if kind is None:
            return None
        if isinstance(value, Mapping):
            return self._comparison(name, kind, value, *keys)
        values = _listed(value)
        for problem in filter(None, map(kind.problem, values)):
            self.document.fault(f"{name} {problem}", *keys)
        return FactIs(name, frozenset(one for one in values if isinstance(one, FactValue)))

    def _comparison(
        self, name: str, kind: Kind, value: Mapping[str, object], *keys: Key
    ) -> Condition | None:
        parts = []
        if kind.type != "number":
            self.document.fault(f"{name} is not a number and cannot be compared", *keys)
        for order, limit in value.items():
            if order not in list(Order):
                self.document.fault(f"“{order}” is none of lt, le, gt, ge", *keys, order)
            elif not isinstance(limit, int) or isinstance(limit, bool):
                self.document.fault(f"{name} {order} must be a whole number", *keys, order)
            else:
                parts.append(FactCompares(name, Order(order), limit))
        return AllOf(tuple(parts))

    def _parameter(self, act: str, kind: ActKind, name: str, value: object, *keys: Key) -> None:
        known = self._known(f"parameter of {act}", name, kind.parameters, *keys, name)
        if known and (problem := known.problem(value)):
            self.document.fault(f"{name} {problem}", *keys, name)

    def _known(
        self, what: str, name: object, declared: Mapping[str, Declared], *keys: Key
    ) -> Declared | None:
        found = declared.get(name) if isinstance(name, str) else None
        if found is None:
            self.document.fault(f"unknown {what} “{name}”", *keys)
        return found

    def among(self, what: str, names: Iterable[str], known: Iterable[str], *keys: Key) -> None:
        """Note each name that is not known."""
        for name in names:
            if name not in known:
                self.document.fault(f"unknown {what} “{name}”", *keys)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]
