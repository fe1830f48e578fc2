"""What one person is taught: a module, one edition of a school's policy, seen by a role group.

Reads content alone, never a table.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from flask_babel import gettext as _

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue, Scenario, TrainingModule
from lti_tool.curriculum.questions import can_be_scored, fill, in_language
from lti_tool.policies.policy import Clause, ClauseKind, Force, Mode, PolicyVersion, School, Text
from lti_tool.policies.resolve import Resolution, Silence, State, resolve
from lti_tool.training.models import Journey
from lti_tool.training.selection import Candidate

MUSTS: Final = "musts"
EMPLOYEES: Final = frozenset({"teaching", "support"})
"""Wording on discipline is for those whom the school employs."""


@dataclass(frozen=True)
class Provision:
    """A clause with the words of force that bind the reader, strongest first."""

    clause: Clause
    forces: tuple[tuple[Force, str], ...]


@dataclass(frozen=True)
class Reading:
    """One page to read: what binds the reader, and the rest, which is folded away."""

    id: str
    title: str
    every: tuple[Provision, ...]
    """In the policy's own order."""
    role_group: str

    @property
    def bound(self) -> tuple[Provision, ...]:
        return tuple(one for one in self.every if self.role_group in one.clause.binds)

    @property
    def rest(self) -> tuple[Provision, ...]:
        return tuple(one for one in self.every if self.role_group not in one.clause.binds)


@dataclass(frozen=True)
class Course:
    """Everything that decides what one person sees."""

    catalogue: Catalogue
    school: School
    module: TrainingModule
    version: PolicyVersion
    role_group: str
    language: str = "en"

    @cached_property
    def in_scope(self) -> bool:
        """Whether the policy says that it applies to this role group at all."""
        return any(
            clause.kind is ClauseKind.CONDUCT and self.role_group in clause.binds
            for clause in self.version.clauses.values()
        )

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """The pages to read: the sections with a clause that binds the reader, or, where a module
        does not read the whole policy, what the reader must and must not do."""
        if not self.in_scope:
            return ()
        if not self.module.reads_policy:
            return self._musts()
        return tuple(one for one in self.sections if one.bound)

    @cached_property
    def sections(self) -> tuple[Reading, ...]:
        """The whole policy, by section, in its own order."""
        provisions = defaultdict(list)
        for provision in self._provisions():
            provisions[provision.clause.section].append(provision)
        return tuple(
            Reading(
                section.id,
                self.say(section.title),
                tuple(provisions[section.id]),
                self.role_group,
            )
            for section in self.version.sections
        )

    @property
    def important(self) -> frozenset[str]:
        """The topics without which nobody passes."""
        return frozenset(one.id for one in self.catalogue.topics.values() if one.important)

    def say(self, text: Text) -> str:
        """A text in the reader's language, with this school's names filled in."""
        return fill(in_language(text, self.language), self.school, self.language)

    def role(self, role: str) -> str:
        """What the school calls a role; the role's own word where it has no such role."""
        found = self.school.role(role)
        return in_language(found.title, self.language) if found else role.replace("-", " ")

    def resolution(self, scenario: Scenario) -> Resolution:
        """What this policy says on a scenario, for this reader."""
        return resolve(self.version, self.school, self.role_group, scenario.case)

    def candidates(self) -> list[Candidate]:
        """Every scenario that can be put to this reader. Not one on which the policy is silent
        because it binds nobody like the reader: that is said once, not asked. Nor one that is
        settled and has nothing to get right, or nothing to get wrong, for this role group. Nor
        one for whoever moderates the official pages: their clauses are not among what is read."""
        topics = self.catalogue.topics
        found = ((one, self.resolution(one)) for one in self.catalogue.scenarios.values())
        return [
            Candidate(one.id, one.topic, one.family, said.state, topics[one.topic].important)
            for one, said in found
            if said.silence is not Silence.UNBOUND
            and not one.case.facts.get("moderator")
            and (said.state is not State.SETTLED or can_be_scored(said))
        ]

    def _provisions(self) -> Iterable[Provision]:
        forces: Mapping[str, set[tuple[Force, str]]] = defaultdict(set)
        for rule in self.version.rules:
            if self.role_group in rule.binds and rule.stated and rule.mode is not Mode.PERMITS:
                for name in rule.clauses:
                    forces[name].add((rule.force, rule.wording))
        order = list(Force)
        for clause in self.version.clauses.values():
            if clause.kind is not ClauseKind.CONSEQUENCE or self.role_group in EMPLOYEES:
                found = sorted(forces[clause.id], key=lambda one: (order.index(one[0]), one[1]))
                yield Provision(clause, tuple(found))

    def _musts(self) -> tuple[Reading, ...]:
        bound = tuple(
            one
            for one in self._provisions()
            if self.role_group in one.clause.binds
            and any(force is Force.MUST for force, _w in one.forces)
        )
        title = _("What you must and must not do")
        return (Reading(MUSTS, title, bound, self.role_group),) if bound else ()


def course_of(catalogue: Catalogue, journey: Journey) -> Course:
    """The course a journey began with.

    Raises ``ToolError``: school-unknown, module-unknown, policy-version-missing.
    """
    school, module = _school(catalogue, journey.school_id), _module(catalogue, journey.module)
    for version in school.versions:
        if version.number == journey.policy_number:
            return Course(catalogue, school, module, version, journey.role_group, journey.language)
    raise ToolError("policy-version-missing", log=f"{school.id}/{journey.policy_number}")


def new_course(
    catalogue: Catalogue,
    *,
    school_id: str,
    module: str,
    role_group: str = "",
    version: PolicyVersion | None = None,
) -> Course:
    """What somebody is taught who begins now: the version in use, which is the newest where
    none is said.

    Raises ``ToolError``: school-unknown, school-closed, module-unknown.
    """
    school = _school(catalogue, school_id)
    if school.closed or not school.versions:
        raise ToolError("school-closed", log=school_id)
    return Course(
        catalogue, school, _module(catalogue, module), version or school.policy, role_group
    )


def _school(catalogue: Catalogue, school_id: str) -> School:
    if school_id not in catalogue.schools:
        raise ToolError("school-unknown", log=school_id)
    return catalogue.schools[school_id]


def _module(catalogue: Catalogue, module: str) -> TrainingModule:
    if module not in catalogue.modules:
        raise ToolError("module-unknown", log=module)
    return catalogue.modules[module]
