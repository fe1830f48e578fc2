"""What one person is taught: a module, one edition of a school's policy, seen by a role group.

Reads content alone, never a table.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeVar

from flask_babel import gettext as _

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue, Reads, Scenario, TrainingModule
from lti_tool.curriculum.questions import can_be_scored, fill, in_language
from lti_tool.policies.policy import Clause, ClauseKind, Force, Mode, PolicyVersion, School, Text
from lti_tool.policies.resolve import Resolution, Silence, State, resolve
from lti_tool.training.models import Journey
from lti_tool.training.refresh import comparing
from lti_tool.training.refresh.comparing import Changes, Known
from lti_tool.training.selection import Anew, Candidate, most_telling

MUSTS: Final = "musts"
EMPLOYEES: Final = frozenset({"teaching", "support"})
"""Wording on discipline is for those whom the school employs."""
MOST_WORKED_OUT: Final = 2000
"""What is kept of it at most, some megabytes; then it is worked out anew."""

Found = TypeVar("Found")


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
class Difference:
    """A topic on which two schools lay down different things, in the clauses of both."""

    topic: str
    here: tuple[Provision, ...]
    there: tuple[Provision, ...]


@dataclass(frozen=True)
class Course:
    """Everything that decides what one person sees.

    ``since`` is what the reader declared last at this school, ``beside`` what they declared at
    another school of its trust and need not learn twice.
    """

    catalogue: Catalogue
    school: School
    module: TrainingModule
    version: PolicyVersion
    role_group: str
    language: str = "en"
    since: Known | None = None
    beside: Known | None = None

    @property
    def reads_changes(self) -> bool:
        """Whether only what changed since the reader's last declaration is read."""
        reads = self.module.reads is Reads.CHANGES
        return self.in_scope and reads and self.since is not None

    @property
    def reads_differences(self) -> bool:
        """Whether only what differs from the reader's other school is read."""
        return self.in_scope and self.beside is not None and self.since is None

    @property
    def is_short(self) -> bool:
        """Whether what the reader knows is not read again, unless they miss it."""
        return self.reads_changes or self.reads_differences

    @cached_property
    def changes(self) -> Changes:
        """What is not as it was when the reader last declared."""
        if self.since is None or not self.reads_changes:
            return Changes()
        return comparing.changes(self.since, self._known)

    @cached_property
    def differing(self) -> tuple[str, ...]:
        """The topics that are not as at the reader's other school."""
        if self.beside is None or not self.is_short:
            return ()
        scenarios = [self.catalogue.scenarios[one.scenario] for one in self.candidates]
        return comparing.differing(
            self.beside, self._known, topics=self.catalogue.topics, scenarios=scenarios
        )

    def as_of(self, known: Known) -> "Course":
        """The same seen with another policy, to say what that one says."""
        return replace(
            self,
            school=known.school,
            version=known.version,
            role_group=known.role_group,
            since=None,
            beside=None,
        )

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is read of them: each differing topic, in the clauses of both schools."""
        if self.beside is None:
            return ()
        there = self.as_of(self.beside)
        return tuple(
            Difference(one, self.provisions_on([one]), there.provisions_on([one]))
            for one in self.differing
        )

    def provisions_on(self, topics: Iterable[str]) -> tuple[Provision, ...]:
        """The clauses that speak on any of the topics to this reader, in the policy's order."""
        names = {name for one in topics for name in comparing.clauses_on(self._known, one)}
        return tuple(one for one in self.provisions if one.clause.id in names)

    def provision(self, clause: Clause) -> Provision | None:
        """A clause of this version with the words in which it binds the reader."""
        return next((one for one in self.provisions if one.clause.id == clause.id), None)

    def anew(self) -> Anew:
        """What there is to ask for being new to this reader."""
        if not self.is_short:
            return Anew()
        sides = [one for one in (self.since, self.beside) if one]
        candidates = self.candidates
        scenarios = {
            one.scenario: one.topic
            for one in candidates
            for side in sides
            if comparing.is_answered_anew(side, self._known, self.catalogue.scenarios[one.scenario])
        }
        can_be_asked = {one.topic for one in candidates if one.is_scored}
        changes = [*(one.topics for one in self.changes.mine), *({one} for one in self.differing)]
        order = most_telling((can_be_asked & one for one in changes), scenarios.values())
        order += sorted({topic for one in changes for topic in one} - set(order))
        is_all = self.beside is not None or self.module.asks_changes_alone
        return Anew(tuple(order), frozenset(scenarios), is_all)

    @property
    def _known(self) -> Known:
        return Known(self.school, self.version, self.role_group)

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
        reads no more, what the reader must and must not do. What changed has a page of its own."""
        if not self.in_scope or self.is_short:
            return ()
        if self.module.reads is Reads.MUSTS:
            return self._musts()
        return tuple(one for one in self.sections if one.bound)

    @cached_property
    def sections(self) -> tuple[Reading, ...]:
        """The whole policy, by section, in its own order."""
        provisions = defaultdict(list)
        for provision in self.provisions:
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
        return self._once(scenario, lambda: self._resolve(scenario))

    @property
    def candidates(self) -> Sequence[Candidate]:
        """Every scenario that can be put to this reader. Not one on which the policy is silent
        because it binds nobody like the reader: that is said once, not asked. Nor one that is
        settled and has nothing to get right, or nothing to get wrong, for this role group. Nor
        one for whoever moderates the official pages: their clauses are not among what is read."""
        return self._once("candidates", self._candidates)

    @property
    def provisions(self) -> tuple[Provision, ...]:
        """Every clause that the reader may be shown, in the policy's order."""
        return self._once("provisions", self._provisions)

    def _once(self, what: object, work: Callable[[], Found]) -> Found:
        """What follows from the content alone is worked out once for all readers of a role group.

        Content is told by identity, and held with what was found, so that no other can take its
        place in the memory.
        """
        known = self.catalogue.worked_out
        content = (what, self.version, self.school)
        key = (what if isinstance(what, str) else id(what), id(self.version), id(self.school))
        if (found := known.get((*key, self.role_group))) is None:
            if len(known) >= MOST_WORKED_OUT:
                known.clear()
            found = known[*key, self.role_group] = (work(), content)
        answer: Found = found[0]
        return answer

    def _resolve(self, scenario: Scenario) -> Resolution:
        return resolve(self.version, self.school, self.role_group, scenario.case)

    def _candidates(self) -> Sequence[Candidate]:
        topics = self.catalogue.topics
        found = ((one, self._resolve(one)) for one in self.catalogue.scenarios.values())
        return tuple(
            Candidate(one.id, one.topic, one.family, said.state, topics[one.topic].important)
            for one, said in found
            if said.silence is not Silence.UNBOUND
            and not one.case.facts.get("moderator")
            and (said.state is not State.SETTLED or can_be_scored(said))
        )

    def _provisions(self) -> tuple[Provision, ...]:
        forces: Mapping[str, set[tuple[Force, str]]] = defaultdict(set)
        for rule in self.version.rules:
            if self.role_group in rule.binds and rule.stated and rule.mode is not Mode.PERMITS:
                for name in rule.clauses:
                    forces[name].add((rule.force, rule.wording))
        order = list(Force)
        return tuple(
            Provision(
                clause,
                tuple(sorted(forces[clause.id], key=lambda one: (order.index(one[0]), one[1]))),
            )
            for clause in self.version.clauses.values()
            if clause.kind is not ClauseKind.CONSEQUENCE or self.role_group in EMPLOYEES
        )

    def _musts(self) -> tuple[Reading, ...]:
        bound = tuple(
            one
            for one in self.provisions
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
