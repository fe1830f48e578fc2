"""What is put to a policy: a situation's facts and the acts of each option. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FactValue = str | int | bool
"""A fact or a parameter: a choice's word or a role, a whole number, or true and false."""


@dataclass(frozen=True)
class Act:
    """Something an option does, with its parameters, as ``vocabulary.yaml`` declares them."""

    name: str
    parameters: Mapping[str, FactValue] = field(default_factory=dict)
    careful: bool = False
    """Holding back, telling or asking: needs no rule to allow it."""


@dataclass(frozen=True)
class Agreement:
    """Permission that stands already: whose, whether on paper, whether before the act."""

    role: str
    written: bool = False
    before: bool = True


@dataclass(frozen=True)
class Option:
    """One way to act: a closed list of acts. An act not listed is not done."""

    id: str
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Case:
    """A situation with its options, free of any school. ``topic`` is an id of ``topics.yaml``."""

    topic: str
    facts: Mapping[str, FactValue]
    options: tuple[Option, ...]
    agreements: tuple[Agreement, ...] = ()
