"""Calls to the outside over TLS: whose certificate holds, and that nothing hangs."""

import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lti_tool.core.outside import Outage
from tests.factories.certificates import certificate_for
from tests.factories.servers import answers, drips, listening, says, slowly, wait_for_threads
from tests.unit.core.conftest import outside


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for ``localhost``, and our trust in it."""
    path = certificate_for(tmp_path, "localhost")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def over_tls(
    context: ssl.SSLContext, serve: Callable[[socket.socket], None]
) -> Callable[[socket.socket], None]:
    def wrapped(wire: socket.socket) -> None:
        with context.wrap_socket(wire, server_side=True) as secure:
            secure.recv(65536)
            serve(secure)

    return wrapped


def test_the_certificate_must_be_for_the_name(certificate: ssl.SSLContext) -> None:
    door = outside("http://localhost:8000")
    said = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with listening(over_tls(certificate, said), reads=False) as url:
        secure = url.replace("http://", "https://")
        assert door.call("GET", secure.replace("127.0.0.1", "localhost"), headers={}).is_ok
        with pytest.raises(Outage):
            door.call("GET", secure, headers={})


def test_the_certificate_must_be_one_that_is_trusted(
    certificate: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a door that has called there before, with other settings."""
    door = outside("http://localhost:8000")
    said = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    with listening(over_tls(certificate, said), reads=False) as url:
        address = url.replace("http://127.0.0.1", "https://localhost")
        assert door.call("GET", address, headers={}).is_ok
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(Outage):
            door.call("GET", address, headers={})


def test_a_slow_server_is_cut_off_over_tls_too(certificate: ssl.SSLContext) -> None:
    before = threading.active_count()
    slow = over_tls(certificate, drips(b"HTTP/1.1 200 OK\r\nX-Long: "))
    with listening(slow, reads=False) as url:
        address = url.replace("http://127.0.0.1", "https://localhost")
        with pytest.raises(Outage):
            outside("http://localhost:8000").call("GET", address, headers={}, seconds=0.6)
    wait_for_threads(before)


def test_a_slow_server_is_cut_off_on_a_kept_connection_over_tls(
    certificate: ssl.SSLContext,
) -> None:
    before = threading.active_count()
    door = outside("http://localhost:8000")
    with listening(over_tls(certificate, answers(1, slowly)), reads=False) as url:
        address = url.replace("http://127.0.0.1", "https://localhost")
        door.call("GET", address, headers={})
        with pytest.raises(Outage):
            door.call("GET", address, headers={}, seconds=0.6)
    wait_for_threads(before)
