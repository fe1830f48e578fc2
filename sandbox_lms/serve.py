"""Running an app on a thread of this process, on loopback and nowhere else."""

import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox_lms.platform import Clock, Platform, utc_now
from sandbox_lms.views import create_platform, platform_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class QuietHandler(WSGIRequestHandler):
    """Logs no requests: their lines would hold what is nobody's business."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def send_response(self, code: int, message: str | None = None) -> None:
        """Without a date of the server's own: the platform says what time it is by its clock."""
        self.send_response_only(code, message)


def check_loopback(host: str) -> None:
    """Raises ValueError unless `host` is this machine only."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(
            f"The sandbox lets anybody be anybody, so it listens on this machine only: "
            f"use 127.0.0.1 or localhost, not {host}."
        )


def bind(host: str, port: int, *, certificate: str = "") -> BaseWSGIServer:
    """A threaded server that listens and has no app yet. Raises ValueError, OSError.

    ``certificate`` names a file with a certificate and its key: then it speaks https.
    """
    check_loopback(host)
    server = make_server(host, port, Flask(__name__), threaded=True, request_handler=QuietHandler)
    if certificate:
        server.ssl_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.ssl_context.load_cert_chain(certificate)
        server.socket = server.ssl_context.wrap_socket(
            server.socket,
            server_side=True,
            do_handshake_on_connect=False,  # one who says nothing would hold up everybody else
        )
    return server


@contextmanager
def running(
    app: "Flask | Callable[[str], WSGIApplication]",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[str]:
    """Serve `app` until the block ends; gives its base URL.

    Port 0 takes a free one. As an app may have to know its own address, `app` may be a function
    that gets the base URL and makes the app.
    """
    server = bind(host, port)
    base_url = f"http://{host}:{server.port}"
    server.app = app if isinstance(app, Flask) else app(base_url)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield base_url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_platform(
    *,
    tool_url: str,
    host: str = "127.0.0.1",
    state: Path | None = None,
    clock: Clock = utc_now,
) -> Iterator[Platform]:
    """A platform on a free port whose issuer is its base URL; gives its state."""
    made: list[Flask] = []

    def make(base_url: str) -> Flask:
        made.append(create_platform(tool_url=tool_url, issuer=base_url, state=state, clock=clock))
        return made[0]

    with running(make, host=host):
        yield platform_of(made[0])
