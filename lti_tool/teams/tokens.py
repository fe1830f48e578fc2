"""An access token of Entra's, checked until it proves who comes.

The rules: learn.microsoft.com, "Secure applications and APIs by validating claims" and "Access
token claims reference" (v2.0). What a refusal says helps whoever set the door up: so the version
is looked at before what only differs between versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from jwt.types import Options
from sqlalchemy.orm import Session

from lti_tool.core.errors import ToolError
from lti_tool.teams import tenants
from lti_tool.teams.tenants import Known, Teams

LEEWAY: Final = timedelta(seconds=60)
LONGEST: Final = 16 * 1024
LONGEST_NAME: Final = 255
SCOPE: Final = "access_as_user"
TEAMS_CLIENTS: Final = {
    "1fec8e78-bce4-4aaf-ab1b-5451cc387264": "Teams, on a computer or a phone",
    "5e3ce6c0-2b1f-4285-8d4b-75ee78787346": "Teams in a browser",
}
OTHER_CLIENTS: Final = {
    "4765445b-32c6-49b0-83e6-1d93765276ca": "microsoft365.com",
    "0ec893e0-5785-4de6-99da-4ed124e5296c": "Microsoft 365 on a computer",
    "d3590ed6-52b3-4102-aeff-aad2292ab01c": "Outlook on a computer",
    "bc59ab01-8403-45c6-8796-ac3ef710b3e3": "Outlook in a browser",
}

Claims = Mapping[str, Any]
SIGNATURE_ALONE: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
"""All else is looked at here, in an order of our own and by our clock."""


@dataclass(frozen=True)
class Proved:
    """Who comes, by a token that holds."""

    tenant: Known
    subject: str
    """Entra's ``oid``: the same person for every app of the organisation, and for ever."""
    name: str
    email: str
    """For people to recognise somebody by; it proves nothing."""
    roles: frozenset[str]
    is_guest: bool
    """Of another organisation; known only where the optional claim ``acct`` is asked for."""


def prove(teams: Teams, session: Session, token: str, *, now: datetime) -> Proved:
    """Who brings this token.

    Raises ``ToolError``: teams-token-missing, teams-token-invalid, teams-tenant-unknown,
    teams-keys-unavailable, teams-token-version, teams-token-expired, teams-clock-wrong,
    teams-audience-other, teams-token-app-only, teams-scope-missing, teams-client-refused.
    """
    header, unproved = _open(token)
    tenant = tenants.find(session, tenants.guid(unproved.get("tid")) or "none")
    claims = _verify(teams, tenant, token, header, now)
    if claims.get("ver") != "2.0":
        raise _refused("teams-token-version", tenant, "its version is not 2.0")
    if claims.get("iss") != f"{teams.authority}/{tenant.tenant_id}/v2.0":
        raise _refused("teams-token-invalid", tenant, "another issuer")
    _check_times(claims, tenant, now)
    if claims.get("aud") != tenant.client_id:
        raise _refused("teams-audience-other", tenant, "it is for another application")
    _check_use(claims, tenant)
    subject = tenants.guid(claims.get("oid"))
    if not subject:
        raise _refused("teams-token-invalid", tenant, "oid is missing")
    roles = claims.get("roles")
    return Proved(
        tenant,
        subject,
        _text(claims.get("name")),
        _email(claims),
        frozenset(role for role in roles if isinstance(role, str))
        if isinstance(roles, list)
        else frozenset(),
        claims.get("acct") == 1,
    )


def clients(tenant: Known) -> dict[str, str]:
    """The applications of Microsoft's that may ask for a token for us, with their names."""
    return TEAMS_CLIENTS | (OTHER_CLIENTS if tenant.in_outlook else {})


def _open(token: str) -> tuple[Claims, Claims]:
    """Header and claims, both unproved."""
    if not token:
        raise ToolError("teams-token-missing")
    try:
        if len(token) > LONGEST:
            raise ToolError("teams-token-invalid", log="it is too long")
        opened = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError) as fault:
        raise ToolError("teams-token-invalid", log="it is no token") from fault
    return opened["header"], opened["payload"]


def _verify(teams: Teams, tenant: Known, token: str, header: Claims, now: datetime) -> Claims:
    """The claims, if the organisation's own key signed them. Nothing is believed of a header but
    which of the published keys to try."""
    kid = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(kid, str) or "crit" in header:
        raise _refused("teams-token-invalid", tenant, "it is not signed with RS256 and a kid")
    url = f"{teams.authority}/{tenant.tenant_id}/discovery/v2.0/keys"
    key = teams.keys.get(tenant.row_id, url, kid, now=now)
    try:
        claims: Claims = jwt.decode(token, key, algorithms=["RS256"], options=SIGNATURE_ALONE)
    except (jwt.InvalidTokenError, ValueError, RecursionError) as fault:
        raise _refused("teams-token-invalid", tenant, "the signature is wrong") from fault
    return claims


def _check_times(claims: Claims, tenant: Known, now: datetime) -> None:
    expires, begins = _moment(claims.get("exp")), _moment(claims.get("nbf", claims.get("iat")))
    if expires is None or begins is None:
        raise _refused("teams-token-invalid", tenant, "exp or nbf is missing")
    if expires <= (now - LEEWAY).timestamp():
        raise _refused("teams-token-expired", tenant, "it has expired")
    if begins > (now + LEEWAY).timestamp():
        raise _refused("teams-clock-wrong", tenant, "it is not valid yet")


def _check_use(claims: Claims, tenant: Known) -> None:
    """By a person, through Teams, for what we are: not by some application for itself."""
    scopes = claims.get("scp")
    if claims.get("idtyp") == "app" or (scopes is None and "roles" in claims):
        raise _refused("teams-token-app-only", tenant, "it is an application's own")
    if not isinstance(scopes, str) or SCOPE not in scopes.split():
        raise _refused("teams-scope-missing", tenant, f"scp lacks {SCOPE}")
    if claims.get("azp") not in list(clients(tenant)):  # it may be what has no hash
        raise _refused("teams-client-refused", tenant, "azp is no client of Teams")


def _moment(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) < 1e11:
        return None
    return float(value)


def _refused(code: str, tenant: Known, log: str) -> ToolError:
    return ToolError(code, log=f"tenant {tenant.row_id}: {log}")


def _email(claims: Claims) -> str:
    """The address, where the optional claim was asked for; else the sign-in name if it is one."""
    for claim in ("email", "preferred_username"):
        found = _text(claims.get(claim))
        if "@" in found and " " not in found:
            return found
    return ""


def _text(value: object) -> str:
    """Words for people, without characters that are none."""
    if not isinstance(value, str):
        return ""
    return "".join(letter for letter in value if letter.isprintable()).strip()[:LONGEST_NAME]
