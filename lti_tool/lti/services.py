"""What we ask of a platform: access tokens, line items, scores and results (AGS 2.0).

Every call has limits of time and size and follows no redirect. None is made inside a database
transaction.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

import jwt
import requests
from sqlalchemy import delete, insert, select

from lti_tool.config import is_loopback
from lti_tool.lti.claims import (
    LINE_ITEM_READ_SCOPE,
    LINE_ITEM_SCOPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
    service_url,
)
from lti_tool.lti.models import AccessToken
from lti_tool.lti.platforms import Lti, Platform

TIMEOUTS: Final = (5, 20)
CALL_SECONDS: Final = 30
LARGEST_REPLY: Final = 1024 * 1024
TOKEN_MARGIN: Final = timedelta(seconds=60)
LONGEST_TOKEN_LIFE: Final = timedelta(days=1)
ASSERTION_SECONDS: Final = 240
# Some platforms allow no clock to run ahead of theirs.
ASSERTION_BACKDATED: Final = 10
MAXIMUM: Final = 100
LABEL: Final = "Social media policy training"

SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
LINE_ITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"


class Unreachable(Exception):
    """No answer that could be read: worth another try later."""


class TokenRefused(Exception):
    """The platform gives us no token (``status`` its answer): somebody must look at it there."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


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


@dataclass(frozen=True)
class Place:
    """An activity's line item service, as its latest launch gave it."""

    resource_link_id: str
    line_item_url: str
    line_items_url: str
    scopes: tuple[str, ...]
    module: str
    cycle: str


@dataclass(frozen=True)
class Result:
    """What the platform holds for one person, in hundredths of its maximum."""

    percent: float
    at: datetime | None


def post_score(lti: Lti, platform: Platform, line_item_url: str, payload: str) -> Reply:
    """Send a score (AGS §3.4.8). Raises ``Unreachable``, ``TokenRefused``."""
    return _authorised(
        lti,
        platform,
        (SCORE_SCOPE,),
        "POST",
        beneath(line_item_url, "scores"),
        {"Content-Type": SCORE_TYPE},
        payload.encode(),
    )


def read_result(lti: Lti, platform: Platform, line_item_url: str, subject: str) -> Result | None:
    """The person's result, or nothing where there is none or we cannot read it.

    Raises ``Unreachable``, ``TokenRefused``.
    """
    url = with_query(beneath(line_item_url, "results"), user_id=subject)
    reply = _authorised(lti, platform, (RESULT_SCOPE,), "GET", url, {"Accept": RESULTS_TYPE})
    entries = reply.json() if reply.is_ok else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("userId") == subject:
            return _result(entry)
    return None


def find_line_item(lti: Lti, platform: Platform, place: Place) -> str:
    """The URL of the activity's line item: its own, one of ours, else a new one; or empty.

    Looked for before one is made, so that a copied course gets no second one (AGS §3.2.10).
    Raises ``Unreachable``, ``TokenRefused``.
    """
    may = tuple(scope for scope in (LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE) if scope in place.scopes)
    if not place.line_items_url or not may:
        return ""
    for wanted in (
        {"resource_link_id": place.resource_link_id},
        {"resource_id": place.module, "tag": place.cycle},
    ):
        url = with_query(place.line_items_url, **wanted)
        reply = _authorised(lti, platform, may, "GET", url, {"Accept": LINE_ITEMS_TYPE})
        found = _pick(reply.json() if reply.is_ok else None, place)
        if found:
            return found
    if LINE_ITEM_SCOPE not in may:
        return ""
    item = {
        "label": LABEL,
        "scoreMaximum": MAXIMUM,
        "resourceId": place.module,
        "tag": place.cycle,
        "resourceLinkId": place.resource_link_id,
    }
    reply = _authorised(
        lti,
        platform,
        may,
        "POST",
        place.line_items_url,
        {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE},
        json.dumps(item).encode(),
    )
    made = reply.json() if reply.is_ok else None
    return service_url(made.get("id")) if isinstance(made, dict) else ""


def beneath(url: str, name: str) -> str:
    """``name`` added to a URL's path; its query stays where it was (AGS §3.4.8)."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def with_query(url: str, **values: str) -> str:
    """More parameters for a URL's query."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(values)) if part)
    return urlunsplit(parts._replace(query=query))


def _pick(items: object, place: Place) -> str:
    entries = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    own = [item for item in entries if item.get("resourceLinkId") == place.resource_link_id]
    # One that a copied course left on another activity is that activity's, not ours.
    loose = [
        item
        for item in entries
        if not item.get("resourceLinkId")
        and (item.get("resourceId"), item.get("tag")) == (place.module, place.cycle)
    ]
    ranked = sorted(own, key=lambda item: item.get("tag") != place.cycle) + loose
    return next((url for item in ranked if (url := service_url(item.get("id")))), "")


def _result(entry: Mapping[str, Any]) -> Result:
    given, maximum = entry.get("resultScore", 0), entry.get("resultMaximum", MAXIMUM)
    try:
        percent = 100 * float(given or 0) / float(maximum or MAXIMUM)
    except (TypeError, ValueError, OverflowError):
        percent = 0.0
    try:
        at = datetime.fromisoformat(str(entry.get("timestamp")))
    except ValueError:
        return Result(percent, None)
    # One so late that nothing can follow it is no moment to pass.
    return Result(percent, at if at.tzinfo and at.year < MAXYEAR else None)


def _authorised(
    lti: Lti,
    platform: Platform,
    scopes: Sequence[str],
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
) -> Reply:
    """A call with a token; a token that is refused is renewed once.

    A platform elsewhere has no service on this machine, whatever address it names.
    """
    if _is_here(url) and not _is_here(platform.auth_token_url):
        return Reply(403, "an address of this machine", b"", {})
    for is_new in (False, True):
        bearer = access_token(lti, platform, scopes, is_new=is_new)
        reply = _call(lti, method, url, {**headers, "Authorization": f"Bearer {bearer}"}, body)
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
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": client_assertion(lti, platform, now=now),
        "scope": scopes,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    reply = _call(lti, "POST", platform.auth_token_url, headers, urlencode(form).encode())
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


def client_assertion(lti: Lti, platform: Platform, *, now: datetime) -> str:
    """Who we are, signed (Security Framework §4.1.1, RFC 7523)."""
    kid, key = lti.tool_keys.signing()
    issued = int(now.timestamp()) - ASSERTION_BACKDATED
    statement = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.auth_audience or platform.auth_token_url,
        "iat": issued,
        "exp": issued + ASSERTION_SECONDS,
        "jti": str(uuid4()),
    }
    return jwt.encode(statement, key, algorithm="RS256", headers={"kid": kid})


def _call(lti: Lti, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
    deadline = time.monotonic() + CALL_SECONDS
    try:
        with lti.http.request(
            method,
            url,
            headers=dict(headers),
            data=body,
            timeout=TIMEOUTS,
            allow_redirects=False,
            stream=True,
        ) as response:
            raw = b""
            for chunk in response.iter_content(64 * 1024):
                raw += chunk
                if len(raw) > LARGEST_REPLY or time.monotonic() > deadline:
                    raise Unreachable("its answer was too large or too slow")
    except (requests.RequestException, ValueError) as fault:
        raise Unreachable(type(fault).__name__) from fault
    said = f"{response.reason or ''} {raw[:2000].decode(errors='replace')}"
    return Reply(response.status_code, said, raw, response.headers)
