"""What changed for a reader, and what differs between two schools."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

from lti_tool.curriculum.reading import ROOT, read_catalogue
from lti_tool.policies.diff import Kind
from lti_tool.policies.policy import Force
from lti_tool.training.refresh.comparing import Known, changes, clauses_on, differing
from tests.factories.little_school import little_school, next_version

CATALOGUE = little_school()
SCHOOL = CATALOGUE.schools["little-school"]
OLD = Known(SCHOOL, SCHOOL.policy, "teaching", date(2026, 9, 1))
NEW = Known(SCHOOL, next_version(SCHOOL.policy), "teaching")


def differing_topics(known: Known, now: Known) -> tuple[str, ...]:
    return differing(
        known, now, topics=CATALOGUE.topics, scenarios=tuple(CATALOGUE.scenarios.values())
    )


def test_what_changed_for_the_reader_stands_apart_from_what_changed_for_others() -> None:
    found = changes(OLD, NEW)
    assert [(one.kind, one.before and one.before.id) for one in found.mine] == [
        (Kind.RULE, "c3"),
        (Kind.REMOVED, "c4"),
    ]
    assert found.topics == {"topic-03", "topic-04"}
    assert [one.now and one.now.id for one in found.others] == ["c98"]


def test_nothing_changed_in_the_same_version() -> None:
    assert changes(OLD, OLD).mine == changes(OLD, OLD).others == ()


def test_whoever_became_something_else_reads_what_did_not_bind_them() -> None:
    """A member of staff who was a governor when they declared."""
    known = replace(OLD, role_group="governor")
    found = changes(known, replace(OLD, role_group="support")).mine
    assert {one.now.id for one in found if one.now} == {
        clause.id for clause in SCHOOL.policy.clauses.values() if "support" in clause.binds
    }
    assert all(one.is_new_to_reader for one in found)
    assert "topic-05" in {topic for one in found for topic in one.topics}


def test_a_clause_that_changed_and_is_new_to_the_reader_is_told_once() -> None:
    known = replace(OLD, role_group="governor")
    found = changes(known, NEW).mine
    assert [one.now.id for one in found if one.now].count("c3") == 1


def test_so_it_is_where_the_same_versions_were_compared_before_in_another_reading() -> None:
    school = little_school().schools["little-school"]
    changes(replace(OLD, school=school, version=school.policy), NEW)
    anew = replace(NEW, version=next_version(school.policy))
    found = changes(Known(school, school.policy, "governor", OLD.declared_on), anew).mine
    assert [one.now.id for one in found if one.now].count("c3") == 1


def test_two_schools_with_one_policy_do_not_differ() -> None:
    other = replace(SCHOOL, id="other", name="Other")
    assert differing_topics(OLD, replace(OLD, school=other)) == ()


def test_names_and_words_of_rules_make_no_difference_and_force_does() -> None:
    def with_rules(**changed: object) -> Known:
        rules = tuple(replace(rule, **changed) for rule in SCHOOL.policy.rules)  # type: ignore[arg-type]
        return replace(OLD, version=replace(SCHOOL.policy, rules=rules))

    assert differing_topics(OLD, with_rules(wording="must never")) == ()
    assert len(differing_topics(OLD, with_rules(force=Force.SHOULD))) == 12


def test_topics_differ_where_a_rule_or_an_answer_does() -> None:
    assert differing_topics(OLD, NEW) == ("topic-03", "topic-04")
    assert clauses_on(NEW, "topic-03") == {"c3"}
    assert clauses_on(NEW, "topic-04") == frozenset()


def test_what_differs_is_seen_with_the_eyes_of_a_role_group() -> None:
    governor = replace(OLD, role_group="governor")
    assert differing_topics(governor, replace(NEW, role_group="governor")) == ()


def test_the_real_policies_differ_both_ways_and_none_from_itself() -> None:
    catalogue = read_catalogue(ROOT)
    scenarios = tuple(catalogue.scenarios.values())[::5]
    real = [Known(one, one.policy, "teaching") for one in catalogue.schools.values()]
    for one, other in pairwise(real):
        assert differing(one, one, topics=catalogue.topics, scenarios=scenarios) == ()
        there = differing(one, other, topics=catalogue.topics, scenarios=scenarios)
        assert there == differing(other, one, topics=catalogue.topics, scenarios=scenarios)
        assert "pupil-requests" in there
