"""Which line item takes a cycle's scores: one each, so that last year's results stand.

The launch's own takes the first cycle that is scored in it. A later cycle gets an item to itself,
found or else made, by one worker at a time. Where we may neither find nor make one, the launch's
own is all there is.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.lti.claims import LINE_ITEM_SCOPE
from lti_tool.lti.models import LineItem, ResourceLink, ScoreOutbox
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import Refused
from lti_tool.lti.services.line_items import Place, find_line_item, make_line_item

LONGEST_SEARCH: Final = timedelta(minutes=10)


class BeingSought(Exception):
    """Another worker is just looking for the line item: its score goes first."""


def keep(session: Session, row: ScoreOutbox) -> tuple[Place, str]:
    """Where a score goes: the activity's services, and the line item's URL if it is settled.

    The first cycle that comes takes the activity's own.
    """
    link = session.get_one(ResourceLink, row.resource_link_row_id)
    kept = list(session.scalars(select(LineItem).where(LineItem.resource_link_row_id == link.id)))
    mine = next((one for one in kept if (one.module, one.cycle) == (row.module, row.cycle)), None)
    own = next((one for one in kept if one.is_own), None)
    if own is not None and link.line_item_url:
        own.url = link.line_item_url  # the latest launch knows best: it may change (AGS §3.1)
    taken = [one.url for one in kept if one is not mine and one.url]
    if own is None and mine is None and link.line_item_url and link.line_item_url not in taken:
        mine = LineItem(
            resource_link_row_id=link.id,
            module=row.module,
            cycle=row.cycle,
            url=link.line_item_url,
            is_own=True,
        )
        session.add(mine)
    place = Place(
        link_id=link.id,
        resource_link_id=link.resource_link_id,
        line_item_url=link.line_item_url,
        line_items_url=link.line_items_url,
        scopes=tuple(link.scopes.split()),
        module=row.module,
        cycle=row.cycle,
        taken=tuple(taken),
    )
    return place, mine.url if mine is not None else ""


def seek(lti: Lti, platform: Platform, place: Place, *, gone: str = "") -> str:
    """Find or make the line item of a cycle, and keep it; returns its URL, or nothing.

    ``gone`` is one that the platform does not know any more. Raises ``Unreachable``,
    ``TokenRefused``, ``Refused``, ``BeingSought``.
    """
    all_there_is = "" if gone else place.line_item_url
    if not place.may_look:
        return all_there_is
    settled = _begin(lti, place, gone)
    if settled:
        return settled
    found = ""
    try:
        found = _find_or_make(lti, platform, place)
    finally:
        _end(lti, place, found)
    return found or all_there_is


def _find_or_make(lti: Lti, platform: Platform, place: Place) -> str:
    found = find_line_item(lti, platform, place)
    if found or LINE_ITEM_SCOPE not in place.scopes:
        return found
    try:
        return make_line_item(lti, platform, place)
    except Refused:
        if place.line_item_url:
            return ""  # it may say that we may, and not let us
        raise


def _begin(lti: Lti, place: Place, gone: str) -> str:
    """Take the search upon us; returns the URL where it has been settled meanwhile.

    Raises ``BeingSought``.
    """
    now = lti.clock()
    try:
        with lti.database.transaction() as session:
            row = session.get(LineItem, _key(place), with_for_update=True)
            if row is None:
                row = LineItem(**_key(place))
                session.add(row)
            elif row.sought_until and row.sought_until > now:
                raise BeingSought
            elif row.url and row.url != gone:
                return row.url
            row.sought_until = now + LONGEST_SEARCH
    except IntegrityError as fault:
        raise BeingSought from fault
    return ""


def _end(lti: Lti, place: Place, found: str) -> None:
    with lti.database.transaction() as session:
        row = session.get_one(LineItem, _key(place), with_for_update=True)
        row.sought_until = None
        if found:
            row.url, row.is_own = found, False
        elif not row.is_own:
            row.url = ""


def _key(place: Place) -> dict[str, Any]:
    return {
        "resource_link_row_id": place.link_id,
        "module": place.module,
        "cycle": place.cycle,
    }
