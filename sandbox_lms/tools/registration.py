"""Dynamic registration as Moodle 4.5.6 does it: what it offers, its tokens, its refusals.

A registered tool stays pending until the administrator activates it. Tokens are signed, good for
an hour and once; one for an update (scope `reg-update`) may be used again within its hour. What
Moodle drops from a request is dropped here too.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit

import jwt

from sandbox_lms import claims
from sandbox_lms.platform import Platform
from sandbox_lms.tools.registered import Tool

TOOL: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOKEN_SECONDS: Final = 3600
CLAIMS: Final = ("sub", "iss", "name", "given_name", "family_name", "email")
DEEP_LINKING: Final = "LtiDeepLinkingRequest"
_REQUIRED = ("initiate_login_uri", "redirect_uris", "client_name", "jwks_uri")


@dataclass
class Refused(Exception):
    """Status and text of Moodle's refusal."""

    status: int
    text: str


def configuration(platform: Platform) -> dict[str, Any]:
    """The OpenID configuration."""
    issuer = platform.issuer
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "jwks_uri": f"{issuer}/jwks",
        "authorization_endpoint": f"{issuer}/auth",
        "registration_endpoint": f"{issuer}/mod/lti/openid-registration.php",
        "scopes_supported": [*claims.SCOPES, "openid"],
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": list(CLAIMS),
        PLATFORM: {
            "product_family_code": "moodle",
            "version": "4.5.6 (Build: 20250811)",
            "messages_supported": [
                {"type": "LtiResourceLinkRequest"},
                {"type": DEEP_LINKING, "placements": ["ContentArea"]},
            ],
            "variables": ["Context.id", "ResourceLink.id", "User.id"],
        },
    }


def issue_token(platform: Platform, update: Tool | None = None) -> str:
    """A registration token for a new tool, or to update one."""
    now = int(platform.clock().timestamp())
    about = (
        {"sub": update.deployment_id, "scope": "reg-update"}
        if update
        else {"sub": secrets.token_urlsafe(11)[:15], "scope": "reg"}
    )
    return platform.sign({**about, "iat": now, "exp": now + TOKEN_SECONDS})


def register(platform: Platform, authorization: str, sent: object) -> dict[str, Any]:
    """Register or update a tool; gives Moodle's answer. Raises Refused."""
    with platform.lock:
        token = _check_token(platform, authorization)
        asked = _check_request(sent)
        update = token["scope"] == "reg-update"
        known = _by_deployment(platform, token["sub"]) if update else None
        tool = _tool(platform, asked, token["sub"] if known is None else known.client_id)
        if known is not None:
            tool = replace(tool, deployment_id=known.deployment_id, is_active=known.is_active)
        platform.tools[tool.client_id] = tool
        if not update:
            platform.tools.used_tokens.add(token["sub"])
        platform.save()
    return describe(tool)


def read(platform: Platform, authorization: str) -> dict[str, Any]:
    """The registration an update token is for. Raises Refused."""
    token = _check_token(platform, authorization)
    tool = _by_deployment(platform, token["sub"])
    return describe(tool)


def describe(tool: Tool) -> dict[str, Any]:
    """A tool as the registration answer shows it."""
    messages = [
        {"type": DEEP_LINKING, "target_link_uri": tool.target_link_uri} for _ in [0] if tool.links
    ]
    return {
        "client_id": tool.client_id,
        "response_types": ["id_token"],
        "jwks_uri": tool.jwks_uri,
        "initiate_login_uri": tool.initiate_login_uri,
        "grant_types": ["client_credentials", "implicit"],
        "redirect_uris": list(tool.redirect_uris),
        "application_type": "web",
        "token_endpoint_auth_method": "private_key_jwt",
        "client_name": tool.name,
        "logo_uri": tool.logo_uri,
        "scope": " ".join(tool.scopes),
        TOOL: {
            "version": "1.3.0",
            "deployment_id": tool.deployment_id,
            "target_link_uri": tool.target_link_uri,
            "domain": urlsplit(tool.target_link_uri).netloc,
            "description": tool.description,
            "messages": messages,
            "claims": list(tool.claims),
        },
    }


def _check_token(platform: Platform, authorization: str) -> Mapping[str, Any]:
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer" or not token:
        raise Refused(401, "missing_registration_token")
    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = next(one for one in platform.keys if one.kid == kid)
        said: dict[str, Any] = jwt.decode(
            token,
            key.public_pem(),
            algorithms=["RS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_sub": False},
        )
    except (jwt.InvalidTokenError, StopIteration):
        raise Refused(404, "Exception - Signature verification failed") from None
    if said["exp"] <= platform.clock().timestamp():
        raise Refused(404, "Exception - Expired token")
    if said["scope"] == "reg" and said["sub"] in platform.tools.used_tokens:
        raise Refused(401, "token_already_used")
    return said


def _check_request(sent: object) -> Mapping[str, Any]:
    if not isinstance(sent, dict) or "id_token" not in sent.get("response_types", ()):
        raise Refused(400, "missing required attribute response_types")
    for name in (*_REQUIRED, TOOL):
        if not sent.get(name):
            raise Refused(400, f"missing required attribute {name}")
    if not isinstance(sent["redirect_uris"], list):
        raise Refused(400, "invalid_redirect_uris")
    if sent.get("token_endpoint_auth_method") != "private_key_jwt":
        raise Refused(400, "invalid_token_endpoint_auth_method")
    domain = sent[TOOL].get("domain")
    if not domain:
        raise Refused(400, "missing_domain")
    if urlsplit(sent[TOOL].get("target_link_uri", f"https://{domain}")).netloc != domain:
        raise Refused(400, "domain_targetlinkuri_mismatch")
    return sent


def _tool(platform: Platform, asked: Mapping[str, Any], client_id: str) -> Tool:
    about = asked[TOOL]
    scopes = str(asked.get("scope", "")).split()
    return Tool(
        client_id=client_id,
        deployment_id=str(len(platform.tools) + 1),
        name=asked["client_name"],
        description=about.get("description", ""),
        target_link_uri=about["target_link_uri"],
        initiate_login_uri=asked["initiate_login_uri"],
        redirect_uris=tuple(asked["redirect_uris"]),
        jwks_uri=asked["jwks_uri"],
        logo_uri=asked.get("logo_uri", ""),
        claims=tuple(one for one in CLAIMS if one in about.get("claims", ())),
        scopes=tuple(one for one in claims.SCOPES if one in scopes),
        links=any(one.get("type") == DEEP_LINKING for one in about.get("messages", ())),
        is_active=False,
    )


def _by_deployment(platform: Platform, deployment_id: str) -> Tool:
    for tool in platform.tools.values():
        if tool.deployment_id == deployment_id:
            return tool
    raise Refused(404, "Exception - Invalid tool")
