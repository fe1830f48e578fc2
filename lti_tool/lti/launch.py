"""What a proved launch causes, written at once: its nonce, its activity, its person's visit."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.core.hot import Hot
from lti_tool.core.ids import new_id
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.claims import origin
from lti_tool.lti.message import Launch
from lti_tool.lti.models import Registration, ResourceLink
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.people import memberships
from lti_tool.people.arrive import Admission, Arrival, admit
from lti_tool.people.models import Visit

SEEN_EVERY: Final = timedelta(minutes=10)
DEFAULT_MODULE: Final = "induction"
REGISTER: Final = "register"
"""The custom parameter ``module`` of an activity that is for those who look after the training.
It opens nothing: a manager comes to the register from any activity, nobody else from this one."""


# The statements of every launch.
_tables = Registration.metadata.tables
_registration, _deployment, _link = (
    _tables[name] for name in ("registration", "deployment", "resource_link")
)
USE_UP: Final = Hot(insert(_tables["nonce"]), "nonce", "expires_at")
FIND_LINK: Final = Hot(
    select(_registration.c.disabled_at, *_link.c)
    .select_from(_deployment.join(_registration))
    .outerjoin(
        _link,
        (_link.c.deployment_row_id == _deployment.c.id)
        & (_link.c.resource_link_id == bindparam("resource_link_id")),
    )
    .where(_deployment.c.id == bindparam("deployment"))
)


def settle(
    session: Session, launch: Launch, *, lti: Lti, catalogue: Catalogue, now: datetime
) -> Admission:
    """Use up the nonce, note the activity, let the person in: one transaction, or nothing.

    Raises ``ToolError``: launch-replayed, platform-unknown, school-not-served, module-unknown,
    school-not-set-up, school-unknown, school-closed; for a review also not-a-manager,
    person-not-here.
    """
    try:
        return _settle(session, launch, lti, catalogue, now)
    except IntegrityError:
        # Two first launches of one person, or from one activity, at once: now both are known.
        session.rollback()
        return _settle(session, launch, lti, catalogue, now)


def _settle(
    session: Session, launch: Launch, lti: Lti, catalogue: Catalogue, now: datetime
) -> Admission:
    claims, platform = launch.claims, launch.platform
    use_up(session, launch)
    link = _note_link(session, launch, lti, now)
    school_id, module = _choose(launch, link.school_id, link.module, catalogue)
    arrival = Arrival(
        door="lti",
        realm=str(platform.id),
        subject=claims.subject,
        name=claims.name,
        email=claims.email,
        school_id=school_id,
        module=module,
        is_bound=launch.is_bound,
        may_ask_to_manage=claims.standing.may_ask_to_manage,
        may_set_up=claims.standing.may_set_up,
        platform_name=platform.name,
        frame_ancestors=frame_ancestors(platform, claims.return_origin),
        place_id=link.id,
    )
    admission = admit(session, arrival, now=now)
    if (
        lti.config.managers == "instructors"
        and claims.standing.is_instructor
        and launch.deployment.schools == (school_id,)
    ):
        memberships.grant(session, person_id=admission.signed_in_as, school_id=school_id, now=now)
        admission = replace(admission, manages=True)
    return _review(session, launch, admission) if claims.for_subject else admission


def _review(session: Session, launch: Launch, admission: Admission) -> Admission:
    """Lead a manager from the platform's gradebook to a person's record.

    The message proves nothing about who sent it: on some platforms a learner can have one signed
    for anybody. So only the grant counts, and without it nothing tells whom we know.
    """
    if not admission.manages:
        raise ToolError("not-a-manager", log="a review")
    membership_id = memberships.known_as(
        session,
        realm=str(launch.platform.id),
        subject=launch.claims.for_subject,
        school_id=admission.school_id,
    )
    if membership_id is None:
        raise ToolError("person-not-here", log="a review")
    session.execute(
        update(Visit).where(Visit.id == admission.visit_id).values(review_of=membership_id)
    )
    return replace(admission, review_of=membership_id)


def frame_ancestors(platform: Platform, return_origin: str) -> str:
    """The origins that may show this visit in a frame, separated by spaces."""
    origins = (
        origin(platform.issuer),
        origin(platform.auth_login_url),
        return_origin,
        *platform.frame_origins,
    )
    return " ".join(dict.fromkeys(found for found in origins if found))


def use_up(session: Session, launch: Launch) -> None:
    """Use up the launch's nonce. Raises ``ToolError`` launch-replayed."""
    try:
        USE_UP.run(
            session,
            {"nonce": launch.nonce, "expires_at": launch.nonce_expires_at},
        )
    except IntegrityError:
        raise ToolError("launch-replayed", log=f"registration {launch.platform.id}") from None


@dataclass(frozen=True)
class _Link:
    id: UUID | None
    school_id: str
    module: str


def _note_link(session: Session, launch: Launch, lti: Lti, now: datetime) -> _Link:
    """Keep the activity's services as this launch gives them, and see once more whether the
    registration may launch: it may have been disabled a moment ago, in another process."""
    claims = launch.claims
    told = {
        "context_id": claims.context_id,
        "context_title": claims.context_title,
        "line_item_url": claims.line_item_url,
        "line_items_url": claims.line_items_url,
        "scopes": " ".join(claims.scopes),
        "context_memberships_url": claims.context_memberships_url,
        "return_origin": claims.return_origin,
    }
    known = FIND_LINK.one(
        session,
        {"deployment": launch.deployment.id, "resource_link_id": claims.resource_link_id},
    )
    if known is None or known.disabled_at is not None:
        lti.registry.forget()
        raise ToolError("platform-unknown", log=f"registration {launch.platform.id}: disabled")
    if claims.for_subject:  # its line item is the one under review, not always the activity's own
        return _Link(known.id, known.school_id or "", known.module or "")
    if known.id is None:
        made = _Link(new_id(), "", "")
        session.execute(
            insert(ResourceLink).values(
                id=made.id,
                deployment_row_id=launch.deployment.id,
                resource_link_id=claims.resource_link_id,
                school_id="",
                module="",
                seen_at=now,
                **told,
            )
        )
        return made
    has_changed = any(getattr(known, name) != value for name, value in told.items())
    if has_changed or now - known.seen_at > SEEN_EVERY:
        session.execute(
            update(ResourceLink).where(ResourceLink.id == known.id).values(seen_at=now, **told)
        )
    return _Link(known.id, known.school_id, known.module)


def _choose(
    launch: Launch, chosen_school: str, chosen_module: str, catalogue: Catalogue
) -> tuple[str, str]:
    """The school and the module of this launch; no school yet for somebody who may set it up."""
    served, claims = launch.deployment.schools, launch.claims
    module = claims.module or chosen_module or DEFAULT_MODULE
    if module == REGISTER:
        module = ""  # none in particular
    elif module not in catalogue.modules:
        raise ToolError("module-unknown", log=f"registration {launch.platform.id}")
    school_id = claims.school or chosen_school or (served[0] if len(served) == 1 else "")
    if school_id and school_id not in served:
        raise ToolError("school-not-served", log=f"registration {launch.platform.id}")
    if not school_id and not claims.standing.may_ask_to_manage:
        raise ToolError("school-not-set-up", log=f"registration {launch.platform.id}")
    if school_id and school_id not in catalogue.schools:
        raise ToolError("school-unknown", log=f"registration {launch.platform.id}")
    if school_id and catalogue.schools[school_id].closed:
        raise ToolError("school-closed", log=school_id)
    return school_id, module
