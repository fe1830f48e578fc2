"""Claims become plain values; roles open nothing that they should not."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.errors import ToolError
from lti_tool.lti import claims
from lti_tool.lti.claims import AGS, CORE, MEMBERSHIP, ROLES, Standing

LEARNER = Standing(False, False, False, False)
INSTRUCTOR = Standing(True, False, True, True)
ADMINISTRATOR = Standing(True, True, False, True)
DEVELOPER = Standing(False, False, False, True)

opening = st.sampled_from(
    [
        "Instructor",
        "Administrator",
        f"{MEMBERSHIP}#Instructor",
        f"{MEMBERSHIP}#Administrator",
        f"{MEMBERSHIP}/Instructor#TeachingAssistant",
        f"{MEMBERSHIP}/Administrator#Support",
    ]
)
closed = st.one_of(
    st.text(max_size=40).filter(lambda role: role not in ("Instructor", "Administrator")),
    st.integers(),
    st.none(),
    st.sampled_from(
        [
            "Learner",
            "instructor",
            "INSTRUCTOR",
            f"{MEMBERSHIP}#Learner",
            f"{MEMBERSHIP}#Mentor",
            f"{MEMBERSHIP}/Learner#Instructor",
            f"{MEMBERSHIP}Instructor",
            f"{MEMBERSHIP}#Instructor#Learner",
            f"{ROLES}institution/person#Instructor",
            f"{ROLES}institution/person#Staff",
            f"{ROLES}institution/person#Faculty",
            f"{ROLES}system/person#User",
            "http://example.org/vocab#Instructor",
            "urn:lti:role:ims/lis/Instructor",
        ]
    ),
)
administrator = st.sampled_from(
    [
        f"{ROLES}{kind}/person#{name}"
        for kind in ("system", "institution")
        for name in ("Administrator", "SysAdmin")
    ]
)


@given(st.lists(closed, max_size=6))
def test_other_roles_leave_a_learner(roles: list[object]) -> None:
    assert claims.standing(roles) == LEARNER


@given(st.lists(closed, max_size=4), opening, st.lists(closed, max_size=4))
def test_a_context_role_makes_an_instructor_whatever_stands_beside_it(
    before: list[object], role: str, after: list[object]
) -> None:
    assert claims.standing([*before, role, *after]) == INSTRUCTOR


@given(st.lists(closed, max_size=4), administrator)
def test_only_a_platform_administrator_may_set_up(roles: list[object], role: str) -> None:
    assert claims.standing([*roles, role]) == ADMINISTRATOR


@pytest.mark.parametrize("role", ["ContentDeveloper", f"{MEMBERSHIP}#ContentDeveloper"])
def test_a_content_developer_may_edit_the_course_and_no_more(role: str) -> None:
    assert claims.standing(["Learner", role]) == DEVELOPER


@given(st.lists(st.one_of(closed, opening, administrator), max_size=6), st.randoms())
def test_order_and_repetition_do_not_matter(roles: list[object], random: Any) -> None:
    shuffled = [*roles, *roles]
    random.shuffle(shuffled)
    assert claims.standing(shuffled) == claims.standing(roles)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Moodle.Example.org/x?y=1#z", "https://moodle.example.org"),
        ("http://127.0.0.1:8100/a", "http://127.0.0.1:8100"),
        ("http://[::1]:8100/a", "http://[::1]:8100"),
        ("https://user:pass@host.example/", "https://host.example"),
        ("javascript:alert(1)", ""),
        ("https://a b.example/", ""),
        ("https://a.example;frame-src *", ""),
        ("https://*.example/", ""),
        ("//host.example/", ""),
        ("http://[", ""),
        ("https://" + "a" * 3000, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_origin(url: object, found: str) -> None:
    assert claims.origin(url) == found


@given(st.one_of(st.text(), st.from_regex(r"https?://.{0,40}", fullmatch=True)))
def test_an_origin_can_stand_in_a_header(url: str) -> None:
    found = claims.origin(url)
    assert not set(found) & set(" ;,'\"\r\n*")
    assert claims.origin(found) == found


@pytest.mark.parametrize(
    ("url", "is_fit"),
    [
        ("https://moodle.example/item?type_id=7", True),
        ("http://localhost:8100/item", True),
        ("http://moodle.example/item", False),
        ("https://moodle.example/item\nX: y", False),
        ("ftp://moodle.example/item", False),
        ("", False),
    ],
)
def test_a_token_is_sent_to_safe_addresses_only(url: str, is_fit: bool) -> None:
    assert claims.service_url(url) == (url if is_fit else "")


def _body(**changes: object) -> dict[str, object]:
    said: dict[str, object] = {
        "sub": "7",
        f"{CORE}message_type": "LtiResourceLinkRequest",
        f"{CORE}version": "1.3.0",
        f"{CORE}roles": [],
        f"{CORE}resource_link": {"id": "1"},
    }
    return said | changes


def test_the_least_a_launch_may_say() -> None:
    found = claims.read_claims(_body())
    assert (found.subject, found.name, found.email, found.context_id) == ("7", "", "", "")
    assert found.standing == LEARNER
    assert found.scopes == ()


def test_a_name_is_put_together_where_only_its_parts_came() -> None:
    assert claims.read_claims(_body(given_name="Siân", family_name="Rees")).name == "Siân Rees"
    assert claims.read_claims(_body(given_name="Siân")).name == "Siân"
    assert claims.read_claims(_body(name=" S\tR ", given_name="x")).name == "SR"


def test_scopes_are_the_known_ones_sorted() -> None:
    granted = [claims.SCORE_SCOPE, "https://other.example/scope", 7, claims.LINE_ITEM_SCOPE]
    found = claims.read_claims(_body(**{AGS: {"scope": granted}}))
    assert found.scopes == (claims.LINE_ITEM_SCOPE, claims.SCORE_SCOPE)


def test_custom_parameters() -> None:
    custom = {"school": "glenmere", "module": "$ResourceLink.unknown"}
    found = claims.read_claims(_body(**{f"{CORE}custom": custom}))
    assert (found.school, found.module) == ("glenmere", "")


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    [
        *("sub", "name", "email", "given_name", AGS, claims.NRPS),
        *(
            f"{CORE}{name}"
            for name in (
                "message_type",
                "version",
                "roles",
                "resource_link",
                "context",
                "custom",
                "launch_presentation",
            )
        ),
    ]
)


@given(st.dictionaries(names, anything, max_size=5))
def test_whatever_a_claim_holds_it_is_read_or_refused(changes: dict[str, object]) -> None:
    found = None
    with contextlib.suppress(ToolError):
        found = claims.read_claims(_body(**changes))
    if found is not None:
        for text in (found.subject, found.name, found.email, found.school, found.context_id):
            text.encode()
            assert len(text) <= 255
