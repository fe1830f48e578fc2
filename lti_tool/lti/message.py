"""A message that a platform posts to us, proved: signature, times, nonce, form, target.

PyLTI1p3 is the kernel: it takes the message apart and calls the checks in their order. Those of
its checks that are slow, or that let through what must not pass, are replaced below, from
outside.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from pylti1p3.cookie import CookieService
from pylti1p3.exception import LtiException
from pylti1p3.message_launch import MessageLaunch
from pylti1p3.request import Request
from pylti1p3.session import SessionService

from lti_tool.core.errors import ToolError
from lti_tool.lti import login
from lti_tool.lti.claims import CORE, Claims, identifier, origin, read_claims
from lti_tool.lti.models import Deployment, Registration
from lti_tool.lti.platforms import FIRST_TO_COME, Deployed, Lti, Platform

LEEWAY: Final = timedelta(seconds=60)
OLDEST: Final = timedelta(minutes=5)
LATEST_TIME: Final = 10**11
LARGEST_TOKEN: Final = 64 * 1024


@dataclass(frozen=True)
class Launch:
    """A launch that has been proved, and has not been written yet."""

    platform: Platform
    deployment_id: str
    deployment: Deployed
    claims: Claims
    nonce: str
    nonce_expires_at: datetime
    has_cookie: bool
    """The login's cookie came back."""
    is_bound: bool
    """So it did, or the platform's storage gave the same."""
    storage_target: str
    """The platform's storage, where it has to be asked before anything is settled; or empty."""


class _Form(Request):
    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form

    def is_secure(self) -> bool:
        return True

    def get_param(self, key: str) -> str:
        return self._form.get(key, "")


class _NoCookies(CookieService):
    """The kernel asks for one; ``login.is_bound`` looks at cookies instead."""

    def get_cookie(self, name: str) -> None:
        return None

    def set_cookie(self, name: str, value: str | int, exp: int | None = 3600) -> None:
        raise NotImplementedError


class _Message(MessageLaunch[_Form, Any, SessionService, CookieService]):
    """One message, checked against the login it answers."""

    claims: Claims

    def __init__(
        self,
        lti: Lti,
        form: Mapping[str, str],
        *,
        begun: login.Login,
        platform: Platform,
        now: datetime,
    ) -> None:
        request = _Form(form)
        super().__init__(
            request,
            platform.tool_conf,
            SessionService(request),
            _NoCookies(),
            requests_session=lti.http,
        )
        self._lti, self._login, self._platform, self._now = lti, begun, platform, now

    def _get_request_param(self, key: str) -> str:
        return self._request.get_param(key)

    def _refuse(self, why: str) -> ToolError:
        return ToolError("launch-token-invalid", log=f"registration {self._platform.id}: {why}")

    def validate_state(self) -> "_Message":
        return self  # read_state and is_bound have done it

    def validate_jwt_format(self) -> "_Message":
        super().validate_jwt_format()
        if not all(isinstance(self._jwt[part], dict) for part in ("header", "body")):
            raise self._refuse("header or body is no object")
        return self

    def validate_nonce(self) -> "_Message":
        nonce = self._get_jwt_body().get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(
            nonce.encode("utf-8", "replace"), self._login.nonce.encode()
        ):
            raise self._refuse("the nonce is not this login's")
        return self

    def get_client_id(self) -> str:
        """Ours, where the token is for us alone (Security Framework §5.1.3, steps 3 to 5)."""
        body: Mapping[str, Any] = self._get_jwt_body()
        audience, ours = body.get("aud"), self._platform.client_id
        audiences = audience if isinstance(audience, list) else [audience]
        if audiences != [ours] * max(1, len(audiences)):
            raise self._refuse("it is not for us alone")
        if body.get("azp", ours) != ours or (len(audiences) > 1 and "azp" not in body):
            raise self._refuse("azp is missing or another")
        return ours

    def validate_jwt_signature(self) -> "_Message":
        header: Mapping[str, Any] = self._jwt["header"]
        kid = header.get("kid")
        if header.get("alg") != "RS256" or "crit" in header:
            raise self._refuse("it is not signed with RS256")
        if not isinstance(kid, str) or not kid:
            raise self._refuse("no kid")
        key = self._lti.platform_keys.get(
            self._platform.id, self._platform.jwks_url, kid, now=self._now
        )
        signed, _, signature = self._get_id_token().rpartition(".")
        try:
            raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
            key.verify(raw, signed.encode(), padding.PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            raise self._refuse("the signature is wrong") from None
        self._validate_times()
        return self

    def _validate_times(self) -> None:
        body: Mapping[str, Any] = self._get_jwt_body()
        now = self._now.timestamp()
        leeway = LEEWAY.total_seconds()
        times = [body.get("iat"), body.get("exp"), body.get("nbf", body.get("iat"))]
        if not all(_is_time(moment) for moment in times):
            raise self._refuse("iat or exp is missing")
        issued, expires, starts = (float(moment or 0) for moment in times)
        if expires <= now - leeway:
            raise ToolError("launch-token-time", log=f"{self._platform.id}: expired")
        if max(issued, starts) > now + leeway:
            raise ToolError("launch-token-time", log=f"{self._platform.id}: from the future")
        if issued < now - OLDEST.total_seconds() - leeway:
            raise ToolError("launch-token-time", log=f"{self._platform.id}: issued too long ago")

    def validate_deployment(self) -> "_Message":
        given = identifier(self._get_jwt_body().get(f"{CORE}deployment_id"), "deployment_id")
        if self._login.deployment_hint not in ("", given):
            raise self._refuse("the login was for another deployment")
        super().validate_deployment()
        return self

    def validate_message(self) -> "_Message":
        self.claims = read_claims(self._get_jwt_body())
        if self.claims.picking is None:  # of which the kernel refuses one that takes no activities
            super().validate_message()
        target = self._get_jwt_body().get(f"{CORE}target_link_uri")
        if not isinstance(target, str) or not target:
            raise ToolError("launch-message-invalid", log="target_link_uri is missing")
        login.require_own_target(self._lti, target)
        if login.digest(target) != self._login.target_digest:
            raise ToolError("launch-target-elsewhere", log="the login was for another target")
        return self

    def save_launch_data(self) -> "_Message":
        return self  # ``settle`` does


def prove(
    lti: Lti, form: Mapping[str, str], cookies: Mapping[str, str], *, sender: str, now: datetime
) -> Launch:
    """Check everything about a launch that can be checked without writing.

    ``sender`` is the origin of the page that posted the form. What the platform's storage is said
    to hold counts from a page of ours alone: any other page could say it of its own login.

    One thing is written: the name of a deployment that a registration left open. Raises
    ``ToolError``: platform-refused, launch-incomplete, launch-state-wrong, launch-state-old,
    launch-other-browser, launch-token-invalid, launch-token-time, deployment-unknown,
    launch-message-invalid, launch-message-unsupported,
    launch-target-elsewhere, platform-unknown, platform-keys-unavailable.
    """
    state, token = form.get("state", ""), form.get("id_token", "")
    if "error" in form:
        raise ToolError("platform-refused", log=_plain(form["error"]))
    if not state or not token or len(token) > LARGEST_TOKEN:
        raise ToolError("launch-incomplete", log="no state or no id_token")
    begun = login.read_state(lti, state, now=now)
    has_cookie = login.is_bound(lti, state, cookies.get(login.cookie_name(state)))
    is_stored = login.is_bound(lti, state, form.get("storage") or None)
    platform = lti.registry.by_id(begun.registration_id)
    if platform is None:
        raise ToolError("platform-unknown", log=f"registration {begun.registration_id}")
    message = _Message(lti, form, begun=begun, platform=platform, now=now)
    try:
        message.validate()
    except LtiException as fault:
        raise ToolError("launch-message-invalid", log=f"{platform.id}: {fault}") from None
    # A second use of the nonce must be refused for as long as its state would be accepted.
    deployment_id = message._get_deployment_id()
    return Launch(
        platform,
        deployment_id,
        _deployed(lti, platform, deployment_id),
        message.claims,
        begun.nonce,
        begun.expires_at + LEEWAY,
        has_cookie,
        has_cookie or (is_stored and origin(sender) == lti.config.url.lower()),
        "" if has_cookie or "storage" in form else begun.storage_target,
    )


def _deployed(lti: Lti, platform: Platform, deployment_id: str) -> Deployed:
    """The deployment a proved message comes from; the first one names the one not named so far.

    Raises ``ToolError`` deployment-unknown where another was first.
    """
    if deployment_id not in platform.deployments:
        nameless = platform.deployments[FIRST_TO_COME].id
        with lti.database.transaction() as session:
            row = session.get_one(Deployment, nameless, with_for_update=True)
            if row.deployment_id == FIRST_TO_COME:
                row.deployment_id = deployment_id
                session.get_one(Registration, platform.id).version += 1
        lti.registry.forget()
        platform = lti.registry.by_id(platform.id) or platform
    if deployment_id not in platform.deployments:
        raise ToolError("deployment-unknown", log=f"registration {platform.id}")
    return platform.deployments[deployment_id]


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 < value < LATEST_TIME  # which infinity and NaN are not


def _plain(text: str) -> str:
    """A platform's error code, fit for a log line."""
    return "".join(letter for letter in text if letter.isalnum() or letter in "_-")[:60]
