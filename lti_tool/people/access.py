"""Who may enter which page, the visit's cookie, and the token every form carries.

Each view wears one of ``public``, ``visitor`` or ``manager``. The roof looks at the mark before
it calls the view, and refuses to start where one is missing.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Request, Response
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import Limit
from lti_tool.people.memberships import manages
from lti_tool.people.models import Visit
from lti_tool.people.visits import VISIT_SECONDS

View = TypeVar("View", bound=Callable[..., Any])

COOKIE = "__Host-clauseway-visit"


@dataclass(frozen=True)
class Access:
    """What a view asks of whoever calls it."""

    level: str
    """public, arrived (a visit, perhaps not yet confirmed or set up), visitor or manager."""
    writes: bool = False
    """A GET that writes: it gets a writing session."""
    csrf: bool = True
    largest: int | None = None
    """The most bytes that its form may have, where that is more than elsewhere."""
    is_act: bool = False
    """What its form does goes into the access log; of a manager's form always."""
    shows_person: bool = False
    """Looking at it is looking at one person, which goes into the access log."""
    hands_out: bool = False
    """A GET that gives a list with names away, which goes into the access log."""
    limit: Limit | None = None
    """How often it may be asked, or asked in vain."""

    @property
    def leaves_trace(self) -> bool:
        """Whether looking at it goes into the access log."""
        return self.shows_person or self.hands_out


def public(
    *, writes: bool = False, csrf: bool = True, limit: Limit | None = None
) -> Callable[[View], View]:
    """Anybody. ``csrf=False`` where the form's own content is its credential."""
    return _mark(Access("public", writes, csrf, limit=limit))


def arrived(*, writes: bool = False, is_act: bool = False) -> Callable[[View], View]:
    """Somebody with a visit, even one that is not confirmed or has no school yet."""
    return _mark(Access("arrived", writes, is_act=is_act))


def visitor(
    *, writes: bool = False, is_act: bool = False, limit: Limit | None = None
) -> Callable[[View], View]:
    """Somebody with a confirmed visit at a school."""
    return _mark(Access("visitor", writes, is_act=is_act, limit=limit))


def manager(
    *,
    writes: bool = False,
    largest: int | None = None,
    shows_person: bool = False,
    hands_out: bool = False,
) -> Callable[[View], View]:
    """Somebody with a confirmed visit who holds a grant for its school. What their forms do goes
    into the access log, and so does what is marked here."""
    return _mark(
        Access(
            "manager",
            writes or hands_out,
            largest=largest,
            is_act=True,
            shows_person=shows_person,
            hands_out=hands_out,
        )
    )


def _mark(access: Access) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.access = access  # type: ignore[attr-defined]
        return view

    return mark


def access_of(view: Callable[..., Any]) -> Access | None:
    """The mark a view wears, if any."""
    return getattr(view, "access", None)


def check(session: Session, access: Access, visit: Visit | None) -> None:
    """Let the visit in or raise ``ToolError``: visit-ended, visit-unconfirmed,
    school-not-set-up, not-a-manager."""
    if access.level == "public":
        return
    if visit is None:
        raise ToolError("visit-ended")
    if access.level == "arrived":
        return
    if visit.confirmed_at is None:
        raise ToolError("visit-unconfirmed")
    if not visit.school_id:
        raise ToolError("school-not-set-up")
    if access.level == "manager" and not manages(session, visit):
        raise ToolError("not-a-manager")


def csrf_token(secret: bytes, visit: Visit) -> str:
    """The token a form of this visit carries: an HMAC, so nothing has to be kept.

    It is the same for every visit of one person to one training of a school, or to one place that
    has no school yet: a second tab brings a visit of its own, and what stands in the first can
    still be sent. Until a visit is confirmed its forms are its own: a person who had theirs begin
    in somebody else's browser could else answer “Is this you?” there, with a token from their own.
    """
    whose = f"csrf {visit.person_id} {visit.school_id or visit.place_id} {visit.module}"
    if visit.confirmed_at is None:
        whose = f"csrf {visit.id}"
    return hmac.new(secret, whose.encode(), hashlib.sha256).hexdigest()


def check_csrf(secret: bytes, visit: Visit | None, request: Request) -> None:
    """Raises ``ToolError`` form-expired unless the form carries this visit's token."""
    given = request.form.get("csrf_token", "")
    if visit is None:
        raise ToolError("visit-ended")
    if not hmac.compare_digest(given.encode(), csrf_token(secret, visit).encode()):
        raise ToolError("form-expired")


def set_cookie(response: BaseResponse, name: str, value: str, *, seconds: int) -> None:
    """A cookie that works inside a platform's frame. ``value`` needs no quoting.

    Written as text: a launch sets three that differ in nothing else, and Werkzeug's own way
    looks at each for whatever a cookie could be.
    """
    response.headers.add(
        "Set-Cookie",
        f"{name}={value}; Secure; HttpOnly; Max-Age={seconds}; Path=/; SameSite=None; Partitioned",
    )


def set_visit_cookie(response: BaseResponse, token: str) -> None:
    """Give the visit to the browser."""
    set_cookie(response, COOKIE, token, seconds=VISIT_SECONDS)


def drop_visit_cookie(response: Response) -> None:
    """Take the visit back from the browser."""
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="None", partitioned=True)


def visit_token(request: Request) -> str:
    """The visit's token, or an empty string."""
    return request.cookies.get(COOKIE, "")
