"""Which hosts and addresses the one door to the outside opens to."""

import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lti_tool.core.outside import HostRefused, Outage
from tests.factories.servers import wait_for_threads
from tests.unit.core.conftest import outside


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
