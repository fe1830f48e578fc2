"""When rosters are read, and what a member of one may look like."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.lti.rosters.reading import next_night
from lti_tool.lti.rosters.words import REASONS
from lti_tool.lti.services.members import RosterUnfit, read_page

MOMENTS = st.integers(0, 4_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
MEMBER = st.fixed_dictionaries(
    {},
    optional={
        name: ANYTHING for name in ("user_id", "status", "roles", "name", "given_name", "email")
    },
)


@given(st.uuids(), MOMENTS)
def test_each_course_is_read_once_a_night(roster_id: UUID, now: datetime) -> None:
    first = next_night(roster_id, now)
    assert now < first <= now + timedelta(days=1)
    assert 1 <= first.hour < 5
    assert next_night(roster_id, first) == first + timedelta(days=1)


@given(st.lists(ANYTHING | MEMBER, max_size=5))
def test_whatever_is_listed_is_taken_in_or_counted(entries: list[Any]) -> None:
    page = read_page({"members": entries, "context": 7})
    assert len(page.members) + page.skipped <= len(entries)
    for one in page.members:
        assert 0 < len(one.subject) <= 255
        assert (one.name + one.email).isprintable()


@pytest.mark.parametrize("container", [None, [], "x", 7, {}, {"members": None}, {"members": {}}])
def test_what_is_no_container(container: object) -> None:
    with pytest.raises(RosterUnfit, match="unreadable"):
        read_page(container)


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        ("Active", True),
        ("active", True),
        (None, True),
        ("", True),
        ("http://purl.imsglobal.org/vocab/lis/v2/status#Active", True),
        ("Inactive", False),
        ("Deleted", False),
        ("http://purl.imsglobal.org/vocab/lis/v2/status#Inactive", False),
        ("Something", False),
        (7, False),
    ],
)
def test_status(status: object, is_active: bool) -> None:
    (found,) = read_page({"members": [{"user_id": "1", "status": status}]}).members
    assert found.is_active is is_active


@pytest.mark.parametrize(
    "role",
    ["TestUser", "http://purl.imsglobal.org/vocab/lti/system/person#TestUser"],
)
def test_a_teachers_own_test_user_is_nobody(role: str) -> None:
    page = read_page({"members": [{"user_id": "1", "roles": ["Learner", role]}]})
    assert (list(page.members), page.skipped) == ([], 0)


def test_every_reason_has_its_words() -> None:
    assert {
        "unreachable reconnect forbidden gone no-service disconnected elsewhere endless empty"
        " unreadable refused fault"
    } == {" ".join(REASONS)}
