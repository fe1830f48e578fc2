"""Servers that do what no server should, on loopback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def answering(answer: Callable[[socket.socket], None], scheme: str = "http") -> Iterator[str]:
    """The address of a server that lets ``answer`` do as it likes with each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        def talk(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"{scheme}://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)  # which wakes the thread that accepts


@contextmanager
def listening(serve: Callable[[socket.socket], None], *, reads: bool = True) -> Iterator[str]:
    """One connection after another is handed to ``serve``, on a thread each, the request read.
    It ends when all of them have."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        is_over = threading.Event()
        threads = []

        def accept() -> None:
            while not is_over.is_set():
                try:
                    wire, _ = server.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=handle, args=(wire,)))
                threads[-1].start()

        def handle(wire: socket.socket) -> None:
            with wire:
                wire.settimeout(5)
                try:
                    if reads:
                        wire.recv(65536)
                    serve(wire)
                except OSError:
                    pass

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            is_over.set()
            accepting.join()
        for thread in threads:
            thread.join(30)  # one that waits on a kept connection ends with its time
            assert not thread.is_alive()


def says(answer: bytes) -> Callable[[socket.socket], None]:
    return lambda wire: wire.sendall(answer)


def listens(wire: socket.socket) -> None:
    """And says nothing, for as long as anybody waits."""
    wire.recv(1)


def drips(first: bytes) -> Callable[[socket.socket], None]:
    """A byte at a time, for as long as anybody listens."""

    def serve(wire: socket.socket) -> None:
        wire.sendall(first)
        while True:
            wire.sendall(b"x")
            time.sleep(0.02)

    return serve


def answers(times: int, then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """So many requests of one connection are answered; whatever comes after is for ``then``."""

    def serve(wire: socket.socket) -> None:
        for number in range(times):
            if number:
                wire.recv(65536)
            wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        then(wire)

    return serve


def slowly(wire: socket.socket) -> None:
    """One more request, answered a byte at a time."""
    wire.recv(65536)
    drips(b"HTTP/1.1 200 OK\r\nX-Long: ")(wire)


def wait_for_threads(number: int) -> None:
    for _ in range(500):
        if threading.active_count() <= number:
            return
        time.sleep(0.02)
    raise AssertionError("a thread still waits for the server")
