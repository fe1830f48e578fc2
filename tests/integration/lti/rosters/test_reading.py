"""Linked courses are read in full, whatever their platform or we ourselves do (NR-6)."""

import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from huey import MemoryHuey
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import Lti, disable_platform
from lti_tool.lti.rosters import courses, reading, taking_in
from lti_tool.lti.rosters.models import FAILED, READ
from lti_tool.people import staff_lists
from sandbox_lms.platform import OMIT
from tests.conformance.world import NRPS, OTHER, SCHOOL
from tests.conftest import SetClock
from tests.factories.rosters import Course, Lists, container, member


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
    assert "staff-list-unlinked 1" in course.kinds()


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
