"""A visit's life: begun by a code, confirmed where the launch was not bound, touched, ended."""

import hmac
from collections import namedtuple
from datetime import datetime, timedelta
from typing import Final, cast

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.core.hot import Hot
from lti_tool.people.arrive import IDLE_LIFE, VISIT_LIFE, digest
from lti_tool.people.models import Membership, Visit

VISIT_SECONDS: Final = int(VISIT_LIFE.total_seconds())
_visit, _member = Visit.__table__, Membership.__table__
READ_VISIT: Final = Hot(
    select(*_visit.c, *(column.label(f"member_{column.key}") for column in _member.c))
    .select_from(_visit)
    .outerjoin(
        _member,
        (_member.c.school_id == _visit.c.school_id) & (_member.c.person_id == _visit.c.person_id),
    )
    .where(_visit.c.token_hash == bindparam("token_hash"))
)
MemberRow = namedtuple("MemberRow", _member.c.keys())  # type: ignore[misc]
TOUCH_EVERY = timedelta(minutes=2)


def visit_by_token(
    session: Session, token: str, *, now: datetime
) -> tuple[Visit | None, Membership | None]:
    """The living visit this cookie belongs to, and what its person is at its school: plain rows,
    which every page asks for and few change. Whoever changes a visit asks for it ``mapped``."""
    row = READ_VISIT.one(session, {"token_hash": digest(token)})
    if row is None or not is_alive(row, now=now):
        return None, None
    member = None if row.member_id is None else MemberRow(*row[len(_visit.c) :])
    return cast(Visit, row), cast(Membership | None, member)


def mapped(session: Session, visit: Visit) -> Visit:
    """The visit as what can be changed."""
    return session.get_one(Visit, visit.id)


def is_alive(visit: Visit, *, now: datetime) -> bool:
    """Whether a visit is neither ended, nor too old, nor too long idle."""
    return (
        visit.ended_at is None and now < visit.expires_at and now - visit.last_seen_at < IDLE_LIFE
    )


def needs_touch(visit: Visit, *, now: datetime) -> bool:
    """Whether it is time to note that the person is still here; not at each page."""
    return now - visit.last_seen_at >= TOUCH_EVERY


def by_code(session: Session, code: str, *, now: datetime) -> Visit:
    """The visit a one-time code leads to.

    Raises ``ToolError``: code-unknown, code-used, code-expired.
    """
    # Locked, so that of two that come at once one finds the code used.
    visit = session.scalar(select(Visit).where(Visit.code_hash == digest(code)).with_for_update())
    if visit is None or visit.ended_at is not None:
        raise ToolError("code-unknown")
    if visit.code_used_at is not None:
        raise ToolError("code-used")
    if now >= visit.code_expires_at:
        raise ToolError("code-expired")
    return visit


def has_code(visit: Visit, code: str) -> bool:
    """Whether this code leads to this visit, be it used or not."""
    return hmac.compare_digest(visit.code_hash, digest(code))


def burn_code(session: Session, visit: Visit, *, now: datetime) -> None:
    """Use the code up."""
    visit.code_used_at = now
    visit.last_seen_at = now
    session.flush()


def renew_token(session: Session, visit: Visit, *, token: str, now: datetime) -> None:
    """Carry the visit over to another window: only the new token counts from now on.

    Nothing shows that this window is where the launch began, so it has to be confirmed again.
    """
    visit.token_hash = digest(token)
    visit.confirmed_at = None
    burn_code(session, visit, now=now)


def confirm(session: Session, visit: Visit, *, now: datetime) -> None:
    """“Yes, that is me”: from here on the visit may save."""
    visit.confirmed_at = now
    session.flush()


def finish(session: Session, visit: Visit, *, now: datetime) -> None:
    """End the visit on this computer."""
    visit.ended_at = now
    session.flush()
