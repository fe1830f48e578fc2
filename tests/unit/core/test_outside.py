"""The one door to the outside: which addresses it opens to, and that nothing holds it open."""

import gc
import gzip
import socket
import ssl
import threading
import time
import tracemalloc
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.config import Config
from lti_tool.core.outside import HostRefused, Outage, Outside


def outside(url: str = "https://training.example.org", *private_hosts: str) -> Outside:
    return Outside(Config(instance=Path("."), url=url, private_hosts=private_hosts))


@contextmanager
def listening(serve: Callable[[socket.socket], None], *, reads: bool = True) -> Iterator[str]:
    """One connection after another is handed to ``serve``, on a thread each, the request read."""
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


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0"),
        *("127.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::", "224.0.0.1", "ff02::1"),
        *("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "::ffff:127.0.0.1"),
        *("::10.0.0.1", "64:ff9b:1::a00:1", "240.0.0.1"),
        *("192.0.0.192", "fec0::1"),
    ],
)
def test_private_addresses_are_refused(address: str) -> None:
    assert not outside().allows("lms.example.org", address)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"])
def test_public_addresses_are_not(address: str) -> None:
    assert outside().allows("lms.example.org", address)


def test_what_the_configuration_names_is_allowed() -> None:
    door = outside("https://training.example.org", "lms.internal", "10.1.0.0/16", "10.9.9.9")
    assert door.allows("LMS.internal", "192.168.1.1")
    assert door.allows("any.example", "10.1.2.3")
    assert door.allows("any.example", "10.9.9.9")
    assert not door.allows("any.example", "10.2.2.3")
    assert not door.allows("lms.internal.evil.example", "192.168.1.1")


def test_this_machine_only_where_the_tool_is_on_it_alone() -> None:
    assert outside("http://localhost:8000").allows("localhost", "127.0.0.1")
    assert not outside("http://localhost:8000").allows("lms.example.org", "10.0.0.1")


def test_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    door = outside("http://localhost:8000")
    with listening(says(b"HTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\n{}")) as url:
        answer = door.call("POST", url, headers={"Accept": "application/json"}, body=b"{}")
    assert (answer.status, answer.body, answer.is_ok) == (201, b"{}", True)


def answers(times: int, then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """So many requests of one connection are answered; whatever comes after is for ``then``."""

    def serve(wire: socket.socket) -> None:
        for number in range(times):
            if number:
                wire.recv(65536)
            wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        then(wire)

    return serve


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


def slowly(wire: socket.socket) -> None:
    """One more request, answered a byte at a time."""
    wire.recv(65536)
    drips(b"HTTP/1.1 200 OK\r\nX-Long: ")(wire)


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


def wait_for_threads(number: int) -> None:
    for _ in range(500):
        if threading.active_count() <= number:
            return
        time.sleep(0.02)
    raise AssertionError("a thread still waits for the server")


def test_a_slow_name_server_holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def slow(*args: object, **kwargs: object) -> object:
        is_over.wait(30)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    began = time.monotonic()
    with pytest.raises(Outage):
        outside().call("GET", "https://lms.example.org/", headers={}, seconds=0.3)
    assert time.monotonic() - began < 5
    is_over.set()


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


@pytest.mark.parametrize("url", ["http://lms.example.org/", "http://127.evil.example/"])
def test_plain_http_is_for_this_machine(url: str) -> None:
    with pytest.raises(HostRefused):
        outside().call("GET", url, headers={})


class Names:
    """A name server whose answer changes with every question."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, host: str, port: int, **kwargs: object) -> list[object]:
        self.asked += 1
        address = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def test_a_private_address_is_not_even_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names("10.0.0.1", "10.0.0.1"))
    with pytest.raises(HostRefused):
        outside().call("GET", "https://lms.example.org/", headers={})
    with outside().session() as http, pytest.raises(HostRefused):
        http.get("https://lms.example.org/", timeout=1)


@pytest.mark.parametrize(
    "host",
    [
        *("169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518"),
        *("[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]"),
        *("[fd00:ec2::254]", "[::]", "[::1]", "[fe80::1]", "127.1", "0", "0x7f.1", "10.1"),
        *("localhost", "user:pass@10.0.0.1", "9.9.9.9@10.0.0.1", "10.0.0.1:443#@9.9.9.9"),
        *("10.0.0.1?@9.9.9.9", "１２７.0.0.1", "10。0。0。1"),
    ],
)
def test_however_a_private_address_is_written(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []

    def connect(address: object, *_args: object, **_more: object) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("lti_tool.core.outside.create_connection", connect)
    with pytest.raises((HostRefused, Outage)):
        outside().call("GET", f"https://{host}/latest/meta-data", headers={})
    assert reached == []


@settings(max_examples=50, deadline=None)
@given(
    st.text(max_size=20) | st.sampled_from(["[::1", "a:99999", "xn--a", "\u2100", "." * 300]),
    st.sampled_from(["https://", "https:", "http://", "file://", "//", ""]),
)
def test_whatever_is_no_address_is_refused_or_does_not_answer(text: str, scheme: str) -> None:
    def nobody(*_args: object, **_more: object) -> list[object]:
        raise socket.gaierror

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", nobody)
        with pytest.raises((HostRefused, Outage)):
            outside().call("GET", scheme + text, headers={})


def test_a_name_that_changes_its_mind_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was looked up is what is connected to: there is no second question to answer."""
    names = Names("9.9.9.9", "127.0.0.1")
    reached: list[object] = []

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        reached.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", names)
    monkeypatch.setattr("lti_tool.core.outside.create_connection", connect)
    with pytest.raises(Outage):
        outside().call("GET", "https://lms.example.org/", headers={})
    assert (reached, names.asked) == (["9.9.9.9"], 1)


def test_a_session_says_who_we_are_and_keeps_no_cookies() -> None:
    said = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with listening(says(said)) as url, outside("http://localhost:8000").session() as http:
        reply = http.get(url, timeout=5)
        assert reply.request.headers["User-Agent"] == "Clauseway (LTI 1.3 tool)"
        assert not list(http.cookies)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for ``localhost``, and our trust in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "public.pem").write_bytes(pem)
    (tmp_path / "both.pem").write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "public.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
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


def test_a_name_with_many_addresses_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []

    def many(host: str, port: int, **kwargs: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"9.9.9.{n}", port)) for n in range(9)]

    def connect(address: tuple[str, int], timeout: float, **kwargs: object) -> socket.socket:
        reached.append(address[0])
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", many)
    monkeypatch.setattr("lti_tool.core.outside.create_connection", connect)
    before = threading.active_count()
    with pytest.raises(Outage):
        outside().call("GET", "https://lms.example.org/", headers={}, seconds=0.2)
    wait_for_threads(before)
    assert len(reached) <= 2


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
