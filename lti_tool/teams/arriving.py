"""Somebody whom a token proves arrives: their school, what they may ask for, their visit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue, TrainingModule
from lti_tool.people import staff_lists
from lti_tool.people.arrive import Admission, Arrival, admit
from lti_tool.people.models import Identity, Membership
from lti_tool.people.staff_lists import Listed
from lti_tool.teams.tenants import NAME, Known, Teams
from lti_tool.teams.tokens import Proved

STAFF: Final = "Policy.Staff"
MANAGER: Final = "Policy.Manager"
"""App roles of the registration in Entra. ``Policy.Staff.SCHOOL`` counts at one school, where an
organisation holds several."""
DEFAULT_MODULE: Final = "induction"


def settle(
    session: Session,
    proved: Proved,
    *,
    teams: Teams,
    school: str,
    module: str,
    catalogue: Catalogue,
    now: datetime,
) -> Admission:
    """Let the person in. ``school`` and ``module`` are what the tab asks for: they choose what one
    learns, and open nothing.

    A visit without a school is for choosing one. Raises ``ToolError``: teams-school-not-served,
    school-unknown, school-closed, module-unknown.
    """
    school_id = choose(session, proved, school, catalogue)
    if module and module not in catalogue.modules:
        raise ToolError("module-unknown", log=f"tenant {proved.tenant.row_id}")
    arrival = Arrival(
        door="teams",
        realm=proved.tenant.realm,
        subject=proved.subject,
        name=proved.name,
        email=proved.email,
        school_id=school_id,
        module=module or DEFAULT_MODULE,
        is_bound=True,  # the page that brings the token is of our own origin
        may_ask_to_manage=MANAGER in proved.roles,
        may_set_up=False,
        platform_name=NAME,
        frame_ancestors=" ".join(teams.framed_by),
        place_id=proved.tenant.row_id,
    )
    try:
        return _settle(session, proved, arrival, now)
    except IntegrityError:
        # Two tabs at once, and the person is new: now they are known.
        session.rollback()
        return _settle(session, proved, arrival, now)


def _settle(session: Session, proved: Proved, arrival: Arrival, now: datetime) -> Admission:
    if arrival.school_id and is_staff(proved, arrival.school_id):
        staff_lists.enter(
            session,
            [Listed(arrival.subject, arrival.name, arrival.email, is_active=True)],
            school_id=arrival.school_id,
            realm=arrival.realm,
            list_id=proved.tenant.row_id,
            now=now,
        )
    return admit(session, arrival, now=now)


def is_staff(proved: Proved, school_id: str) -> bool:
    """Whether Entra says that somebody is of a school's staff. Where an organisation holds
    several schools, its plain staff role does not say of which."""
    if proved.is_guest:
        return False
    if f"{STAFF}.{school_id}" in proved.roles:
        return True
    return bool({STAFF, MANAGER} & proved.roles) and proved.tenant.schools == (school_id,)


def choose(session: Session, proved: Proved, school: str, catalogue: Catalogue) -> str:
    """The school to learn at: the tab's, the organisation's only one, or the only one of them
    that the person is known at; empty where somebody has to choose."""
    served = proved.tenant.schools
    if school and school not in served:
        raise ToolError("teams-school-not-served", log=f"tenant {proved.tenant.row_id}")
    if not school:
        known = served if len(served) == 1 else _known_at(session, proved)
        school = known[0] if len(known) == 1 else ""
    if not school:
        return ""
    if school not in catalogue.schools:
        raise ToolError("school-unknown", log=f"tenant {proved.tenant.row_id}")
    if catalogue.schools[school].closed:
        raise ToolError("school-closed", log=school)
    return school


def offered(tenant: Known, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Ids and names of an organisation's schools that are open, by name."""
    found = [catalogue.schools[slug] for slug in tenant.schools if slug in catalogue.schools]
    return sorted(((one.id, one.name) for one in found if not one.closed), key=lambda one: one[1])


def trainings(catalogue: Catalogue) -> list[TrainingModule]:
    """What a channel's tab may be for: new starters first, as in most channels it is them."""
    return sorted(catalogue.modules.values(), key=lambda module: module.id != DEFAULT_MODULE)


def _known_at(session: Session, proved: Proved) -> Sequence[str]:
    return session.scalars(
        select(Membership.school_id)
        .join(Identity, Identity.person_id == Membership.person_id)
        .where(
            Identity.realm == proved.tenant.realm,
            Identity.subject == proved.subject,
            Membership.school_id.in_(proved.tenant.schools),
            Membership.left_at.is_(None),
        )
    ).all()
