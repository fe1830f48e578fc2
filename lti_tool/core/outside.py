"""The one door to the outside: every request of ours over the web goes through it.

It goes to public addresses only, unless the configuration allows others: a platform names the
addresses we call, and could name services of the network we stand in. A name is looked up once and
what was looked at is what is connected to, so a name that changes its mind gains nothing. Behind
a proxy for outgoing requests (``HTTPS_PROXY``) the proxy decides instead.
"""

import ipaddress
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, SimpleQueue
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from lti_tool.config import Config, is_loopback

USER_AGENT: Final = "Clauseway (LTI 1.3 tool)"
PATIENCE: Final = 4.5
"""Seconds a person's request may spend on platforms in all; a little under the five promised."""
LARGEST_ANSWER: Final = 256 * 1024
CHUNK: Final = 16 * 1024
KEPT_FOR: Final = 60.0
"""Seconds that a connection serves at most: a name may lead elsewhere by then."""
MOST_KEPT: Final = 8

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Allows = Callable[[str, str], bool]
Task = tuple["_Work", str, str, dict[str, str], bytes | None, int]
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# Not public, though Python does not know it yet: a cloud's own services (RFC 6890 §2.2.2), and
# sites of old (RFC 3879).
INNER: Final = [ipaddress.ip_network(given) for given in ("192.0.0.0/24", "fec0::/10")]
_work = threading.local()


class HostRefused(ValueError):
    """The address is on a private network, or is plain http elsewhere than on this machine."""


class Outage(Exception):
    """No answer that could be read, in time and of a sensible size."""


@dataclass(frozen=True)
class Answer:
    """What a platform said; a redirect is an answer like any other."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(repr=False)
    reason: str = ""
    """The words of the status line: Moodle says nowhere else why it refuses a score."""

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


class Outside:
    """The door, as the configuration sets it."""

    def __init__(self, config: Config) -> None:
        self._hosts = frozenset(config.private_hosts)
        self._networks = [
            ipaddress.ip_network(given) for given in config.private_hosts if _is_network(given)
        ]
        # Where the tool itself is only on this machine, so are its platforms: development.
        self._loopback = is_loopback(urlsplit(config.url).hostname or "")
        self._kept: deque[tuple[float, requests.Session]] = deque(maxlen=MOST_KEPT)
        self._idle: deque[SimpleQueue[Task]] = deque()

    def allows(self, host: str, address: str) -> bool:
        """Whether ``host`` may be called at ``address``, one of those it resolves to."""
        found = _inner(ipaddress.ip_address(address.partition("%")[0]))
        if host.lower().strip("[]") in self._hosts:
            return True
        if any(found in network for network in self._networks):
            return True
        if found.is_loopback:
            return self._loopback
        if any(found in network for network in INNER):
            return False
        return found.is_global and not (found.is_multicast or found.is_reserved)

    def session(self) -> requests.Session:
        """A session for work in the background: connections are kept, times are the caller's.

        Raises ``HostRefused`` besides what ``requests`` does. Keeps no cookies.
        """
        http = requests.Session()
        http.headers["User-Agent"] = USER_AGENT  # some platforms refuse a client without
        http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        for scheme in ("http://", "https://"):
            http.mount(scheme, _Adapter(self.allows))
        return http

    def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        seconds: float = PATIENCE,
        largest: int = LARGEST_ANSWER,
    ) -> Answer:
        """One call that somebody waits for: over after ``seconds``, whatever the other side does.

        It runs on another thread, which also a name server or a server that answers a byte at a
        time cannot hold: the waiting ends, and the connection is cut. No redirect is followed.
        Raises ``HostRefused``, ``Outage``.
        """
        work = _Work(time.monotonic() + seconds)
        self._hand((work, method, url, dict(headers), body, largest))
        if not work.done.wait(seconds):
            work.give_up()
            raise Outage("no answer in time")
        if work.fault is not None:
            raise work.fault
        assert work.answer is not None  # noqa: S101  (done, and without a fault)
        return work.answer

    def _hand(self, task: Task) -> None:
        """To a thread that has nothing to do, or to a new one: each serves one call at a time."""
        try:
            inbox = self._idle.pop()
        except IndexError:
            inbox = SimpleQueue()
            threading.Thread(target=self._serve, args=(inbox,), daemon=True).start()
        inbox.put(task)

    def _serve(self, inbox: SimpleQueue[Task]) -> None:
        while self._serve_once(inbox):
            pass  # and nothing of the last call is held meanwhile

    def _serve_once(self, inbox: SimpleQueue[Task]) -> bool:
        """One call; whether to wait for another. A thread that met a fault is not kept."""
        try:
            task = inbox.get(timeout=KEPT_FOR)
        except Empty:
            try:
                self._idle.remove(inbox)
            except ValueError:
                return True  # somebody has just taken us, and hands us a call
            return False
        work = task[0]
        try:
            self._do(*task)
        finally:
            went_well = work.went_well
            if went_well:
                self._idle.append(inbox)
            work.finish()
        return went_well

    @contextmanager
    def _open(self) -> Iterator[requests.Session]:
        """A session with the connections of an earlier call; it is kept for the next where all
        went well, and what went wrong is closed."""
        try:
            until, http = self._kept.pop()
        except IndexError:
            until, http = 0.0, self.session()
        now = time.monotonic()
        if until <= now:
            http.close()  # it goes on with new connections
            until = now + KEPT_FOR
        try:
            yield http
        except BaseException:
            http.close()
            raise
        self._kept.append((until, http))

    def _do(
        self,
        work: "_Work",
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        largest: int,
    ) -> None:
        _work.current = work
        try:
            with (
                self._open() as http,
                _send(http, method, url, headers, body, work.left()) as response,
            ):
                raw = _read(response, work, largest)
            work.answer = Answer(response.status_code, raw, response.headers, response.reason or "")
        except HostRefused as fault:
            work.fault = fault
        except (requests.RequestException, HTTPError, OSError, ValueError, Outage) as fault:
            work.fault = Outage(type(fault).__name__)
        finally:
            _work.current = None


def _send(
    http: requests.Session,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes | None,
    seconds: float,
) -> requests.Response:
    """As ``http.request`` does it, without what we have no use for and what costs as much again:
    cookies, redirects, hooks, and a file of passwords that could take our token's place."""
    request = requests.Request(method, url, {**http.headers, **headers}, data=body).prepare()
    address = request.url or ""
    settings: Any = http.merge_environment_settings(address, {}, True, None, None)
    return http.get_adapter(address).send(request, timeout=seconds, **settings)


class _Work:
    """One call under way, and how to cut it off."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.done = threading.Event()
        self.answer: Answer | None = None
        self.fault: Exception | None = None
        self._lock = threading.Lock()
        self._wires: list[socket.socket] = []
        self._is_over = False

    @property
    def went_well(self) -> bool:
        return self.answer is not None and not self._is_over

    def left(self) -> float:
        return max(0.001, self.deadline - time.monotonic())

    def hold(self, wire: socket.socket) -> None:
        """Keep a second handle on a connection: TLS takes the first one away."""
        with self._lock:
            self._wires.append(socket.socket(fileno=os.dup(wire.fileno())))
        if self._is_over:
            self.give_up()

    def give_up(self) -> None:
        with self._lock:
            self._is_over = True
            for wire in self._wires:
                try:
                    wire.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it has ended by itself

    def finish(self) -> None:
        with self._lock:
            for wire in self._wires:
                wire.close()
            self._wires.clear()
        self.done.set()


class _Adapter(HTTPAdapter):
    """Refuses plain http elsewhere, and connects through ``_connect``."""

    def __init__(self, allows: Allows) -> None:
        self._allows = allows
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._allows)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url or "")
        if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
            raise HostRefused("plain http")
        return super().send(request, *args, **kwargs)


def _pools(allows: Allows) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allows)

        def request(self, *args: Any, **kwargs: Any) -> None:
            _hold_again(self)
            super().request(*args, **kwargs)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connect(self, allows)

        def request(self, *args: Any, **kwargs: Any) -> None:
            _hold_again(self)
            super().request(*args, **kwargs)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _hold_again(connection: HTTPConnection) -> None:
    """A connection of an earlier call can be cut off by this one."""
    work: _Work | None = getattr(_work, "current", None)
    if work is not None and connection.sock is not None:
        work.hold(connection.sock)


def _connect(connection: HTTPConnection, allows: Allows) -> socket.socket:
    """A connection to an address that has been looked at. Raises ``HostRefused``, ``OSError``."""
    host = connection.host
    found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    named = dict.fromkeys(str(entry[4][0]) for entry in found)
    addresses = [address for address in named if allows(host, address)]
    if not addresses:
        raise HostRefused("a private address")
    work: _Work | None = getattr(_work, "current", None)
    fault: OSError = OSError("no address")
    for address in addresses:
        if work is not None and time.monotonic() > work.deadline:
            break  # a name may have hundreds, and a thread must not try them all for nobody
        try:
            wire = create_connection(
                (address, connection.port),
                connection.timeout,
                source_address=connection.source_address,
                socket_options=connection.socket_options,
            )
        except OSError as refused:
            fault = refused
            continue
        if work is not None:
            work.hold(wire)
        return wire
    raise fault


def _read(response: requests.Response, work: _Work, largest: int) -> bytes:
    raw = bytearray()
    for chunk in response.iter_content(CHUNK):
        raw += chunk
        if len(raw) > largest:
            raise Outage("too large")
        if time.monotonic() > work.deadline:
            raise Outage("too slow")
    return bytes(raw)


def _inner(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one, where there is one that a gateway would call."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_network(given: str) -> bool:
    try:
        ipaddress.ip_network(given)
    except ValueError:
        return False
    return True
