"""When a rule applies: conditions over a situation's facts and over what an option does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lti_tool.policies.case import Act, FactValue

Also = Mapping[str, frozenset[str]]
"""Role to the roles its holder also is, as in ``School.also``."""


@dataclass(frozen=True)
class ActPattern:
    """Matches an act of this name whose parameters hold every value given (any of a set)."""

    act: str
    parameters: Mapping[str, frozenset[FactValue]] = field(default_factory=dict)


class Order(StrEnum):
    """How a whole-number fact compares with a limit."""

    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"


@dataclass(frozen=True)
class FactIs:
    """The fact has one of these values."""

    fact: str
    values: frozenset[FactValue]


@dataclass(frozen=True)
class FactCompares:
    """The fact is a number that stands so to the limit."""

    fact: str
    order: Order
    limit: int


@dataclass(frozen=True)
class Doing:
    """The option does something that matches."""

    pattern: ActPattern


@dataclass(frozen=True)
class AllOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class Not:
    part: "Condition"


Condition = FactIs | FactCompares | Doing | AllOf | AnyOf | Not


def holds(
    condition: Condition, facts: Mapping[str, FactValue], acts: Iterable[Act], also: Also
) -> bool:
    """Whether the condition is true of these facts and acts.

    A fact that is not stated is false where it is a yes or no, and else equal to nothing and
    neither above nor below anything.
    """
    match condition:
        case FactIs(fact, values):
            return _among(facts.get(fact, False), values)
        case FactCompares(fact, order, limit):
            return _compares(facts.get(fact, False), order, limit)
        case Doing(pattern):
            return any(matches(pattern, act, also) for act in acts)
        case AllOf(parts):
            return all(holds(part, facts, acts, also) for part in parts)
        case AnyOf(parts):
            return any(holds(part, facts, acts, also) for part in parts)
        case Not(part):
            return not holds(part, facts, acts, also)


def matches(pattern: ActPattern, act: Act, also: Also) -> bool:
    """Whether the act is what the pattern describes. A role stands for all its holder also is."""
    return act.name == pattern.act and all(
        any(_among(value, values) for value in _guises(act.parameters.get(name, False), also))
        for name, values in pattern.parameters.items()
    )


def covers(wide: ActPattern, narrow: ActPattern) -> bool:
    """Whether every act that matches ``narrow`` matches ``wide`` too."""
    return wide.act == narrow.act and all(
        name in narrow.parameters and narrow.parameters[name] <= values
        for name, values in wide.parameters.items()
    )


def _guises(value: FactValue, also: Also) -> set[FactValue]:
    return {value, *also.get(value, ())} if isinstance(value, str) else {value}


def _among(value: FactValue, values: frozenset[FactValue]) -> bool:
    # Python holds 0 equal to False; here a number is never a yes or no.
    return any(type(value) is type(one) and value == one for one in values)


def _compares(value: FactValue, order: Order, limit: int) -> bool:
    if isinstance(value, (bool, str)):
        return False
    match order:
        case Order.LT:
            return value < limit
        case Order.LE:
            return value <= limit
        case Order.GT:
            return value > limit
        case Order.GE:
            return value >= limit
