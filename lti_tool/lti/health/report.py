"""Whether a platform is well connected: what can be wrong, each looked at, and what was found.

What only the platform knows it is asked there and then, everything at once and within the time
that somebody may wait. Nothing of this is kept: it is looked at when something is wrong, when an
answer of last night would mislead, and the worker that would have asked may be what is wrong.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.health.asking import Place, ask_platforms
from lti_tool.lti.health.words import FAULT, Finding, Line, line
from lti_tool.lti.models import (
    BLOCKED,
    DEAD,
    PENDING,
    SENDING,
    SENT,
    Deployment,
    DeploymentSchool,
    Registration,
    ResourceLink,
    ScoreOutbox,
)
from lti_tool.lti.platforms import Lti, read_platform
from lti_tool.lti.services.breaker import breaker_state
from lti_tool.lti.services.scores import OVERRIDDEN
from lti_tool.people.memberships import manages
from lti_tool.people.models import Visit

WAITS_LONG: Final = timedelta(hours=1)
LATEST_LINKS: Final = 100


@dataclass(frozen=True)
class Report:
    """One platform's health."""

    name: str
    issuer: str
    checked_at: datetime
    lines: tuple[Line, ...]

    def count(self, state: str) -> int:
        """How many lines are in this state."""
        return sum(line.state == state for line in self.lines)

    @property
    def is_well(self) -> bool:
        """Whether nothing is at fault."""
        return not self.count(FAULT)


def shown_to(session: Session, visit: Visit) -> tuple[list[Registration], tuple[str, ...]]:
    """The platforms whose health this visit may see, and the schools that count for it.

    A manager sees the platforms that serve their school, and of scores those of their school. An
    administrator of a platform sees that platform, for all schools it serves. Neither sees any
    people. Raises ``ToolError``: visit-unconfirmed, not-a-manager.
    """
    if visit.confirmed_at is None:
        raise ToolError("visit-unconfirmed")
    if visit.school_id and manages(session, visit):
        return platforms_of(session, DeploymentSchool.school_id == visit.school_id), (
            visit.school_id,
        )
    if visit.may_set_up and visit.door == "lti" and visit.place_id is not None:
        return platforms_of(session, ResourceLink.id == visit.place_id), ()
    raise ToolError("not-a-manager")


def platforms_of(session: Session, which: ColumnElement[bool]) -> list[Registration]:
    """The registrations with a deployment, school or activity like this, by name."""
    mine = (
        select(Deployment.registration_id)
        .outerjoin(DeploymentSchool)
        .outerjoin(ResourceLink, ResourceLink.deployment_row_id == Deployment.id)
        .where(which)
    )
    found = session.scalars(
        select(Registration).where(Registration.id.in_(mine)).order_by(Registration.name)
    )
    return list(found)


def check(
    lti: Lti,
    session: Session,
    registrations: Sequence[Registration],
    *,
    schools: tuple[str, ...] = (),
    catalogue: Catalogue,
    now: datetime,
) -> list[Report]:
    """The health of these platforms; ``schools`` narrows what is said of schools and scores.

    Takes as long as the slowest platform, and no longer than ``outside.PATIENCE``. Ends the
    session's transaction before a platform is asked.
    """
    places = [
        Place(read_platform(session, row), *_services(session, row.id))
        for row in registrations
        if row.disabled_at is None
    ]
    known = {
        row.id: (
            [_registration(row)],
            [
                *_schools(session, row.id, schools, catalogue),
                _last_launch(session, row.id),
                *_scores(session, row.id, schools, now),
            ],
        )
        for row in registrations
    }
    session.rollback()  # nothing was written, and nobody's database waits for a platform
    asked = ask_platforms(lti, places)
    return [
        Report(
            row.name,
            row.issuer,
            now,
            _lines([*known[row.id][0], *asked.get(row.id, ()), *known[row.id][1]]),
        )
        for row in registrations
    ]


def _lines(findings: Iterable[Finding]) -> tuple[Line, ...]:
    """In words; what was said already of what to do is not said again at length."""
    lines: list[Line] = []
    for said in map(line, findings):
        is_repeated = said.does and any(said.does == other.does for other in lines)
        lines.append(replace(said, does=_("The same as above.")) if is_repeated else said)
    return tuple(lines)


def _registration(row: Registration) -> Finding:
    if row.disabled_at is not None:
        return Finding("registration", "disabled", {"at": row.disabled_at})
    return Finding("registration", "enabled", {"platform": row.name})


def _services(session: Session, registration_id: UUID) -> tuple[frozenset[str], str]:
    """The scopes that launches have promised, and where a course's list of members is."""
    links = session.execute(
        select(ResourceLink.scopes, ResourceLink.context_memberships_url)
        .join(Deployment, Deployment.id == ResourceLink.deployment_row_id)
        .where(Deployment.registration_id == registration_id)
        .order_by(ResourceLink.seen_at.desc())
        .limit(LATEST_LINKS)
    ).all()
    scopes = frozenset(scope for link in links for scope in link.scopes.split())
    return scopes, next((url for link in links if (url := link.context_memberships_url)), "")


def _last_launch(session: Session, registration_id: UUID) -> Finding:
    at = session.scalar(
        select(func.max(ResourceLink.seen_at))
        .join(Deployment, Deployment.id == ResourceLink.deployment_row_id)
        .where(Deployment.registration_id == registration_id)
    )
    return Finding("launch", "launched" if at else "never-launched", {"at": at})


def _scores(
    session: Session, registration_id: UUID, schools: tuple[str, ...], now: datetime
) -> Iterable[Finding]:
    mine = [ScoreOutbox.registration_id == registration_id]
    if schools:
        mine.append(ScoreOutbox.school_id.in_(schools))
    sent_at = session.scalar(
        select(func.max(ScoreOutbox.sent_at)).where(*mine, ScoreOutbox.state == SENT)
    )
    yield Finding("score", "scored" if sent_at else "never-scored", {"at": sent_at})
    breaker = breaker_state(session, registration_id)
    if breaker.is_open:
        facts = {"since": breaker.failing_since, "at": breaker.probe_at}
        yield Finding("score", "left-alone", facts)
    waiting, since = session.execute(
        select(func.count(), func.min(ScoreOutbox.owed_at)).where(
            *mine,
            ScoreOutbox.state.in_((PENDING, SENDING)),
            ScoreOutbox.owed_at < now - WAITS_LONG,
        )
    ).one()
    if waiting:
        yield Finding("score", "scores-wait", {"count": waiting, "since": since})
    stuck = session.scalar(
        select(func.count())
        .select_from(ScoreOutbox)
        .where(*mine, ScoreOutbox.state.in_((BLOCKED, DEAD)), ScoreOutbox.reason != OVERRIDDEN)
    )
    if stuck:
        yield Finding("score", "scores-stuck", {"count": stuck})


def _schools(
    session: Session, registration_id: UUID, schools: tuple[str, ...], catalogue: Catalogue
) -> Iterable[Finding]:
    served = session.scalars(
        select(DeploymentSchool.school_id)
        .join(Deployment)
        .where(Deployment.registration_id == registration_id)
        .distinct()
        .order_by(DeploymentSchool.school_id)
    )
    for school_id in served:
        if not schools or school_id in schools:
            yield _school(school_id, catalogue)


def _school(school_id: str, catalogue: Catalogue) -> Finding:
    school = catalogue.schools.get(school_id)
    if school is None:
        return Finding("school", "school-gone", {"school": school_id})
    facts: Mapping[str, object] = {"school": school.name}
    if kept := catalogue.kept.get(school_id):
        return Finding("school", "school-kept", {**facts, "since": kept.since})
    return Finding("school", "school-closed" if school.closed else "school-open", facts)
