"""A manager enters what somebody signed on paper, corrects it, or takes it back.

Nobody enters a declaration for themselves, under whichever of their identities. The record of a
mistake stays as it was made: it is marked as withdrawn, and what is right is a new entry.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.content import keep
from lti_tool.people.models import Membership, Person
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.settling import settle
from lti_tool.training.declarations import RECORD_VERSION, TEXT_VERSION
from lti_tool.training.models import Completion, Declaration, Journey
from lti_tool.ui.format import LOCAL, local

PAPER: Final = "paper"


@dataclass(frozen=True)
class Paper:
    """What is on a paper, and why there is one."""

    module: str
    cycle: str
    signed_on: date
    policy_number: str
    reason: str


def one_person(person_id: UUID) -> ColumnElement[bool]:
    """Of ``Person`` rows: those who are this person, under whichever identity."""
    whole = select(func.coalesce(Person.one_with, Person.id)).where(Person.id == person_id)
    return func.coalesce(Person.one_with, Person.id) == whole.scalar_subquery()


def enter(
    session: Session,
    *,
    school: School,
    membership_id: UUID,
    paper: Paper,
    by: UUID,
    now: datetime,
) -> Completion:
    """Record a declaration that was signed on paper, with a ledger entry; it fulfils what is owed.

    Raises ``ToolError``: page-not-found for somebody of another school, paper-for-oneself,
    paper-in-future, paper-before-start, paper-version-unknown, paper-before-version, and
    paper-again where such a declaration has been entered already.
    """
    member = _member(session, school.id, membership_id)
    not_for_oneself(session, member.person_id, by)
    version = _fit(school, member, paper, local(now).date())
    if _entered(session, member, paper):
        raise ToolError("paper-again")
    keep(session, kind="policy", ref=version.id, number=version.number, body=version.body, now=now)
    # Noon is the same day in every zone a school here may be read in.
    signed_at = min(datetime.combine(paper.signed_on, time(12), LOCAL), now).astimezone(UTC)
    journey = _carrier(session, member, paper, version, signed_at)
    declaration = _declared(session, member, journey, version, paper, signed_at, by, now)
    completion = Completion(
        id=new_id(),
        school_id=school.id,
        person_id=member.person_id,
        journey_id=journey.id,
        declaration_id=declaration.id,
        record_id=_record(session, member, journey, declaration, paper, version, by, now),
        module=paper.module,
        cycle=paper.cycle,
        score=None,
        first_score=None,
        pass_mark=None,
        policy_number=version.number,
        completed_at=signed_at,
    )
    for row in (journey, declaration, completion):  # each refers to the one before
        session.add(row)
        session.flush()
    settle(session, school=school, now=now, person_ids=[member.person_id])
    return completion


def withdraw(
    session: Session,
    *,
    school: School,
    completion_id: UUID,
    reason: str,
    by: UUID,
    now: datetime,
) -> Completion:
    """Take back a declaration on paper that was entered by mistake; what it fulfilled is owed
    again. Its record stays, and says so.

    Raises ``ToolError``: page-not-found for anything but a paper of this school,
    paper-for-oneself, paper-withdrawn where that was done already.
    """
    found = session.execute(
        select(Completion, Declaration)
        .join(Declaration, Declaration.id == Completion.declaration_id)
        .where(
            Completion.id == completion_id,
            Completion.school_id == school.id,
            Declaration.method == PAPER,
        )
        .with_for_update(of=Completion)
    ).one_or_none()
    if found is None:
        raise ToolError("page-not-found")
    completion = found[0]
    not_for_oneself(session, completion.person_id, by)
    if completion.withdrawn_at is not None:
        raise ToolError("paper-withdrawn")
    completion.withdrawn_at, completion.withdrawn_by = now, by
    completion.withdrawn_reason = reason
    ledger.append(
        session,
        school_id=school.id,
        kind="paper-withdrawn",
        facts={
            "module": completion.module,
            "cycle": completion.cycle,
            "record": str(completion.record_id),
        },
        person_id=completion.person_id,
        personal={"person": str(completion.person_id), "actor": str(by), "reason": reason},
        now=now,
    )
    session.flush()
    settle(session, school=school, now=now, person_ids=[completion.person_id])
    return completion


def _member(session: Session, school_id: str, membership_id: UUID) -> Membership:
    member = session.scalar(
        select(Membership)
        .where(Membership.id == membership_id, Membership.school_id == school_id)
        .with_for_update()
    )
    if member is None:
        raise ToolError("page-not-found")
    return member


def not_for_oneself(session: Session, person_id: UUID, by: UUID) -> None:
    """Raises ``ToolError`` paper-for-oneself where the two are one, under whichever identity."""
    if session.scalar(select(Person.id).where(Person.id == by, one_person(person_id))):
        raise ToolError("paper-for-oneself")


def _fit(school: School, member: Membership, paper: Paper, today: date) -> PolicyVersion:
    if paper.signed_on > today:
        raise ToolError("paper-in-future")
    if member.starts_on is not None and paper.signed_on < member.starts_on:
        raise ToolError("paper-before-start")
    version = next((one for one in school.versions if one.number == paper.policy_number), None)
    if version is None:
        raise ToolError("paper-version-unknown")
    if paper.signed_on.isoformat()[: len(version.approved_on)] < version.approved_on:
        raise ToolError("paper-before-version")
    return version


def _entered(session: Session, member: Membership, paper: Paper) -> bool:
    """Whether there is such a paper that counts: a correction withdraws it first."""
    return bool(
        session.scalar(
            select(Completion.id)
            .join(Declaration, Declaration.id == Completion.declaration_id)
            .join(Person, Person.id == Completion.person_id)
            .where(
                Completion.school_id == member.school_id,
                Completion.module == paper.module,
                Completion.cycle == paper.cycle,
                Completion.withdrawn_at.is_(None),
                Declaration.method == PAPER,
                one_person(member.person_id),
            )
            .limit(1)
        )
    )


def _carrier(
    session: Session,
    member: Membership,
    paper: Paper,
    version: PolicyVersion,
    signed_at: datetime,
) -> Journey:
    """A journey of its own, so that one begun on the screen stays as it is and can go on."""
    papers = session.scalar(
        select(func.count())
        .select_from(Journey)
        .where(
            Journey.school_id == member.school_id,
            Journey.person_id == member.person_id,
            Journey.module.startswith(f"{paper.module}/{PAPER}-", autoescape=True),
            Journey.cycle == paper.cycle,
        )
    )
    return Journey(
        id=new_id(),
        school_id=member.school_id,
        person_id=member.person_id,
        module=f"{paper.module}/{PAPER}-{(papers or 0) + 1}",
        cycle=paper.cycle,
        policy_number=version.number,
        policy_sha256=version.sha256,
        role_group=member.role_group,
        language=version.language,
        started_at=signed_at,
        completed_at=signed_at,
    )


def _declared(
    session: Session,
    member: Membership,
    journey: Journey,
    version: PolicyVersion,
    paper: Paper,
    signed_at: datetime,
    by: UUID,
    now: datetime,
) -> Declaration:
    return Declaration(
        id=new_id(),
        school_id=member.school_id,
        person_id=member.person_id,
        journey_id=journey.id,
        printed_name=session.get_one(Person, member.person_id).name,
        text=_("Signed on paper. What was declared stands there."),
        language=version.language,
        policy_number=version.number,
        policy_sha256=version.sha256,
        document_sha256=version.source_sha256,
        signed_at=signed_at,
        method=PAPER,
        entered_by=by,
        entered_at=now,
        entered_reason=paper.reason,
    )


def _record(
    session: Session,
    member: Membership,
    journey: Journey,
    declaration: Declaration,
    paper: Paper,
    version: PolicyVersion,
    by: UUID,
    now: datetime,
) -> UUID:
    """As of a completion on the screen, with what a paper has."""
    facts: dict[str, ledger.Value] = {
        "schema": RECORD_VERSION,
        "module": paper.module,
        "cycle": paper.cycle,
        "site": member.site,
        "role_group": member.role_group,
        "policy": {
            "id": version.id,
            "number": version.number,
            "sha256": version.sha256,
            "approved_by": version.approved_by,
            "approved_on": version.approved_on,
            "language": version.language,
            "document_sha256": version.source_sha256,
        },
        "declaration": {
            "text": declaration.text,
            "version": TEXT_VERSION,
            "language": declaration.language,
            "method": PAPER,
            "signed_on": paper.signed_on.isoformat(),
        },
        "questions": [],
    }
    return ledger.append(
        session,
        school_id=member.school_id,
        kind="completion",
        facts=facts,
        person_id=member.person_id,
        personal=dict(_personal(member, declaration, by)),
        now=now,
    )


def _personal(
    member: Membership, declaration: Declaration, by: UUID
) -> Iterator[tuple[str, ledger.Value]]:
    yield "person", str(member.person_id)
    yield "printed_name", declaration.printed_name
    yield "starts_on", member.starts_on.isoformat() if member.starts_on else ""
    yield "actor", str(by)
    yield "reason", declaration.entered_reason
