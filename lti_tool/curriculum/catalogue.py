"""All content, read once into frozen objects and handed to the app."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from lti_tool.policies.case import Case
from lti_tool.policies.documents import Fault
from lti_tool.policies.policy import School, Text
from lti_tool.policies.vocabulary import Vocabulary


@dataclass(frozen=True)
class Topic:
    """A point of conduct a policy may settle."""

    id: str
    title: Text
    why: Text
    important: bool
    child_safety: bool
    """Where it touches a child's safety, silence is answered with whom to tell."""


@dataclass(frozen=True)
class ScenarioOption:
    """An option's words: what it does, and why it stands or tempts (free of any school)."""

    id: str
    text: Text
    why: Text


@dataclass(frozen=True)
class Scenario:
    """A situation and its options, free of any school; one file in ``question_bank/``."""

    id: str
    version: int
    family: str
    """Scenarios that differ in one deciding fact share a family."""
    text: Text
    options: tuple[ScenarioOption, ...]
    case: Case
    body: bytes = field(repr=False)
    """The file as canonical JSON (RFC 8785)."""
    sha256: str
    """Of ``body``."""
    one_wrong: bool = False
    """Its author holds that one wrong option is enough where a policy leaves no more."""
    path: str = ""
    """The file it was read from, as faults show it."""

    @property
    def topic(self) -> str:
        return self.case.topic


class Reads(StrEnum):
    """What of the policy a module has its readers read."""

    POLICY = "policy"
    """All that binds them."""
    MUSTS = "musts"
    """What they must and must not do."""
    CHANGES = "changes"
    """What is not as it was when they last declared; all that binds them if they never did."""


@dataclass(frozen=True)
class TrainingModule:
    """One course of training: ``induction``, ``annual-refresh``, ``policy-update``,
    ``before-you-start``."""

    id: str
    title: Text
    about: Text
    minutes: int
    scenarios: int
    """How many scenarios one sitting asks."""
    unscored_at_most: int
    pass_percent: int
    reads: Reads = Reads.POLICY
    scenarios_at_most: int = 0
    """How many where that much has changed or was missed, if more than ``scenarios``."""
    asks_changes_alone: bool = False
    """Whether nothing is asked of those who declared before but what has changed."""
    tells: bool = True
    """Whether it shows whom to tell."""


@dataclass(frozen=True)
class Kept:
    """A school's files as they were last good."""

    since: datetime
    """When they were first read so."""
    files: Mapping[str, bytes] = field(repr=False)
    """By name, the school's own document among them."""
    faults: tuple[str, ...] = ()
    """Why the school's folder is not read instead."""


@dataclass(frozen=True)
class Catalogue:
    """Everything that was read, by id."""

    topics: Mapping[str, Topic]
    modules: Mapping[str, TrainingModule]
    schools: Mapping[str, School]
    scenarios: Mapping[str, Scenario]
    faults: tuple[Fault, ...] = ()
    """The faults of schools' own files: of those that are closed or served as they were kept."""
    role_groups: tuple[str, ...] = ()
    """The groups people belong to, as the vocabulary names them."""
    kept: Mapping[str, Kept] = field(default_factory=dict)
    """Schools served as they were last good, since their files are so no more."""
    vocabulary: Vocabulary = field(default_factory=Vocabulary, repr=False)
    """To read again a version that was kept and has no file any more."""
    worked_out: dict[object, Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was worked out from the content, which stays as it is: see ``training/course.py``."""
