"""Line items, scores and results, as a platform keeps them (AGS 2.0)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from lti_tool.lti.claims import (
    LINE_ITEM_READ_SCOPE,
    LINE_ITEM_SCOPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
    service_url,
)
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import Reply, call

MAXIMUM: Final = 100
LABEL: Final = "Social media policy training"

SCORE_TYPE: Final = "application/vnd.ims.lis.v1.score+json"
LINE_ITEM_TYPE: Final = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS_TYPE: Final = "application/vnd.ims.lis.v2.resultcontainer+json"


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
    return call(
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
    reply = call(lti, platform, (RESULT_SCOPE,), "GET", url, {"Accept": RESULTS_TYPE})
    entries = reply.json() if reply.is_ok else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and entry.get("userId") == subject:
            return _result(entry)
    return None


def line_item(label: str, *, module: str, cycle: str) -> dict[str, object]:
    """A line item of ours (AGS §3.2.3), as we make it and as a deep link asks for it: what it is
    for and in which school year tell it from others, and find it again after a course was copied.
    """
    return {"label": label, "scoreMaximum": MAXIMUM, "resourceId": module, "tag": cycle}


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
        reply = call(lti, platform, may, "GET", url, {"Accept": LINE_ITEMS_TYPE})
        found = _pick(reply.json() if reply.is_ok else None, place)
        if found:
            return found
    if LINE_ITEM_SCOPE not in may:
        return ""
    item = {
        **line_item(LABEL, module=place.module, cycle=place.cycle),
        "resourceLinkId": place.resource_link_id,
    }
    reply = call(
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
