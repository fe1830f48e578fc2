"""How we speak to a platform's services: with an access token, within limits, one door for all.

Every call has limits of time and size and follows no redirect. None is made inside a database
transaction.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import jwt
import requests
from sqlalchemy import delete, insert, select

from lti_tool.config import is_loopback
from lti_tool.lti.models import AccessToken
from lti_tool.lti.platforms import Lti, Platform

CONNECT_SECONDS: Final = 5
TOKEN_MARGIN: Final = timedelta(seconds=60)
LONGEST_TOKEN_LIFE: Final = timedelta(days=1)
ASSERTION_SECONDS: Final = 240
TOKEN_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
}
# Some platforms allow no clock to run ahead of theirs.
BACKDATED: Final = 10


class Unreachable(Exception):
    """No answer that could be read: worth another try later."""


class TokenRefused(Exception):
    """The platform gives us no token (``status`` its answer): somebody must look at it there."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds, and how large its answer may be, in bytes."""

    read_seconds: int = 20
    """Without a byte of the answer."""
    call_seconds: int = 30
    largest: int = 1024 * 1024


USUAL: Final = Limits()


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

    def json(self) -> Any:
        """The body as JSON, or nothing. Its media type is not asked: Moodle's are wrong."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def call(
    lti: Lti,
    platform: Platform,
    scopes: Sequence[str],
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    *,
    limits: Limits = USUAL,
) -> Reply:
    """A call with a token; a token that is refused is renewed once.

    A platform elsewhere has no service on this machine, whatever address it names.
    """
    if _is_here(url) and not _is_here(platform.auth_token_url):
        return Reply(403, "an address of this machine", b"", {})
    for is_new in (False, True):
        bearer = access_token(lti, platform, scopes, is_new=is_new)
        sent = {**headers, "Authorization": f"Bearer {bearer}"}
        reply = _call(lti, method, url, sent, body, limits)
        if reply.status != 401:
            break
    return reply


def _is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def access_token(
    lti: Lti, platform: Platform, scopes: Sequence[str], *, is_new: bool = False
) -> str:
    """A bearer token for these scopes, kept until a minute before it expires.

    ``is_new`` drops the kept one. Raises ``Unreachable``, ``TokenRefused``.
    """
    now, wanted = lti.clock(), " ".join(sorted(scopes))
    mine = (AccessToken.registration_id == platform.id) & (AccessToken.scopes == wanted)
    if not is_new:
        with lti.database.reading() as session:
            kept = session.scalar(select(AccessToken).where(mine))
        if kept is not None and kept.expires_at - TOKEN_MARGIN > now:
            return kept.token
    token, life = _ask_for_token(lti, platform, wanted, now)
    with lti.database.transaction() as session:
        session.execute(delete(AccessToken).where(mine))
        session.execute(
            insert(AccessToken).values(
                registration_id=platform.id, scopes=wanted, token=token, expires_at=now + life
            )
        )
    return token


def _ask_for_token(
    lti: Lti, platform: Platform, scopes: str, now: datetime
) -> tuple[str, timedelta]:
    form = token_form(lti, platform, scopes, now=now)
    reply = _call(lti, "POST", platform.auth_token_url, TOKEN_HEADERS, form)
    if reply.status in (408, 425, 429) or reply.status >= 500:
        raise Unreachable(f"the token service answered {reply.status}")
    said = reply.json() if reply.is_ok else None
    said = said if isinstance(said, dict) else {}
    token = said.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        raise TokenRefused(reply.status)
    seconds = said.get("expires_in", 0)
    life = timedelta(seconds=seconds if isinstance(seconds, int) and 0 < seconds < 10**6 else 0)
    return token, min(life, LONGEST_TOKEN_LIFE)


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
    limits: Limits = USUAL,
) -> Reply:
    deadline = time.monotonic() + limits.call_seconds
    try:
        with lti.http.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=(CONNECT_SECONDS, limits.read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            raw = bytearray()
            for chunk in response.iter_content(64 * 1024):
                raw += chunk
                if len(raw) > limits.largest or time.monotonic() > deadline:
                    raise Unreachable("its answer was too large or too slow")
    except (requests.RequestException, ValueError) as fault:
        raise Unreachable(type(fault).__name__) from fault
    said = f"{response.reason or ''} {raw[:2000].decode(errors='replace')}"
    return Reply(response.status_code, said, bytes(raw), response.headers)
