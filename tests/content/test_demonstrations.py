"""The second versions mend what they say they mend, and differ from the first in nothing else.

The lists are written by hand from reading both versions.
"""

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import answer_key, letters
from lti_tool.policies.diff import Kind, Weight, compare, concerning, obliged
from lti_tool.policies.policy import ClauseKind, School
from lti_tool.training.course import Course
from lti_tool.training.selection import choose

LFSSQ = "langley-fitzurse-and-stanton-st-quintin"
WS = "wren-spinney"
EVERYBODY = {"teaching", "support", "supply", "governor", "volunteer"}
STAFF = {"teaching", "support", "supply"}

CHANGES = {
    LFSSQ: {
        "rule": {"c38", "c116", "c139", "c141", "c151", "c153"},
        "added": {"c115-tell", "c151-grown"},
        "removed": {"c117"},
        "wording": {"c40", "c109", "c140", "c144"},
        "moved": {"c119"},
    },
    WS: {
        "rule": {"c170"},
        "added": {"c170-parents"},
        "removed": {"c209"},
        "wording": {"c158", "c159", "c161", "c168", "c213", "c224"},
        "moved": {"c164"},
    },
}
STAFF_ONLY = {LFSSQ: {"c151", "c151-grown", "c153"}, WS: set[str]()}
OBLIGING = {
    LFSSQ: {"c38", "c116", "c139", "c141", "c151", "c153", "c115-tell", "c151-grown"},
    WS: {"c170", "c170-parents", "c209"},
}
ANSWERS = {
    LFSSQ: {
        "former-pupil-18": ("conflict", "○✔✔✔"),
        "former-pupil-23": ("conflict", "○✔✔✔"),
        "former-pupil-news-24": ("conflict", "○✔✔○"),
        "trip-number-agreed": ("conflict", "✘✘✘✔"),
    },
    WS: {
        "school-gate-friend": ("silent", "✘✘✔✔"),
        "last-fortnight": ("silent", "✘✘✔"),
    },
}


def both(content: Catalogue, school_id: str) -> School:
    school = content.schools[school_id]
    assert [one.demonstration for one in school.versions] == [False, True]
    return school


def test_there_are_two() -> None:
    assert set(CHANGES) == set(ANSWERS) == {LFSSQ, WS}


def test_no_demonstration_is_in_use(content: Catalogue) -> None:
    for school in content.schools.values():
        assert not school.policy.demonstration
        assert all(one.demonstration for one in school.versions[1:])


@pytest.mark.parametrize("school_id", sorted(CHANGES))
def test_what_differs_is_what_was_meant(content: Catalogue, school_id: str) -> None:
    found = compare(*both(content, school_id).versions)
    kinds: dict[str, set[str]] = {}
    for one in found.clauses:
        kinds.setdefault(one.kind.value, set()).add(one.clause.id)
    assert kinds == CHANGES[school_id]
    assert found.weight is Weight.MAJOR
    assert {one.clause.id for one in found.obliging} == OBLIGING[school_id]
    assert obliged(found.clauses) == EVERYBODY
    for one in found.clauses:
        staff_only = one.clause.id in STAFF_ONLY[school_id]
        assert set(one.concerns) == (STAFF if staff_only else EVERYBODY), one.clause.id
    governors = {one.clause.id for one in concerning(found.clauses, "governor")}
    moved = CHANGES[school_id]["moved"]
    assert governors == {one.clause.id for one in found.clauses} - moved - STAFF_ONLY[school_id]
    assert {"review_cycles", "next_review_on"} <= {one.name for one in found.details}


@pytest.mark.parametrize("school_id", sorted(CHANGES))
def test_it_says_nothing_of_lines_that_no_longer_say_so(content: Catalogue, school_id: str) -> None:
    version = both(content, school_id).versions[1]
    assert version.source_name == version.source_sha256 == version.approved_by == ""
    assert len(version.review_cycles) == 1
    assert version.tensions == ()


@pytest.mark.parametrize("school_id", sorted(ANSWERS))
def test_answers_change_where_a_point_was_mended(content: Catalogue, school_id: str) -> None:
    school = both(content, school_id)
    before, after = school.versions
    changed = {}
    for scenario in content.scenarios.values():
        old, new = (
            answer_key(school, "teaching", scenario, version=version) for version in (before, after)
        )
        if (old.state, letters(old)) != (new.state, letters(new)):
            changed[scenario.id] = (old.state.value, letters(new))
    assert changed == ANSWERS[school_id]


@pytest.mark.parametrize("role_group", ["teaching", "support", "governor", "volunteer", "supply"])
@pytest.mark.parametrize("school_id", sorted(CHANGES))
def test_every_role_group_can_be_taught_it(
    content: Catalogue, school_id: str, role_group: str
) -> None:
    school, module = both(content, school_id), content.modules["induction"]
    course = Course(content, school, module, school.versions[1], role_group)
    assert course.readings
    chosen = choose(
        course.candidates,
        count=module.scenarios,
        unscored_at_most=module.unscored_at_most,
        seed="one",
    )
    assert len(chosen) == module.scenarios


def test_a_changed_clause_has_words_to_show(content: Catalogue) -> None:
    """Where neither text nor rule differs there is nothing to show side by side."""
    for school_id in CHANGES:
        for one in compare(*both(content, school_id).versions).clauses:
            shown = one.has_other_words or one.parts or one.before is None or one.after is None
            assert shown or one.kind is Kind.MOVED, one.clause.id
            assert one.kind is not Kind.MOVED or one.clause.kind is ClauseKind.CONDUCT
