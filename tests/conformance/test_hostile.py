"""What a platform, or whoever speaks in its place, may send without bringing the tool down."""

import json
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, Response
from sqlalchemy import select

from lti_tool.lti.claims import RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.models import DEAD, SENDING, ScoreOutbox
from lti_tool.lti.services import outbox, scores
from sandbox_lms.serve import running
from tests.conformance.world import AGS, SCHOOL, World

DEEP = "[" * 100_000


@pytest.mark.parametrize("name", ["target_link_uri", "deployment_id", "message_type", "version"])
def test_half_a_character_in_a_claim(tool: World, name: str) -> None:
    begun = tool.begin()
    claims = tool.claims(begun)
    key = next(key for key in claims if key.endswith(f"/{name}"))
    reply = tool.post(begun, tool.platform.sign({**claims, key: f"{claims[key]}\ud800"}))
    assert 400 <= reply.status_code < 500, reply.text


@pytest.mark.parametrize(
    "keys",
    [
        [1],
        ["kid"],
        [None],
        [["kid", 1]],
        {"kid": 1},
        [{"kid": "k", "kty": "RSA", "n": 5, "e": "AQAB"}],
        [{"kid": "k", "kty": "RSA", "n": None, "e": []}],
        [{"kid": "k", "kty": "RSA", "n": "\u00e9", "e": "AQAB"}],
        [{"kid": "k", "kty": "RSA", "n": "AQAB", "e": ""}],
        [{"kid": "k", "kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}],
        [{"kid": "k", "kty": ["RSA"], "use": {}, "alg": []}],
        "DEEP",
    ],
)
def test_a_key_set_of_odd_things(tool: World, keys: Any) -> None:
    body = DEEP if keys == "DEEP" else json.dumps({"keys": keys})
    app = Flask("keys")
    app.add_url_rule("/", "keys", lambda: Response(body))
    with running(app) as url:
        tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/")
        try:
            reply = tool.launch()
        finally:
            tool.register(SCHOOL, SCHOOL)
    assert reply.status_code in (401, 503), reply.text


LATEST = "9999-12-31T23:59:59+00:00"
FAR = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("deep", DEEP),
        ("huge", json.dumps([{"userId": "WHO", "resultScore": 10**400}])),
        ("late", json.dumps([{"userId": "WHO", "resultScore": 89.5, "timestamp": LATEST}])),
        ("zero", json.dumps([{"userId": "WHO", "resultScore": 1, "resultMaximum": "0"}])),
        ("wait", ""),
    ],
)
def test_an_odd_answer_does_not_stop_the_sweep(tool: World, name: str, result: str) -> None:
    """Whatever one platform answers to its score, those that others are owed must go out."""

    def answer(asked: str) -> Response:
        if asked == "token":
            return Response(json.dumps({"access_token": "t", "expires_in": 10**400}))
        if asked.endswith("/results"):
            return Response(result.replace("WHO", tool.learner.id))
        return Response("", 503 if name == "wait" else 409, {"Retry-After": FAR})

    app = Flask("services")
    app.add_url_rule("/<path:asked>", "answer", answer, methods=["GET", "POST"])
    with running(app) as url:
        endpoint = {"scope": [SCORE_SCOPE, RESULT_SCOPE], "lineitem": f"{url}/item"}
        assert tool.launch(**{AGS: endpoint}).status_code == 303
        tool.register(SCHOOL, SCHOOL, auth_token_url=f"{url}/token")
        completion_id, now = uuid4(), tool.lti.clock()
        try:
            with tool.database.transaction() as session:
                scores.owe(
                    session,
                    visit=tool.visits()[-1],
                    completion_id=completion_id,
                    cycle="2026-27",
                    module="induction",
                    score=90,
                    comment="",
                    completed_at=now,
                    now=now,
                )
            tool.lti.registry.forget()
            outbox.sweep(tool.lti)
        finally:
            tool.register(SCHOOL, SCHOOL)
            tool.lti.registry.forget()
    with tool.database.transaction() as session:
        row = session.scalars(
            select(ScoreOutbox).where(ScoreOutbox.completion_id == completion_id)
        ).one()
        assert row.attempts
        assert row.state != SENDING
        row.state = DEAD
