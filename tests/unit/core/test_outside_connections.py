"""Connections to the outside, and threads, that serve the next call too."""

import gc
import socket
import threading
import time
import weakref
from collections import deque
from queue import SimpleQueue

import pytest

from lti_tool.core.outside import Outage
from tests.factories.servers import answers, listening, says, slowly, wait_for_threads
from tests.unit.core.conftest import outside


def test_a_connection_serves_the_next_call_too() -> None:
    door, connections = outside("http://localhost:8000"), list[int]()
    two, is_closed = answers(2, lambda wire: None), threading.Event()

    def serve(wire: socket.socket) -> None:
        connections.append(1)
        two(wire)
        wire.close()
        is_closed.set()

    with listening(serve) as url:
        assert [door.call("GET", url, headers={}).body for _ in range(2)] == [b"{}"] * 2
        assert is_closed.wait(10)
        assert door.call("GET", url, headers={}).body == b"{}"
    assert len(connections) == 2


def test_a_thread_serves_the_next_call_too_and_holds_nothing_of_the_last() -> None:
    door, before = outside("http://localhost:8000"), threading.active_count()
    with listening(answers(20, lambda wire: None)) as url:
        threads = set[int]()
        for _ in range(20):
            answer = weakref.ref(door.call("GET", url, headers={}))
            threads.add(threading.active_count())
    assert max(threads) <= before + 3, "who listens, who serves there, and one of ours"
    gc.collect()
    assert answer() is None


def test_calls_at_one_time_have_a_thread_each() -> None:
    """A slow answer of one server does not hold up another's."""
    door, gate, both = outside("http://localhost:8000"), threading.Barrier(3), list[bytes]()

    def serve(wire: socket.socket) -> None:
        gate.wait(10)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")

    def ask(url: str) -> None:
        both.append(door.call("GET", url, headers={}, seconds=20).body)

    for _ in range(2):  # with new threads, then with kept ones
        with listening(serve) as url:
            asking = [threading.Thread(target=ask, args=(url,)) for _ in range(2)]
            for thread in asking:
                thread.start()
            gate.wait(10)
            for thread in asking:
                thread.join(20)
    assert both == [b"{}"] * 4


def test_a_thread_without_a_call_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.core.outside.KEPT_FOR", 0.05)
    door, before = outside("http://localhost:8000"), threading.active_count()
    for _ in range(3):
        with listening(says(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n")) as url:
            assert door.call("GET", url, headers={}).status == 204
        wait_for_threads(before)
    assert not door._idle


def test_a_call_that_is_handed_to_a_thread_as_it_ends_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has waited for long enough, and somebody takes it before it can say so."""
    monkeypatch.setattr("lti_tool.core.outside.KEPT_FOR", 0.0)
    door = outside("http://localhost:8000")
    door._idle = deque([SimpleQueue()])
    inbox = door._idle.pop()
    server = threading.Thread(target=door._serve, args=(inbox,), daemon=True)
    server.start()
    time.sleep(0.05)
    assert server.is_alive(), "whoever took it will hand it a call"
    door._idle.append(inbox)
    with listening(says(b"HTTP/1.1 204 None\r\nConnection: close\r\n\r\n")) as url:
        assert door.call("GET", url, headers={}).status == 204


def test_a_kept_connection_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lti_tool.core.outside.KEPT_FOR", 0.0)
    door, connections = outside("http://localhost:8000"), list[int]()
    two = answers(2, lambda wire: None)

    def serve(wire: socket.socket) -> None:
        connections.append(1)
        two(wire)

    with listening(serve) as url:
        for _ in range(2):
            door.call("GET", url, headers={})
    assert len(connections) == 2


def test_a_slow_server_is_cut_off_on_a_kept_connection_too() -> None:
    before = threading.active_count()
    door = outside("http://localhost:8000")
    with listening(answers(1, slowly)) as url:
        door.call("GET", url, headers={})
        began = time.monotonic()
        with pytest.raises(Outage):
            door.call("GET", url, headers={}, seconds=0.4)
        assert time.monotonic() - began < 5
    wait_for_threads(before)
