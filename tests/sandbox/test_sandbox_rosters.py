"""Line items and members, with the ways of their own that Moodle 4.5.6 was recorded to have."""

from typing import Any

import pytest

from sandbox_lms.claims import SCOPE_LINE_ITEM_READ, SCOPE_MEMBERS
from sandbox_lms.platform import Platform
from sandbox_lms.services import ITEM, ITEM_CONTAINER, MEMBERS
from tests.sandbox.fake_tool import Services

ITEMS = "/2/lineitems?type_id=1"
ROSTER = "/CourseSection/2/bindings/1/memberships"


def test_line_items_of_a_course(services: Services, platform: Platform) -> None:
    reply = services.call("GET", ITEMS, ITEM_CONTAINER)
    assert reply.headers["Content-Type"] == f"{ITEM_CONTAINER}; charset=utf-8"
    assert reply.json()[0] == {
        "id": f"{platform.issuer}/mod/lti/services.php/2/lineitems/111/lineitem?type_id=1",
        "label": "Social media policy: induction",
        "scoreMaximum": 100,
        "resourceId": "",
        "tag": "",
        "resourceLinkId": "11",
        "ltiLinkId": "11",
    }
    assert [one["resourceLinkId"] for one in reply.json()] == ["11", "12", "13"]


def test_line_items_need_the_container_type(services: Services) -> None:
    anything = services.call("GET", ITEMS)
    assert anything.status_code == 400
    assert anything.reason == "No context or unsupported content type"
    plain = services.call("GET", ITEMS, "application/json")
    assert plain.reason == "No handler found for /2/lineitems application/json"


def test_a_tools_own_line_item_from_birth_to_death(services: Services) -> None:
    sent = {"label": "Again", "scoreMaximum": 5, "resourceId": "r", "tag": "t"}
    made = [services.call("POST", ITEMS, ITEM, json=sent) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    ids = [one.json()["id"] for one in made]
    assert ids[0] != ids[1]
    assert made[0].json() == {**sent, "id": ids[0]}
    found = services.call("GET", f"{ITEMS}&tag=t&resource_id=r", ITEM_CONTAINER).json()
    assert [one["id"] for one in found] == ids
    path = ids[0].partition("services.php")[2]
    assert "resourceLinkId" not in services.call("GET", path, ITEM).json()
    renamed = services.call("PUT", path, ITEM, json={**sent, "label": "Once more"})
    assert renamed.json()["label"] == "Once more"
    for one in ids:
        gone = services.call("DELETE", one.partition("services.php")[2])
        assert (gone.status_code, gone.reason) == (204, "OK")
    assert services.call("GET", path, ITEM).status_code == 404


def test_put_without_a_link_unbinds_the_item(services: Services, platform: Platform) -> None:
    path = "/2/lineitems/113/lineitem?type_id=1"
    services.call("PUT", path, ITEM, json={"label": "Renamed", "scoreMaximum": 50})
    assert "resourceLinkId" not in services.call("GET", path, ITEM).json()
    platform.gradebook.items[113].resource_link_id = "13"


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        ({"scoreMaximum": 1}, 400, "No label or Score Maximum"),
        ({"label": "x"}, 400, "No label or Score Maximum"),
        ({"label": "x", "scoreMaximum": 1, "resourceLinkId": "999"}, 403, "Forbidden"),
    ],
)
def test_line_items_refused(
    services: Services, sent: dict[str, Any], status: int, reason: str
) -> None:
    refused = services.call("POST", ITEMS, ITEM, json=sent)
    assert (refused.status_code, refused.reason) == (status, reason)
    assert refused.json()["reason"] == reason


def test_a_reading_token_cannot_write(services: Services, platform: Platform) -> None:
    services.use_token(platform.issue_token([SCOPE_LINE_ITEM_READ]))
    sent = {"label": "x", "scoreMaximum": 1}
    assert services.call("POST", ITEMS, ITEM, json=sent).status_code == 401
    assert services.call("GET", ITEMS, ITEM_CONTAINER).status_code == 200


def test_members_have_short_roles_and_come_by_surname(services: Services) -> None:
    reply = services.call("GET", ROSTER, MEMBERS)
    assert reply.headers["Content-Type"] == f"{MEMBERS}; charset=utf-8"
    assert reply.json()["id"] == services.url(ROSTER)
    assert reply.json()["context"]["id"] == "2"
    members = reply.json()["members"]
    surnames = [one["family_name"] for one in members]
    assert surnames == sorted(surnames)
    assert len(members) == 8
    roles = {one["user_id"]: one["roles"] for one in members}
    assert roles["1000"] == ["Learner"]
    assert roles["1001"] == ["Instructor"]
    assert "2" not in roles
    assert members[0]["status"] == "Active"


def test_a_training_lead_is_a_learner_in_the_roster(services: Services, platform: Platform) -> None:
    lead = platform.person("hemswell-cliff", "lead")
    members = services.call("GET", ROSTER, MEMBERS).json()["members"]
    assert [one["roles"] for one in members if one["user_id"] == lead.id] == [["Learner"]]


@pytest.mark.parametrize(
    ("role", "count"),
    [
        ("Learner", 7),
        ("http://purl.imsglobal.org/vocab/lis/v2/membership#Learner", 7),
        ("Instructor", 1),
        ("Mentor", 8),
    ],
)
def test_members_by_role(services: Services, role: str, count: int) -> None:
    reply = services.call("GET", ROSTER, MEMBERS, params={"role": role})
    assert len(reply.json()["members"]) == count


def test_pages_of_members_lose_the_role(services: Services) -> None:
    first = services.call("GET", f"{ROSTER}?role=Learner&limit=5", MEMBERS)
    assert len(first.json()["members"]) == 5
    following = f"{services.url(ROSTER)}?limit=5&from=5"
    assert first.headers["Link"] == f'<{following}>; rel="next"'
    assert first.links["next"]["url"] == following
    last = services.call("GET", f"{ROSTER}?limit=5&from=5", MEMBERS)
    assert len(last.json()["members"]) == 3
    assert "Link" not in last.headers
    assert services.call("GET", f"{ROSTER}?limit=5&from=500", MEMBERS).json()["members"] == []
    assert len(services.call("GET", f"{ROSTER}?limit=0", MEMBERS).json()["members"]) == 8


def test_members_of_a_link_carry_its_message(services: Services) -> None:
    member = services.call("GET", f"{ROSTER}?rlid=11", MEMBERS).json()["members"][0]
    assert list(member)[:4] == ["status", "roles", "message", "user_id"]
    unknown = services.call("GET", f"{ROSTER}?rlid=9999", MEMBERS)
    assert (unknown.status_code, unknown.reason) == (
        404,
        "Not Found: LTI link 9999 doesn't exist",
    )


def test_members_hold_back_what_is_not_shared(services: Services, platform: Platform) -> None:
    person = platform.person("glenmere", "volunteer")
    platform.set_sharing(person, name=False, email=False)
    members = services.call("GET", "/CourseSection/5/bindings/4/memberships", MEMBERS).json()
    told = next(one for one in members["members"] if one["user_id"] == person.id)
    assert told == {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": person.id,
        "lis_person_sourcedid": "",
    }


def test_members_refused(services: Services, platform: Platform) -> None:
    plain = services.call("GET", ROSTER, "application/json")
    assert plain.reason == f"No handler found for {ROSTER} application/json"
    assert services.call("GET", ROSTER).status_code == 200
    posted = services.call("POST", ROSTER)
    assert (posted.status_code, posted.reason) == (400, f"No handler found for {ROSTER}")
    other_tool = "/CourseSection/2/bindings/99/memberships"
    assert services.call("GET", other_tool, MEMBERS).status_code == 401
    no_course = services.call("GET", "/CourseSection/99/bindings/1/memberships", MEMBERS)
    assert no_course.reason == "Not Found: Course 99 doesn't exist"
    services.use_token(platform.issue_token([SCOPE_LINE_ITEM_READ]))
    assert services.call("GET", ROSTER, MEMBERS).status_code == 401
    services.use_token(platform.issue_token([SCOPE_MEMBERS]))
    assert services.call("GET", ROSTER, MEMBERS).status_code == 200
