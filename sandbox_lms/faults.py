"""Trouble on demand: a service that is slow, refuses, or loses the connection."""

import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from flask import Response, request

TARGETS: Final = (
    *("token", "scores", "results", "lineitems", "nrps", "jwks"),
    *("configuration", "registration", "entra"),
)
KINDS: Final = {
    "none": "works",
    "slow": "slow",
    "503": "503 service unavailable",
    "429": "429 too many requests",
    "500": "500 server error",
    "401": "401 unauthorised",
    "403": "403 forbidden",
    "404": "404 not found",
    "409": "409 conflict",
    "400": "400 bad request",
    "html": "200 with a page for people",
    "reset": "connection reset, nothing done",
    "lost-reply": "connection reset after the work was done",
}


@dataclass
class Fault:
    """`seconds` is the delay of `slow` and the Retry-After of 503 and 429 (0: none).

    `times` is how many requests it still hits; None until it is cleared. `share` is the part of
    them that it hits, by chance: 0.05 for one in twenty.
    """

    kind: str
    seconds: float = 0
    times: int | None = None
    share: float = 1


class Faults:
    def __init__(self) -> None:
        self._set: dict[str, Fault] = {}

    def put(
        self,
        target: str,
        kind: str,
        *,
        seconds: float = 0,
        times: int | None = None,
        share: float = 1,
    ) -> None:
        """Set the fault of `target` (`all` for every one). Raises ValueError on an unknown word."""
        if target not in (*TARGETS, "all") or kind not in KINDS:
            raise ValueError(f"no such fault: {target} {kind}")
        for one in TARGETS if target == "all" else (target,):
            self._set.pop(one, None)
            if kind != "none":
                self._set[one] = Fault(kind, seconds, times, share)

    def clear(self) -> None:
        self._set.clear()

    def of(self, target: str) -> Fault:
        return self._set.get(target, Fault("none"))

    def _take(self, target: str) -> Fault:
        fault = self.of(target)
        if random.random() >= fault.share:  # noqa: S311
            return Fault("none")
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._set.pop(target, None)
        return fault

    def around(self, target: str, answer: Callable[[], Response]) -> Response:
        """`answer()`, unless something is wrong with `target` just now."""
        fault = self._take(target)
        if fault.kind == "slow":
            time.sleep(fault.seconds)
        if fault.kind == "reset":
            return _connection_reset()
        if fault.kind.isdigit():
            return _refusal(fault)
        if fault.kind == "html":
            return Response("<!DOCTYPE html><title>Maintenance</title>")
        response = answer()
        return _connection_reset() if fault.kind == "lost-reply" else response


def _refusal(fault: Fault) -> Response:
    response = Response("[]", int(fault.kind), mimetype="application/json")
    if fault.kind in ("503", "429") and fault.seconds:
        response.headers["Retry-After"] = str(round(fault.seconds))
    return response


def _connection_reset() -> Response:
    """No byte of an answer: the socket is shut before the server writes its first."""
    connection = request.environ.get("werkzeug.socket")

    def nothing() -> Iterator[bytes]:
        if isinstance(connection, socket.socket):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError
        yield b""

    return Response(nothing())
