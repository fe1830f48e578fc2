"""What must hold beyond certification (SEC-1 to SEC-4, SEC-6 to SEC-8, SEC-11)."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from sqlalchemy import func, select

from lti_tool.lti.models import Nonce, Registration, ResourceLink
from lti_tool.lti.platforms import disable_platform
from lti_tool.people.models import Person, Visit
from sandbox_lms.platform import CLIENT_ID, OMIT
from tests.conformance.world import CORE, MEMBERSHIP, OTHER, SCHOOL, World, refused, world
from tests.conftest import SetClock
from tests.factories.keys import strangers_key


@pytest.mark.parametrize("alg", ["none", "HS256", "RS384", "RS512"])
def test_sec_1_other_algorithms(tool: World, alg: str) -> None:
    begun, before = tool.begin(), tool.counts()
    secret = tool.platform.keys[-1].public_pem() if alg == "HS256" else None
    token = tool.platform.sign(tool.claims(begun), alg=alg, key=secret)
    refused(tool.post(begun, token), 401, "launch-token-invalid")
    assert tool.counts() == before


@pytest.mark.parametrize("header", [{"alg": "none"}, {"alg": "PS256"}, {}, {"crit": ["b64"]}])
def test_sec_1_header_that_does_not_say_what_was_done(
    tool: World, header: dict[str, object]
) -> None:
    """Signed with RS256 and the right key, but the header says something else."""
    begun, key = tool.begin(), tool.platform.keys[-1]
    said = ({"alg": "RS256"} if "crit" in header else {}) | {"kid": key.kid} | header
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (said, tool.claims(begun))
    ]
    signature = key.private.sign(b".".join(parts), padding.PKCS1v15(), hashes.SHA256())
    parts.append(base64.urlsafe_b64encode(signature).rstrip(b"="))
    refused(tool.post(begun, b".".join(parts).decode()), 401, "launch-token-invalid")


def test_sec_1_another_key_under_the_same_kid(tool: World) -> None:
    begun, before = tool.begin(), tool.counts()
    token = tool.platform.sign(tool.claims(begun), key=strangers_key().private)
    refused(tool.post(begun, token), 401, "launch-token-invalid")
    assert tool.counts() == before


def test_sec_2_tampered_payload(tool: World) -> None:
    begun = tool.begin()
    head, _, signature = tool.token(begun).split(".")
    _, other, _ = tool.token(begun, sub="1").split(".")
    refused(tool.post(begun, f"{head}.{other}.{signature}"), 401, "launch-token-invalid")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "....", "é.é.é", "e30.e30."])
def test_sec_2_not_a_token(tool: World, token: str) -> None:
    reply = tool.post(tool.begin(), token)
    assert reply.status_code in (400, 401), reply.text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://unknown.example"},
        {"iss": OMIT},
        {"iss": ["x"]},
        {"aud": "another-client"},
        {"aud": OMIT},
        {"aud": []},
        {"aud": {"a": 1}},
        {"aud": [CLIENT_ID, "evil"]},
        {"aud": [CLIENT_ID, "evil"], "azp": CLIENT_ID},
        {"aud": [CLIENT_ID, CLIENT_ID]},
        {"azp": "evil"},
        {"azp": None},
    ],
)
def test_sec_2_issuer_and_audience(tool: World, changes: dict[str, Any]) -> None:
    before = tool.counts()
    reply = tool.launch(**changes)
    assert reply.status_code in (400, 401), reply.text
    assert tool.counts() == before


@pytest.mark.parametrize(
    "changes", [{"aud": [CLIENT_ID]}, {"aud": [CLIENT_ID], "azp": CLIENT_ID}, {"azp": CLIENT_ID}]
)
def test_sec_2_audience_that_is_ours(tool: World, changes: dict[str, Any]) -> None:
    assert tool.launch(**changes).status_code == 303


@pytest.mark.parametrize(
    ("iat", "exp"),
    [
        (0, OMIT),
        (OMIT, 60),
        (-100, -61),
        (62, 120),
        (-361, 60),
        ("text", 60),
        (True, 60),
        (0, float("nan")),
        (0, float("inf")),
        (0, 10**400),
        (0, None),
    ],
)
def test_sec_3_times_outside_the_leeway(tool: World, iat: Any, exp: Any) -> None:
    now, before = int(tool.lti.clock().timestamp()), tool.counts()

    def moment(value: Any) -> Any:
        is_offset = isinstance(value, int) and not isinstance(value, bool) and value < 10**6
        return now + value if is_offset else value

    reply = tool.launch(iat=moment(iat), exp=moment(exp))
    assert reply.status_code == 401, reply.text
    assert tool.counts() == before


@pytest.mark.parametrize(("iat", "exp"), [(0, 60), (58, 120), (-100, -58), (-358, 60)])
def test_sec_3_times_within_the_leeway(tool: World, iat: int, exp: int) -> None:
    now = int(tool.lti.clock().timestamp())
    assert tool.launch(iat=now + iat, exp=now + exp).status_code == 303


def test_sec_3_not_before(tool: World) -> None:
    now = int(tool.lti.clock().timestamp())
    refused(tool.launch(nbf=now + 90), 401, "launch-token-time")


def test_sec_4_replay_of_the_same_token(tool: World) -> None:
    begun = tool.begin()
    token = tool.token(begun)
    assert tool.post(begun, token).status_code == 303
    before = tool.counts()
    refused(tool.post(begun, token), 401, "launch-replayed")
    refused(tool.post(begun, token, cookies={}), 401, "launch-replayed")
    assert tool.counts() == before


def test_sec_4_same_nonce_with_a_new_state(tool: World) -> None:
    first, second = tool.begin(), tool.begin()
    refused(tool.post(second, tool.token(first)), 401, "launch-token-invalid")


def test_sec_4_reused_state_with_a_new_token(tool: World) -> None:
    begun = tool.begin()
    assert tool.post(begun, tool.token(begun)).status_code == 303
    refused(tool.post(begun, tool.token(begun, jti=uuid4().hex)), 401, "launch-replayed")


def test_sec_4_state_of_another_registration(tool: World) -> None:
    other = tool.register("other", OTHER, client_id="a-second-client")
    try:
        begun = tool.begin(client_id="a-second-client", lti_deployment_id=None)
        refused(tool.post(begun, tool.token(begun)), 401, "launch-token-invalid")
    finally:
        _disable(tool, other)


@pytest.mark.parametrize("spoil", [lambda state: f"x{state}", lambda state: state[:-2], str.upper])
def test_sec_4_state_is_not_ours(tool: World, spoil: Callable[[str], str]) -> None:
    begun = tool.begin()
    reply = tool.http.post(
        f"{tool.url}/lti/launch",
        data={"state": spoil(begun.state), "id_token": tool.token(begun)},
        allow_redirects=False,
        timeout=30,
    )
    refused(reply, 401, "launch-state-wrong")


def test_sec_4_state_or_token_missing(tool: World) -> None:
    begun = tool.begin()
    refused(tool.post(begun, ""), 400, "launch-incomplete")
    refused(tool.post(replace(begun, state=""), tool.token(begun)), 400, "launch-incomplete")


def test_sec_4_binding_cookie_is_another(tool: World) -> None:
    begun, before = tool.begin(), tool.counts()
    other = dict.fromkeys(begun.cookies, "0" * 64)
    refused(tool.post(begun, tool.token(begun), cookies=other), 401, "launch-other-browser")
    assert tool.counts() == before


def test_sec_4_binding_cookie_is_absent(tool: World) -> None:
    """An unbound visit: let in, but not before the person has confirmed."""
    begun = tool.begin()
    assert tool.post(begun, tool.token(begun), cookies={}).status_code == 303
    assert tool.visits()[-1].confirmed_at is None


def test_sec_4_state_older_than_its_life(tool: World, clock: SetClock) -> None:
    begun = tool.begin()
    clock.move(minutes=5)
    refused(tool.post(begun, tool.token(begun)), 401, "launch-state-old")


def test_sec_4_login_cookie_is_taken_back(tool: World) -> None:
    begun = tool.begin()
    reply = tool.post(begun, tool.token(begun))
    ended = [line for line in reply.raw.headers.getlist("Set-Cookie") if "Max-Age=0" in line]
    assert len(ended) == 1
    assert ended[0].startswith(next(iter(begun.cookies)))


@pytest.fixture
def fresh(database_url: str, clock: SetClock, tmp_path: Any) -> Iterator[World]:
    """A tool and a platform of one's own, on each kind of database."""
    with world(database_url, clock, tmp_path) as running:
        yield running


def _at_once(work: Sequence[Callable[[], requests.Response]]) -> list[int]:
    """Do all of it at the same moment; the status of each answer, sorted."""
    gate, found = threading.Barrier(len(work)), list[int]()

    def run(act: Callable[[], requests.Response]) -> None:
        gate.wait()
        found.append(act().status_code)

    threads = [threading.Thread(target=run, args=(act,)) for act in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_sec_4_replay_posted_at_once(fresh: World) -> None:
    begun = fresh.begin()
    token = fresh.token(begun)
    assert _at_once([lambda: fresh.post(begun, token)] * 4) == [303, 401, 401, 401]
    with fresh.database.reading() as session:
        for table in (Nonce, Visit, Person, ResourceLink):
            assert session.scalar(select(func.count()).select_from(table)) == 1


def test_two_first_launches_of_one_person_at_once(fresh: World) -> None:
    begun = [fresh.begin() for _ in range(4)]
    assert _at_once([partial(fresh.post, one, fresh.token(one)) for one in begun]) == [303] * 4
    with fresh.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1
        assert session.scalar(select(func.count()).select_from(ResourceLink)) == 1
        assert session.scalar(select(func.count()).select_from(Visit)) == 4


def test_sec_6_unknown_deployment(tool: World) -> None:
    before = tool.counts()
    begun = tool.begin(lti_deployment_id=None)
    token = tool.token(begun, **{f"{CORE}deployment_id": "unknown"})
    refused(tool.post(begun, token), 403, "deployment-unknown")
    assert tool.counts() == before


def test_sec_6_disabled_registration_stops_at_once(tool: World) -> None:
    """Also where this process has not looked again yet: the launch's own transaction does."""
    begun, before = tool.begin(), tool.counts()
    with tool.database.transaction() as session:
        row = session.get_one(Registration, tool.registration_id)
        disable_platform(session, row, now=tool.lti.clock())
    try:
        refused(tool.post(begun, tool.token(begun)), 403, "platform-unknown")
        refused(tool.send_login(tool.parameters()), 403, "platform-unknown")
        assert tool.counts() == before
    finally:
        tool.register(SCHOOL, SCHOOL)
    assert tool.launch().status_code == 303


@pytest.mark.parametrize(
    "changes",
    [
        {"https://example.org/claim/extra": {"deep": [1, {"a": None}]}},
        {"name": "Ŵyn Ó Dálaigh 李 🦉", "given_name": "李"},
        {"name": "<script>alert(1)</script>"},
        {"name": "x" * 5000, "email": "y" * 5000},
        {"name": "nul\x00 and \ud800 surrogate", "email": "a\x00@b.example"},
        {"name": ["not", "text"], "email": {"a": 1}},
        {f"{CORE}roles": [f"{MEMBERSHIP}/Instructor#TeachingAssistant", 7, None, "urn:x:y"]},
        {f"{CORE}custom": ["not", "an", "object"]},
        {f"{CORE}custom": {"school": "$Unresolved.variable", "module": 7}},
        {f"{CORE}context": None, f"{CORE}launch_presentation": "text"},
        {f"{CORE}launch_presentation": {"return_url": "javascript:alert(1);frame-src *"}},
        {"https://purl.imsglobal.org/spec/lti-ags/claim/endpoint": {"scope": "no list"}},
        {"https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice": []},
    ],
)
def test_sec_7_strange_claims_do_no_harm(tool: World, changes: dict[str, Any]) -> None:
    reply = tool.launch(**changes)
    assert reply.status_code == 303, reply.text
    assert "javascript" not in tool.visits()[-1].frame_ancestors


@pytest.mark.parametrize(
    "changes",
    [
        {"sub": "s" * 256},
        {f"{CORE}resource_link": {"id": "r" * 256}},
        {f"{CORE}deployment_id": "d" * 256},
        {f"{CORE}context": {"id": "c" * 256}},
        {"sub": "a\x00b"},
        {"sub": "\ud800"},
    ],
)
def test_sec_8_ids_too_long_or_unfit(tool: World, changes: dict[str, Any]) -> None:
    before = tool.counts()
    refused(tool.launch(**changes), 400, "launch-message-invalid")
    assert tool.counts() == before


def test_sec_8_ids_of_255_characters(tool: World) -> None:
    reply = tool.launch(sub="s" * 255, **{f"{CORE}resource_link": {"id": "r" * 255}})
    assert reply.status_code == 303


def test_sec_8_case_counts(tool: World) -> None:
    begun = tool.begin(lti_deployment_id=None)
    token = tool.token(begun, **{f"{CORE}deployment_id": SCHOOL.upper()})
    refused(tool.post(begun, token), 403, "deployment-unknown")
    people = tool.counts()["person"]
    for sub in ("case-matters", "Case-Matters"):
        assert tool.launch(sub=sub).status_code == 303
    assert tool.counts()["person"] == people + 2


@pytest.mark.parametrize(
    "kind",
    [
        "LtiDeepLinkingResponse",
        "LtiStartProctoring",
        "DataPrivacyLaunchRequest",
        "LtiUnheardOf",
    ],
)
def test_sec_11_unsupported_message(tool: World, kind: str) -> None:
    before = tool.counts()
    refused(tool.launch(**{f"{CORE}message_type": kind}), 400, "launch-message-unsupported")
    assert tool.counts() == before


def _disable(tool: World, registration_id: object) -> None:
    with tool.database.transaction() as session:
        row = session.get_one(Registration, registration_id)
        disable_platform(session, row, now=tool.lti.clock())
    tool.lti.registry.forget()
