"""A code, shown in one visit and entered in another: the person is signed in at both."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.people.arrive import digest
from lti_tool.people.memberships import CODE_LENGTH, CODE_LETTERS
from lti_tool.people.models import Identity, JoinCode, Person, Visit

CODE_LIFE: Final = timedelta(minutes=10)


def make_code(session: Session, visit: Visit, *, now: datetime) -> str:
    """A one-time code that says “I am also this person”; ten minutes; shown once."""
    code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    session.add(
        JoinCode(
            school_id=visit.school_id,
            identity_id=visit.identity_id,
            platform_name=visit.platform_name,
            code_hash=digest(code),
            expires_at=now + CODE_LIFE,
        )
    )
    session.flush()
    return "-".join((code[:4], code[4:8], code[8:]))


def forget(session: Session, *, now: datetime) -> None:
    """Erase the codes that no longer work."""
    session.execute(delete(JoinCode).where(JoinCode.expires_at <= now))


def by_code(session: Session, code: str, *, now: datetime) -> tuple[JoinCode, Person]:
    """Whose code this is, before it is used. Raises ``ToolError`` join-code-wrong."""
    plain = "".join(letter for letter in code.upper() if letter.isalnum())
    found = session.execute(
        select(JoinCode, Person)
        .join(Identity, Identity.id == JoinCode.identity_id)
        .join(Person, Person.id == Identity.person_id)
        .where(
            JoinCode.code_hash == digest(plain),
            JoinCode.used_at.is_(None),
            JoinCode.expires_at > now,
        )
        .with_for_update(of=JoinCode)
    ).one_or_none()
    if found is None:
        raise ToolError("join-code-wrong")
    return found[0], found[1]
