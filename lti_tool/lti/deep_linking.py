"""Picking activities for a course (Deep Linking 2.0): a platform asks, a teacher picks, we answer.

A pick opens nothing and leaves nothing: custom parameters choose what one learns. So there is no
visit and no row. What the answer must know travels in the page's own form, signed, and good for an
hour; it works in a frame that keeps no cookies too.
"""

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import jwt
from flask_babel import gettext as _
from itsdangerous import BadData
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.cycles import cycle_of
from lti_tool.lti.claims import CORE, DEEP_LINKING, LINK, VERSION, Picking
from lti_tool.lti.launch import DEFAULT_MODULE, REGISTER, use_up
from lti_tool.lti.message import Launch
from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import Lti, Platform
from lti_tool.lti.services.connection import BACKDATED
from lti_tool.lti.services.line_items import line_item
from lti_tool.policies.policy import School

PICKING_LIFE: Final = timedelta(hours=1)
ANSWER_SECONDS: Final = 300
WINDOW: Final = {"targetName": "clauseway"}


@dataclass(frozen=True)
class Asked:
    """A platform's request, from its launch until it is answered."""

    platform: Platform
    deployment_id: str
    picking: Picking


@dataclass(frozen=True)
class Choice:
    """Something that can be picked."""

    id: str
    title: str
    about: str


def begin(session: Session, launch: Launch, picking: Picking, *, lti: Lti, now: datetime) -> Asked:
    """Take a deep linking request from whoever may edit the course.

    Raises ``ToolError``: picking-not-allowed, launch-replayed, platform-unknown.
    """
    if not launch.claims.standing.may_edit_course:
        raise ToolError("picking-not-allowed", log=f"registration {launch.platform.id}")
    use_up(session, launch)
    disabled_at = select(Registration.disabled_at).where(Registration.id == launch.platform.id)
    if session.scalars(disabled_at).one() is not None:
        lti.registry.forget()
        raise ToolError("platform-unknown", log=f"registration {launch.platform.id}: disabled")
    return Asked(launch.platform, launch.deployment_id, picking)


def seal(lti: Lti, asked: Asked, *, now: datetime) -> str:
    """The request as a text that the page's form carries, and nobody but us can make."""
    expires_at = int((now + PICKING_LIFE).timestamp())
    said = [asked.platform.id.hex, asked.deployment_id, expires_at, asdict(asked.picking)]
    return str(lti.pickings.dumps(said))


def unseal(lti: Lti, text: str, *, now: datetime) -> Asked:
    """The request behind that text. Raises ``ToolError``: picking-over, platform-unknown."""
    try:
        registration, deployment_id, expires_at, picking = lti.pickings.loads(text)
    except BadData:
        raise ToolError("picking-over", log="the request is not ours") from None
    if now.timestamp() >= expires_at:
        raise ToolError("picking-over", log="the request is too old")
    platform = lti.registry.by_id(UUID(registration))
    if platform is None or deployment_id not in platform.deployments:
        raise ToolError("platform-unknown", log=f"registration {registration}")
    return Asked(platform, deployment_id, Picking(**picking))


def schools(asked: Asked, catalogue: Catalogue) -> list[School]:
    """The schools that can be picked. Raises ``ToolError`` school-closed if there is none."""
    served = asked.platform.deployments[asked.deployment_id].schools
    found = [catalogue.schools[slug] for slug in served if slug in catalogue.schools]
    is_open = [school for school in found if not school.closed]
    if not is_open:
        raise ToolError("school-closed", log=f"deployment {asked.deployment_id}")
    return is_open


def choices(catalogue: Catalogue) -> list[Choice]:
    """The trainings, the first one first, and the register for those who look after them."""
    modules = sorted(catalogue.modules.values(), key=lambda module: module.id != DEFAULT_MODULE)
    trainings = [Choice(module.id, module.title["en"], module.about["en"]) for module in modules]
    about = _("Who has done the training. Opens for the school’s managers alone.")
    return [*trainings, Choice(REGISTER, _("Training register"), about)]


def answer(
    lti: Lti,
    asked: Asked,
    *,
    school_id: str,
    picked: Collection[str],
    catalogue: Catalogue,
    now: datetime,
) -> str:
    """The signed answer (§4.5) with what was picked, which may be nothing.

    Raises ``ToolError``: school-closed, school-not-served, module-unknown, form-incomplete.
    """
    offered = schools(asked, catalogue)
    school = next((school for school in offered if school.id == school_id), None)
    known = {choice.id: choice for choice in choices(catalogue)}
    most = (len(known) if asked.picking.takes_several else 1) if asked.picking.takes_links else 0
    if len(picked) > most:
        raise ToolError("form-incomplete", log="more than the platform takes")
    if picked and school is None:
        raise ToolError("school-not-served", log=f"registration {asked.platform.id}")
    if not known.keys() >= set(picked):
        raise ToolError("module-unknown", log=f"registration {asked.platform.id}")
    items = []
    for choice in known.values():
        if school is not None and choice.id in picked:
            title = f"{choice.title}, {school.name}" if len(offered) > 1 else choice.title
            items.append(_item(lti, asked.picking, replace(choice, title=title), school, now))
    return _sign(lti, asked, items, now)


def _item(
    lti: Lti, picking: Picking, choice: Choice, school: School, now: datetime
) -> dict[str, object]:
    """An activity as the platform is to make it (§3.2)."""
    item: dict[str, object] = {
        "type": LINK,
        "title": choice.title,
        "text": choice.about,
        "url": lti.launch_url,
        "custom": {"school": school.id, "module": choice.id},
    }
    if picking.takes_line_items and choice.id != REGISTER:
        year = cycle_of(now, school.year_starts)
        wanted = line_item(choice.title, module=choice.id, cycle=year)
        # So that the gradebook leads a manager back to whoever has finished.
        item["lineItem"] = {**wanted, "submissionReview": {"reviewableStatus": ["Completed"]}}
    if picking.takes_windows:
        item["window"] = WINDOW
    return item


def _sign(lti: Lti, asked: Asked, items: list[dict[str, object]], now: datetime) -> str:
    kid, key = lti.tool_keys.signing()
    issued = int(now.timestamp()) - BACKDATED
    said: dict[str, object] = {
        "iss": asked.platform.client_id,
        "aud": asked.platform.issuer,
        "iat": issued,
        "exp": issued + ANSWER_SECONDS,
        "nonce": secrets.token_urlsafe(24),
        f"{CORE}deployment_id": asked.deployment_id,
        f"{CORE}message_type": "LtiDeepLinkingResponse",
        f"{CORE}version": VERSION,
        f"{DEEP_LINKING}content_items": items,
        **{f"{DEEP_LINKING}{name}": value for name, value in asked.picking.echo.items()},
    }
    if not items:
        said[f"{DEEP_LINKING}msg"] = _("Nothing was added.")
    return jwt.encode(said, key, algorithm="RS256", headers={"kid": kid})
