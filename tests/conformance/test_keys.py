"""Keys: platforms', whatever their servers do (SEC-5), and ours (SEC-9)."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

import pytest
from flask import Flask, Response, jsonify

from lti_tool.core import keysets
from sandbox_lms.serve import running
from tests.conformance.world import SCHOOL, World, refused
from tests.conftest import SetClock
from tests.factories.servers import answering


def _key_fetches(tool: World) -> int:
    return sum(1 for seen in tool.platform.requests_seen if seen.path == "/jwks")


def test_sec_5_no_key_fetch_once_warm(tool: World) -> None:
    assert tool.launch().status_code == 303
    tool.platform.requests_seen.clear()
    for _ in range(3):
        assert tool.launch().status_code == 303
    assert _key_fetches(tool) == 0


def test_sec_5_rotated_key_is_fetched_once(tool: World) -> None:
    assert tool.launch().status_code == 303
    tool.platform.requests_seen.clear()
    tool.platform.rotate_key()
    assert [tool.launch().status_code for _ in range(3)] == [303] * 3
    assert _key_fetches(tool) == 1


def test_sec_5_storm_of_unknown_kids(tool: World, clock: SetClock) -> None:
    assert tool.launch().status_code == 303
    clock.move(seconds=61)  # past the minute of any fetch this launch made
    tool.platform.requests_seen.clear()
    for number in range(10):
        begun = tool.begin()
        token = tool.platform.sign(tool.claims(begun), kid=f"unknown-{number}")
        refused(tool.post(begun, token), 401, "launch-token-invalid")
    assert _key_fetches(tool) == 2
    clock.move(seconds=61)
    tool.platform.rotate_key()
    assert tool.launch().status_code == 303


@pytest.mark.parametrize("kind", ["500", "503", "404", "reset"])
def test_sec_5_key_outage_is_a_503_and_ends_with_it(
    tool: World, clock: SetClock, kind: str
) -> None:
    """A storm of launches while it lasts asks the platform once in three seconds, no more."""
    tool.platform.rotate_key(keep_old=False)
    before = tool.counts()
    tool.platform.faults.put("jwks", kind)
    for _ in range(3):
        reply = tool.launch()
        refused(reply, 503, "platform-keys-unavailable")
        assert reply.headers["Retry-After"] == "3"
    assert _key_fetches(tool) == 1
    clock.move(seconds=4)
    refused(tool.launch(), 503, "platform-keys-unavailable")
    assert _key_fetches(tool) == 2
    assert tool.counts() == before
    tool.platform.faults.clear()
    clock.move(seconds=4)
    assert tool.launch().status_code == 303
    assert tool.launch().status_code == 303


def test_sec_5_outage_leaves_those_alone_whose_key_we_hold(tool: World) -> None:
    assert tool.launch().status_code == 303
    tool.platform.faults.put("jwks", "500")
    begun = tool.begin()
    forged = tool.platform.sign(tool.claims(begun), kid="unknown")
    refused(tool.post(begun, forged), 503, "platform-keys-unavailable")
    assert tool.launch().status_code == 303


def _launches_at_once(tool: World, many: int) -> list[int]:
    """The statuses of that many launches."""
    begun = [tool.begin() for _ in range(many)]
    tokens = [tool.token(one) for one in begun]
    found: list[int] = []

    def launch(number: int) -> None:
        found.append(tool.post(begun[number], tokens[number]).status_code)

    threads = [threading.Thread(target=launch, args=(number,)) for number in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_sec_5_nobody_waits_five_seconds_for_a_platform_that_is_silent(
    tool: World, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the connection and says nothing: all wait for one fetch, and then nobody."""
    assert keysets.FETCH_SECONDS <= 4  # and here, to be quicker
    monkeypatch.setattr(keysets, "FETCH_SECONDS", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent, ExitStack() as held:
        silent.setblocking(False)

        def fetches() -> int:
            for number in count():
                try:
                    held.enter_context(silent.accept()[0])
                except BlockingIOError:
                    return number
            raise AssertionError

        tool.register(SCHOOL, SCHOOL, jwks_url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        try:
            began = time.monotonic()
            assert _launches_at_once(tool, 5) == [503] * 5
            assert time.monotonic() - began < 9, "the five wait together, not in turn"
            assert fetches() == 1
            clock.move(seconds=5)
            assert _launches_at_once(tool, 5) == [503] * 5
            assert fetches() == 0
            clock.move(seconds=3)
            assert _launches_at_once(tool, 5) == [503] * 5
            assert fetches() == 1
        finally:
            tool.register(SCHOOL, SCHOOL)
    assert tool.launch().status_code == 303


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("start", [b"HTTP/1.1 ", HEADERS, HEADERS + b"\r\n"])
def test_sec_5_platform_that_drips(
    tool: World, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    """A byte at a time, in the status line, the headers or the body."""
    monkeypatch.setattr(keysets, "FETCH_SECONDS", 0.5)

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(b"1")
            time.sleep(0.05)

    with answering(drip) as url:
        tool.register(SCHOOL, SCHOOL, jwks_url=url)
        try:
            began = time.monotonic()
            assert _launches_at_once(tool, 1) == [503]
            assert time.monotonic() - began < 20, "and not for as long as it drips"
        finally:
            tool.register(SCHOOL, SCHOOL)


def _keys_at(url_of: Callable[[str], Response]) -> Flask:
    app = Flask("keys")
    app.add_url_rule("/<path:name>", "keys", lambda name: url_of(name))
    return app


@pytest.mark.parametrize("name", ["html", "large", "list", "elsewhere", "empty", "no-keys"])
def test_sec_5_key_set_that_is_none(tool: World, name: str) -> None:
    hits: list[str] = []

    def answer(asked: str) -> Response:
        hits.append(asked)
        return {
            "html": Response("<html>"),
            "large": Response(b'{"keys": [' + b" " * 300_000 + b"]}"),
            "list": Response("[1]"),
            "elsewhere": Response(status=302, headers={"Location": "/never"}),
            "empty": Response(""),
            "no-keys": Response('{"keys": []}'),
        }[asked]

    with running(_keys_at(answer)) as url:
        tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/{name}")
        try:
            refused(tool.launch(), 503, "platform-keys-unavailable")
        finally:
            tool.register(SCHOOL, SCHOOL)
    assert hits == [name]
    assert tool.launch().status_code == 303


def test_sec_5_unfit_keys_are_passed_over(tool: World) -> None:
    """Alone they are no key set; beside a good key they do it no harm and open nothing."""
    good = tool.platform.keys[-1].to_jwk()
    unfit = [
        {**good, "use": "enc"},
        {**good, "alg": "RS512"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": good["kid"]},
        {"kty": "RSA", "kid": good["kid"], "n": "AQAB", "e": "AQAB"},
        {**good, "kid": None},
        "no object",
    ]
    sets = {"alone": unfit, "beside": [*unfit, good, *unfit], "other": [{**good, "kid": "other"}]}
    with running(_keys_at(lambda name: jsonify({"keys": sets[name]}))) as url:
        try:
            tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/alone")
            refused(tool.launch(), 503, "platform-keys-unavailable")
            tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/beside")
            assert tool.launch().status_code == 303
            tool.register(SCHOOL, SCHOOL, jwks_url=f"{url}/other")
            refused(tool.launch(), 401, "launch-token-invalid")
        finally:
            tool.register(SCHOOL, SCHOOL)


def test_sec_9_our_key_set(tool: World) -> None:
    first = tool.http.get(f"{tool.url}/lti/jwks", timeout=30)
    assert first.status_code == 200
    assert first.headers["Content-Type"] == "application/json"
    for key in first.json()["keys"]:
        assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")
    tool.lti.tool_keys.rotate()
    second = tool.http.get(f"{tool.url}/lti/jwks", timeout=30).json()["keys"]
    assert [key["kid"] for key in first.json()["keys"]] == [key["kid"] for key in second][:-1]
