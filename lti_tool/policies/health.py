"""Points to check in a policy: what its own words leave open, or say twice. Pure.

Never mended by the tool: each point quotes its clauses and is for whoever owns the policy.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final

from lti_tool.policies.case import Case
from lti_tool.policies.conditions import holds
from lti_tool.policies.policy import ClauseKind, Mode, PolicyVersion, Rule, School
from lti_tool.policies.resolve import Resolution, State, resolve

ON_REVIEW: Final = re.compile(r"\breviewed\b", re.I)
"""How a notice speaks of the policy's own review; what is reviewed elsewhere is no notice."""
EXCUSES: Final = ("relative", "friend", "exceptional")
"""Facts for which policies make exceptions, and then forget the clause beside."""


class Kind(StrEnum):
    """What is to be checked."""

    REVIEW_MISSING = "review-missing"
    REVIEW_PASSED = "review-passed"
    CYCLES_DIFFER = "cycles-differ"
    CONFLICT = "conflict"
    FORCE_DIFFERS = "force-differs"
    NOT_SETTLED = "not-settled"
    EXCEPTION_ALONE = "exception-alone"
    OLD_EDITION = "old-edition"


@dataclass(frozen=True)
class Point:
    """A point to check. ``clauses`` are those to read, in the policy's order; none where the
    point is that there is none. ``topics`` are those it came up on, ``said`` what its words need:
    ``on`` (a date), ``cycles``, ``fact``, ``excused`` (clauses), ``name`` and ``edition``."""

    kind: Kind
    clauses: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    said: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    case: Case
    group: str
    resolution: Resolution


def points_to_check(
    version: PolicyVersion,
    school: School,
    *,
    cases: Iterable[Case],
    role_groups: Iterable[str],
    important: Iterable[str],
    today: date,
) -> tuple[Point, ...]:
    """Everything to check in a version. ``cases`` are what can be asked, ``important`` the topics
    that a policy should settle."""
    asked = tuple(cases)
    answers = [
        _Answer(case, group, resolve(version, school, group, case))
        for group in sorted(role_groups)
        for case in asked
    ]
    return (
        *_on_review(version, today),
        *_conflicts(version, answers),
        *_forces(version, answers),
        *_unsettled(version, answers, important),
        *_exceptions(version, school, answers),
        *_editions(version),
    )


def _on_review(version: PolicyVersion, today: date) -> Iterator[Point]:
    notices = tuple(
        clause.id
        for clause in version.clauses.values()
        if clause.kind is ClauseKind.NOTICE and ON_REVIEW.search(clause.text["en"])
    )
    if version.next_review_on is None:
        yield Point(Kind.REVIEW_MISSING, notices)
    elif version.next_review_on < today:
        yield Point(Kind.REVIEW_PASSED, notices, said={"on": version.next_review_on})
    if len(set(version.review_cycles)) > 1:
        yield Point(Kind.CYCLES_DIFFER, notices, said={"cycles": version.review_cycles})


def _conflicts(version: PolicyVersion, answers: Iterable[_Answer]) -> Iterator[Point]:
    found = [(one.resolution.at_odds, one.case.topic) for one in answers if one.resolution.at_odds]
    # An author's word stands though no question has come to it yet.
    found += [(tension.clauses, tension.topic) for tension in version.tensions]
    yield from _grouped(version, Kind.CONFLICT, found)


def _forces(version: PolicyVersion, answers: Iterable[_Answer]) -> Iterator[Point]:
    found = [(group, one.case.topic) for one in answers for group in one.resolution.force_differs]
    yield from _grouped(version, Kind.FORCE_DIFFERS, found)


def _grouped(
    version: PolicyVersion, kind: Kind, found: Iterable[tuple[Iterable[str], str]]
) -> Iterator[Point]:
    """One point for each set of clauses that is part of no larger one, with all their topics."""
    topics: dict[frozenset[str], set[str]] = {}
    for clauses, topic in found:
        topics.setdefault(frozenset(clauses), set()).add(topic)
    whole = [one for one in topics if not any(one < other for other in topics)]
    for clauses in sorted(whole, key=lambda one: _places(version, one)):
        met = {topic for one in topics if one <= clauses for topic in topics[one]}
        yield Point(kind, _ordered(version, clauses), tuple(sorted(met)))


def _unsettled(
    version: PolicyVersion, answers: Sequence[_Answer], important: Iterable[str]
) -> Iterator[Point]:
    """Topics of importance on which no rule of their own settles anything that can be asked, save
    by inference.

    What a rule on something else happens to settle is no rule on the topic: where nobody is named
    to tell, a worry is not settled by the ban on answering the child.
    """
    asked = {one.case.topic for one in answers}
    own = {
        topic: {rule.id: rule for rule in version.rules if topic in rule.topics} for topic in asked
    }
    settled = {
        one.case.topic
        for one in answers
        if one.resolution.state is State.SETTLED
        and any(
            why.stated and why.rule in own[one.case.topic]
            for each in one.resolution.judgements
            for why in each.reasons
        )
    }
    for topic in sorted((set(important) & asked) - settled):
        near = {name for rule in own[topic].values() for name in rule.clauses}
        yield Point(Kind.NOT_SETTLED, _ordered(version, near), (topic,))


def _exceptions(
    version: PolicyVersion, school: School, answers: Iterable[_Answer]
) -> Iterator[Point]:
    """Where a fact excuses from one rule, and another on the same topic holds all the same."""
    found: dict[tuple[str, frozenset[str]], tuple[set[str], set[str]]] = {}
    for one in answers:
        for fact in EXCUSES:
            if one.case.facts.get(fact) is not True:
                continue
            excused, standing = _weighed(version, school, one, fact)
            for rule, twin in ((a, b) for a in excused for b in standing):
                if not set(rule.topics) & set(twin.topics) or set(rule.clauses) & set(twin.clauses):
                    continue
                key = (fact, frozenset(rule.clauses[:1]))
                clauses, topics = found.setdefault(key, (set(), set()))
                clauses |= {twin.clauses[0]}
                topics |= set(rule.topics) & set(twin.topics)
    for (fact, excusing), (clauses, topics) in found.items():
        yield Point(
            Kind.EXCEPTION_ALONE,
            _ordered(version, excusing | clauses),
            tuple(sorted(topics)),
            {"fact": fact, "excused": _ordered(version, excusing)},
        )


def _weighed(
    version: PolicyVersion, school: School, one: _Answer, fact: str
) -> tuple[list[Rule], list[Rule]]:
    """Rules from which the fact excuses in this case, and those that hold in spite of it."""
    without = replace(one.case, facts={**one.case.facts, fact: False})
    excused, standing = [], []
    for rule in version.rules:
        if one.group in rule.binds and rule.stated and rule.mode is not Mode.PERMITS:
            now, then = (_is_on(rule, case, school) for case in (one.case, without))
            if then and not now:
                excused.append(rule)
            elif now:
                standing.append(rule)
    judged = {why.rule for each in one.resolution.judgements for why in each.reasons}
    return excused, [rule for rule in standing if rule.id in judged]


def _is_on(rule: Rule, case: Case, school: School) -> bool:
    """Whether the rule speaks on any option of the case."""
    return any(
        (rule.when is None or holds(rule.when, case.facts, option.acts, school.also))
        and not (rule.unless and holds(rule.unless, case.facts, option.acts, school.also))
        for option in case.options
    )


def _editions(version: PolicyVersion) -> Iterator[Point]:
    for one in version.cites:
        if one.edition < int(version.approved_on[:4]):
            said = {"name": one.name, "edition": one.edition}
            yield Point(Kind.OLD_EDITION, (one.clause,), said=said)


def _ordered(version: PolicyVersion, clauses: Iterable[str]) -> tuple[str, ...]:
    names = set(clauses)
    return tuple(name for name in version.clauses if name in names)


def _places(version: PolicyVersion, clauses: Iterable[str]) -> list[int]:
    order = {name: place for place, name in enumerate(version.clauses)}
    return sorted(order[name] for name in clauses)
