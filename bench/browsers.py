"""People at their browsers, many at once and each at little cost: one thread, kept connections.

Connections are shared by everybody, as a reverse proxy's are. Whatever is not what a person should
see raises ``Fault``.
"""

import asyncio
import html
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from bench.serving import SCHOOL, Platform
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.questions import fill
from lti_tool.policies.resolve import resolve

PATIENCE: Final = 30.0
ROLE_GROUP: Final = "teaching"
CSRF: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
CHOICE: Final = re.compile(r'name="choice"[^>]*?value="([^"]+)"')
SCENE: Final = re.compile(r'<div class="cw-scene"><p>(.*?)</p>', re.DOTALL)
SECTION: Final = re.compile(r'href="(/training/policy/[^"]+)"')
BUTTON: Final = re.compile(r'<a href="([^"]+)"[^>]*class="govuk-button')

Item = TypeVar("Item")


class Fault(Exception):
    """What no person should see."""


@dataclass(frozen=True)
class Reply:
    status: int
    location: str
    body: str


class Connections:
    """To one server, kept open between requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.waits: list[float] = []
        """How long every answer took."""
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def exchange(self, request: bytes) -> tuple[int, list[str], bytes]:
        """Status, header lines and body. Raises ``Fault`` where no answer comes."""
        begun = time.perf_counter()
        while True:
            is_kept = bool(self._idle)
            reader, writer = (
                self._idle.pop()
                if is_kept
                else await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
            )
            try:
                writer.write(request)
                async with asyncio.timeout(PATIENCE):
                    found = await _read(reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                if is_kept:  # the server may have closed it meanwhile, unasked
                    continue
                raise Fault("the connection was lost") from None
            except TimeoutError:
                writer.close()
                raise Fault(f"no answer in {PATIENCE:.0f} s") from None
            self._idle.append((reader, writer))
            self.waits.append(time.perf_counter() - begun)
            return found

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[int, list[str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    body, length = b"", 0
    for line in head:
        name, _, value = line.partition(":")
        match name.lower():
            case "content-length":
                length = int(value)
            case "transfer-encoding":
                length = -1
    if length >= 0:
        return int(head[0].split(" ", 2)[1]), head, await reader.readexactly(length)
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return int(head[0].split(" ", 2)[1]), head, body


class Browser:
    """One person's: keeps cookies, follows the tool's own redirects."""

    def __init__(self, connections: Connections, user: str) -> None:
        self.connections, self.user = connections, user
        self.host = f"localhost:{connections.port}"
        self.cookies: dict[str, str] = {}
        self.page, self.path = "", ""

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Reply:
        """One request and its answer, whatever it is."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{k}={v}" for k, v in self.cookies.items()))
        body = urlencode(form).encode() if form is not None else b""
        if form is not None:
            lines.append("Content-Type: application/x-www-form-urlencoded")
            lines.append(f"Content-Length: {len(body)}")
        request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
        status, head, answer = await self.connections.exchange(request)
        location = ""
        for line in head:
            name, _, value = line.partition(": ")
            if name.lower() == "location":
                location = value
            elif name.lower() == "set-cookie":
                self._take(value)
        return Reply(status, location, answer.decode())

    def _take(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if value:
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)

    async def see(self, method: str, path: str, form: dict[str, str] | None = None) -> str:
        """A page, past any redirect. Raises ``Fault`` where it is no page for people."""
        reply = await self.ask(method, path, form)
        while reply.status in (302, 303):
            there = urlsplit(reply.location)
            path = there.path + (f"?{there.query}" if there.query else "")
            reply = await self.ask("GET", path)
        if reply.status != 200:
            raise Fault(f"{method} {path.partition('?')[0]} answered {reply.status}")
        self.page, self.path = reply.body, path
        return self.page

    async def send(self, path: str, **fields: str) -> str:
        """A form of the page that is shown, with its token."""
        token = CSRF.search(self.page)
        if token is None:
            raise Fault(f"no form on {self.path}")
        return await self.see("POST", path, {"csrf_token": token[1], **fields})


class Launch:
    """A launch in its two halves; between them the platform signs, which is not the tool's work."""

    def __init__(self, browser: Browser, platform: Platform) -> None:
        self.browser, self.platform = browser, platform
        self.tool = f"http://{browser.host}"
        self.waited = 0.0
        self.form: dict[str, str] = {}

    async def log_in(self) -> None:
        begun = time.perf_counter()
        query = {
            "iss": self.platform.url,
            "login_hint": self.browser.user,
            "target_link_uri": self.tool + "/lti/launch",
            "lti_message_hint": secrets.token_hex(8),
            "client_id": self.platform.client_id,
            "lti_deployment_id": self.platform.deployment_id,
        }
        reply = await self.browser.ask("GET", "/lti/login?" + urlencode(query))
        asked = dict(parse_qsl(urlsplit(reply.location).query))
        if reply.status != 302 or "nonce" not in asked:
            raise Fault(f"the login answered {reply.status}")
        self.form = asked
        self.waited = time.perf_counter() - begun

    def sign(self) -> None:
        token = self.platform.token(self.browser.user, self.form["nonce"], self.tool)
        self.form = {"id_token": token, "state": self.form["state"]}

    async def arrive(self) -> None:
        begun = time.perf_counter()
        await self.browser.see("POST", "/lti/launch", self.form)
        self.waited += time.perf_counter() - begun


class Expert:
    """Knows what is right at one school, by the words of the situation."""

    def __init__(self, catalogue: Catalogue, school_id: str = SCHOOL) -> None:
        school = catalogue.schools[school_id]
        self._right = {
            _flat(fill(one.text["en"], school, "en")): resolve(
                school.policy, school, ROLE_GROUP, one.case
            ).right
            for one in catalogue.scenarios.values()
        }

    def choose(self, page: str) -> str:
        """A right option of the question that is shown; the first where none is scored."""
        scene = SCENE.search(page)
        offered = CHOICE.findall(page)
        if scene is None or not offered:
            raise Fault("no question is shown")
        right = self._right[_flat(html.unescape(scene[1]))]
        return next((one for one in offered if one in right), offered[0])


def _flat(text: str) -> str:
    return " ".join(text.split())


async def timed(
    items: Iterable[Item], work: Callable[[Item], Awaitable[object]], *, at_once: int = 8
) -> list[float]:
    """Do it for each, so many at once; the seconds that each took, sorted."""
    ahead, took = iter(items), list[float]()

    async def hand() -> None:
        for item in ahead:
            begun = time.perf_counter()
            await work(item)
            took.append(time.perf_counter() - begun)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(hand())
    return sorted(took)


def share(took: Sequence[float], part: float) -> float:
    """The percentile of sorted seconds, in milliseconds."""
    return 1000 * took[min(len(took) - 1, int(part * len(took)))]
