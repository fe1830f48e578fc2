"""The health page: who sees it, and of which platforms and scores."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import requests
from bs4 import BeautifulSoup

from lti_tool.core.errors import ToolError
from lti_tool.lti.health import report
from lti_tool.lti.models import ScoreOutbox
from lti_tool.people.models import Visit
from sandbox_lms.schools import Person
from tests.conformance.world import OTHER, SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import owe
from tests.integration.lti.conftest import make_manager


def open_page(
    tool: World, person: Person | None = None, cookies: dict[str, str] | None = None
) -> requests.Response:
    """The page as the visit of a new launch sees it."""
    begun = tool.begin()
    given = tool.platform.id_token_claims(person or tool.learner, tool.activity, begun.nonce)
    reply = tool.post(begun, tool.platform.sign(given), cookies=cookies)
    assert reply.status_code == 303, reply.text
    cookie = next(
        line.split(";")[0] for line in reply.raw.headers.getlist("Set-Cookie") if "visit" in line
    )
    return tool.http.get(f"{tool.url}/health/", headers={"Cookie": cookie}, timeout=30)


def headings(reply: requests.Response) -> list[str]:
    return [found.text for found in BeautifulSoup(reply.text, "html.parser").select("h2")]


def test_learners_and_teachers_do_not_see_it(tool: World) -> None:
    assert open_page(tool).status_code == 403
    teacher = tool.platform.person(SCHOOL, "teacher")
    assert open_page(tool, teacher).status_code == 403


def test_an_unconfirmed_visit_does_not_see_it(tool: World) -> None:
    """Nothing shows yet that this browser is the administrator's."""
    administrator = tool.platform.person(None, "admin")
    reply = open_page(tool, administrator, cookies={})
    assert reply.status_code == 403
    assert "visit-unconfirmed" in reply.text


def test_a_manager_sees_the_platforms_of_their_school(connected: World) -> None:
    make_manager(connected)
    connected.register("theirs", OTHER, client_id="of-others", name="Another school’s")
    connected.register("ours", SCHOOL, client_id="of-ours", name="Our second")
    reply = open_page(connected)
    assert reply.status_code == 200
    assert headings(reply)[:2] == ["Our second", "The platform"]
    assert "Another school’s" not in reply.text
    assert "Nothing is wrong." in reply.text


def test_a_manager_of_another_school_sees_nothing_of_this_one(connected: World) -> None:
    make_manager(connected, OTHER)
    assert open_page(connected).status_code == 403


def test_an_administrator_sees_their_own_platform_and_nobody(connected: World) -> None:
    owe(connected, connected.visits()[-1])
    administrator = connected.platform.person(None, "admin")
    connected.register("theirs", OTHER, client_id="of-others", name="Another")
    reply = open_page(connected, administrator)
    assert reply.status_code == 200
    assert headings(reply)[0] == "The platform"
    assert "Another" not in reply.text
    for person in connected.platform.people.values():
        assert person.family_name not in reply.text


def test_whoever_came_from_no_activity_is_no_administrator_of_all(tool: World) -> None:
    """A review may name no activity, and who came to it as a manager may be one no more."""
    visit = Visit(
        confirmed_at=tool.lti.clock(),
        person_id=uuid4(),
        school_id=SCHOOL,
        may_set_up=True,
        door="lti",
        place_id=None,
    )
    tool.register("theirs", OTHER, client_id="of-others", name="Another")  # nobody came from there
    with tool.database.reading() as session, pytest.raises(ToolError, match="not-a-manager"):
        report.shown_to(session, visit)


def test_a_score_counts_for_its_school_alone(connected: World, clock: SetClock) -> None:
    owe(connected, connected.visits()[-1])
    clock.move(hours=2)
    with connected.database.transaction() as session:
        for row in session.query(ScoreOutbox):
            row.school_id = OTHER
    assert open_page(connected).status_code == 403
    make_manager(connected)
    assert "that wait to be sent" not in open_page(connected).text
    administrator = connected.platform.person(None, "admin")
    assert "that wait to be sent" in open_page(connected, administrator).text


def test_the_page_holds_up_no_writer(connected: World) -> None:
    """While a platform is asked nothing stands open in the database."""
    make_manager(connected)
    connected.platform.faults.put("jwks", "slow", seconds=1)
    pool = connected.database.engine.pool
    seen: list[str] = []
    original: Callable[..., Any] = connected.lti.outside.call

    def watch(*args: Any, **kwargs: Any) -> Any:
        seen.append(pool.status())
        return original(*args, **kwargs)

    connected.lti.outside.call = watch  # type: ignore[method-assign]
    assert open_page(connected).status_code == 200
    assert seen
    assert all("Current Checked out connections: 0" in status for status in seen), seen
