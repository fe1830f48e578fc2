"""What a platform is asked to see whether it is well connected; nothing it answers is kept."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from lti_tool.core.keysets import ask_for_keys, read_keys
from lti_tool.core.outside import PATIENCE, Answer, HostRefused, Outage
from lti_tool.lti.claims import (
    LINE_ITEM_READ_SCOPE,
    LINE_ITEM_SCOPE,
    MEMBERS_SCOPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
)
from lti_tool.lti.health.words import Finding
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import BACKDATED, LISTS, TOKEN_HEADERS, token_form
from lti_tool.lti.services.members import MEMBERS_TYPE, RosterUnfit, read_page

MOST_AT_ONCE: Final = 32

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "scores": (SCORE_SCOPE,),
    "results": (RESULT_SCOPE,),
    "line-items": (LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE),
    "members": (MEMBERS_SCOPE,),
}
CLOCK_IS_RIGHT: Final = 5
CLOCK_IS_WRONG: Final = 30
# Words of platforms that give no code: Moodle's among them.
MEANINGS: Final = (
    ("invalid_scope", "withdrawn"),
    ("prior to", "clock-refused"),
    ("expired", "clock-refused"),
    ("signature", "key-unknown"),
    ("kid", "key-unknown"),
    ("keyset", "key-unknown"),
    ("invalid_client", "client-unknown"),
    ("unauthorized_client", "client-unknown"),
)


@dataclass(frozen=True)
class Place:
    """A platform, what its launches have promised, and where a course's members are listed."""

    platform: Platform
    promised: frozenset[str]
    memberships_url: str


@dataclass
class _Asking:
    """One platform being asked; everything must end at ``ends_at`` of ``time.monotonic()``."""

    lti: Lti
    place: Place
    ends_at: float
    differences: list[tuple[float, float]] = field(default_factory=list)
    """How far its clock is ahead, in seconds, and how sure that is, for each answer."""

    def facts(self, url: str, answer: Answer | None = None, said: str = "") -> dict[str, object]:
        status = f"{answer.status} {_phrase(answer.status)}".strip() if answer else ""
        return {
            "url": url,
            "host": urlsplit(url).hostname or url,
            "status": f"{status}, {said}" if said else status,
            "client_id": self.place.platform.client_id,
            "our_keys": f"{self.lti.config.url}/lti/jwks",
        }

    def call(self, ask: Callable[[float], Answer]) -> Answer:
        """An answer within what is left of the time, and what it tells of the clock."""
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise Outage("its turn did not come in time")
        before, started = self.lti.clock(), time.monotonic()
        answer = ask(left)
        took = time.monotonic() - started
        said = _date(answer)
        if said is not None:
            # A date has whole seconds: what it says was so for half a second on average.
            ahead = said + 0.5 - (before + timedelta(seconds=took / 2)).timestamp()
            self.differences.append((took / 2 + 0.5, ahead))
        return answer

    def keys(self) -> list[Finding]:
        url = self.place.platform.jwks_url
        try:
            answer = self.call(lambda left: ask_for_keys(self.lti.outside, url, seconds=left))
        except HostRefused:
            return [Finding("keys", "keys-private", self.facts(url))]
        except Outage:
            return [Finding("keys", "keys-silent", self.facts(url))]
        if not answer.is_ok:
            return [Finding("keys", "keys-refused", self.facts(url, answer))]
        try:
            return [Finding("keys", "keys-read", {"count": len(read_keys(answer))})]
        except Outage:
            return [Finding("keys", "keys-none", self.facts(url, answer))]

    def token(self, subject: str) -> tuple[Finding, str]:
        """What became of asking for a token, and the token if there is one."""
        platform, scopes = self.place.platform, SCOPES[subject]
        url = platform.auth_token_url
        form = token_form(self.lti, platform, " ".join(scopes), now=self.lti.clock())
        try:
            answer = self.call(
                lambda left: self.lti.outside.call(
                    "POST", url, headers=TOKEN_HEADERS, body=form, seconds=left
                )
            )
        except HostRefused:
            return Finding(subject, "token-private", self.facts(url)), ""
        except Outage:
            return Finding(subject, "token-silent", self.facts(url)), ""
        code, said, token = _read_token(answer, scopes)
        is_promised = not self.place.promised.isdisjoint(scopes) or (
            subject == "members" and bool(self.place.memberships_url)
        )
        if code == "withdrawn" and not is_promised:
            code = "left-out"
        return Finding(subject, code, self.facts(url, answer, said)), token

    def leave(self, subject: str) -> list[Finding]:
        return [self.token(subject)[0]]

    def roster(self) -> list[Finding]:
        """Leave to read members, then the first page of one course's list."""
        leave, token = self.token("members")
        url = self.place.memberships_url
        if not url or not token:
            code = "roster-no-leave" if url else "roster-nowhere"
            return [leave, Finding("roster", code, {})]
        headers = {"Accept": MEMBERS_TYPE, "Authorization": f"Bearer {token}"}
        try:
            answer = self.call(
                lambda left: self.lti.outside.call(
                    "GET", url, headers=headers, seconds=left, largest=LISTS.largest
                )
            )
        except HostRefused:
            return [leave, Finding("roster", "roster-private", self.facts(url))]
        except Outage:
            return [leave, Finding("roster", "roster-slow", {})]
        return [leave, Finding("roster", _judge_list(answer), self.facts(url, answer))]

    def clock(self) -> Finding:
        """How the clocks compare, by the answer that is most sure."""
        if not self.differences:
            return Finding("clock", "clock-unknown", {})
        unsure, ahead = min(self.differences)
        seconds = round(abs(ahead))
        facts = {"seconds": seconds, "within": max(CLOCK_IS_RIGHT, round(unsure))}
        if abs(ahead) <= max(CLOCK_IS_RIGHT, unsure):
            return Finding("clock", "clock-right", facts)
        if ahead - unsure > CLOCK_IS_WRONG:
            return Finding("clock", "clock-ahead", facts)
        if ahead + unsure < -BACKDATED:  # further back it thinks we are in the future
            return Finding("clock", "clock-behind", facts)
        return Finding("clock", "clock-off", facts)


def ask_platforms(lti: Lti, places: Sequence[Place]) -> dict[UUID, list[Finding]]:
    """What these platforms answer, all at once, within ``outside.PATIENCE`` seconds in all."""
    ends_at = time.monotonic() + PATIENCE
    asked = [_Asking(lti, place, ends_at) for place in places]
    work: list[Callable[[], list[Finding]]] = []
    for one in asked:
        work += [one.keys, one.roster]
        work += [lambda one=one, of=of: one.leave(of) for of in SCOPES if of != "members"]  # type: ignore[misc]
    if not work:
        return {}
    with ThreadPoolExecutor(min(len(work), MOST_AT_ONCE)) as threads:
        found = [part for part in threads.map(lambda do: do(), work)]
    per = len(work) // len(asked)
    return {
        one.place.platform.id: _in_order(found[number * per : (number + 1) * per], one.clock())
        for number, one in enumerate(asked)
    }


def _in_order(parts: Sequence[Sequence[Finding]], clock: Finding) -> list[Finding]:
    order = ("keys", *SCOPES, "roster")
    findings = [finding for part in parts for finding in part]
    return [*sorted(findings, key=lambda finding: order.index(finding.subject)), clock]


def _read_token(answer: Answer, scopes: Sequence[str]) -> tuple[str, str, str]:
    """The finding's code, what the platform said, and the token if there is one."""
    said = _object(answer.body)
    token, granted = said.get("access_token"), said.get("scope")
    if answer.is_ok:
        if not isinstance(token, str) or not (token.isascii() and token.isprintable() and token):
            return "token-unreadable", "", ""
        if isinstance(granted, str) and granted and set(scopes).isdisjoint(granted.split()):
            return "withdrawn", "", ""  # it leaves out what it does not allow
        return "granted", "", token
    if answer.status == 429 or answer.status >= 500:
        return "token-away", "", ""
    error = said.get("error")
    text = error if isinstance(error, str) else answer.body[:500].decode(errors="replace")
    plain = "".join(letter for letter in text if letter.isalnum() or letter in " _-:.+")
    meant = (code for word, code in MEANINGS if word in text.lower())
    is_page = text.lstrip().startswith("<")
    return next(meant, "token-refused"), "" if is_page else plain.strip()[:80], ""


def _judge_list(answer: Answer) -> str:
    if not answer.is_ok:
        return "roster-refused"
    try:
        read_page(_object(answer.body))
    except RosterUnfit:
        return "roster-unreadable"
    return "roster-read"


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _date(answer: Answer) -> float | None:
    """The moment an answer was made, unless something in between kept it for a while."""
    if answer.headers.get("Age", "0") != "0":
        return None
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
