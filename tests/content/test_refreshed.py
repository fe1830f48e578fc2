"""Real policies after a year: what a refresh asks at every school, and of every second version."""

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.reading import read_again
from lti_tool.training.course import Course
from lti_tool.training.refresh.comparing import Known
from lti_tool.training.selection import Candidate, Past, choose_anew

ROLE_GROUPS = ("teaching", "support", "governor", "volunteer", "supply")


def drawn(course: Course, past: Past) -> list[Candidate]:
    module = course.module
    return choose_anew(
        course.candidates,
        anew=course.anew(),
        past=past,
        count=module.scenarios,
        at_most=module.scenarios_at_most,
        unscored_at_most=module.unscored_at_most,
        seed="one",
    )


def test_three_years_in_a_row_ask_six_situations_that_differ(content: Catalogue) -> None:
    for school in content.schools.values():
        known = Known(school, school.policy, "teaching")
        module = content.modules["annual-refresh"]
        course = Course(content, school, module, school.policy, "teaching", since=known)
        past = Past()
        for _year in range(3):
            chosen = drawn(course, past)
            assert len(chosen) == 6
            assert sum(not one.is_scored for one in chosen) <= 1
            asked = [one.scenario for one in chosen]
            for one in chosen:
                scored = {
                    each.scenario
                    for each in course.candidates
                    if each.topic == one.topic and each.is_scored
                }
                assert one.scenario not in past.recent or scored <= past.recent
            past = Past(
                (*past.asked, *asked),
                (*past.topics, *(one.topic for one in chosen)),
                frozenset(asked),
            )


@pytest.mark.parametrize("role_group", ROLE_GROUPS)
def test_a_second_version_is_read_and_asked_by_what_changed_in_it(
    content: Catalogue, role_group: str
) -> None:
    """From the first version as records keep it: every change that can be asked is asked."""
    schools = [one for one in content.schools.values() if len(one.versions) > 1]
    assert len(schools) >= 2
    for school in schools:
        first = read_again(
            school.policy.body,
            school_id=school.id,
            number=school.policy.number,
            vocabulary=content.vocabulary,
            topics=content.topics,
        )
        assert first is not None
        assert (first.sha256, first.clauses) == (school.policy.sha256, school.policy.clauses)
        known = Known(school, first, role_group)
        for module in ("annual-refresh", "policy-update"):
            course = Course(
                content,
                school,
                content.modules[module],
                school.versions[-1],
                role_group,
                since=known,
            )
            assert course.changes.mine
            chosen = {one.topic for one in drawn(course, Past())}
            can_be_asked = {one.topic for one in course.candidates if one.is_scored}
            for change in course.changes.mine:
                assert chosen & change.topics or not can_be_asked & change.topics
            assert module == "annual-refresh" or chosen <= set(course.anew().topics)
