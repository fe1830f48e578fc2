"""Linked courses are read in full, whatever their platform does (NR-6)."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from huey import MemoryHuey
from sqlalchemy import event, func, select, update
from sqlalchemy.exc import IntegrityError

from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import Lti, disable_platform
from lti_tool.lti.rosters import courses, reading, taking_in
from lti_tool.lti.rosters.cli import rosters
from lti_tool.lti.rosters.models import FAILED, READ, READING, WAITING, Roster, RosterEntry
from lti_tool.lti.rosters.words import REASONS
from lti_tool.people import memberships, staff_lists
from lti_tool.people.models import Grant
from sandbox_lms.platform import OMIT
from tests.conformance.world import NRPS, OTHER, SCHOOL, World
from tests.conftest import SetClock
from tests.factories.rosters import HEAD, PATH, Course, Lists, container, link, lists, member


@pytest.fixture
def moodle() -> Iterator[Lists]:
    with lists() as told:
        yield told


@pytest.fixture
def course(tool: World, moodle: Lists) -> Course:
    moodle.says(container(member(1), member(2), member(3)))
    return link(tool, f"{moodle.url}{PATH}")


def entries(course: Course) -> dict[Any, Any]:
    with course.tool.database.reading() as session:
        found = session.scalars(select(RosterEntry).where(RosterEntry.roster_id == course.id))
        return {entry.person_id: entry.left_at for entry in found}


def kinds(course: Course) -> list[str]:
    with course.tool.database.reading() as session:
        found = session.execute(
            select(LedgerEntry.kind, func.count()).group_by(LedgerEntry.kind).order_by("kind")
        )
        return [f"{kind} {number}" for kind, number in found]


def memory(which: str) -> float:
    """Of this process, in MiB."""
    said = Path("/proc/self/status").read_text()
    return int(said.partition(f"{which}:")[2].split()[0]) / 1024


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux says what a process held")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nr_6_ten_thousand_members_are_no_trouble(
    course: Course, moodle: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On one page, as Moodle sends them: within a minute of CPU, and 100 MiB."""
    monkeypatch.setattr(taking_in, "BREATH_SECONDS", 0)  # nobody else writes here
    moodle.says(json.dumps(container(*(member(number) for number in range(10_000)))))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what it holds now
    before, began = memory("VmHWM"), time.process_time()
    row = course.read()
    assert (row.state, row.found, row.joined) == (READ, 10_000, 10_000)
    assert time.process_time() - began < 60
    assert memory("VmHWM") - before < 100


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
    assert kinds(course) == ["manager-granted 1", "member-confirmed 7", "staff-list-linked 1"]


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


def test_a_course_that_was_read_meanwhile_is_not_read_once_more_for_its_wake(
    course: Course, moodle: Lists
) -> None:
    wake = reading.register_tasks(MemoryHuey(immediate=True), course.tool.lti)
    assert reading.read_due(course.tool.lti) == 1
    number = course.row().number
    wake(str(course.id))
    assert course.row().number == number
    with course.tool.database.transaction() as session:
        courses.ask(session, school_id=SCHOOL, roster_id=course.id, now=course.tool.lti.clock())
    wake(str(course.id))
    assert course.row().number == number + 1


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
    assert {"member-left 1", "member-returned 1"} <= set(kinds(course))
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


def test_a_reading_that_broke_half_way_has_seen_nobody_leave(course: Course, moodle: Lists) -> None:
    course.read()
    moodle.says(container(member(1), member(4)), link="</two>; rel=next")
    moodle.says("down", path="/two", status=503)
    row = course.read()
    assert (row.state, row.reason, row.seen) == (FAILED, "unreachable", 2)
    assert {"1", "2", "3", "4"} <= course.counted()


def test_a_list_that_goes_on_for_hours_is_given_up(
    course: Course, moodle: Lists, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One platform must not keep the workers from everybody's scores: with pages that take two
    minutes each and hold nobody, one worker after another took the course for left behind."""
    course.read()
    for number in range(1, 60):
        moodle.says(container(), path=f"/{number}", link=f"</{number + 1}>; rel=next")
    moodle.says(container(member(4)), link="</1>; rel=next")
    leases = []

    def slowly(*args: Any) -> None:
        leases.append((course.row().lease_until or clock()) - clock())
        clock.move(minutes=2)
        taking(*args)

    taking = taking_in.take_in
    monkeypatch.setattr(taking_in, "take_in", slowly)
    row = course.read()
    assert (row.state, row.reason) == (FAILED, "endless")
    assert len(leases) < 40
    assert min(leases) > timedelta(0)
    assert {"1", "2", "3", "4"} <= course.counted()


def test_a_worker_that_is_killed_leaves_nothing_undone(
    course: Course, moodle: Lists, clock: SetClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each of its statements and commits in turn: each time somebody takes over
    once its lease has run out, and nobody has left before the last page came."""
    course.read()
    monkeypatch.setattr(taking_in, "BATCH", 2)
    everybody = [member(1), *(member(number) for number in range(4, 7))]
    moodle.says(container(*everybody[:2]), link="</two>; rel=next")
    moodle.says(container(*everybody[2:]), path="/two")
    head, deaths = course.tool.platform.person(SCHOOL, "head").id, 0
    after = {one["user_id"] for one in everybody}
    while not read_and_die(course, tmp_path, deaths + 1):
        deaths += 1
        counted = course.counted() - {head}
        assert counted <= {"2", "3"} | after
        assert {"2", "3"} <= counted or after <= counted, f"killed at moment {deaths}"
        clock.move(minutes=7)
    assert deaths > 25
    assert course.counted() - {head} == after
    assert (course.row().state, course.row().found) == (READ, 4)


def read_and_die(course: Course, instance: Path, moment: int) -> bool:
    """Read in a process of its own, killed before its n-th statement or commit; whether it got
    through alive."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    left = [moment]

    def count_down(*_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    url = course.tool.database.engine.url.render_as_string(hide_password=False)
    config = Config(instance=instance, url=course.tool.url, database_url=url, log_level="ERROR")
    lti = Lti(config, Database(url), course.tool.lti.clock)
    event.listen(lti.database.engine, "before_cursor_execute", count_down)
    event.listen(lti.database.engine, "commit", count_down)
    os._exit(0 if reading.read(lti, course.id) == READ else 1)


def test_two_workers_do_not_read_one_course(course: Course, moodle: Lists, clock: SetClock) -> None:
    first = reading._claim(course.tool.lti)
    assert first is not None
    assert reading._claim(course.tool.lti) is None
    assert reading.read(course.tool.lti, course.id) == ""
    clock.move(minutes=7)
    assert course.read().state == READ
    moodle.says(container(member(99)))
    assert reading._read(course.tool.lti, first) == "", "overtaken, it writes nothing"
    assert "99" not in course.members()
    assert course.row().state == READ


def test_unlinking_stops_a_reading(course: Course, clock: SetClock) -> None:
    first = reading._claim(course.tool.lti)
    assert first is not None
    with course.tool.database.transaction() as session:
        courses.unlink(
            session, school_id=SCHOOL, roster_id=course.id, unlinked_by=course.head, now=clock()
        )
    assert reading._read(course.tool.lti, first) == ""
    assert "1" not in course.members()
    assert "staff-list-unlinked 1" in kinds(course)


@pytest.mark.parametrize("times", [1, 6])
def test_a_first_launch_in_the_same_moment(
    course: Course, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Each of the three may be overtaken twice: by their arrival, and by joining the school."""
    enter, tries = staff_lists.enter, []

    def collide(*args: Any, **given: Any) -> Any:
        found = enter(*args, **given)
        tries.append(1)
        if len(tries) <= times:
            raise IntegrityError("", {}, Exception())
        return found

    monkeypatch.setattr(staff_lists, "enter", collide)
    row = course.read()
    assert (row.state, row.found, row.joined) == (READ, 3, 3)


def test_people_launch_while_they_are_being_read(
    course: Course, moodle: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking_in, "BATCH", 5)
    monkeypatch.setattr(taking_in, "BREATH_SECONDS", 0.01)
    everybody = [str(number) for number in range(30)]
    moodle.says(container(*map(member, everybody)))
    with ThreadPoolExecutor(4) as pool:
        launches = [pool.submit(course.launch, sub=subject) for subject in reversed(everybody)]
        assert course.read().state == READ
        for launch in launches:
            launch.result()
    assert course.counted() >= set(everybody)
    assert course.row().joined == 30


def test_a_fault_of_our_own_is_told_and_tried_again(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **given: Any) -> None:
        raise RuntimeError("our own")

    monkeypatch.setattr(staff_lists, "enter", fail)
    row = course.read()
    assert (row.state, row.reason) == (FAILED, "fault")
    assert row.next_at - course.tool.lti.clock() == timedelta(minutes=5)


def test_a_platform_that_was_disconnected(course: Course, clock: SetClock) -> None:
    with course.tool.database.transaction() as session:
        row = session.get_one(Registration, course.tool.registration_id)
        disable_platform(session, row, now=clock())
    course.tool.lti.registry.forget()
    assert course.read().reason == "disconnected"
    course.tool.register(SCHOOL, OTHER)
    assert course.read().reason == "disconnected", "it no longer serves this school"
    course.tool.register(SCHOOL, SCHOOL)
    assert course.read().state == READ


def test_a_service_that_is_no_longer_offered(course: Course) -> None:
    course.launch(**{NRPS: OMIT})
    assert course.read().reason == "no-service"


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
