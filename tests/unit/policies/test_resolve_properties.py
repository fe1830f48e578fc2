"""What must hold of every answer, whatever the policy and the case."""

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from lti_tool.policies.case import Case
from lti_tool.policies.conditions import ActPattern, FactCompares, Order, holds, matches
from lti_tool.policies.policy import Force, Mode, PolicyVersion, Rule
from lti_tool.policies.resolve import Silence, State, Verdict, resolve
from tests.unit.policies.worlds import SCHOOL, STAFF, cases, patterns, rules, version, versions

WRONG = (Verdict.BREAKS, Verdict.NOT_ENOUGH, Verdict.AGAINST_ADVICE)
groups = st.sampled_from(("teaching", "volunteer", "governor"))
prohibitions = rules.map(
    lambda rule: replace(
        rule,
        mode=Mode.FORBIDS,
        binds=STAFF,
        approval=None,
        if_doing=None,
        exception_permits=False,
    )
)


@given(versions, groups, cases)
def test_it_is_total_and_judges_every_option(policy: PolicyVersion, group: str, case: Case) -> None:
    found = resolve(policy, SCHOOL, group, case)
    assert [one.option_id for one in found.judgements] == [one.id for one in case.options]
    assert (found.silence is not None) == (found.state is State.SILENT)
    assert bool(found.at_odds) == (found.state is State.CONFLICT)
    for one in found.judgements:
        assert bool(one.reasons) >= (one.verdict in WRONG)


@given(versions, groups, cases)
def test_the_same_input_gives_the_same_answer(
    policy: PolicyVersion, group: str, case: Case
) -> None:
    assert resolve(policy, SCHOOL, group, case) == resolve(policy, SCHOOL, group, case)


@given(versions, groups, cases)
def test_silent_and_conflict_never_score(policy: PolicyVersion, group: str, case: Case) -> None:
    found = resolve(policy, SCHOOL, group, case)
    if found.state is not State.SETTLED:
        assert found.right == frozenset()
        assert {one.verdict for one in found.judgements} <= {Verdict.NOT_SAID}


@given(versions, prohibitions, cases)
def test_adding_a_prohibition_never_turns_an_option_right(
    policy: PolicyVersion, ban: Rule, case: Case
) -> None:
    """An option that was wrong stays wrong, what the ban forbids is not right, and where the
    case was settled, or in conflict, nothing becomes right that was not. (Where all was silent, a
    ban does make it right to hold back.)"""
    before = resolve(policy, SCHOOL, "teaching", case)
    after = resolve(replace(policy, rules=(*policy.rules, ban)), SCHOOL, "teaching", case)
    wrong = {one.option_id for one in before.judgements if one.verdict in WRONG}
    assert not wrong & after.right
    if before.state is not State.SILENT:
        assert after.right <= before.right
    for option in case.options:
        applies = (ban.when is None or holds(ban.when, case.facts, option.acts, SCHOOL.also)) and (
            ban.unless is None or not holds(ban.unless, case.facts, option.acts, SCHOOL.also)
        )
        forbidden = any(
            matches(pattern, act, SCHOOL.also) for pattern in ban.patterns for act in option.acts
        )
        if applies and forbidden:
            assert option.id not in after.right


@given(rules, cases)
def test_clauses_that_differ_in_force_alone_never_conflict(rule: Rule, case: Case) -> None:
    copies = [
        replace(rule, id=force.value, force=force, clauses=(f"c{place}",), binds=STAFF)
        for place, force in enumerate(Force, start=1)
    ]
    found = resolve(version(*copies), SCHOOL, "teaching", case)
    assert found.state is not State.CONFLICT
    strongest = resolve(version(copies[0]), SCHOOL, "teaching", case)
    assert [one.verdict for one in found.judgements] == [
        one.verdict for one in strongest.judgements
    ]


@given(rules, patterns, cases)
def test_a_duty_with_if_doing_never_binds_one_who_does_not_do_it(
    rule: Rule, doing: ActPattern, case: Case
) -> None:
    duty = replace(
        rule, mode=Mode.REQUIRES, if_doing=doing, binds=STAFF, approval=None, unless=None
    )
    found = resolve(version(duty), SCHOOL, "teaching", case)
    for option, judgement in zip(case.options, found.judgements, strict=True):
        if not any(matches(doing, act, SCHOOL.also) for act in option.acts):
            assert judgement.verdict not in WRONG
            assert judgement.reasons == ()


@given(versions, rules, cases, st.integers(0, 30))
def test_facts_outside_a_rules_conditions_never_trigger_it(
    policy: PolicyVersion, rule: Rule, case: Case, age: int
) -> None:
    outside = replace(case, facts={**case.facts, "age": age})
    unmet = replace(rule, when=FactCompares("age", Order.GT, age))
    without = resolve(policy, SCHOOL, "teaching", outside)
    found = resolve(replace(policy, rules=(*policy.rules, unmet)), SCHOOL, "teaching", outside)
    assert (found.state, found.judgements) == (without.state, without.judgements)


@given(versions, cases)
def test_a_policy_says_nothing_to_those_it_does_not_bind(policy: PolicyVersion, case: Case) -> None:
    assume(case.facts.get("moderator") is not True)
    found = resolve(policy, SCHOOL, "governor", case)
    assert (found.state, found.silence) == (State.SILENT, Silence.UNBOUND)
