"""How we speak to a platform's services: with an access token, within limits, one door for all.

Every call has limits of time and size and follows no redirect. None is made inside a database
transaction.
"""

import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import jwt
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from lti_tool.config import is_loopback
from lti_tool.core.outside import HostRefused, Outage
from lti_tool.lti.models import AccessToken
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.paging import may_follow, next_page

TOKEN_MARGIN: Final = timedelta(seconds=60)
LONGEST_TOKEN_LIFE: Final = timedelta(days=1)
ASSERTION_SECONDS: Final = 240
TOKEN_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
}
# Some platforms allow no clock to run ahead of theirs.
BACKDATED: Final = 10
LONGEST_RETRY_AFTER: Final = timedelta(days=1)
# What says that the service as a whole is not to be had just now.
AWAY: Final = frozenset((408, 425, 429, 502, 503, 504))
MOST_PAGES: Final = 200
LONGEST_LIST: Final = timedelta(minutes=15)
"""A platform that goes on for longer would keep our workers from everybody else's work."""


class Unreachable(Exception):
    """No answer that could be read: worth another try later, and not before ``wait``."""

    def __init__(self, why: str = "", wait: timedelta | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class TokenRefused(Exception):
    """The platform gives us no token (``status`` and ``error`` its answer, as far as it is fit for
    a log): somebody must look at it there."""

    def __init__(self, status: int, error: str = "") -> None:
        super().__init__(status, error)
        self.status, self.error = status, error


class Refused(Exception):
    """The service answered, but not with what was asked for; ``reply`` is what it said."""

    def __init__(self, reply: "Reply") -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds, and how large its answer may be, in bytes."""

    call_seconds: float = 30
    largest: int = 1024 * 1024


USUAL: Final = Limits()
# Moodle sends a whole course on one page, and may take its time to draw it up.
LISTS: Final = Limits(call_seconds=120, largest=8 * 1024 * 1024)


@dataclass(frozen=True)
class Reply:
    """A platform's answer; ``said`` is its reason phrase and body, for telling cases apart."""

    status: int
    said: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refuses_token(self) -> bool:
        """Whether the token is not taken (any more): 401 (RFC 6750 §3.1), or Open edX's 403."""
        says_so = self.status == 403 and "invalid token signature" in self.said.lower()
        return self.status == 401 or says_so

    @property
    def is_page(self) -> bool:
        """Whether this is a page for people, such as a proxy's, whatever its status says."""
        is_html = "html" in self.headers.get("Content-Type", "")
        return is_html and self.body.lstrip().startswith(b"<")

    def json(self) -> Any:
        """The body as JSON, or nothing. Its media type is not asked: Moodle's are wrong."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def wait(self, now: datetime) -> timedelta | None:
        """How long we are to stay away: seconds or a date (RFC 9110 §10.2.3)."""
        given = self.headers.get("Retry-After", "")
        if given.isdecimal() and len(given) < 9:
            return min(timedelta(seconds=int(given)), LONGEST_RETRY_AFTER)
        try:
            moment = parsedate_to_datetime(given)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            return None
        return min(max(moment - now, timedelta()), LONGEST_RETRY_AFTER)

    def require(self, now: datetime) -> None:
        """Raises ``Unreachable`` where the service is away or broken, ``Refused`` for any other
        answer that is no success."""
        if self.status in AWAY or self.status >= 500 or (self.is_ok and self.is_page):
            raise Unreachable(f"answered {self.status}", self.wait(now))
        if not self.is_ok:
            raise Refused(self)


def call(
    lti: Lti,
    platform: Platform,
    scopes: Sequence[str],
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    limits: Limits | None = None,
) -> Reply:
    """A call with a token; a token that is refused is renewed once.

    A platform elsewhere has no service on this machine, whatever address it names.
    """
    if _is_here(url) and not _is_here(platform.auth_token_url):
        return Reply(403, "an address of this machine", b"", {})
    bearer = ""
    for _ in range(2):
        bearer = access_token(lti, platform, scopes, refused=bearer)
        sent = {**headers, "Authorization": f"Bearer {bearer}"}
        reply = _call(lti, method, url, sent, body, limits)
        if not reply.refuses_token:
            break
    return reply


def pages(
    lti: Lti,
    platform: Platform,
    scopes: Sequence[str],
    url: str,
    accept: str,
    *,
    limits: Limits | None = None,
) -> Iterator[list[Any]]:
    """A container's entries, a page at a time, following its ``next`` links as they are given.

    No ``limit`` is asked for: Moodle's paging is broken, and without one it sends everything.
    Raises ``Unreachable``, ``TokenRefused``, ``Refused``: whoever gets no exception has it all.
    """
    seen, until = set[str](), lti.clock() + LONGEST_LIST
    while url:
        if lti.clock() > until:
            raise Unreachable("goes on for too long")
        seen.add(url)
        reply = call(lti, platform, scopes, "GET", url, {"Accept": accept}, limits=limits)
        reply.require(lti.clock())
        entries = reply.json()
        if not isinstance(entries, list):
            raise Refused(reply)
        yield entries
        following = next_page(reply.headers.get("Link", ""), url)
        is_endless = following in seen or len(seen) == MOST_PAGES
        if following and (is_endless or not may_follow(url, following)):
            raise Refused(reply)
        url = following


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def access_token(lti: Lti, platform: Platform, scopes: Sequence[str], *, refused: str = "") -> str:
    """A bearer token for these scopes, kept until a minute before it expires: in the database, for
    all processes, and as it stands there in our memory.

    ``refused`` is one that the platform does not take (any more). Of several workers of this
    process that want the same token one asks, and the others get what it got. Raises
    ``Unreachable``, ``TokenRefused``.
    """
    wanted = " ".join(sorted(scopes))
    known = lti.tokens.get((platform.id, wanted))
    if known and known[0] != refused and known[1] - TOKEN_MARGIN > lti.clock():
        return known[0]
    with lti.token_locks.setdefault((platform.id, wanted), threading.Lock()):
        now = lti.clock()
        mine = (AccessToken.registration_id == platform.id) & (AccessToken.scopes == wanted)
        with lti.database.reading() as session:
            kept = session.scalar(select(AccessToken).where(mine))
        if kept and kept.token != refused and kept.expires_at - TOKEN_MARGIN > now:
            lti.tokens[platform.id, wanted] = kept.token, kept.expires_at
            return kept.token
        token, life = _ask_for_token(lti, platform, wanted, now)
        row = {"registration_id": platform.id, "scopes": wanted, "token": token}
        try:
            with lti.database.transaction() as session:
                session.execute(delete(AccessToken).where(mine))
                session.execute(insert(AccessToken).values(**row, expires_at=now + life))
            lti.tokens[platform.id, wanted] = token, now + life
        except IntegrityError:
            pass  # another process keeps one of its own; ours is as good
        return token


def _ask_for_token(
    lti: Lti, platform: Platform, scopes: str, now: datetime
) -> tuple[str, timedelta]:
    form = token_form(lti, platform, scopes, now=now)
    reply = _call(lti, "POST", platform.auth_token_url, TOKEN_HEADERS, form)
    if reply.status in AWAY or reply.status >= 500:
        raise Unreachable(f"the token service answered {reply.status}", reply.wait(now))
    said = reply.json()
    said = said if isinstance(said, dict) else {}
    token, granted = said.get("access_token"), said.get("scope")
    if not reply.is_ok or not isinstance(token, str) or not re.fullmatch(r"[!-~]+", token):
        raise TokenRefused(reply.status, _plain(said.get("error") or reply.said))
    if isinstance(granted, str) and granted and set(scopes.split()).isdisjoint(granted.split()):
        raise TokenRefused(reply.status, "invalid_scope")  # it dropped what it does not allow
    return token, _life(said.get("expires_in"))


def _life(given: object) -> timedelta:
    """Seconds, which some platforms send as text; none where none are given."""
    try:
        seconds = float(given if isinstance(given, int | float | str) else 0)
    except (ValueError, OverflowError):
        seconds = 0
    return min(timedelta(seconds=seconds if 0 < seconds < 10**6 else 0), LONGEST_TOKEN_LIFE)


def _plain(error: object) -> str:
    """An error code or what stands in its place, fit for a log line."""
    plain = "".join(letter for letter in str(error) if letter.isalnum() or letter in " _-")
    return plain.strip()[:80]


def token_form(lti: Lti, platform: Platform, scopes: str, *, now: datetime) -> bytes:
    """The form that asks for a token (Security Framework §4.1), to go with ``TOKEN_HEADERS``."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client_assertion(lti, platform, now=now),
        "scope": scopes,
    }
    return urlencode(form).encode()


def client_assertion(lti: Lti, platform: Platform, *, now: datetime) -> str:
    """Who we are, signed (Security Framework §4.1.1, RFC 7523)."""
    kid, key = lti.tool_keys.signing()
    issued = int(now.timestamp()) - BACKDATED
    statement = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.auth_audience or platform.auth_token_url,
        "iat": issued,
        "exp": issued + ASSERTION_SECONDS,
        "jti": str(uuid4()),
    }
    return jwt.encode(statement, key, algorithm="RS256", headers={"kid": kid})


def _call(
    lti: Lti,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    limits: Limits | None = None,
) -> Reply:
    limits = limits or USUAL
    try:
        answer = lti.outside.call(
            method,
            url,
            headers=headers,
            body=body,
            seconds=limits.call_seconds,
            largest=limits.largest,
        )
    except Outage as fault:
        raise Unreachable(str(fault)) from fault
    except HostRefused as fault:
        return Reply(0, str(fault), b"", {})
    said = f"{answer.reason} {answer.body[:2000].decode(errors='replace')}"
    return Reply(answer.status, said, answer.body, answer.headers)
