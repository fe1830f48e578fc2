"""A small reverse proxy: each request goes to the next of its servers, whoever it comes from."""

import ssl
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "date"}
SECONDS = 30


class RoundRobin:
    """Where it is, and how many requests each server has had.

    With ``certificate``, a file of a certificate and its key, it ends TLS.
    """

    def __init__(self, port: int = 0, certificate: str = "") -> None:
        self.servers: Sequence[str] = ()
        self.served: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket,
                server_side=True,
                do_handshake_on_connect=False,  # it would hold up everybody else
            )
        self.url = f"{self._scheme}://localhost:{self._server.server_port}"

    def next(self) -> str:
        """The server whose turn it is."""
        with self._lock:
            server = self.servers[self.served.total() % len(self.servers)]
            self.served[server] += 1
            return server

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                where = urlsplit(proxy.next())
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else None
                server = HTTPConnection(where.hostname or "", where.port, timeout=SECONDS)
                said = {
                    name: value
                    for name, value in self.headers.items()
                    if name.lower() not in HOP_BY_HOP
                } | {
                    "X-Forwarded-For": self.client_address[0],
                    "X-Forwarded-Proto": proxy._scheme,
                    "X-Forwarded-Host": self.headers["Host"],
                }
                try:
                    server.request(self.command, self.path, body, said)
                    answer = server.getresponse()
                    content = answer.read()
                finally:
                    server.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in HOP_BY_HOP | {"content-length"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_HEAD = pass_on

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
