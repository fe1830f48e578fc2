"""What a platform says of itself before we register with it, read once into plain values.

Dynamic Registration 1.0 §3.4 (the OpenID configuration) and §3.5.1 (its issuer must be the one
that serves it). Everything in it was written by somebody else.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from lti_tool.core.errors import ToolError
from lti_tool.core.outside import HostRefused, Outage, Outside
from lti_tool.lti.claims import (
    LINE_ITEM_SCOPE,
    LONGEST_ID,
    LONGEST_URL,
    RESULT_SCOPE,
    SCORE_SCOPE,
    origin,
    service_url,
)
from lti_tool.lti.platforms import check_url

PLATFORM: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
MEMBERS_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LONGEST_TOKEN: Final = 8192
LONGEST_TEXT: Final = 80

# What we ask for, by what a person can leave out.
CLAIMS: Final = {"name": ("name", "given_name", "family_name"), "email": ("email",)}
SCOPES: Final = {
    "grades": (LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE),
    "members": (MEMBERS_SCOPE,),
}
WANTED: Final = (*CLAIMS, *SCOPES)
ENOUGH: Final = {**CLAIMS, "grades": (SCORE_SCOPE,), "members": (MEMBERS_SCOPE,)}
"""Any one of these, and the thing works."""

# Product family codes (Dynamic Registration §3.4) are not for people.
PRODUCTS: Final = {
    "moodle": "Moodle",
    "canvas": "Canvas",
    "desire2learn": "Brightspace",
    "brightspace": "Brightspace",
    "d2l": "Brightspace",
    "blackboardlearn": "Blackboard",
    "sakai": "Sakai",
}
# Instructure's own Canvas: its issuer, the host that speaks for it, and where its pages are.
CANVAS: Final = {
    f"https://{host}": (f"https://canvas{kind}.instructure.com", f"https://*{kind}.instructure.com")
    for kind in ("", ".beta", ".test")
    for host in (f"canvas{kind}.instructure.com", f"sso{kind}.canvaslms.com")
}


@dataclass(frozen=True)
class Offer:
    """A platform that would register us. Empty ``claims`` or ``scopes`` mean: it did not say."""

    issuer: str
    registration_url: str
    auth_login_url: str
    auth_token_url: str
    auth_audience: str
    jwks_url: str
    family: str
    version: str
    claims: tuple[str, ...]
    scopes: tuple[str, ...]
    messages: Mapping[str, tuple[str, ...]]
    """Kinds of message, and where a link for each may be placed."""

    @property
    def product(self) -> str:
        """The product's name, or nothing."""
        return PRODUCTS.get(self.family.lower(), self.family)

    @property
    def name(self) -> str:
        """What to call the platform: its product and where it is."""
        host = urlsplit(self.issuer).netloc
        return f"{self.product} ({host})" if self.product else host

    @property
    def offered(self) -> tuple[str, ...]:
        """What of ``WANTED`` it can give, as far as it says."""
        return granted(WANTED, self.claims, self.scopes)

    def claims_for(self, wanted: Collection[str]) -> list[str]:
        """The claims to ask for."""
        return _of(CLAIMS, wanted, self.claims)

    def scopes_for(self, wanted: Collection[str]) -> list[str]:
        """The scopes to ask for."""
        return _of(SCOPES, wanted, self.scopes)


def granted(
    wanted: Collection[str], claims: Collection[str], scopes: Collection[str]
) -> tuple[str, ...]:
    """What of ``wanted`` these make possible. None at all means that nobody said."""
    has = {name: claims for name in CLAIMS} | {name: scopes for name in SCOPES}
    return tuple(name for name in wanted if not has[name] or set(ENOUGH[name]) & set(has[name]))


def _of(
    needs: Mapping[str, tuple[str, ...]], wanted: Collection[str], listed: Collection[str]
) -> list[str]:
    asked = [one for name, all_of in needs.items() if name in wanted for one in all_of]
    return [one for one in asked if not listed or one in listed]


def framed_by(config_url: str) -> str:
    """The origin whose pages show ours in a frame while a platform registers us."""
    found = origin(config_url)
    return CANVAS.get(found, (found, found))[1]


def discover(outside: Outside, config_url: str, token: str) -> Offer:
    """Ask a platform what it is.

    The token goes along, which Canvas asks for. Raises ``ToolError``: platform-private,
    platform-silent, registration-link-wrong, and as ``read_offer`` does.
    """
    _require_link(config_url, token)
    headers = {"Accept": "application/json"} | authorization(token)
    try:
        answer = outside.call("GET", config_url, headers=headers)
    except HostRefused:
        raise ToolError("platform-private", host=urlsplit(config_url).hostname or "") from None
    except Outage as fault:
        raise ToolError("platform-silent", log=str(fault)) from None
    if not answer.is_ok:
        raise ToolError("platform-offer-wrong", fault=f"it answered {answer.status}")
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ToolError("platform-offer-wrong", fault="it is not JSON") from None
    return read_offer(config_url, said)


def read_offer(config_url: str, said: object) -> Offer:
    """An OpenID configuration, checked.

    Raises ``ToolError``: platform-offer-wrong with ``fault``; platform-issuer-other,
    platform-registers-elsewhere with the two hosts.
    """
    if not isinstance(said, dict):
        raise ToolError("platform-offer-wrong", fault="it is no JSON object")
    about = said.get(PLATFORM)
    about = about if isinstance(about, dict) else {}
    issuer, registration_url = _url(said, "issuer"), _url(said, "registration_endpoint")
    _require_same("platform-issuer-other", config_url, issuer)
    _require_same("platform-registers-elsewhere", config_url, registration_url)
    return Offer(
        issuer=issuer,
        registration_url=registration_url,
        auth_login_url=_url(said, "authorization_endpoint"),
        auth_token_url=_url(said, "token_endpoint"),
        auth_audience=service_url(said.get("authorization_server")),
        jwks_url=_url(said, "jwks_uri"),
        family=text(about.get("product_family_code")),
        version=text(about.get("version")),
        claims=strings(said.get("claims_supported")),
        scopes=strings(said.get("scopes_supported")),
        messages=_messages(about.get("messages_supported")),
    )


def authorization(token: str) -> dict[str, str]:
    """The header that carries a registration token; some platforms (Brightspace) give none."""
    return {"Authorization": f"Bearer {token}"} if token else {}


def text(value: object) -> str:
    """A platform's words for a person: one line, not long."""
    if not isinstance(value, str):
        return ""
    line = " ".join("".join(one if one.isprintable() else " " for one in value[:4096]).split())
    return line[:LONGEST_TEXT]


def strings(value: object) -> tuple[str, ...]:
    """What of a platform's list is a word; nothing where it is no list."""
    if not isinstance(value, list):
        return ()
    words = (item for item in value[:200] if isinstance(item, str) and item.isprintable())
    return tuple(word for word in words if len(word) <= LONGEST_URL)


def _require_link(config_url: str, token: str) -> None:
    if not origin(config_url) or "@" in config_url.split("?")[0] or len(token) > LONGEST_TOKEN:
        raise ToolError("registration-link-wrong", log="openid_configuration is no address")
    if not config_url.isprintable() or " " in config_url:
        raise ToolError("registration-link-wrong", log="openid_configuration is no address")
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise ToolError("registration-link-wrong", log="registration_token is no token")


def _require_same(code: str, config_url: str, other: str) -> None:
    """Nobody may speak for another host (§3.5.1), nor have our token sent there."""
    ours, theirs = origin(config_url), origin(other)
    if theirs not in (ours, CANVAS.get(ours, ("", ""))[0]):
        raise ToolError(code, ours=ours, theirs=theirs)


def _url(said: Mapping[str, Any], name: str) -> str:
    value = said.get(name)
    longest = LONGEST_ID if name == "issuer" else LONGEST_URL
    if not isinstance(value, str) or len(value) > longest:
        raise ToolError("platform-offer-wrong", fault=f"{name} is missing or too long")
    try:
        check_url(name, value)
    except ToolError as fault:
        raise ToolError("platform-offer-wrong", fault=fault.details["fault"]) from None
    return value


def _messages(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, list):
        return {}
    return {
        kind: strings(item.get("placements"))
        for item in value[:50]
        if isinstance(item, dict) and (kind := text(item.get("type")))
    }
