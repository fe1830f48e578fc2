"""Line items, scores and results, as a platform keeps them (AGS 2.0)."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import UUID

from lti_tool.lti.claims import (
    LINE_ITEM_READ_SCOPE,
    LINE_ITEM_SCOPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
    service_url,
)
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import LISTS, Refused, Reply, call, pages

MAXIMUM: Final = 100
LABEL: Final = "Social media policy training"
TAG: Final = "policy-"

SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
LINE_ITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"


@dataclass(frozen=True)
class Place:
    """An activity's line item service, as its latest launch gave it, for one training's cycle."""

    link_id: UUID
    resource_link_id: str
    line_item_url: str
    line_items_url: str
    scopes: tuple[str, ...]
    module: str
    cycle: str
    taken: Collection[str] = ()
    """URLs of the line items that other cycles of this activity are scored in."""

    @property
    def may_look(self) -> bool:
        return bool(self.line_items_url and self.looking)

    @property
    def looking(self) -> tuple[str, ...]:
        """The scopes to look with. Moodle wants the reading one named."""
        both = (LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE)
        return tuple(scope for scope in both if scope in self.scopes)


@dataclass(frozen=True)
class Result:
    """What the platform holds for one person, in hundredths of its maximum."""

    percent: float
    at: datetime | None
    step: float = 1.0
    """How far a platform that keeps whole points may be off, in hundredths."""

    def is_about(self, score: int) -> bool:
        return abs(self.percent - score) < self.step


def post_score(lti: Lti, platform: Platform, line_item_url: str, payload: str) -> Reply:
    """Send a score (AGS §3.4.8). Raises ``Unreachable``, ``TokenRefused``."""
    return call(
        lti,
        platform,
        (SCORE_SCOPE,),
        "POST",
        beneath(line_item_url, "scores"),
        {"Content-Type": SCORE_TYPE},
        payload.encode(),
    )


def read_results(
    lti: Lti, platform: Platform, line_item_url: str, *, subject: str = ""
) -> dict[str, Result]:
    """What the platform holds, by person; of one person where ``subject`` is given.

    Raises ``Unreachable``, ``TokenRefused``, ``Refused``.
    """
    url = beneath(line_item_url, "results")
    if subject:
        url = with_query(url, user_id=subject)
    return {
        str(entry["userId"]): _result(entry)
        for page in pages(lti, platform, (RESULT_SCOPE,), url, RESULTS_TYPE, limits=LISTS)
        for entry in page
        if isinstance(entry, dict) and "userId" in entry
    }


def line_item(label: str, *, module: str, cycle: str) -> dict[str, object]:
    """A line item of ours (AGS §3.2.3), as we make it and as a deep link asks for it: what it is
    for and in which school year tell it from others, and find it again after a course was copied.
    """
    return {"label": label, "scoreMaximum": MAXIMUM, **identity(module, cycle)}


def identity(module: str, cycle: str) -> dict[str, str]:
    """What tells a line item of ours from others (AGS §3.2.6 and §3.2.7)."""
    return {"resourceId": module, "tag": f"{TAG}{cycle}"}


def find_line_item(lti: Lti, platform: Platform, place: Place) -> str:
    """The URL of the line item of this activity and cycle, or nothing: by the link, then by
    resource id and tag. Raises ``Unreachable``, ``TokenRefused``, ``Refused``."""
    ours = identity(place.module, place.cycle)
    for wanted in (
        {"resource_link_id": place.resource_link_id},
        {"resource_id": ours["resourceId"], "tag": ours["tag"]},
    ):
        url = with_query(place.line_items_url, **wanted)
        found = [
            item
            for page in pages(lti, platform, place.looking, url, LINE_ITEMS_TYPE)
            for item in page
            if isinstance(item, dict)
        ]
        if picked := pick(found, place):
            return picked
    return ""


def make_line_item(lti: Lti, platform: Platform, place: Place) -> str:
    """Make the line item of this activity and cycle; returns its URL, empty where it has none that
    we may send a token to. Raises ``Unreachable``, ``TokenRefused``, ``Refused``."""
    item = {
        **line_item(f"{LABEL}, {place.cycle}", module=place.module, cycle=place.cycle),
        "resourceLinkId": place.resource_link_id,
    }
    reply = call(
        lti,
        platform,
        place.looking,
        "POST",
        place.line_items_url,
        {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE},
        json.dumps(item).encode(),
    )
    reply.require(lti.clock())
    made = reply.json()
    if not isinstance(made, dict):
        raise Refused(reply)
    return service_url(made.get("id"))


def pick(items: list[dict[str, Any]], place: Place) -> str:
    """The URL of the best line item for a cycle, or nothing.

    The one of this activity with our resource id and tag; else one of this activity that belongs
    to no other cycle, by its tag or by what we sent; else one with our resource id and tag that
    hangs on no activity. One that a copied course left on another activity is that activity's.
    """
    ours = identity(place.module, place.cycle)
    taken = {_path(url) for url in place.taken}

    def rank(item: Mapping[str, Any]) -> int:
        is_exact = all(item.get(name) == value for name, value in ours.items())
        if item.get("resourceLinkId") != place.resource_link_id:
            return 2 if is_exact and not item.get("resourceLinkId") else 9
        is_free = not str(item.get("tag") or "").startswith(TAG)
        return 0 if is_exact else 1 if is_free else 9

    fitting = sorted((item for item in items if rank(item) < 9), key=rank)
    urls = (service_url(item.get("id")) for item in fitting)
    return next((url for url in urls if url and _path(url) not in taken), "")


def beneath(url: str, name: str) -> str:
    """``name`` added to a URL's path; its query stays where it was (AGS §3.4.8)."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def with_query(url: str, **values: str) -> str:
    """More parameters for a URL's query."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(values)) if part)
    return urlunsplit(parts._replace(query=query))


def _path(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(query=""))


def _result(entry: Mapping[str, Any]) -> Result:
    """Without a score it is 0: Moodle leaves that out. Without a maximum that is 1 (AGS §3.3.4)."""
    try:
        maximum = float(entry.get("resultMaximum") or 1)
        percent = 100 * float(entry.get("resultScore") or 0) / maximum
    except (TypeError, ValueError, ArithmeticError):
        return Result(0.0, _moment(entry))
    return Result(percent, _moment(entry), max(1.0, 50 / maximum))


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(entry.get("timestamp")))
    except ValueError:
        return None
    # One so late that nothing can follow it is no moment to pass.
    return at if at.tzinfo and at.year < MAXYEAR else None
