"""Whoever fails too often waits, and nobody else does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from lti_tool.core.database import Database
from lti_tool.core.limits import CODES, LAUNCHES, LOOK_UPS, Limit, Tally
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.registers import Guest, arrive, browser, csrf, running

HERE: dict[str, Any] = {"base_url": "https://localhost"}
SCHOOL = "192.0.2.1"

# Whoever adds a door that strangers may try says here how often.
LIMITED = {
    "lti.login": LAUNCHES,
    "lti.launch": LAUNCHES,
    "lti.pick": LAUNCHES,
    "teams.enter": LAUNCHES,
    "teams.choices": LAUNCHES,
    "people.start": LAUNCHES,
    "people.carry_over": LAUNCHES,
    "metrics.page": LAUNCHES,
    "certificates.check": LOOK_UPS,
    "connect.register": LOOK_UPS,
    "connect.confirm": LOOK_UPS,
    "people.manage": CODES,
    "joins.who": CODES,
    "joins.yes": CODES,
}
# What tells everybody the same, and does nothing.
OPEN = {
    "healthz",
    "readyz",
    "certificates.ask",
    "connect.icon",
    "connect.manual",
    "lti.jwks",
    "packs.check",
    "packs.keys",
    "teams.about",
    "teams.configure",
    "teams.guide",
    "teams.tab",
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock) as app:
        app.extensions["tally"] = Tally(lambda: 1000.0)  # no time passes, however slow we are
        yield app


def fail(app: Flask, endpoint: str, who: str, limit: Limit, *, times: int = 0) -> None:
    """So many were refused already."""
    for _ in range(times or limit.tries):
        app.extensions["tally"].count(limit, (endpoint, who))


def launch(app: Flask, address: str = SCHOOL) -> tuple[int, str]:
    reply = browser(app).post(
        "/lti/launch", data={"state": "x"}, environ_overrides={"REMOTE_ADDR": address}, **HERE
    )
    return reply.status_code, reply.headers.get("Retry-After", "")


def code(app: Flask, guest: Guest, path: str = "/also-you/who") -> tuple[int, str, str]:
    form = {"csrf_token": csrf(app, guest.admission.visit_id), "code": "WRON-GWRO-NGWR"}
    reply = browser(app, guest).post(path, data=form, **HERE)
    return reply.status_code, reply.headers.get("Retry-After", ""), reply.text


def test_every_door_that_strangers_may_try_has_a_limit(app: Flask) -> None:
    """What they may send, or may name in an address; a page that only says something has none."""
    marks = {name: access.access_of(view) for name, view in app.view_functions.items()}
    found = {name: mark.limit for name, mark in marks.items() if mark and mark.limit}
    assert LIMITED.items() <= found.items()
    tried = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (mark := marks[rule.endpoint]) is not None
        and mark.level == "public"
        and ("POST" in (rule.methods or ()) or rule.arguments)
    }
    assert tried <= set(found)
    assert OPEN.isdisjoint(found)


def test_whose_launches_are_refused_too_often_is_told_to_wait(app: Flask) -> None:
    assert launch(app)[0] == 400
    fail(app, "lti.launch", SCHOOL, LAUNCHES)
    status, seconds = launch(app)
    assert status == 429
    assert 1 <= int(seconds) <= 2
    assert launch(app, "192.0.2.2")[0] == 400


def test_an_address_that_somebody_makes_up_is_not_theirs(app: Flask) -> None:
    """No proxy is counted on here, so what one would say counts for nothing."""
    fail(app, "lti.launch", SCHOOL, LAUNCHES)
    reply = browser(app).post(
        "/lti/launch",
        environ_overrides={"REMOTE_ADDR": SCHOOL},
        headers={"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"},
        **HERE,
    )
    assert reply.status_code == 429


def test_nobodys_failures_keep_another_out_at_the_same_address(
    app: Flask, database: Database
) -> None:
    """What is good is let in as long as the failures are no flood."""
    fail(app, "people.start", SCHOOL, LAUNCHES, times=LAUNCHES.tries * 9)
    guest = arrive(database, "A Learner")
    there = {"environ_overrides": {"REMOTE_ADDR": SCHOOL}}
    wrong = browser(app).get("/start?code=wrong", **there, **HERE)
    assert wrong.status_code == 429
    good = browser(app).get(f"/start?code={guest.admission.code}", **there, **HERE)
    assert good.status_code == 200


def test_the_door_is_closed_to_a_flood(app: Flask, database: Database) -> None:
    fail(app, "people.start", SCHOOL, LAUNCHES, times=LAUNCHES.tries * LAUNCHES.patience)
    guest = arrive(database, "A Learner")
    path = f"/start?code={guest.admission.code}"
    held = browser(app).get(path, environ_overrides={"REMOTE_ADDR": SCHOOL}, **HERE)
    assert held.status_code == 429
    assert browser(app).get(path, **HERE).status_code == 200


def test_codes_are_not_guessed(app: Flask, database: Database) -> None:
    guesser, other = arrive(database, "Guesser"), arrive(database, "Another")
    for _ in range(CODES.tries):
        assert code(app, guesser)[0] == 400
    status, seconds, text = code(app, guesser)
    assert status == 429
    assert 50 < int(seconds) <= 60
    assert "Too many tries" in text
    assert 'role="main"' in text or "<main" in text
    assert code(app, other)[0] == 400


def test_a_look_up_counts_whether_it_finds_anything_or_not(app: Flask) -> None:
    client = browser(app)
    for _ in range(LOOK_UPS.tries):
        assert client.get("/connect/register/nothing", **HERE).status_code == 404
    reply = client.get("/connect/register/nothing", **HERE)
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "1")


def test_a_fault_of_ours_counts_for_nobody(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.testing = False
    monkeypatch.setattr("lti_tool.lti.views.prove", None)
    fail(app, "lti.launch", SCHOOL, LAUNCHES, times=LAUNCHES.tries - 1)
    for _ in range(3):
        assert launch(app)[0] == 500
    assert not app.extensions["tally"].wait(LAUNCHES, ("lti.launch", SCHOOL))
