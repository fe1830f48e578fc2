"""Every way of Moodle's own with line items, from recordings of it."""

import pytest

from lti_tool.lti.services import outbox
from tests.conformance.world import World
from tests.conftest import SetClock
from tests.factories.moodle import RECORDED, SERVICES, Moodle
from tests.factories.scoring import arrive, owe, where
from tests.integration.lti.moodle.conftest import CYCLE, send_score


def _has_no_other(tool: World, platform: Moodle) -> None:
    """Both of our searches find no line item but those that a test has put there."""
    nothing = RECORDED["line items of an activity"] | {"json": []}
    for query in (
        f"&resource_link_id={tool.activity.id}",
        "&resource_id=induction&tag=policy-2026-27",
    ):
        platform.answers.setdefault(("GET", f"{SERVICES}?type_id=1{query}"), [nothing])


def _unplaced(tool: World, platform: Moodle) -> str:
    """A score from an activity whose launch names no line item."""
    _has_no_other(tool, platform)
    visit = arrive(tool, sub="3", **platform.claim(lineitem=""))
    completion_id = owe(tool, visit, 85, cycle=CYCLE)
    outbox.send_due(tool.lti)
    delivery = where(tool, completion_id)
    return f"{delivery.state} {delivery.reason_code}".strip()


def test_moodle_makes_the_same_twice_so_we_look_first(tool: World, platform: Moodle) -> None:
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"
    assert [asked.method for asked in platform.asked if "scores" not in asked.path] == [
        *("POST", "GET", "GET", "POST", "POST"),
    ], "a token, two looks, one made, a token for the score"


def test_the_item_of_the_activity_itself_is_found(tool: World, platform: Moodle) -> None:
    """Moodle's own has neither resource id nor tag."""
    found = RECORDED["line items of an activity"]["json"][0]
    own = found | {"resourceLinkId": tool.activity.id, "ltiLinkId": tool.activity.id}
    path = f"{SERVICES}?type_id=1&resource_link_id={tool.activity.id}"
    platform.plays("line items of an activity", path=path, json=[own])
    platform.plays("a score", path=f"{SERVICES}/5/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"


def test_another_tools_item_that_can_be_read_is_not_ours(tool: World, platform: Moodle) -> None:
    """The token reads every item of the course; a score for such a one is 403."""
    other = RECORDED["another tool's line item read"]["json"]
    path = f"{SERVICES}?type_id=1&resource_id=induction&tag=policy-2026-27"
    ours = {"resourceId": "induction", "tag": "policy-2026-27"}
    platform.plays("line items of an activity", path=path, json=[other | ours])
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"


def test_an_item_of_another_tool_refuses_and_is_tried_once_more_after_a_launch(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("another tool's line item", path=f"{SERVICES}/7/lineitem/scores?type_id=1")
    assert send_score(tool, platform) == "attention forbidden"
    clock.move(hours=1)
    arrive(tool, sub="3", **platform.claim())
    outbox.sweep(tool.lti)
    assert len(platform.scores()) == 2


@pytest.mark.parametrize(
    "name", ["a line item for no activity of ours", "a line item with leave to read alone"]
)
def test_a_line_item_that_may_not_be_made(tool: World, platform: Moodle, name: str) -> None:
    platform.plays(name)
    assert _unplaced(tool, platform).startswith("attention")
    assert platform.scores() == []


def test_the_activitys_own_item_can_be_deleted_under_us(tool: World, platform: Moodle) -> None:
    gone = RECORDED["an unknown line item"] | {"path": f"{SERVICES}/7/lineitem/scores?type_id=1"}
    platform.answers["POST", gone["path"]] = [gone]
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    _has_no_other(tool, platform)
    assert send_score(tool, platform) == "sent"
    made = [asked for asked in platform.asked if asked.path == f"{SERVICES}?type_id=1"]
    assert [asked.json["tag"] for asked in made] == ["policy-2026-27"]


def test_an_item_is_never_changed_nor_deleted(tool: World, platform: Moodle) -> None:
    """A PUT would unbind it from its activity; a DELETE takes everybody's marks along."""
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    _unplaced(tool, platform)
    assert {asked.method for asked in platform.asked} == {"GET", "POST"}
