"""What is new to whoever knows a policy already: theirs as it was, or another school's. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from lti_tool.curriculum.catalogue import Scenario
from lti_tool.policies.diff import Kind, compare, concerning
from lti_tool.policies.policy import Clause, PolicyVersion, Rule, School, Tension
from lti_tool.policies.resolve import resolve


@dataclass(frozen=True)
class Known:
    """A policy as somebody of a role group learns it, or learned and declared it."""

    school: School
    version: PolicyVersion
    role_group: str
    declared_on: date | None = None


@dataclass(frozen=True)
class Change:
    """A clause that is not to the reader what it was; a side is None where there was or is none.

    ``is_new_to_reader`` where it stood there before and bound others.
    """

    before: Clause | None
    now: Clause | None
    kind: Kind
    topics: frozenset[str]
    is_new_to_reader: bool = False

    @property
    def has_other_words(self) -> bool:
        return bool(self.before and self.now and self.before.text != self.now.text)


@dataclass(frozen=True)
class Changes:
    """What changed for the reader, and what changed for others alone."""

    mine: tuple[Change, ...] = ()
    others: tuple[Change, ...] = ()

    @property
    def topics(self) -> frozenset[str]:
        return frozenset(topic for one in self.mine for topic in one.topics)


def changes(known: Known, now: Known) -> Changes:
    """What is not as it was when the reader declared. Whoever has become something else at the
    school finds there what did not bind them before."""
    found = [one for one in compare(known.version, now.version).clauses if one.kind != Kind.MOVED]
    mine = {id(one) for one in concerning(found, now.role_group)}
    every = [
        (id(one) in mine, Change(one.before, one.after, one.kind, frozenset(one.topics)))
        for one in found
    ]
    told = {one.now.id for is_mine, one in every if is_mine and one.now}
    return Changes(
        mine=(
            *(one for is_mine, one in every if is_mine),
            *(one for one in _newly_bound(known, now) if one.now and one.now.id not in told),
        ),
        others=tuple(one for is_mine, one in every if not is_mine),
    )


def _newly_bound(known: Known, now: Known) -> Iterable[Change]:
    if known.role_group == now.role_group:
        return
    for clause in now.version.clauses.values():
        if now.role_group in clause.binds and known.role_group not in clause.binds:
            topics = (rule.topics for rule in now.version.rules if clause.id in rule.clauses)
            yield Change(
                None,
                clause,
                Kind.ADDED,
                frozenset(one for each in topics for one in each),
                is_new_to_reader=True,
            )


def differing(
    known: Known, now: Known, *, topics: Iterable[str], scenarios: Sequence[Scenario]
) -> tuple[str, ...]:
    """The topics on which two schools lay down different things for this person: other rules, or
    another answer to any scenario. Words and names of clauses make no difference."""
    anew = {one.topic for one in scenarios if is_answered_anew(known, now, one)}
    return tuple(topic for topic in topics if topic in anew or not _same_rules(known, now, topic))


def is_answered_anew(known: Known, now: Known, scenario: Scenario) -> bool:
    """Whether the answer to a scenario is not the one the person knows."""
    before, after = (
        resolve(one.version, one.school, one.role_group, scenario.case) for one in (known, now)
    )
    return (before.state, before.safer_options) != (after.state, after.safer_options) or [
        one.verdict for one in before.judgements
    ] != [one.verdict for one in after.judgements]


def clauses_on(known: Known, topic: str) -> frozenset[str]:
    """The clauses that speak on a topic to this person."""
    rules = [clause for one in _rules(known, topic) for clause in one.clauses]
    return frozenset(rules).union(*(one.clauses for one in _tensions(known, topic)))


def _rules(known: Known, topic: str) -> list[Rule]:
    return [
        rule
        for rule in known.version.rules
        if topic in rule.topics and known.role_group in rule.binds
    ]


def _tensions(known: Known, topic: str) -> list[Tension]:
    return [
        one
        for one in known.version.tensions
        if one.topic == topic
        and any(known.role_group in known.version.clauses[name].binds for name in one.clauses)
    ]


def _same_rules(known: Known, now: Known, topic: str) -> bool:
    # A condition holds maps and cannot be hashed, so they are looked for one by one.
    rules = [[_laid_down(one) for one in _rules(side, topic)] for side in (known, now)]
    odds = [[one.when for one in _tensions(side, topic)] for side in (known, now)]
    return _alike(*rules) and _alike(*odds)


def _alike(before: Sequence[object], after: Sequence[object]) -> bool:
    return all(one in after for one in before) and all(one in before for one in after)


def _laid_down(rule: Rule) -> tuple[object, ...]:
    return (
        rule.mode,
        rule.patterns,
        rule.force,
        rule.when,
        rule.unless,
        rule.if_doing,
        rule.approval,
        rule.exception_permits,
    )
