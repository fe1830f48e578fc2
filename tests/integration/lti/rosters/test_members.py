"""Who is on a list is one of the school's people, and who is so no more has left."""

from typing import Any

from sqlalchemy import select

from lti_tool.lti.rosters import courses, reading
from lti_tool.lti.rosters.models import READ, WAITING, RosterEntry
from lti_tool.people import memberships
from lti_tool.people.models import Grant
from sandbox_lms.platform import OMIT
from tests.conformance.world import SCHOOL, World
from tests.conftest import SetClock
from tests.factories.rosters import PATH, Course, Lists, container, link, member


def entries(course: Course) -> dict[Any, Any]:
    with course.tool.database.reading() as session:
        found = session.scalars(select(RosterEntry).where(RosterEntry.roster_id == course.id))
        return {entry.person_id: entry.left_at for entry in found}


def test_members_of_a_linked_course_are_the_schools_people(tool: World) -> None:
    course = link(tool)
    assert reading.read_due(tool.lti) == 1
    row = course.row()
    assert (row.state, row.reason, row.title) == (READ, "", "Staff training, Hemswell Cliff")
    assert (row.found, row.joined, row.left, row.skipped) == (8, 8, 0, 0)
    people = [one for one in tool.platform.people.values() if one.school == SCHOOL]
    assert course.counted() == {one.id for one in people}
    for one in people:
        person, membership = course.members()[one.id]
        assert (person.name, person.email) == (one.name, one.email)
        assert one.kind == "head" or membership.confirmed_by is None
    assert course.kinds() == ["manager-granted 1", "member-confirmed 7", "staff-list-linked 1"]


def test_reading_again_changes_nothing(course: Course) -> None:
    course.read()
    before, counts = course.members(), course.tool.counts()
    row = course.read()
    assert course.tool.counts() == counts
    assert (row.found, row.joined, row.left) == (3, 0, 0)
    for subject, (person, membership) in course.members().items():
        was, stood = before[subject]
        assert (person.id, person.name, membership.id) == (was.id, was.name, stood.id)
        assert (membership.confirmed_at, membership.left_at) == (stood.confirmed_at, None)


def test_nobody_becomes_a_manager_by_a_roster(course: Course, moodle: Lists) -> None:
    moodle.says(container(member(1, roles=["Instructor", "Administrator"]), member(2)))
    course.read()
    with course.tool.database.reading() as session:
        assert session.scalars(select(Grant.person_id)).all() == [course.head]


def test_somebody_known_from_a_launch_is_the_same_person(course: Course, moodle: Lists) -> None:
    course.launch(sub="2", name="As Launched", given_name=OMIT, family_name=OMIT)
    assert course.members()["2"][1].confirmed_at is None
    course.read()
    person, membership = course.members()["2"]
    assert person.name == "Member 2"
    assert membership.confirmed_at is not None
    course.launch(sub="3")
    assert course.members()["3"][1].confirmed_at is not None


def test_a_name_that_is_withheld_takes_none_back(course: Course, moodle: Lists) -> None:
    course.read()
    moodle.says(container(member(1, name=None, email=None), member(2), member(3)))
    course.read()
    person, _ = course.members()["1"]
    assert (person.name, person.email) == ("Member 1", "member1@example.org")


def test_who_leaves_is_shown_and_who_returns_counts_again(
    course: Course, moodle: Lists, clock: SetClock
) -> None:
    course.read()
    moodle.says(container(member(1), member(3)))
    clock.move(days=1)
    row = course.read()
    assert (row.found, row.joined, row.left) == (2, 0, 1)
    assert course.counted() >= {"1", "3"}
    assert course.members()["2"][1].left_at == clock()
    left = clock()
    clock.move(days=1)
    course.read()
    assert course.members()["2"][1].left_at == left, "they left once"
    moodle.says(container(member(1), member(2), member(3)))
    row = course.read()
    assert (row.found, row.joined, row.left) == (3, 1, 0)
    assert course.members()["2"][1].left_at is None
    assert {"member-left 1", "member-returned 1"} <= set(course.kinds())
    assert None in set(entries(course).values())


def test_who_is_suspended_is_shown_and_not_counted(course: Course, moodle: Lists) -> None:
    course.read()
    moodle.says(
        container(
            member(1, status=None),
            member(2, status="Inactive"),
            member(3, status="Deleted"),
            member(4, status="Inactive"),
            member(5, status=""),
        )
    )
    row = course.read()
    assert (row.found, row.inactive, row.joined, row.left) == (2, 3, 1, 2)
    assert course.counted() - {course.tool.platform.person(SCHOOL, "head").id} == {"1", "5"}
    assert course.members()["4"][1].confirmed_at is None
    assert course.members()["4"][1].left_at is not None
    row = course.read()
    assert (row.found, row.inactive, row.joined, row.left) == (2, 3, 0, 0)


def test_a_manager_can_say_that_somebody_belongs_here_still(
    course: Course, moodle: Lists, clock: SetClock
) -> None:
    course.read()
    moodle.says(container(member(1)))
    course.read()
    (found,) = [found for who, (_, found) in course.members().items() if who == "2"]
    with course.tool.database.transaction() as session:
        number = memberships.confirm_members(
            session,
            school_id=SCHOOL,
            membership_ids=[found.id],
            confirmed_by=course.head,
            today=clock().date(),
            now=clock(),
        )
    assert number == 1
    course.read()
    assert "2" in course.counted()


def test_who_is_on_another_list_has_not_left(
    course: Course, moodle: Lists, clock: SetClock
) -> None:
    other = PATH.replace("/2/", "/3/")
    moodle.says(container(member(2)), path=other)
    second = link(course.tool, f"{moodle.url}{other}")
    course.read()
    second.read()
    moodle.says(container(member(1)))
    row = course.read()
    assert row.left == 2
    assert {"1", "2"} <= course.counted()
    assert "3" not in course.counted()
    with course.tool.database.transaction() as session:
        courses.unlink(
            session,
            school_id=SCHOOL,
            roster_id=second.id,
            unlinked_by=course.head,
            now=clock(),
        )
    assert second.read().state == WAITING, "what is unlinked is not read"
    assert "2" in course.counted(), "its people stay as they are"
