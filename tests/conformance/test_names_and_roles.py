"""Names and roles: the members of a course, read as any platform may list them (cert §6.3)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from sqlalchemy import delete, select

from lti_tool.lti.claims import MEMBERS_SCOPE
from lti_tool.lti.models import AccessToken, ResourceLink
from lti_tool.lti.rosters import reading
from lti_tool.lti.rosters.models import FAILED, READ
from lti_tool.lti.services.members import read_page
from lti_tool.people.models import Grant
from lti_tool.people.staff_lists import Listed
from sandbox_lms.services import MEMBERS
from tests.conformance.world import World
from tests.conftest import SetClock
from tests.factories.rosters import PATH, Course, Lists, container, link, lists, member


@pytest.fixture(scope="module")
def _listening() -> Iterator[Lists]:
    with lists() as told:
        yield told


@pytest.fixture
def moodle(_listening: Lists) -> Lists:
    """A platform's lists, empty again for each test."""
    _listening.answers.clear()
    _listening.asked.clear()
    return _listening


@pytest.fixture
def course(tool: World, moodle: Lists) -> Course:
    """A course of the platform, read before with three members."""
    found = link(tool, f"{moodle.url}{PATH}")
    moodle.says(container(member(1), member(2), member(3)))
    found.read()
    moodle.asked.clear()
    return found


def test_n_1_an_instructors_launch_offers_the_service(tool: World) -> None:
    course = link(tool)
    with tool.database.reading() as session:
        place = session.scalars(
            select(ResourceLink).where(ResourceLink.id == tool.visits()[-1].place_id)
        ).one()
    school = tool.activity.course_id
    assert place.context_memberships_url.endswith(f"/CourseSection/{school}/bindings/1/memberships")
    assert course.row().state == "waiting"


def test_n_2_and_n_3_and_n_4_what_is_asked(tool: World) -> None:
    """The very address of the claim, with neither role nor limit nor rlid."""
    course = link(tool)
    assert course.read().state == READ
    (seen,) = [one for one in tool.platform.requests_seen if "memberships" in one.path]
    assert (seen.method, seen.path) == ("GET", PATH)
    assert seen.headers["Accept"] == MEMBERS
    bearer = seen.headers["Authorization"].removeprefix("Bearer ")
    assert tool.platform.token_allows(bearer, (MEMBERS_SCOPE,))


def test_n_5_the_one_scope_it_needs(tool: World) -> None:
    with tool.database.transaction() as session:
        session.execute(delete(AccessToken))
    tool.lti.tokens.clear()
    link(tool).read()
    (asked,) = [one for one in tool.platform.requests_seen if one.path == "/token"]
    assert parse_qs(asked.body.decode())["scope"] == [MEMBERS_SCOPE]
    assert MEMBERS_SCOPE == (
        "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
    )


def test_nr_6_moodle_sends_everybody_on_one_page(course: Course, moodle: Lists) -> None:
    """Also a non-editing teacher, there a Learner, and a teacher: neither manages by it."""
    moodle.plays("nrps-one-page")
    row = course.read()
    assert moodle.paths == [PATH]
    assert moodle.asked[0][1]["Accept"] == MEMBERS
    assert (row.state, row.found, row.title) == (READ, 7, "Staff training")
    people = course.members()
    assert people["4"][0].name == "Siân O'Neill-Łukasz"
    assert people["6"][0].name == "Mei 王"
    assert people["6"][0].email == "student4@example.org"
    with course.tool.database.reading() as session:
        managers = set(session.scalars(select(Grant.person_id)))
    assert not managers & {people[who][0].id for who in ("8", "9")}


def test_nr_6_moodle_in_pages_that_nobody_asked_for(course: Course, moodle: Lists) -> None:
    moodle.plays("nrps-three-pages")
    first = f"{PATH}?limit=3"
    found = link(course.tool, f"{moodle.url}{first}").read()
    assert found.found == 7
    assert moodle.paths[-3:] == [first, f"{first}&from=3", f"{first}&from=6"]


def test_nr_6_moodles_next_page_forgets_the_role(course: Course, moodle: Lists) -> None:
    """So no role is asked for: the second page would hold others than the first."""
    (exchange,) = json.loads(moodle.recorded("nrps-next-forgets-the-role"))
    assert "role=" in exchange["path"]
    assert "role=" not in exchange["headers"]["Link"]
    course.read()
    assert "?" not in moodle.paths[0]


def test_nr_6_names_withheld(course: Course, moodle: Lists) -> None:
    """A tool whose privacy is “never” is told numbers alone."""
    moodle.plays("nrps-without-names")
    path = PATH.replace("bindings/1", "bindings/2")
    assert link(course.tool, f"{moodle.url}{path}").read().found == 7
    assert read_page(json.loads(moodle.recorded("nrps-without-names"))[0]["json"]).members[0] == (
        Listed("5", "", "", is_active=True)
    )


@pytest.mark.parametrize(
    ("recording", "reason"),
    [
        ("nrps-accept-json", "refused"),
        ("nrps-no-leave", "reconnect"),
        ("nrps-course-gone", "gone"),
    ],
)
def test_nr_6_what_moodle_refuses_is_told(
    course: Course, moodle: Lists, recording: str, reason: str
) -> None:
    (exchange,) = json.loads(moodle.recorded(recording))
    moodle.says(exchange["json"], status=exchange["status"])
    row = course.read()
    assert (row.state, row.reason) == (FAILED, reason)
    assert {"1", "2", "3"} <= course.counted()


def test_nr_6_every_page_however_its_address_looks(course: Course, moodle: Lists) -> None:
    second = "/Members;v=2/aBcD?Cursor=QWxhZGRpbg%3D%3D&x=%2F,;"
    moodle.says(
        container(member(1)),
        link=f'<{{platform}}/other>; rel="differences", <{{platform}}{second}>; title=a; Rel=next',
    )
    moodle.says(container(), path=second, link='</third?A=b>; rel="prev next"')
    moodle.says(container(member("aB"), member("AB"), member(1)), path="/third?A=b")
    row = course.read()
    assert moodle.paths == [PATH, second, "/third?A=b"]
    assert (row.state, row.found) == (READ, 3)
    assert {"1", "aB", "AB"} <= course.counted()


def test_nr_6_what_cannot_be_a_member_is_passed_over(course: Course, moodle: Lists) -> None:
    longest = "L" * 255
    moodle.says(
        container(
            "nobody",
            None,
            {"status": "Active"},
            member("", name="x"),
            member("x" * 256),
            member("with\u0000null"),
            member(7, user_id=True),
            member(8, user_id=42),
            member(longest, name="N" * 300, email="e" * 300),
            member("nameless", name=7, email=["x"], roles="Learner"),
            member(10, roles=["http://purl.imsglobal.org/vocab/lti/system/person#TestUser"]),
            member(11, name="\ud800Name\u0000", given_name=None),
        )
    )
    row = course.read()
    assert (row.state, row.found, row.skipped) == (READ, 4, 7)
    people = course.members()
    assert {"42", longest, "nameless", "11"} <= set(people)
    assert (people[longest][0].name, people[longest][0].email) == ("N" * 255, "")
    assert people["nameless"][0].name == ""
    assert people["11"][0].name == "Name"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"body": "down", "status": 503}, "unreachable"),
        ({"body": "slow down", "status": 429}, "unreachable"),
        ({"body": "no", "status": 401}, "reconnect"),
        ({"body": "no", "status": 403}, "forbidden"),
        ({"body": "no", "status": 404}, "gone"),
        ({"body": "no", "status": 400}, "refused"),
        ({"body": "go", "status": 302}, "refused"),
        ({"body": "<h1>Log in</h1>", "content_type": "text/html"}, "unreadable"),
        ({"body": '{"members": ['}, "unreadable"),
        ({"body": "[" * 100_000}, "unreadable"),
        ({"body": []}, "unreadable"),
        ({"body": {"members": {"1": {}}}}, "unreadable"),
        ({"body": b"\xff\xfe\x00"}, "unreadable"),
        ({"body": " " * (8 * 1024 * 1024 + 1)}, "unreachable"),
        ({"body": container()}, "empty"),
        ({"body": container(member(1)), "link": f"<{PATH}>; rel=next"}, "endless"),
        ({"body": container(member(1)), "link": "<http://localhost:9/x>; rel=next"}, "elsewhere"),
        ({"body": container(member(1)), "link": "<//localhost:9/x>; rel=next"}, "elsewhere"),
        ({"body": container(member(1)), "link": "<javascript:1>; rel=next"}, "elsewhere"),
        ({"body": container(member(1)), "link": "<https://127.0.0.1/x>; rel=next"}, "elsewhere"),
    ],
)
def test_nr_6_a_list_that_cannot_be_read_says_why(
    course: Course, moodle: Lists, answer: dict[str, Any], reason: str, clock: SetClock
) -> None:
    read_at = course.row().read_at
    clock.move(days=1)
    moodle.says(**answer)
    row = course.read()
    assert (row.state, row.reason, row.read_at, row.found) == (FAILED, reason, read_at, 3)
    assert {"1", "2", "3"} <= course.counted()
    assert row.next_at > course.tool.lti.clock()
    moodle.says(container(member(1), member(2), member(3)))
    assert course.read().state == READ


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("401", "reconnect"), ("503", "unreachable"), ("reset", "unreachable")],
)
def test_nr_6_a_token_service_in_trouble(course: Course, kind: str, reason: str) -> None:
    course.tool.platform.faults.put("token", kind)
    with course.tool.database.transaction() as session:
        session.execute(delete(AccessToken))
    course.tool.lti.tokens.clear()
    row = course.read()
    assert (row.state, row.reason) == (FAILED, reason)


def test_nr_6_a_token_that_ran_out_is_renewed_once(tool: World) -> None:
    course = link(tool)
    course.read()
    tool.platform.revoke_tokens()
    assert course.read().state == READ


def test_nr_6_failures_are_tried_again_ever_more_rarely(course: Course, moodle: Lists) -> None:
    moodle.says("down", status=503)
    waits = []
    for _ in range(10):
        row = course.read()
        waits.append(row.next_at - course.tool.lti.clock())
    assert waits[:3] == [timedelta(minutes=minutes) for minutes in (5, 10, 20)]
    assert max(waits) <= timedelta(hours=6)
    moodle.says("down", status=503, retry_after="36000")
    assert course.read().next_at - course.tool.lti.clock() == timedelta(hours=10)
    moodle.says("no", status=403)
    assert course.read().next_at == reading.next_night(course.id, course.tool.lti.clock())
