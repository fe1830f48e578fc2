"""The claims of a launch, read once into plain values. Nothing past this room sees a claim.

Names of claims: LTI Core 1.3 §5.3 and §5.4, AGS 2.0 §3.1, NRPS 2.0 §3.6.1.1, Deep Linking 2.0
§4.4, Submission Review 1.0.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from lti_tool.config import is_loopback
from lti_tool.core.errors import ToolError

Body = Mapping[str, Any]

CORE: Final = "https://purl.imsglobal.org/spec/lti/claim/"
AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"
DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
OPEN: Final = "LtiResourceLinkRequest"
PICK: Final = "LtiDeepLinkingRequest"
REVIEW: Final = "LtiSubmissionReviewRequest"
LINK: Final = "ltiResourceLink"
VERSION: Final = "1.3.0"

SCORE_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
RESULT_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
LINE_ITEM_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
LINE_ITEM_READ_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
KNOWN_SCOPES: Final = frozenset((SCORE_SCOPE, RESULT_SCOPE, LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE))
# A launch does not name it: where the claim of the service is, it may be asked for.
MEMBERS_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"

LONGEST_ID: Final = 255
LONGEST_URL: Final = 2000
LONGEST_RETURN_URL: Final = 8000
"""Some platforms put a whole signed token into it."""

DEEPEST_DATA: Final = 50

ROLES: Final = "http://purl.imsglobal.org/vocab/lis/v2/"
MEMBERSHIP: Final = f"{ROLES}membership"
PLATFORM_ADMINISTRATORS: Final = frozenset(
    f"{ROLES}{kind}/person#{name}"
    for kind in ("system", "institution")
    for name in ("Administrator", "SysAdmin")
)
ORIGIN: Final = re.compile(r"https?://[a-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?")


@dataclass(frozen=True)
class Standing:
    """What somebody's roles let them ask for. It opens nothing by itself."""

    may_ask_to_manage: bool
    may_set_up: bool
    is_instructor: bool
    may_edit_course: bool


@dataclass(frozen=True)
class Picking:
    """What a platform takes in answer to a deep linking request (Deep Linking 2.0 §4.4.1)."""

    return_url: str
    """May hold the user's session key: for the answer alone, never kept or logged."""
    takes_links: bool
    takes_several: bool
    takes_line_items: bool
    takes_windows: bool
    echo: Mapping[str, Any]
    """``data`` as it came, to go back as it is; empty where none came."""


@dataclass(frozen=True)
class Claims:
    """What a verified launch said, checked for form. URLs and names may be empty."""

    subject: str
    name: str
    email: str
    standing: Standing
    resource_link_id: str
    """Empty for a message that is about no activity."""
    context_id: str
    context_title: str
    school: str
    """The custom parameter, empty where there is none."""
    module: str
    line_item_url: str
    line_items_url: str
    scopes: tuple[str, ...]
    context_memberships_url: str
    return_origin: str
    picking: Picking | None
    """For a deep linking request alone."""
    for_subject: str
    """Whose work is to be reviewed; empty for any other message."""


def read_claims(body: Body) -> Claims:
    """The claims of a message that opens an activity, asks for one to be picked, or for somebody's
    work in it to be reviewed.

    Raises ``ToolError``: launch-message-unsupported for another kind of message,
    launch-message-invalid where a required claim is missing or has the wrong form.
    """
    kind = _require_message(body)
    custom, link = _table(body, "custom"), _table(body, "resource_link")
    services, roster = _object(body.get(AGS)), _object(body.get(NRPS))
    context = _table(body, "context")
    name, email = personal(body)
    return Claims(
        subject=identifier(body.get("sub"), "sub"),
        name=name,
        email=email,
        standing=standing(body[f"{CORE}roles"]),
        resource_link_id=identifier(link.get("id"), "resource_link.id", required=kind == OPEN),
        context_id=identifier(context.get("id", ""), "context.id", required=False),
        context_title=title_of(context),
        school=_parameter(custom.get("school")),
        module=_parameter(custom.get("module")),
        line_item_url=service_url(services.get("lineitem")),
        line_items_url=service_url(services.get("lineitems")),
        scopes=_scopes(services.get("scope")),
        context_memberships_url=service_url(roster.get("context_memberships_url")),
        return_origin=origin(_table(body, "launch_presentation").get("return_url")),
        picking=_picking(body) if kind == PICK else None,
        for_subject=_reviewed(body) if kind == REVIEW else "",
    )


def standing(roles: list[object]) -> Standing:
    """What the roles come to. Only *context membership* roles make an instructor: in a school
    everybody's institution role is Staff. Without a role we know, a learner."""
    names = {role for role in roles if isinstance(role, str)}
    here = {context_role(name) for name in names}
    is_instructor = bool(here & {"Instructor", "Administrator"})
    may_set_up = bool(PLATFORM_ADMINISTRATORS & names)
    leads = is_instructor or may_set_up
    return Standing(leads, may_set_up, is_instructor, leads or "ContentDeveloper" in here)


def personal(body: Body) -> tuple[str, str]:
    """Somebody's name and e-mail, either of them empty where the platform withholds it.

    Launches and rosters use the same keys (OpenID Connect Core §5.1, NRPS §2.2).
    """
    return _name(body), _text(body.get("email"), cut=False)


def title_of(context: Body) -> str:
    """What a course is called, or its label, or nothing."""
    return _text(context.get("title")) or _text(context.get("label"))


def context_role(role: str) -> str:
    """The principal context role in a role's simple name, its URI, or a sub-role's URI such as
    ``…/membership/Instructor#TeachingAssistant`` (Core §A.2.3). Any other role comes back whole.
    """
    rest = role.removeprefix(MEMBERSHIP)
    if rest == role:
        return role
    if rest.startswith("/"):
        return rest[1:].partition("#")[0]
    return rest[1:] if rest.startswith("#") else ""


def origin(url: object, *, longest: int = LONGEST_URL) -> str:
    """Scheme, host and port of a URL, or empty where it has none that a header could hold."""
    return _origin(url) if isinstance(url, str) and len(url) <= longest else ""


@lru_cache(maxsize=256)  # every launch brings the same few
def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    # No name and password, should the platform have put any.
    found = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}".lower()
    return found if ORIGIN.fullmatch(found) and len(found) <= LONGEST_ID else ""


def service_url(url: object, *, longest: int = LONGEST_URL) -> str:
    """A platform's URL where we may send something there: https, or this machine; else empty."""
    if not isinstance(url, str) or not url.isprintable() or not origin(url, longest=longest):
        return ""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
    return url if is_safe else ""


def identifier(value: object, claim: str, *, required: bool = True) -> str:
    """An id as the platform gave it: its case counts. At most 255 characters (Core §5.3)."""
    if not required and value in ("", None):
        return ""
    if not isinstance(value, str) or not value or len(value) > LONGEST_ID:
        raise ToolError("launch-message-invalid", log=f"{claim} is missing or too long")
    if not value.isprintable():
        raise ToolError("launch-message-invalid", log=f"{claim} holds control characters")
    return value


def _require_message(body: Body) -> str:
    kind = body.get(f"{CORE}message_type")
    if not isinstance(kind, str) or not kind:
        raise ToolError("launch-message-invalid", log="message_type is missing")
    if body.get(f"{CORE}version") != VERSION:
        raise ToolError("launch-message-invalid", log="version is not 1.3.0")
    if kind not in (OPEN, PICK, REVIEW):
        raise ToolError("launch-message-unsupported", log="another message type")
    if not isinstance(body.get(f"{CORE}roles"), list):
        raise ToolError("launch-message-invalid", log="roles is missing or no list")
    return kind


def _picking(body: Body) -> Picking:
    """Where a platform does not say whether it takes several, one is safe; where it does not say
    whether it takes line items, nothing may be assumed: we send one, it may ignore it."""
    said = _object(body.get(f"{DEEP_LINKING}deep_linking_settings"))
    types, targets = said.get("accept_types"), said.get("accept_presentation_document_targets")
    return_url = service_url(said.get("deep_link_return_url"), longest=LONGEST_RETURN_URL)
    if not return_url or not isinstance(types, list) or not isinstance(targets, list):
        raise ToolError("launch-message-invalid", log="deep_linking_settings lacks a required part")
    if _is_deeper(said.get("data"), DEEPEST_DATA):
        raise ToolError("launch-message-invalid", log="data is nested too deeply to go back")
    return Picking(
        return_url=return_url,
        takes_links=LINK in types,
        takes_several=said.get("accept_multiple") is True,
        takes_line_items=said.get("accept_lineitem") is not False,
        takes_windows="window" in targets,
        echo={"data": said["data"]} if "data" in said else {},
    )


def _is_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects stand in one another more than so many levels deep."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(not levels or _is_deeper(part, levels - 1) for part in inner)


def _reviewed(body: Body) -> str:
    if not _object(body.get(AGS)).get("lineitem"):
        raise ToolError("launch-message-invalid", log="no line item to review")
    return identifier(_table(body, "for_user").get("user_id"), "for_user.user_id")


def _table(body: Body, claim: str) -> Body:
    return _object(body.get(f"{CORE}{claim}"))


def _object(value: object) -> Body:
    return value if isinstance(value, dict) else {}


def _scopes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(sorted(KNOWN_SCOPES.intersection(item for item in value if isinstance(item, str))))


def _name(body: Body) -> str:
    name = _text(body.get("name"))
    if name:
        return name
    parts = (_text(body.get("given_name")), _text(body.get("family_name")))
    return " ".join(part for part in parts if part)[:LONGEST_ID]


def _text(value: object, *, cut: bool = True) -> str:
    """Text for people, free of control characters; too long, it is cut or left out."""
    if not isinstance(value, str):
        return ""
    text = "".join(letter for letter in value if letter.isprintable()).strip()
    if len(text) > LONGEST_ID:
        return text[:LONGEST_ID] if cut else ""
    return text


def _parameter(value: object) -> str:
    """A custom parameter; a variable that the platform did not resolve counts as none."""
    text = _text(value)
    return "" if text.startswith("$") else text
