"""Every route answers with the headers that guard it, whatever it answers and to whom."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lti_tool.core.database import Database
from lti_tool.people import access
from lti_tool.teams.tenants import FRAMED_BY
from lti_tool.teams.views import IN_TEAMS
from lti_tool.ui.assets import asset_url
from tests.factories.registers import FRAME, Guest, arrive, browser, csrf, make_manager
from tests.house.test_routes import address

HERE: dict[str, Any] = {"base_url": "https://localhost"}
# Pages that say the same to everybody, and may be kept for a while.
MAY_BE_KEPT = {"lti.jwks": "public, max-age=300", "connect.icon": "public, max-age=86400"}
# What others' pages may show, as a picture.
MAY_BE_SHOWN_ELSEWHERE = {"connect.icon"}
# Its script and style stand in the page, which is one file on purpose, each named by its hash.
HAS_SCRIPT_WITHIN = {"packs.check"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def replies(app: Flask, guest: Guest | None) -> Iterator[tuple[str, TestResponse]]:
    """What each route answers to this guest; the one that ends the visit is asked last."""
    client = browser(app, guest)
    token = csrf(app, guest.admission.visit_id) if guest else "x"
    rules = sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint == "people.finish")
    for rule in rules:
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            data = {"csrf_token": token} if method == "POST" else None
            reply = client.open(address(rule), method=method, data=data, **HERE)
            yield rule.endpoint, reply
            reply.close()


def policy(reply: TestResponse) -> dict[str, list[str]]:
    given = reply.headers["Content-Security-Policy"]
    return {name: sources for name, *sources in (part.split() for part in given.split("; "))}


@pytest.mark.parametrize("who", ["nobody", "manager"])
def test_every_route_answers_with_the_headers_that_guard_it(
    app: Flask, database: Database, who: str
) -> None:
    guest = None if who == "nobody" else arrive(database, "Somebody", counted=True)
    if guest and who == "manager":
        make_manager(database, guest)
    statuses = set()
    for endpoint, reply in replies(app, guest):
        statuses.add(reply.status_code)
        headers = reply.headers
        for name in headers.keys():  # noqa: SIM118  (pairs, else)
            assert len(headers.getlist(name)) == 1 or name == "Set-Cookie", (endpoint, name)
        assert headers["X-Content-Type-Options"] == "nosniff", endpoint
        assert headers["Referrer-Policy"] == "same-origin", endpoint
        assert headers["Strict-Transport-Security"] == "max-age=31536000", endpoint
        assert "camera=()" in headers["Permissions-Policy"], endpoint
        shown = "cross-origin" if endpoint in MAY_BE_SHOWN_ELSEWHERE else "same-origin"
        assert headers["Cross-Origin-Resource-Policy"] == shown, endpoint
        kept = MAY_BE_KEPT.get(endpoint, "no-store")
        assert headers["Cache-Control"] == kept, endpoint
        assert "Access-Control-Allow-Origin" not in headers, endpoint
        check_policy(endpoint, reply, guest)
    assert {200, 404} <= statuses


def check_policy(endpoint: str, reply: TestResponse, guest: Guest | None) -> None:
    said = policy(reply)
    assert said["default-src"] == ["'none'"], endpoint
    assert said["base-uri"] == ["'none'"], endpoint
    if endpoint not in HAS_SCRIPT_WITHIN:
        assert (said["script-src"], said["style-src"]) == (["'self'"], ["'self'"]), endpoint
        assert said["form-action"] == ["'self'"], endpoint
    assert "'unsafe-inline'" not in str(said), endpoint
    assert "'unsafe-eval'" not in str(said), endpoint
    framed_by = said["frame-ancestors"]
    if reply.status_code >= 400 and framed_by == ["*"]:
        assert b"<form" not in reply.data, endpoint
        assert b"csrf_token" not in reply.data, endpoint
    elif endpoint in IN_TEAMS:
        assert framed_by == list(FRAMED_BY), endpoint
    else:
        own = [FRAME] if guest else ["'none'"]
        assert framed_by in (own, ["'none'"]), (endpoint, framed_by)


def test_an_address_that_is_none_has_them_too(app: Flask) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        reply = browser(app).open("/no-such-page", method=method, **HERE)
        assert reply.status_code == 404
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert policy(reply)["default-src"] == ["'none'"]


def test_what_the_browser_is_sent_besides_pages(app: Flask) -> None:
    reply = browser(app).get(asset_url("clauseway.css"), **HERE)
    assert reply.status_code == 200
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "immutable" in reply.headers["Cache-Control"]
    reply.close()


def test_cookies_are_for_this_host_https_and_no_script(app: Flask, database: Database) -> None:
    guest = arrive(database, "Somebody", is_bound=False)
    reply = browser(app).post("/start", data={"code": guest.admission.code}, **HERE)
    cookie = reply.headers["Set-Cookie"]
    assert cookie.startswith(access.COOKIE)
    assert access.COOKIE.startswith("__Host-")
    for flag in ("Secure", "HttpOnly", "Path=/", "SameSite=None", "Partitioned"):
        assert flag in cookie
    assert "Domain" not in cookie
