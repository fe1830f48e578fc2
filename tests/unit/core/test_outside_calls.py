"""One call to the outside: what is sent, what is read, and that nothing holds it open."""

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from lti_tool.core.outside import Outage
from tests.factories.servers import drips, listening, listens, says, wait_for_threads
from tests.unit.core.conftest import outside


def test_an_answer() -> None:
    door = outside("http://localhost:8000")
    with listening(says(b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\n{}")) as url:
        answer = door.call("POST", url, headers={"Accept": "application/json"}, body=b"{}")
    assert (answer.status, answer.body, answer.is_ok) == (201, b"{}", True)


def test_what_is_sent_says_who_we_are_and_nothing_that_was_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of passwords for this host must not take our token's place."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    heard: list[bytes] = []

    def serve(wire: socket.socket) -> None:
        wire.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 2\r\n\r\n{}")
        said = wire.recv(65536)
        while not said.endswith(b"{}"):  # it may come in pieces
            said += wire.recv(65536)
        heard.append(said)
        wire.sendall(b"HTTP/1.1 204 None\r\n\r\n")

    door, headers = outside("http://localhost:8000"), {"Authorization": "Bearer t", "Accept": "x/y"}
    with listening(serve) as url:
        door.call("GET", url, headers=headers)
        door.call("POST", f"{url}a?b=c", headers=headers, body=b"{}")
    line, _, rest = heard[0].partition(b"\r\n")
    head, _, body = rest.partition(b"\r\n\r\n")
    said = dict(one.split(b": ", 1) for one in head.split(b"\r\n"))
    assert (line, body) == (b"POST /a?b=c HTTP/1.1", b"{}")
    assert said[b"Authorization"] == b"Bearer t"
    assert said[b"Accept"] == b"x/y"
    assert said[b"User-Agent"] == b"Clauseway (LTI 1.3 tool)"
    assert said[b"Content-Length"] == b"2"
    assert b"Cookie" not in said


@pytest.mark.parametrize(
    ("no_proxy", "asks"), [("", b"GET http://localhost/ HTTP/1.1"), ("*", b"")]
)
def test_a_proxy_of_the_environment_is_asked(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, asks: bytes
) -> None:
    heard: list[bytes] = []

    def serve(wire: socket.socket) -> None:
        heard.append(wire.recv(65536).partition(b"\r\n")[0])
        wire.sendall(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n")

    def nobody(*_args: object, **_more: object) -> socket.socket:
        raise ConnectionRefusedError

    monkeypatch.setattr("lti_tool.core.outside.create_connection", nobody)
    for name in ("no_proxy", "http_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with listening(serve, reads=False) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("NO_PROXY", no_proxy)
        try:
            status = outside("http://localhost:8000").call("GET", "http://localhost", headers={})
        except Outage:
            status = None
    assert heard == ([asks] if asks else [])
    assert (status is not None) == bool(asks)


def test_no_redirect_is_followed() -> None:
    said = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    with listening(says(said)) as url:
        assert outside("http://localhost:8000").call("GET", url, headers={}).status == 302


@pytest.mark.parametrize(
    "serve",
    [
        drips(b""),
        drips(b"HTTP/1.1 200 OK\r\nX-Long: "),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        listens,
    ],
    ids=["status", "headers", "body", "silence"],
)
def test_a_slow_server_holds_nobody_and_is_cut_off(
    serve: Callable[[socket.socket], None],
) -> None:
    before = threading.active_count()
    with listening(serve) as url:
        began = time.monotonic()
        with pytest.raises(Outage):
            outside("http://localhost:8000").call("GET", url, headers={}, seconds=0.4)
        assert time.monotonic() - began < 5
    wait_for_threads(before)


def test_an_answer_that_unpacks_to_more_than_it_is_fills_no_memory() -> None:
    body = gzip.compress(bytes(64 * 1024 * 1024), 9)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    tracemalloc.start()
    try:
        with listening(says(head.encode() + body)) as url, pytest.raises(Outage):
            outside("http://localhost:8000").call("GET", url, headers={}, seconds=5)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + b"x" * 400_000,
        b"no http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        b"",
    ],
    ids=["oversize", "not http", "not gzip", "nothing"],
)
def test_what_cannot_be_read_is_an_outage(answer: bytes) -> None:
    with listening(says(answer)) as url, pytest.raises(Outage):
        outside("http://localhost:8000").call("GET", url, headers={}, seconds=5)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Outage):
        outside("http://localhost:8000").call("GET", f"http://127.0.0.1:{port}/", headers={})


def test_a_session_says_who_we_are_and_keeps_no_cookies() -> None:
    said = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with listening(says(said)) as url, outside("http://localhost:8000").session() as http:
        reply = http.get(url, timeout=5)
        assert reply.request.headers["User-Agent"] == "Clauseway (LTI 1.3 tool)"
        assert not list(http.cookies)
