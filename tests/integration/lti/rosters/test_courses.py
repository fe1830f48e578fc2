"""Which courses are offered, linked and unlinked, by command and on the page."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from lti_tool.core.errors import ToolError
from lti_tool.lti.rosters import courses, reading
from lti_tool.lti.rosters.cli import rosters
from lti_tool.lti.rosters.models import FAILED, READ, READING, WAITING, Roster
from lti_tool.lti.rosters.words import REASONS
from sandbox_lms.platform import OMIT
from tests.conformance.world import NRPS, OTHER, SCHOOL, World
from tests.conftest import SetClock
from tests.factories.rosters import HEAD, Course, Lists, container, member


def test_only_courses_from_which_somebody_came_to_the_school_are_offered(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    tool.launch(**HEAD)
    with tool.database.reading() as session:
        (found,) = courses.offered(session, school_id=SCHOOL)
        assert (found.title, found.platform_name) == (
            "Staff training, Hemswell Cliff",
            "The platform",
        )
        assert courses.offered(session, school_id=OTHER) == []
        with pytest.raises(ToolError, match="course-not-offered"):
            courses.course(session, school_id=OTHER, place_id=found.place_id)


def test_a_course_without_a_list_or_a_number_is_not_offered(tool: World) -> None:
    context = "https://purl.imsglobal.org/spec/lti/claim/context"
    tool.launch(**HEAD, **{NRPS: OMIT})
    tool.launch(**HEAD, **{context: OMIT})
    tool.launch(**HEAD, **{NRPS: {"context_memberships_url": "http://moodle.example/x"}})
    with tool.database.reading() as session:
        assert courses.offered(session, school_id=SCHOOL) == []


def test_linking_twice_is_linking_once_and_again_after_unlinking(course: Course) -> None:
    with course.tool.database.reading() as session:
        assert courses.offered(session, school_id=SCHOOL) == []
    course.read()
    now = course.tool.lti.clock()
    with course.tool.database.transaction() as session:
        courses.unlink(
            session, school_id=SCHOOL, roster_id=course.id, unlinked_by=course.head, now=now
        )
    with course.tool.database.transaction() as session:
        (found,) = courses.offered(session, school_id=SCHOOL)
        row = courses.link(
            session, school_id=SCHOOL, place_id=found.place_id, linked_by=course.head, now=now
        )
    assert row.id == course.id
    row = course.read()
    assert (row.state, row.joined) == (READ, 0)


def test_asking_begins_no_second_reading(course: Course) -> None:
    course.read()
    assert reading.read_due(course.tool.lti) == 0
    now = course.tool.lti.clock()
    with course.tool.database.transaction() as session:
        courses.ask(session, school_id=SCHOOL, roster_id=course.id, now=now)
    assert course.row().state == WAITING
    claimed = reading._claim(course.tool.lti)
    assert claimed is not None
    with course.tool.database.transaction() as session:
        courses.ask(session, school_id=SCHOOL, roster_id=course.id, now=now)
        with pytest.raises(ToolError, match="page-not-found"):
            courses.ask(session, school_id=OTHER, roster_id=course.id, now=now)
    assert course.row().state == READING
    assert course.row().number == claimed.number


def test_commands(course: Course, moodle: Lists) -> None:
    run = course.tool.app.test_cli_runner()
    number = str(course.id)
    (listed,) = json.loads(run.invoke(rosters, ["list", "--json"]).output)
    assert (listed["id"], listed["state"], listed["read_at"]) == (number, "waiting", "")
    assert "never: 0 people" in run.invoke(rosters, ["list", "--school", SCHOOL]).output
    assert "no course is linked" in run.invoke(rosters, ["list", "--school", OTHER]).output
    (read,) = json.loads(run.invoke(rosters, ["read", number, "--json"]).output)
    assert (read["state"], read["people"], read["joined"], read["left"]) == ("read", 3, 3, 0)
    moodle.says("down", status=503)
    failed = run.invoke(rosters, ["read", number])
    assert failed.exit_code == 1
    assert "failed unreachable" in failed.output
    assert "no course is linked as" in run.invoke(rosters, ["read", str(uuid4())]).output
    reading._claim(course.tool.lti, Roster.id == course.id)
    assert "it is being read already" in run.invoke(rosters, ["read", number]).output


def test_the_page_says_how_a_list_stands(course: Course, moodle: Lists, clock: SetClock) -> None:
    def stands(**values: Any) -> str:
        with course.tool.database.transaction() as session:
            session.execute(update(Roster).values(**values))
        return course.page()

    assert "Waiting to be read" in course.page()
    held = clock() + timedelta(minutes=1)
    busy = {"state": READING, "lease_until": held, "failures": 0}
    assert "waiting for the platform" in stands(**busy)
    assert "120 members so far, of about 300." in stands(**busy, seen=120, expected=300)
    assert "120 members so far." in stands(**busy, seen=120, expected=120)
    assert "It begins again within some minutes" in stands(lease_until=clock())
    assert "not read since" not in course.page("/register")
    for reason, words in REASONS.items():
        text = stands(state=FAILED, reason=reason, next_at=held, failures=1)
        assert str(words) in text
        assert "Next try: 23 November 2026, 09:01." in text
    assert str(REASONS["fault"]) in stands(reason="something new")
    assert "not read since 23 November 2026" in course.page("/register")
    moodle.says(container(member(1), member(2, status="Inactive"), member(""), title="<b>Staff"))
    with course.tool.database.transaction() as session:
        session.execute(update(Roster).values(lease_until=None))
    course.read()
    text = course.page()
    assert "Read on 23 November 2026, 09:00: 1 person, 1 joined, 0 left ." in text
    assert "1 more is suspended in the course" in text
    assert "1 could not be taken in" in text
    assert "<b>Staff" in text
    assert "not read since" not in course.page("/register")
