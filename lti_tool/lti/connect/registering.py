"""Registering with a platform: what we ask for, and what comes of its answer.

Dynamic Registration 1.0 §3.5 and §3.6. Ours is written in one transaction or not at all: the
invitation used up, the platform, the deployment, its schools and the codes for managers.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.core.jobs import after_commit
from lti_tool.core.outside import Answer, HostRefused, Outage
from lti_tool.lti.claims import LONGEST_ID
from lti_tool.lti.connect import invitations
from lti_tool.lti.connect.models import Invitation
from lti_tool.lti.connect.offers import WANTED, Offer, authorization, granted, strings, text
from lti_tool.lti.models import Deployment, DeploymentSchool, Registration
from lti_tool.lti.platforms import FIRST_TO_COME, Details, Lti, add_platform
from lti_tool.people.memberships import make_manager_code, managers

TOOL: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
RESOURCE_LINK: Final = "LtiResourceLinkRequest"
DEEP_LINKING: Final = "LtiDeepLinkingRequest"
SUBMISSION_REVIEW: Final = "LtiSubmissionReviewRequest"
PLACEMENTS: Final = ("ContentArea", "assignment_selection", "link_selection")
"""Where a teacher chooses what to link to, as platforms call it."""


@dataclass(frozen=True)
class Words:
    """What the platform's people read about us there."""

    name: str
    about: str


@dataclass(frozen=True)
class Registered:
    """A platform's answer: who we are to it, and what of the wishes it grants."""

    client_id: str
    deployment_id: str
    """Empty where it named none: its first launch then says."""
    granted: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a registration came to, for the person who made it."""

    platform: str
    is_update: bool
    has_deployment: bool
    missing: tuple[str, ...]
    """What was asked for and not granted."""
    left_out: tuple[str, ...]
    codes: Mapping[str, str]
    """A manager code for each school that nobody manages yet."""
    schools: tuple[str, ...]


def request_body(
    url: str, offer: Offer, wanted: Collection[str], words: Words
) -> dict[str, object]:
    """Our registration (§3.5.2): of what may be left out, only what is wanted."""
    launch = f"{url}/lti/launch"
    return {
        "application_type": "web",
        "response_types": ["id_token"],
        "grant_types": ["implicit", "client_credentials"],
        "initiate_login_uri": f"{url}/lti/login",
        "redirect_uris": [launch],
        "client_name": words.name,
        "jwks_uri": f"{url}/lti/jwks",
        "logo_uri": f"{url}/connect/icon.svg",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(offer.scopes_for(wanted)),
        TOOL: {
            "domain": urlsplit(url).netloc,
            "description": words.about,
            "target_link_uri": launch,
            "claims": ["iss", "sub", *offer.claims_for(wanted)],
            "messages": _messages(offer, launch, words.name),
        },
    }


def register(
    lti: Lti,
    session: Session,
    secret: str,
    *,
    invitation_id: UUID,
    offer: Offer,
    token: str,
    wanted: Collection[str],
    words: Words,
    now: datetime,
) -> Outcome:
    """Register with the platform and keep what it says.

    ``invitation_id`` is the invitation that the offer was made under. It is held meanwhile, so
    that a second tab registers nothing; a try that fails lets go of it. Raises ``ToolError``:
    form-incomplete, and as ``invitations.hold``, ``ask`` and ``keep`` do.
    """
    wanted = [name for name in WANTED if name in wanted and name in offer.offered]
    with lti.database.transaction() as own:
        held = invitations.hold(own, secret, now=now)
        if held != invitation_id:
            raise ToolError("form-incomplete", log="the offer of another invitation")
    try:
        registered = ask(lti, offer, token=token, wanted=wanted, words=words)
        outcome = keep(session, held, offer=offer, registered=registered, wanted=wanted, now=now)
    except BaseException:
        session.rollback()  # on SQLite it would keep the next line from writing
        with lti.database.transaction() as own:
            invitations.release(own, held)
        raise
    after_commit(session, lti.registry.forget)
    return outcome


def ask(lti: Lti, offer: Offer, *, token: str, wanted: Collection[str], words: Words) -> Registered:
    """Send our registration and read the answer.

    Raises ``ToolError``: platform-private, registration-silent, registration-token-used,
    registration-refused, registration-unreadable.
    """
    body = json.dumps(request_body(lti.config.url, offer, wanted, words)).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        answer = lti.outside.call(
            "POST", offer.registration_url, headers=headers | authorization(token), body=body
        )
    except HostRefused:
        host = urlsplit(offer.registration_url).hostname or ""
        raise ToolError("platform-private", host=host) from None
    except Outage as fault:
        raise ToolError("registration-silent", log=str(fault)) from None
    if not answer.is_ok:
        raise _refusal(answer)
    return read_answer(answer.body, wanted)


def read_answer(body: bytes, wanted: Collection[str]) -> Registered:
    """The client information response (§3.6), checked.

    What it does not mention counts as granted. Raises ``ToolError`` registration-unreadable.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise ToolError("registration-unreadable", log="it is not JSON") from None
    if not isinstance(said, dict):
        raise ToolError("registration-unreadable", log="it is no JSON object")
    client_id = _identifier(said.get("client_id"))
    if not client_id:
        raise ToolError("registration-unreadable", log="client_id is missing")
    tool = said.get(TOOL)
    tool = tool if isinstance(tool, dict) else {}
    claims, scope = tool.get("claims"), said.get("scope")
    has_claims = (*strings(claims), "") if isinstance(claims, list) else ()
    has_scopes = (*scope.split(), "") if isinstance(scope, str) else ()
    return Registered(
        client_id,
        _identifier(tool.get("deployment_id")),
        granted(wanted, has_claims, has_scopes),
    )


def keep(
    session: Session,
    invitation_id: UUID,
    *,
    offer: Offer,
    registered: Registered,
    wanted: Collection[str],
    now: datetime,
) -> Outcome:
    """Write the platform down, and use up the invitation.

    A platform that is known already is brought up to date where the invitation names every
    school it serves. Raises ``ToolError``: platform-taken, platform-disabled, invitation-used,
    platform-details-wrong.
    """
    try:
        return _keep(session, invitation_id, offer, registered, wanted, now)
    except IntegrityError:
        # Another invitation brought the same client at the same moment: now it is known.
        session.rollback()
        return _keep(session, invitation_id, offer, registered, wanted, now)


def _keep(
    session: Session,
    invitation_id: UUID,
    offer: Offer,
    registered: Registered,
    wanted: Collection[str],
    now: datetime,
) -> Outcome:
    invitation = session.get_one(Invitation, invitation_id)
    schools = invitations.schools_of(session, invitation)
    known = _known(session, offer.issuer, registered.client_id, schools)
    deployment_id = registered.deployment_id or _kept_deployment(session, known)
    row = add_platform(
        session,
        Details(
            name=known.name if known else offer.name[:LONGEST_ID],
            issuer=offer.issuer,
            client_id=registered.client_id,
            auth_login_url=offer.auth_login_url,
            auth_token_url=offer.auth_token_url,
            auth_audience=offer.auth_audience,
            jwks_url=offer.jwks_url,
            deployment_id=deployment_id,
            schools=schools,
            frame_origins=tuple(known.frame_origins.split()) if known else (),
        ),
        now=now,
    )
    invitations.use_up(session, invitation, led_to=row.id, now=now)
    return Outcome(
        platform=row.name,
        is_update=known is not None,
        has_deployment=deployment_id != FIRST_TO_COME,
        missing=tuple(name for name in wanted if name not in registered.granted),
        left_out=tuple(name for name in WANTED if name not in wanted),
        codes={
            school_id: make_manager_code(session, school_id=school_id, now=now)
            for school_id in schools
            if not managers(session, school_id=school_id)
        },
        schools=schools,
    )


def _messages(offer: Offer, launch: str, label: str) -> list[dict[str, object]]:
    """The messages we take. A platform that lists its own is asked for no others."""
    messages: list[dict[str, object]] = [
        {"type": RESOURCE_LINK, "target_link_uri": launch, "label": label}
    ]
    if not offer.messages or DEEP_LINKING in offer.messages:
        link: dict[str, object] = {
            "type": DEEP_LINKING,
            "target_link_uri": launch,
            "label": label,
            "supported_types": ["ltiResourceLink"],
        }
        offered = offer.messages.get(DEEP_LINKING, ())
        if placements := [one for one in PLACEMENTS if one in offered]:
            link["placements"] = placements
        messages.append(link)
    if not offer.messages or SUBMISSION_REVIEW in offer.messages:
        messages.append({"type": SUBMISSION_REVIEW, "target_link_uri": launch, "label": label})
    return messages


def _known(
    session: Session, issuer: str, client_id: str, schools: Collection[str]
) -> Registration | None:
    """The registration that this would change, if there is one and it may."""
    row = session.scalar(
        select(Registration).where(
            Registration.issuer == issuer, Registration.client_id == client_id
        )
    )
    if row is None:
        return None
    if row.disabled_at is not None:
        raise ToolError("platform-disabled", log=f"registration {row.id}")
    served = session.scalars(
        select(DeploymentSchool.school_id)
        .join(Deployment, Deployment.id == DeploymentSchool.deployment_row_id)
        .where(Deployment.registration_id == row.id)
    )
    if not set(served) <= set(schools):
        raise ToolError("platform-taken", log=f"registration {row.id}")
    return row


def _kept_deployment(session: Session, known: Registration | None) -> str:
    """The deployment an update is about where the platform does not say: its only one."""
    if known is None:
        return FIRST_TO_COME
    held = session.scalars(
        select(Deployment.deployment_id)
        .where(Deployment.registration_id == known.id)
        .order_by(Deployment.created_at)
    ).all()
    return held[0] if held else FIRST_TO_COME


def _refusal(answer: Answer) -> ToolError:
    said = _said(answer.body)
    log = f"status {answer.status}"
    if "token_already_used" in said:
        return ToolError("registration-token-used", log=log)
    return ToolError(
        "registration-refused",
        log=log,
        answer=f"{answer.status} {said}".strip(),
    )


def _said(body: bytes) -> str:
    """A platform's reason, from plain text or from JSON, cut; an HTML page gives none."""
    raw = body[:4096].decode(errors="replace").strip()
    try:
        table: Any = json.loads(raw)
    except (ValueError, RecursionError):
        return "" if re.match(r"\s*<", raw) else text(raw)
    if isinstance(table, dict):
        told = [table.get(name) for name in ("error", "error_description", "message")]
        return text(": ".join(one for one in told if isinstance(one, str)))
    return ""


def _identifier(value: object) -> str:
    """An id as we keep it; some platforms send a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    fits = isinstance(value, str) and len(value) <= LONGEST_ID and value.isprintable()
    return str(value) if fits else ""
