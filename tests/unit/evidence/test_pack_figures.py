"""A pack's figures: who counts, once each, and which groups are told apart."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.evidence.packs.figures import FEWEST, OTHERS, by_role_group, figures
from lti_tool.evidence.packs.reading import Line
from lti_tool.training.cycles.states import STATES

GROUPS = ("teaching", "support", "governor", "supply")


def line(
    person: int, state: str = "done", role_group: str = "teaching", asked: bool = True
) -> Line:
    return Line(
        school_id="hemswell-cliff",
        person_id=UUID(int=person),
        name="",
        role_group=role_group,
        site="",
        module="induction",
        cycle="2026-27",
        state=state,
        is_required=asked,
    )


def test_a_person_counts_once_by_what_is_furthest_behind() -> None:
    found = figures([line(1), line(1, "overdue"), line(2), line(3, "due"), line(3, "in-progress")])
    assert (found.asked, found.done) == (3, 1)
    assert (found.states["overdue"], found.states["in-progress"], found.states["due"]) == (1, 1, 0)
    assert found.share == 33


def test_who_left_who_is_not_due_and_who_was_not_asked_are_not_in_the_denominator() -> None:
    found = figures([line(1), line(2, "left-incomplete"), line(3, "not-due"), line(4, asked=False)])
    assert (found.asked, found.done, found.left, found.not_due) == (1, 1, 1, 1)
    assert figures([]).share == 0


def test_hundred_per_cent_means_everybody() -> None:
    assert (
        figures([line(number, "due" if number == 0 else "done") for number in range(999)]).share
        == 99
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(STATES)), max_size=30))
def test_no_group_of_fewer_than_five_is_shown(people: list[tuple[str, str]]) -> None:
    lines = [line(number, state, group) for number, (group, state) in enumerate(people)]
    shown, whole = by_role_group(lines, merges=True), figures(lines)
    if shown:
        assert sum(one.asked for one in shown.values()) == whole.asked
    for one in shown.values():
        assert one.asked >= FEWEST
    told = by_role_group(lines, merges=False)
    assert OTHERS not in told
    assert sum(one.asked for one in told.values()) == whole.asked
