"""Certificates are issued, looked up and withdrawn; each with an entry in the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from lti_tool.core import ledger
from lti_tool.core.errors import ToolError
from lti_tool.core.ids import new_id
from lti_tool.curriculum.cycles import first_year, school_year
from lti_tool.evidence.certificates import validity
from lti_tool.evidence.certificates.models import RESTORED, WITHDRAWN, Certificate, CertificateAct
from lti_tool.evidence.certificates.numbers import new_number
from lti_tool.people.joins import everybody_who_is
from lti_tool.people.models import Person
from lti_tool.policies.policy import School
from lti_tool.training.cycles.calendars import calendar_of, set_dates
from lti_tool.training.cycles.models import Cycle
from lti_tool.training.cycles.owing import Window
from lti_tool.training.models import Completion, Declaration
from lti_tool.ui.format import local

YEARS_AHEAD: Final = 3


@dataclass(frozen=True)
class Issued:
    """A certificate with what it is of and what has become of it."""

    number: str
    issued_at: datetime
    valid_to: date
    state: str
    completion: Completion
    declaration: Declaration
    acts: Sequence[tuple[CertificateAct, str]] = ()
    """What managers decided, the earliest first, with their names."""

    @property
    def initials(self) -> str:
        """Of the holder: ``A. O.``"""
        return " ".join(f"{one[0].upper()}." for one in self.declaration.printed_name.split())


def completion_of(
    session: Session, *, school_id: str, person_id: UUID, completion_id: UUID
) -> Completion:
    """A person's completion at a school, under whichever identity. Raises ``ToolError``
    page-not-found."""
    found = session.scalar(
        select(Completion).where(
            Completion.id == completion_id,
            Completion.school_id == school_id,
            Completion.person_id.in_(everybody_who_is(session, person_id)),
        )
    )
    if found is None:
        raise ToolError("page-not-found")
    return found


def issue(session: Session, *, school: School, completion: Completion, now: datetime) -> Issued:
    """The certificate of a completion; made, and recorded, the first time it is asked for.

    Raises ``ToolError`` certificate-withdrawn.
    """
    # Two who ask at once take turns, and the second finds what the first has made.
    session.execute(select(Completion.id).where(Completion.id == completion.id).with_for_update())
    if session.get(Certificate, completion.id) is None and completion.withdrawn_at is None:
        _make(session, school, completion, now)
    found = issued(session, completion=completion, today=local(now).date())
    if found is None or found.state == validity.WITHDRAWN:
        raise ToolError("certificate-withdrawn")
    return found


def _make(session: Session, school: School, completion: Completion, now: datetime) -> None:
    calendar = calendar_of(session, school_id=school.id, now=now)
    made = Certificate(
        completion_id=completion.id,
        school_id=school.id,
        number=new_number(),
        issued_at=now,
        valid_to=validity.valid_to(
            module=completion.module,
            cycle=completion.cycle,
            on=local(completion.completed_at).date(),
            windows=windows(session, school=school, now=now, since=completion.completed_at),
            grace_days=calendar.grace_days,
        ),
    )
    session.add(made)
    session.flush()
    ledger.append(
        session,
        school_id=school.id,
        kind="certificate-issued",
        facts={"record": str(completion.record_id), "valid_to": made.valid_to.isoformat()},
        person_id=completion.person_id,
        personal={"person": str(completion.person_id), "number": made.number},
        now=now,
    )


def windows(
    session: Session, *, school: School, now: datetime, since: datetime
) -> Sequence[Window]:
    """The refreshes of a school from the year of ``since`` on: as they were opened, else as its
    calendar has them."""
    calendar = calendar_of(session, school_id=school.id, now=now)
    first = first_year(local(since).date(), school.year_starts)
    found: dict[str, Window] = {}
    for year in range(first, first_year(local(now).date(), school.year_starts) + YEARS_AHEAD):
        begins = date(year, *school.year_starts)
        name = school_year(begins, school.year_starts)
        found[name] = Window(name, *set_dates(calendar, school, begins))
    for one in session.scalars(select(Cycle).where(Cycle.school_id == school.id)):
        found[one.name] = Window(one.name, one.opens_on, one.closes_on)
    return list(found.values())


def issued(session: Session, *, completion: Completion, today: date) -> Issued | None:
    """The certificate of a completion, if it has been taken."""
    made = session.get(Certificate, completion.id)
    if made is None:
        return None
    acts = [
        (act, name)
        for act, name in session.execute(
            select(CertificateAct, Person.name)
            .join(Person, Person.id == CertificateAct.by)
            .where(CertificateAct.completion_id == completion.id)
            .order_by(CertificateAct.at, CertificateAct.id)
        )
    ]
    is_withdrawn = bool(acts) and acts[-1][0].act == WITHDRAWN
    return Issued(
        number=made.number,
        issued_at=made.issued_at,
        valid_to=made.valid_to,
        state=validity.state(
            is_withdrawn=is_withdrawn or completion.withdrawn_at is not None,
            is_superseded=_is_superseded(session, completion),
            valid_to=made.valid_to,
            today=today,
        ),
        completion=completion,
        declaration=session.get_one(Declaration, completion.declaration_id),
        acts=acts,
    )


def look_up(session: Session, *, number: str, today: date) -> Issued:
    """What a number stands for. Raises ``ToolError`` certificate-unknown."""
    completion = session.scalar(
        select(Completion)
        .join(Certificate, Certificate.completion_id == Completion.id)
        .where(Certificate.number == number)
    )
    found = completion and issued(session, completion=completion, today=today)
    if not found:
        raise ToolError("certificate-unknown")
    return found


def decide(
    session: Session,
    *,
    completion: Completion,
    act: str,
    reason: str,
    by: UUID,
    now: datetime,
) -> None:
    """Withdraw a certificate, or let it stand again; the training itself stays as it is.

    Raises ``ToolError``: page-not-found where none was issued, certificate-own, and
    certificate-stands-so where it was decided already, or the completion itself was taken back.
    """
    if by in everybody_who_is(session, completion.person_id):
        raise ToolError("certificate-own")
    session.execute(
        select(Certificate.number)
        .where(Certificate.completion_id == completion.id)
        .with_for_update()
    )
    found = issued(session, completion=completion, today=local(now).date())
    if found is None:
        raise ToolError("page-not-found")
    last = found.acts[-1][0].act if found.acts else RESTORED
    if act == last or completion.withdrawn_at is not None:
        raise ToolError("certificate-stands-so")
    session.add(
        CertificateAct(
            id=new_id(), school_id=completion.school_id, completion_id=completion.id, act=act,
            reason=reason, at=now, by=by,
        )
    )  # fmt: skip
    ledger.append(
        session,
        school_id=completion.school_id,
        kind=f"certificate-{act}",
        facts={"record": str(completion.record_id)},
        person_id=completion.person_id,
        personal={"person": str(completion.person_id), "actor": str(by), "reason": reason},
        now=now,
    )
    session.flush()


def _is_superseded(session: Session, completion: Completion) -> bool:
    later = aliased(Completion)
    moment = (completion.completed_at, completion.id)
    return (
        session.scalar(
            select(later.id)
            .where(
                later.school_id == completion.school_id,
                later.person_id.in_(everybody_who_is(session, completion.person_id)),
                later.withdrawn_at.is_(None),
                or_(later.module.in_(validity.WHOLE), later.module == completion.module),
                tuple_(later.completed_at, later.id) > tuple_(*moment),
            )
            .limit(1)
        )
        is not None
    )
