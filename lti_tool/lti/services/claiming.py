"""Takes scores that are due under a lease: one, or with it others of the same activity.

Two workers never have the same score, nor two of one person at one time.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.lti.models import PENDING, SENDING, Registration, ScoreOutbox
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services import breaker, placing
from lti_tool.lti.services.line_items import Place
from lti_tool.lti.services.sending import Owed

LEASE: Final = timedelta(minutes=10)
MOST_RACES: Final = 5

_outbox = ScoreOutbox.metadata.tables["score_outbox"]
TAKE: Final = (
    update(_outbox)
    .where(_outbox.c.id == bindparam("row"))
    .values(state=SENDING, lease_until=bindparam("until"), attempts=_outbox.c.attempts + 1)
)


def claim(
    lti: Lti,
    *which: ColumnElement[bool],
    most: int = 1,
    but: Collection[UUID] = (),
    hurry: bool = False,
) -> list[Owed]:
    """The score that is due first, taken upon us, and with it up to ``most`` of its activity.

    Where another worker was quicker (with another score of such a person, or with the one call to a
    platform that was away) the next is looked for.
    """
    which = (*which, ScoreOutbox.id.not_in(but)) if but else which
    for _ in range(MOST_RACES):
        try:
            with lti.database.transaction() as session:
                now = lti.clock()
                row = _first_due(session, now, *which, hurry=hurry)
                platform = lti.registry.by_id(row.registration_id) if row else None
                if row is None or platform is None:
                    return []
                is_probe = breaker.breaker_state(session, platform.id).is_open
                if not breaker.may_call(session, platform.id, now=now):
                    continue
                place, url = placing.keep(session, row)
                # A line item that has still to be found is found for one.
                is_alone = is_probe or (place.may_look and not url)
                rows = [row] if is_alone else _beside(session, row, most, now, but, hurry)
                return _take(session, rows, platform, place, url, lti.clock() + LEASE)
        except IntegrityError:
            continue
    return []


def _first_due(
    session: Session, now: datetime, *which: ColumnElement[bool], hurry: bool
) -> ScoreOutbox | None:
    found: ScoreOutbox | None = session.scalar(
        select(ScoreOutbox)
        .join(Registration)
        .where(
            Registration.disabled_at.is_(None),
            ~breaker.is_left_alone(now),
            _is_due(now, hurry),
            *which,
        )
        .order_by(ScoreOutbox.next_at, ScoreOutbox.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=ScoreOutbox)
    )
    return found


def _beside(
    session: Session,
    row: ScoreOutbox,
    most: int,
    now: datetime,
    but: Collection[UUID],
    hurry: bool,
) -> list[ScoreOutbox]:
    """A score and others that are due where it is, one of each person.

    The platform is no condition: it would have SQLite look through all that was ever sent there.
    """
    found = {row.subject: row}
    if most > 1:
        others = session.scalars(
            select(ScoreOutbox)
            .where(
                ScoreOutbox.resource_link_row_id == row.resource_link_row_id,
                ScoreOutbox.module == row.module,
                ScoreOutbox.cycle == row.cycle,
                ScoreOutbox.id.not_in([row.id, *but]),
                _is_due(now, hurry),
            )
            .order_by(ScoreOutbox.next_at, ScoreOutbox.id)
            .limit(most - 1)
            .with_for_update(skip_locked=True)
        )
        for other in others:
            if other.registration_id == row.registration_id:
                found.setdefault(other.subject, other)
    return list(found.values())


def _is_due(now: datetime, hurry: bool) -> ColumnElement[bool]:
    """Waiting and due, or left behind by a worker; never two of one person at one time."""
    other = ScoreOutbox.__table__.alias("other")
    is_busy = exists().where(
        other.c.registration_id == ScoreOutbox.registration_id,
        other.c.subject == ScoreOutbox.subject,
        other.c.state == SENDING,
        other.c.id != ScoreOutbox.id,
    )
    waits = ScoreOutbox.state == PENDING
    return or_(
        and_(waits if hurry else and_(waits, ScoreOutbox.next_at <= now), ~is_busy),
        and_(ScoreOutbox.state == SENDING, ScoreOutbox.lease_until < now),
    )


def _take(
    session: Session,
    rows: Sequence[ScoreOutbox],
    platform: Platform,
    place: Place,
    url: str,
    lease_until: datetime,
) -> list[Owed]:
    """Under a lease; in the order of the persons, so that no two workers wait for one another."""
    session.flush()
    session.connection().execute(
        TAKE, [{"row": row.id, "until": lease_until} for row in sorted(rows, key=_subject)]
    )
    return [
        Owed(
            id=row.id,
            platform=platform,
            place=place,
            subject=row.subject,
            score=row.score,
            payload=row.payload,
            line_item_url=url,
            attempts=row.attempts + 1,
            was_renewed=row.was_renewed,
            replaces=row.replaces,
            lease_until=lease_until,
        )
        for row in rows
    ]


def _subject(row: ScoreOutbox) -> str:
    return row.subject
