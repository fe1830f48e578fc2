"""A course's members, as a platform lists them (NRPS 2.0).

Roles are not read: Moodle calls a non-editing teacher an Instructor in a launch and a Learner
here, and nothing may be granted from a list anyway. No ``limit`` is asked for: the next page is
wherever the platform says it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lti_tool.lti.claims import LONGEST_ID, MEMBERS_SCOPE, personal, title_of
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import AWAY, LISTS, Reply, Unreachable, call
from lti_tool.lti.services.paging import may_follow, next_page
from lti_tool.people.staff_lists import Listed

MEMBERS_TYPE: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MOST_PAGES: Final = 2000
REFUSED: Final = {401: "reconnect", 403: "forbidden", 404: "gone", 410: "gone"}
TEST_USER: Final = "TestUser"


class RosterUnfit(Exception):
    """The platform answered, but not with a list that can be used; ``reason`` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Page:
    """Part of a course's members."""

    title: str
    """What the course is called; may be empty."""
    members: Sequence[Listed]
    skipped: int
    """How many had no number by which we could know them."""
    is_last: bool


def pages(lti: Lti, platform: Platform, memberships_url: str) -> Iterator[Page]:
    """All members of a course, a page at a time.

    Raises ``Unreachable``, ``TokenRefused``; ``RosterUnfit`` with reconnect, forbidden, gone,
    refused, unreadable, elsewhere (the next page would take our token to another host) or endless.
    """
    url, seen = memberships_url, set[str]()
    while url:
        if url in seen or len(seen) >= MOST_PAGES:
            raise RosterUnfit("endless")
        seen.add(url)
        reply = call(
            lti, platform, (MEMBERS_SCOPE,), "GET", url, {"Accept": MEMBERS_TYPE}, limits=LISTS
        )
        _require_ok(reply, lti.clock())
        following = next_page(reply.headers.get("Link", ""), url)
        yield read_page(reply.json(), is_last=not following)
        if following and not may_follow(url, following):
            raise RosterUnfit("elsewhere")
        url = following


def read_page(container: object, *, is_last: bool = True) -> Page:
    """A membership container (NRPS §2). Raises ``RosterUnfit`` unreadable."""
    said = container if isinstance(container, dict) else {}
    entries = said.get("members")
    if not isinstance(entries, list):
        raise RosterUnfit("unreadable")
    people = [entry for entry in entries if not _is_test_user(entry)]
    members = [found for entry in people if (found := _read_member(entry)) is not None]
    context = said.get("context")
    title = title_of(context) if isinstance(context, dict) else ""
    return Page(title, members, len(people) - len(members), is_last)


def _require_ok(reply: Reply, now: datetime) -> None:
    if reply.status in AWAY or reply.status >= 500:
        raise Unreachable(f"the list answered {reply.status}", reply.wait(now))
    if not reply.is_ok:
        raise RosterUnfit(REFUSED.get(reply.status, "refused"))


def _read_member(entry: Any) -> Listed | None:
    """One member. Without a status they are active (NRPS §2.3); a number may come as one."""
    if not isinstance(entry, dict):
        return None
    subject = entry.get("user_id")
    if isinstance(subject, int) and not isinstance(subject, bool):
        subject = str(subject)
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_ID:
        return None
    if not subject.isprintable():
        return None
    name, email = personal(entry)
    status = entry.get("status") or "Active"
    is_active = isinstance(status, str) and status.rpartition("#")[2].lower() == "active"
    return Listed(subject, name, email, is_active)


def _is_test_user(entry: Any) -> bool:
    """Whether this is nobody, but a teacher's way to see a course as a learner (Core §A.2.1)."""
    roles = entry.get("roles") if isinstance(entry, Mapping) else None
    return isinstance(roles, list) and any(
        isinstance(role, str) and role.rpartition("#")[2] == TEST_USER for role in roles
    )
