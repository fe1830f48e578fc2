"""A server that holds whoever calls it: it takes the connection and says nothing, or too slowly."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

DRIPS: Final = {
    "silent": (b"", b""),
    "a byte of the head at a time": (b"", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000),
    "a byte of the body at a time": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"x" * 100_000,
    ),
}


@contextmanager
def black_hole(kind: str = "silent") -> Iterator[str]:
    """Listens until the block ends, and then lets everybody go; gives its base URL."""
    at_once, slowly = DRIPS[kind]
    held: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def drip(caught: socket.socket) -> None:
        with suppress(OSError):
            caught.sendall(at_once)
            for byte in slowly:
                caught.sendall(bytes((byte,)))
                time.sleep(0.2)

    def accept() -> None:
        with suppress(OSError):
            while True:
                caught, _ = listener.accept()
                held.append(caught)
                threading.Thread(target=drip, args=(caught,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
        for caught in held:
            with suppress(OSError):
                caught.shutdown(socket.SHUT_RDWR)
            caught.close()
