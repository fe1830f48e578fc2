"""The worker's part: cycles open on their set dates, and what people owe follows the facts."""

import logging
from collections.abc import Iterable

from huey import crontab
from huey.api import Huey
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.people.models import Membership
from lti_tool.policies.policy import School
from lti_tool.training.cycles.opening import open_due
from lti_tool.training.cycles.settling import settle

log = logging.getLogger(__name__)


def register_tasks(
    queue: Huey, database: Database, schools: Iterable[School], clock: Clock
) -> None:
    """Give the queue its task. Several workers may run it at once: they wait for one another,
    school by school, and whoever comes second finds nothing to do."""

    @queue.periodic_task(crontab(minute="*/10"), name="settle_schools")  # type: ignore[untyped-decorator]
    def settle_schools() -> None:
        settle_all(database, schools, clock)


def settle_all(database: Database, schools: Iterable[School], clock: Clock) -> None:
    """Open what is due and settle, at every school that counts anybody. What fails at one school
    is logged, and the others go on."""
    schools = list(schools)
    with database.reading() as session:
        # One by one, each by an index: to ask for all at once reads every member there is.
        counting = {school.id for school in schools if _counts_anybody(session, school.id)}
    for school in schools:
        if school.closed or school.id not in counting:
            continue
        try:
            with database.transaction() as session:
                now = clock()
                opened = open_due(session, school=school, now=now)
                changes = settle(session, school=school, now=now)
        except Exception:
            log.exception("a school could not be settled", extra={"school": school.id})
            continue
        if opened or changes:
            facts = {"school": school.id, "opened": bool(opened), "changes": changes.total()}
            log.info("a school was settled", extra=facts)


def _counts_anybody(session: Session, school_id: str) -> bool:
    confirmed = exists().where(
        Membership.school_id == school_id, Membership.confirmed_at.is_not(None)
    )
    return bool(session.scalar(select(confirmed)))
