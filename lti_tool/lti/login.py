"""The login that a platform initiates (Security Framework 1.0 §5.1.1). It writes nothing.

What the launch must know of its login travels as ``state``: signed, and good for five minutes.
A cookie of its own binds each login to the browser that made it; two tabs do not disturb one
another. A platform that offers a storage of its own (LTI OIDC Login with LTI Client Side
postMessages 0.1) is given the cookie's value as well, for browsers that keep no cookie of ours.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from itsdangerous import BadData
from itsdangerous.encoding import base64_decode, base64_encode

from lti_tool.core.errors import ToolError
from lti_tool.lti.claims import LONGEST_ID, LONGEST_URL, origin
from lti_tool.lti.platforms import Lti

STATE_LIFE: Final = timedelta(minutes=5)
COOKIE_PREFIX: Final = "__Host-clauseway-login-"
LONGEST_TARGET: Final = 100


@dataclass(frozen=True)
class Login:
    """What a login leaves for its launch."""

    nonce: str
    registration_id: UUID
    deployment_hint: str
    target_digest: str
    expires_at: datetime
    storage_target: str
    """The platform's storage that was offered, or empty."""


@dataclass(frozen=True)
class Outset:
    """Where to send the browser, and the cookie to give it; the storage has the same to keep."""

    redirect_url: str
    cookie_name: str
    cookie_value: str
    storage_target: str


def begin(lti: Lti, form: Mapping[str, str], *, now: datetime) -> Outset:
    """Answer a login initiation.

    Raises ``ToolError``: login-incomplete, launch-target-elsewhere, platform-unknown,
    platform-ambiguous.
    """
    issuer, hint, target = (form.get(name, "") for name in ("iss", "login_hint", "target_link_uri"))
    deployment_hint = form.get("lti_deployment_id", "")
    if not (issuer and hint and target) or len(deployment_hint) > LONGEST_ID:
        raise ToolError("login-incomplete", log="iss, login_hint or target_link_uri is missing")
    require_own_target(lti, target)
    platform = lti.registry.find(issuer, form.get("client_id", ""))
    nonce = secrets.token_urlsafe(24)
    expires_at = int((now + STATE_LIFE).timestamp())
    storage = storage_target(form)
    remembered = [nonce, platform.id.hex, deployment_hint, digest(target), expires_at, storage]
    state = _seal(lti, remembered if storage else remembered[:-1])
    query = {"login_hint": hint, "state": state, "nonce": nonce}
    if "lti_message_hint" in form:
        query["lti_message_hint"] = form["lti_message_hint"]
    asks = _asks(platform.auth_login_url, platform.client_id, lti.launch_url)
    return Outset(
        f"{asks}&{urlencode(query)}",
        cookie_name(state),
        binding(lti, state),
        storage,
    )


@lru_cache(maxsize=1024)
def _asks(auth_login_url: str, client_id: str, redirect_uri: str) -> str:
    """What is the same in every request to a platform."""
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
    }
    join = "&" if "?" in auth_login_url else "?"
    return f"{auth_login_url}{join}{urlencode(query)}"


def read_state(lti: Lti, state: str, *, now: datetime) -> Login:
    """The login behind a state. Raises ``ToolError``: launch-state-wrong, launch-state-old."""
    try:
        nonce, registration, deployment_hint, target_digest, expires, *storage = _open(lti, state)
    except BadData:
        raise ToolError("launch-state-wrong", log="the state is not ours") from None
    expires_at = datetime.fromtimestamp(expires, now.tzinfo)
    if now >= expires_at:
        raise ToolError("launch-state-old", log=f"registration {UUID(registration)}")
    return Login(
        nonce, UUID(registration), deployment_hint, target_digest, expires_at, *storage or [""]
    )


def _seal(lti: Lti, remembered: Sequence[object]) -> str:
    """As text that only we can have written; it is short, so nothing is gained by packing it."""
    return lti.login_states.sign(base64_encode(json.dumps(remembered))).decode()


def _open(lti: Lti, state: str) -> list[Any]:
    found: list[Any] = json.loads(base64_decode(lti.login_states.unsign(state)))
    return found


def storage_target(form: Mapping[str, str]) -> str:
    """The storage a platform offers: the name of a frame of its, or ``_parent``; else empty."""
    name = form.get("lti_storage_target", "")
    return name if len(name) <= LONGEST_TARGET and name.isprintable() else ""


def is_bound(lti: Lti, state: str, kept: str | None) -> bool:
    """Whether this browser made the login: whether it kept what the login gave it.

    Raises ``ToolError`` launch-other-browser where it kept something else.
    """
    if kept is None:
        return False
    if not hmac.compare_digest(kept.encode(), binding(lti, state).encode()):
        raise ToolError("launch-other-browser", log="what the browser kept is another's")
    return True


def cookie_name(state: str) -> str:
    """The name of the cookie that binds a login."""
    return f"{COOKIE_PREFIX}{digest(state)}"


def binding(lti: Lti, state: str) -> str:
    """The value of that cookie: nobody but us can make it."""
    return hmac.new(lti.login_secret, f"binding {state}".encode(), hashlib.sha256).hexdigest()


def digest(text: str) -> str:
    """A short mark of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def require_own_target(lti: Lti, target: str) -> None:
    """Raises ``ToolError`` launch-target-elsewhere unless the address is one of ours."""
    is_own = target.isprintable() and origin(target) == lti.config.url.lower()
    if len(target) > LONGEST_URL or not is_own:
        raise ToolError("launch-target-elsewhere", log="target_link_uri is not ours")
