"""What a policy says about each option of a case. Pure, total and deterministic.

Every rule that binds the reader is weighed, whatever its topic: an option that does a second
thing wrong is wrong. The topic only tells, where nothing is said, a gap from an open case.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from lti_tool.policies.case import Act, Agreement, Case, Option
from lti_tool.policies.conditions import Also, covers, holds, matches
from lti_tool.policies.policy import (
    Approval,
    ClauseKind,
    Force,
    Mode,
    PolicyVersion,
    Rule,
    School,
    Tension,
    Text,
)

PERMISSION = "obtain-permission"
"""The act that gains an approval; its parameters are ``from``, ``written`` and ``before``."""


class State(StrEnum):
    SETTLED = "settled"
    SILENT = "silent"
    CONFLICT = "conflict"


class Silence(StrEnum):
    """Why nothing is said: the topic is not ruled, the case lies outside the topic's rules, or
    the policy binds nobody of the reader's role group."""

    GAP = "gap"
    OPEN = "open"
    UNBOUND = "unbound"


class Verdict(StrEnum):
    RIGHT = "right"
    BREAKS = "breaks"
    NOT_ENOUGH = "not-enough"
    AGAINST_ADVICE = "against-advice"
    NOT_SAID = "not-said"


@dataclass(frozen=True)
class Reason:
    """A rule that a verdict rests on, with its force kept."""

    rule: str
    clauses: tuple[str, ...]
    force: Force
    wording: str
    stated: bool


@dataclass(frozen=True)
class Judgement:
    """One option's verdict; only *right* scores."""

    option_id: str
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class Resolution:
    """What a policy says on a case. ``judgements`` stand in the order of the options.

    ``at_odds`` are the clauses of a conflict, in the policy's order; ``safer_options`` what would
    be right were nothing permitted, and ``safer`` the author's words for it, if any.
    ``force_differs`` groups clauses that say the same with differing force: points for review.
    """

    state: State
    judgements: tuple[Judgement, ...]
    silence: Silence | None = None
    at_odds: tuple[str, ...] = ()
    safer: Text | None = None
    safer_options: tuple[str, ...] = ()
    force_differs: tuple[tuple[str, ...], ...] = ()

    @property
    def right(self) -> frozenset[str]:
        """The ids of the options that score."""
        return frozenset(
            judgement.option_id
            for judgement in self.judgements
            if judgement.verdict is Verdict.RIGHT
        )


class _Outcome(StrEnum):
    BREAKS = "breaks"
    KEEPS = "keeps"
    MISSES = "misses"
    MEETS = "meets"
    ALLOWS = "allows"  # the rule's own approval was gained
    PERMITS = "permits"  # allowed, whatever other clauses say


@dataclass(frozen=True)
class _Finding:
    """What one rule says of one option; ``acts`` are the places of the acts it speaks of."""

    rule: Rule
    outcome: _Outcome
    acts: frozenset[int] = frozenset()


_Findings = tuple[_Finding, ...]
_BINDING = (Force.MUST, Force.SHOULD)
_DEMANDS = (_Outcome.PERMITS, _Outcome.MEETS, _Outcome.MISSES)


def resolve(version: PolicyVersion, school: School, role_group: str, case: Case) -> Resolution:
    """Judge every option of the case for a reader of that role group. Never raises."""
    groups = {role_group, "moderator"} if case.facts.get("moderator") is True else {role_group}
    rules = [rule for rule in version.rules if groups & rule.binds]
    weighed = [_weigh(rules, option, case, school.also) for option in case.options]
    broken = {finding.rule.id for finding in _of(_Outcome.BREAKS, weighed)}
    judgements = tuple(
        _judge(option, findings, broken)
        for option, findings in zip(case.options, weighed, strict=True)
    )
    differing = _force_differs(version, weighed)
    tension = _tension(version, groups, case, school.also)
    at_odds = _at_odds(weighed) | set(tension.clauses if tension else ())
    if at_odds:
        return Resolution(
            State.CONFLICT,
            _unscored(case),
            at_odds=_ordered(version, at_odds),
            safer=tension.safer if tension else None,
            safer_options=tuple(
                one.option_id for one in judgements if one.verdict is Verdict.RIGHT
            ),
            force_differs=differing,
        )
    if _is_settled(case, judgements, weighed):
        return Resolution(State.SETTLED, judgements, force_differs=differing)
    return Resolution(State.SILENT, _unscored(case), silence=_silence(version, groups, rules, case))


def _weigh(rules: Iterable[Rule], option: Option, case: Case, also: Also) -> _Findings:
    found = (_find(rule, option, case, also) for rule in rules)
    return tuple(finding for finding in found if finding)


def _find(rule: Rule, option: Option, case: Case, also: Also) -> _Finding | None:
    if rule.when and not holds(rule.when, case.facts, option.acts, also):
        return None
    acts = _places(rule, option.acts, also)
    approved = rule.approval is not None and _approved(rule.approval, option, case, also)
    excused = rule.unless is not None and holds(rule.unless, case.facts, option.acts, also)
    if approved or excused:
        if rule.exception_permits:
            return _Finding(rule, _Outcome.PERMITS, acts)
        return _Finding(rule, _Outcome.ALLOWS, acts) if approved else None
    match rule.mode:
        case Mode.FORBIDS:
            return _Finding(rule, _Outcome.BREAKS if acts else _Outcome.KEEPS, acts)
        case Mode.PERMITS:
            return _Finding(rule, _Outcome.PERMITS, acts) if acts else None
        case Mode.REQUIRES:
            return _duty(rule, option, acts, also)


def _duty(rule: Rule, option: Option, acts: frozenset[int], also: Also) -> _Finding | None:
    if rule.if_doing:
        doing = {
            place for place, act in enumerate(option.acts) if matches(rule.if_doing, act, also)
        }
        if not doing:
            return None
        # What a duty attaches to is allowed once the duty is met.
        return _Finding(rule, _Outcome.MEETS, acts | doing) if acts else _missed(rule)
    return _Finding(rule, _Outcome.MEETS, acts) if acts else _missed(rule)


def _missed(rule: Rule) -> _Finding:
    return _Finding(rule, _Outcome.MISSES)


def _places(rule: Rule, acts: Sequence[Act], also: Also) -> frozenset[int]:
    return frozenset(
        place
        for place, act in enumerate(acts)
        if any(matches(pattern, act, also) for pattern in rule.patterns)
    )


def _approved(approval: Approval, option: Option, case: Case, also: Also) -> bool:
    gained = [
        Agreement(
            str(act.parameters.get("from", "")),
            written=act.parameters.get("written") is True,
            before=act.parameters.get("before") is True,
        )
        for act in option.acts
        if act.name == PERMISSION
    ]
    agreed: set[str] = set()
    for one in (*case.agreements, *gained):
        if one.written >= approval.written and one.before >= approval.before:
            agreed |= {one.role, *also.get(one.role, ())}
    return approval.all_of <= agreed and (not approval.any_of or bool(approval.any_of & agreed))


def _judge(option: Option, findings: _Findings, broken: set[str]) -> Judgement:
    """The gravest verdict that any finding gives, with the rules that give it."""
    breaks = [one for one in findings if one.outcome is _Outcome.BREAKS]
    misses = [one for one in findings if one.outcome is _Outcome.MISSES]
    for verdict, grounds in (
        (Verdict.BREAKS, [one for one in breaks if one.rule.force in _BINDING]),
        (Verdict.NOT_ENOUGH, [one for one in misses if one.rule.force in _BINDING]),
        (Verdict.AGAINST_ADVICE, breaks + misses),
    ):
        if grounds:
            return Judgement(option.id, verdict, _reasons(grounds))
    spoken_of = {place for one in findings for place in one.acts}
    if any(not act.careful and place not in spoken_of for place, act in enumerate(option.acts)):
        return Judgement(option.id, Verdict.NOT_SAID)
    grounds = [one for one in findings if one.acts or one.rule.id in broken]
    return Judgement(option.id, Verdict.RIGHT, _reasons(grounds))


def _reasons(findings: Iterable[_Finding]) -> tuple[Reason, ...]:
    rules = (one.rule for one in findings)
    return tuple(
        Reason(rule.id, rule.clauses, rule.force, rule.wording, rule.stated) for rule in rules
    )


def _of(outcome: _Outcome, weighed: Iterable[_Findings]) -> Iterable[_Finding]:
    return (one for findings in weighed for one in findings if one.outcome is outcome)


def _at_odds(weighed: Iterable[_Findings]) -> set[str]:
    """Clauses of rules that disagree about what to do, in any option."""
    return {
        clause
        for findings in weighed
        for other in findings
        if other.outcome in _DEMANDS  # few are, and only they can be at odds with a ban
        for ban in findings
        if _disagree(ban, other)
        for clause in (*ban.rule.clauses, *other.rule.clauses)
    }


def _disagree(ban: _Finding, other: _Finding) -> bool:
    match ban.outcome, other.outcome:
        case _Outcome.BREAKS, _Outcome.PERMITS:
            # Advice against what is permitted is no contradiction.
            return ban.rule.force in _BINDING and bool(ban.acts & other.acts)
        case _Outcome.BREAKS | _Outcome.KEEPS, _Outcome.MEETS | _Outcome.MISSES:
            # Every way to do the duty is forbidden.
            return all(
                any(covers(wide, narrow) for wide in ban.rule.patterns)
                for narrow in other.rule.patterns
            )
    return False


def _tension(version: PolicyVersion, groups: set[str], case: Case, also: Also) -> Tension | None:
    """The first that fits the case, where two of its clauses at least bind the reader."""
    binding = {name for name, clause in version.clauses.items() if groups & clause.binds}
    fitting = (
        tension
        for tension in version.tensions
        if tension.topic == case.topic
        and len(binding.intersection(tension.clauses)) > 1
        and (tension.when is None or holds(tension.when, case.facts, (), also))
    )
    return next(fitting, None)


def _is_settled(case: Case, judgements: Iterable[Judgement], weighed: Iterable[_Findings]) -> bool:
    if any(one.verdict not in (Verdict.RIGHT, Verdict.NOT_SAID) for one in judgements):
        return True
    allowing = (_Outcome.ALLOWS, _Outcome.PERMITS)
    return any(
        not option.acts[place].careful
        for option, findings in zip(case.options, weighed, strict=True)
        for one in findings
        if one.outcome in allowing
        for place in one.acts
    )


def _silence(
    version: PolicyVersion, groups: set[str], rules: Iterable[Rule], case: Case
) -> Silence:
    conduct = (one for one in version.clauses.values() if one.kind is ClauseKind.CONDUCT)
    if not any(groups & clause.binds for clause in conduct):
        return Silence.UNBOUND
    return Silence.OPEN if any(case.topic in rule.topics for rule in rules) else Silence.GAP


def _force_differs(
    version: PolicyVersion, weighed: Iterable[_Findings]
) -> tuple[tuple[str, ...], ...]:
    """Groups of clauses that forbid, or require, the same with differing force."""
    differing = {
        _ordered(version, {*one.rule.clauses, *other.rule.clauses}): None
        for findings in weighed
        for one, other in combinations(findings, 2)
        if one.rule.force is not other.rule.force and _agree(one, other)
    }
    return tuple(differing)


def _agree(one: _Finding, other: _Finding) -> bool:
    if one.outcome is not other.outcome:
        return False
    if one.outcome is _Outcome.BREAKS:
        return bool(one.acts & other.acts)
    return one.outcome is _Outcome.MISSES and one.rule.patterns == other.rule.patterns


def _unscored(case: Case) -> tuple[Judgement, ...]:
    return tuple(Judgement(option.id, Verdict.NOT_SAID) for option in case.options)


def _ordered(version: PolicyVersion, clauses: set[str]) -> tuple[str, ...]:
    known = [clause for clause in version.clauses if clause in clauses]
    return (*known, *sorted(clauses - set(known)))
