"""What changed between two versions: kinds, whom it concerns, and what it weighs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.policies.case import Case
from lti_tool.policies.conditions import ActPattern, AllOf, FactCompares, FactIs, Order
from lti_tool.policies.diff import (
    Diff,
    Kind,
    Weight,
    compare,
    concerning,
    marked,
    obliged,
    topics_of,
)
from lti_tool.policies.policy import (
    Approval,
    Citation,
    Clause,
    ClauseKind,
    Force,
    Mode,
    PolicyVersion,
    Rule,
    Section,
    Tension,
)
from lti_tool.policies.resolve import resolve
from tests.unit.policies.worlds import CLAUSES, SCHOOL, STAFF, cases, version, versions

GOVERNORS = frozenset({"governor"})
RULE = Rule(
    id="no-requests",
    topics=("requests",),
    clauses=("c1",),
    mode=Mode.FORBIDS,
    patterns=(ActPattern("accept", {"to": frozenset({"pupil"})}), ActPattern("report")),
    force=Force.MUST,
    wording="must not",
    stated=True,
    binds=STAFF,
    when=AllOf((FactIs("person", frozenset({"pupil"})), FactCompares("age", Order.LT, 18))),
)
TENSION = Tension("requests", ("c1", "c2"), None, {"en": "Ask first."})
BASE = version(RULE, tensions=(TENSION,))


def with_clause(policy: PolicyVersion, name: str, **changes: Any) -> PolicyVersion:
    """A version with one clause changed."""
    clauses = {**policy.clauses, name: replace(policy.clauses[name], **changes)}
    return replace(policy, clauses=clauses)


def with_rule(**changes: Any) -> PolicyVersion:
    return replace(BASE, rules=(replace(RULE, **changes),))


def without(policy: PolicyVersion, name: str) -> PolicyVersion:
    return replace(policy, clauses={one: c for one, c in policy.clauses.items() if one != name})


def kinds(found: Diff) -> dict[str, Kind]:
    return {one.clause.id: one.kind for one in found.clauses}


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[PolicyVersion, PolicyVersion]:
    """Two versions of one policy: the second keeps part of the first's rules and clauses."""
    one, other = draw(versions), draw(versions)
    kept = tuple(rule for rule in one.rules if draw(st.booleans()))
    new = draw(st.lists(st.sampled_from(CLAUSES), max_size=3, unique=True))
    gone = draw(st.sets(st.sampled_from(CLAUSES), max_size=2))
    clauses: dict[str, Clause] = {}
    for name, clause in one.clauses.items():
        if name not in gone:
            clauses[name] = replace(clause, text={"en": f"New {name}"}) if name in new else clause
    changed = tuple(
        replace(rule, force=draw(st.sampled_from(Force)), wording=draw(st.sampled_from("ab")))
        for rule in kept
    )
    rules = [
        replace(rule, clauses=tuple(name for name in rule.clauses if name in clauses))
        for rule in (*changed, *other.rules)
    ]
    sound = tuple(rule for rule in rules if rule.clauses)
    tensions = other.tensions if {"c1", "c2"} <= set(clauses) else ()
    return one, replace(one, clauses=clauses, rules=sound, tensions=tensions)


pairs = _pairs()


@given(versions)
def test_a_version_does_not_differ_from_itself(policy: PolicyVersion) -> None:
    found = compare(policy, replace(policy))
    assert (found.clauses, found.details) == ((), ())
    assert found.weight is Weight.MINOR


@given(pairs)
def test_both_ways_the_same_differs(both: tuple[PolicyVersion, PolicyVersion]) -> None:
    """What is added one way is removed the other, and all else changes alike."""
    there, back = compare(*both), compare(both[1], both[0])
    turned = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}

    def sides(found: Diff, *, is_turned: bool) -> set[object]:
        return {
            (
                *((b, a) if is_turned else (a, b)),
                turned.get(one.kind, one.kind) if is_turned else one.kind,
                one.topics,
                one.concerns,
                one.obliges,
            )
            for one in found.clauses
            for a in [one.before and one.before.id]
            for b in [one.after and one.after.id]
        }

    assert sides(there, is_turned=False) == sides(back, is_turned=True)
    assert there.weight is back.weight


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_in_which_things_stand_makes_no_difference(
    both: tuple[PolicyVersion, PolicyVersion], chance: Any
) -> None:
    def shuffled(policy: PolicyVersion) -> PolicyVersion:
        clauses, rules = list(policy.clauses.items()), list(policy.rules)
        chance.shuffle(clauses)
        chance.shuffle(rules)
        mixed = tuple(replace(rule, patterns=rule.patterns[::-1]) for rule in rules)
        return replace(policy, clauses=dict(clauses), rules=mixed)

    def said(found: Diff) -> set[object]:
        return {
            (one.clause.id, one.kind, one.topics, one.concerns, one.obliges)
            for one in found.clauses
        }

    assert said(compare(*both)) == said(compare(*map(shuffled, both)))
    assert compare(both[0], shuffled(both[0])).clauses == ()


@given(pairs, st.sampled_from(("teaching", "volunteer", "governor")), cases)
def test_whom_no_change_obliges_no_answer_changes(
    both: tuple[PolicyVersion, PolicyVersion], group: str, case: Case
) -> None:
    """A minor version is minor because nobody has to answer anything otherwise."""
    found = compare(*both)
    if group in obliged(found.clauses) or case.facts.get("moderator") is True:
        return
    before, after = (resolve(policy, SCHOOL, group, case) for policy in both)
    assert before.state is after.state
    assert [one.verdict for one in before.judgements] == [one.verdict for one in after.judgements]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"mode": Mode.REQUIRES}, "mode"),
        ({"patterns": (ActPattern("accept"),)}, "patterns"),
        ({"force": Force.SHOULD}, "force"),
        ({"when": None}, "when"),
        ({"when": FactIs("age", frozenset({1}))}, "when"),
        ({"unless": FactIs("relative", frozenset({True}))}, "unless"),
        ({"if_doing": ActPattern("post")}, "if_doing"),
        ({"approval": Approval(any_of=frozenset({"headteacher"}))}, "approval"),
        ({"exception_permits": True}, "exception_permits"),
    ],
)
def test_a_changed_rule_is_major(changes: Mapping[str, Any], what: str) -> None:
    found = compare(BASE, with_rule(**changes))
    assert kinds(found) == {"c1": Kind.RULE}
    [change] = found.clauses
    assert change.parts[0].what == {what}
    assert (change.concerns, change.obliges) == (STAFF, STAFF)
    assert change.topics == ("requests",)
    assert found.weight is Weight.MAJOR


@pytest.mark.parametrize("changes", [{"wording": "will not"}, {"stated": False}])
def test_words_of_force_alone_are_minor(changes: Mapping[str, Any]) -> None:
    found = compare(BASE, with_rule(**changes))
    assert kinds(found) == {"c1": Kind.WORDING}
    assert found.clauses[0].concerns == STAFF
    assert found.weight is Weight.MINOR


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "another-name"},
        {"topics": ("requests", "photos")},
        {"patterns": RULE.patterns[::-1]},
        {"when": AllOf((RULE.when.parts[1], RULE.when.parts[0]))},  # type: ignore[union-attr]
    ],
)
def test_what_nobody_reads_is_no_change(changes: Mapping[str, Any]) -> None:
    assert compare(BASE, with_rule(**changes)).clauses == ()


def test_a_rule_of_another_name_and_wording_is_known_by_what_it_comes_to() -> None:
    found = compare(BASE, with_rule(id="other", wording="shall not"))
    assert kinds(found) == {"c1": Kind.WORDING}


def test_one_is_no_yes() -> None:
    before = with_rule(when=FactIs("age", frozenset({1})))
    after = with_rule(when=FactIs("age", frozenset({True})))
    assert kinds(compare(before, after)) == {"c1": Kind.RULE}


def test_a_rule_for_others_concerns_them_alone() -> None:
    found = compare(BASE, with_rule(binds=STAFF | GOVERNORS))
    assert found.clauses[0].concerns == GOVERNORS
    assert concerning(found.clauses, "teaching") == ()
    assert concerning(found.clauses, "governor") == found.clauses
    assert obliged(found.clauses) == GOVERNORS


def test_other_words_concern_all_whom_the_clause_binds_and_oblige_nobody() -> None:
    found = compare(BASE, with_clause(BASE, "c1", text={"en": "Said otherwise."}))
    assert kinds(found) == {"c1": Kind.WORDING}
    [change] = found.clauses
    assert change.has_other_words
    assert (change.concerns, change.obliges) == (STAFF, frozenset())
    assert change.topics == ("requests",), "the topics of the rules that rest on it"


def test_other_words_and_another_rule_are_a_changed_rule() -> None:
    after = with_clause(with_rule(force=Force.ADVISED), "c1", text={"en": "Advised."})
    [change] = compare(BASE, after).clauses
    assert (change.kind, change.has_other_words) == (Kind.RULE, True)


def test_a_clause_that_is_taken_out_or_put_in() -> None:
    less = without(BASE, "c8")
    gone, come = compare(BASE, less), compare(less, BASE)
    assert (kinds(gone), kinds(come)) == ({"c8": Kind.REMOVED}, {"c8": Kind.ADDED})
    assert gone.clauses[0].after is None
    assert come.clauses[0].before is None
    assert gone.weight is come.weight is Weight.MAJOR


@pytest.mark.parametrize("kind", [ClauseKind.NOTICE, ClauseKind.SCOPE, ClauseKind.CONSEQUENCE])
def test_a_notice_more_or_less_is_minor(kind: ClauseKind) -> None:
    base = with_clause(BASE, "c8", kind=kind)
    for found in (compare(base, without(base, "c8")), compare(without(base, "c8"), base)):
        assert found.weight is Weight.MINOR
        assert found.clauses[0].concerns == STAFF


def test_a_notice_that_becomes_conduct_asks_something() -> None:
    base = with_clause(BASE, "c8", kind=ClauseKind.NOTICE)
    found = compare(base, BASE)
    assert kinds(found) == {"c8": Kind.RULE}
    assert obliged(found.clauses) == STAFF


def test_what_binds_the_school_or_moderators_alone_obliges_nobody() -> None:
    for groups in (frozenset({"school"}), frozenset({"moderator"})):
        base = replace(
            with_clause(BASE, "c1", binds=groups), rules=(replace(RULE, binds=groups),), tensions=()
        )
        after = replace(base, rules=(replace(RULE, binds=groups, force=Force.SHOULD),))
        found = compare(base, after)
        assert kinds(found) == {"c1": Kind.RULE}
        assert found.clauses[0].concerns == groups
        assert found.weight is Weight.MINOR


def test_another_place_is_moved_only() -> None:
    found = compare(BASE, with_clause(BASE, "c1", locator="Page 3"))
    assert kinds(found) == {"c1": Kind.MOVED}
    assert found.weight is Weight.MINOR
    assert concerning(found.clauses, "teaching") == ()


def test_another_sections_title_moves_its_clauses() -> None:
    found = compare(BASE, replace(BASE, sections=(Section("all", {"en": "Everything"}),)))
    assert set(kinds(found).values()) == {Kind.MOVED}


def test_a_clause_is_known_by_its_words_under_another_id() -> None:
    renumbered = {
        f"c{place}": replace(BASE.clauses[name], id=f"c{place}")
        for place, name in enumerate(CLAUSES, start=2)
    }
    moved = replace(
        BASE,
        clauses=renumbered,
        rules=(replace(RULE, clauses=("c2",)),),
        tensions=(replace(TENSION, clauses=("c2", "c3")),),
    )
    assert compare(BASE, moved).clauses == ()


def test_tensions_weigh_as_they_change_answers() -> None:
    settled = replace(BASE, tensions=())
    gone = compare(BASE, settled)
    assert kinds(gone) == {"c1": Kind.RULE, "c2": Kind.RULE}
    assert gone.weight is Weight.MAJOR
    other = replace(BASE, tensions=(replace(TENSION, safer={"en": "Ask the head first."}),))
    said = compare(BASE, other)
    assert set(kinds(said).values()) == {Kind.WORDING}
    assert said.weight is Weight.MINOR


def test_details_of_the_version() -> None:
    after = replace(
        BASE,
        approved_on="2026-01",
        review_cycles=("annual",),
        cites=(Citation("Guidance", 2025, "c1"),),
        number="2026-01",
        sha256="1" * 64,
    )
    found = compare(BASE, after)
    assert [one.name for one in found.details] == ["approved_on", "review_cycles", "cites"]
    assert (found.clauses, found.weight) == ((), Weight.MINOR)


def test_topics_of_changes() -> None:
    both = replace(BASE, rules=(RULE, replace(RULE, id="b", topics=("photos",), clauses=("c3",))))
    found = compare(both, replace(both, rules=()))
    assert topics_of(found.clauses) == {"requests", "photos"}


def test_two_texts_in_one() -> None:
    assert marked("you must not add pupils", "you must never add former pupils") == (
        ("same", "you must"),
        ("out", "not"),
        ("in", "never"),
        ("same", "add"),
        ("in", "former"),
        ("same", "pupils"),
    )
    assert marked("", "new") == (("in", "new"),)
    assert marked("old", "") == (("out", "old"),)
