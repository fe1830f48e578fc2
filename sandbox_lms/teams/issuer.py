"""Tokens as Microsoft Entra issues them (v2.0), and everything that can be wrong with them.

Claims: learn.microsoft.com, "Access token claims reference". Whatever is random there is random
here; nothing is left out, so that a tool which reads what it should not is found out.
"""

import secrets
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox_lms.platform import OMIT, Clock
from sandbox_lms.schools import SCHOOLS, Person, first_people
from sandbox_lms.tokens import Key, sign_jwt

TENANT_ID: Final = "5a9b0c01-7d3e-4f52-9c1a-2b6e8d4f0a11"
CLIENT_ID: Final = "0f2d7c44-1b6a-4e83-8a57-6c9e3d5b7f22"
WEB: Final = "5e3ce6c0-2b1f-4285-8d4b-75ee78787346"
"""Teams in a browser, as which tokens are asked for."""
SCOPE: Final = "access_as_user"
LIFE: Final = 4700  # seconds: between an hour and an hour and a half, as Entra's are
OTHER_ID: Final = "9d1e5f60-3c2b-4a7d-b8e9-0f1a2b3c4d55"

TOKENS: Final = {
    "good": "nothing: a good token",
    "v1": "its version is 1.0",
    "expired": "it has expired",
    "early": "it is not valid yet",
    "no-scope": "there is no scope in it",
    "app-only": "it is an application's own",
    "other-client": "another program asked for it",
    "other-audience": "it is for another application",
    "other-tenant": "it is another organisation's",
}


def object_id(person: Person) -> str:
    """Entra's id of somebody: the same for every app."""
    return str(uuid5(NAMESPACE_URL, f"sandbox-entra/{person.id}"))


class Issuer:
    """One organisation's Entra. ``authority`` is the origin it is served at."""

    def __init__(self, authority: str, clock: Clock) -> None:
        self.authority, self.clock = authority, clock
        self.keys: list[Key] = []
        self.asked = 0
        """How often its keys were fetched."""

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{TENANT_ID}/v2.0"

    def discovery(self, tenant_id: str) -> dict[str, Any]:
        """The discovery document, as far as an API reads it."""
        base = f"{self.authority}/{tenant_id}"
        return {
            "issuer": f"{base}/v2.0",
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }

    def published(self) -> list[dict[str, str]]:
        """The public keys, each with the issuer that may sign with it."""
        return [key.to_jwk() | {"issuer": self.issuer} for key in self._held()]

    def rotate(self, *, keep_old: bool = True) -> Key:
        """Sign with a new key from now on; the old ones stay published or vanish at once."""
        key = Key.generate()
        self.keys = [*(self.keys if keep_old else []), key]
        return key

    def claims(self, person: Person, /, **changes: object) -> dict[str, Any]:
        """What a good token for somebody says now. ``OMIT`` leaves a claim out."""
        now = int(self.clock().timestamp())
        said: dict[str, Any] = {
            "aud": CLIENT_ID,
            "iss": self.issuer,
            "iat": now,
            "nbf": now,
            "exp": now + LIFE,
            "aio": secrets.token_urlsafe(60),
            "azp": WEB,
            "azpacr": "0",
            "name": person.name,
            "oid": object_id(person),
            "preferred_username": person.email,
            "rh": f"1.{secrets.token_urlsafe(40)}.",
            "roles": roles(person) or OMIT,
            "scp": SCOPE,
            "sid": secrets.token_hex(16),
            "sub": secrets.token_urlsafe(32),
            "tid": TENANT_ID,
            "uti": secrets.token_urlsafe(16),
            "ver": "2.0",
            "xms_ftd": secrets.token_urlsafe(32),
        }
        return {name: value for name, value in (said | changes).items() if value is not OMIT}

    def sign(
        self,
        claims: object,
        *,
        kid: str | None = "current",
        key: rsa.RSAPrivateKey | bytes | None = None,
        alg: str = "RS256",
    ) -> str:
        """Any claims as a token; ``kid`` None leaves it out; ``key`` is another, or a secret."""
        current = self._held()[-1]
        header: dict[str, object] = {"typ": "JWT", "alg": alg}
        if kid is not None:
            header["kid"] = current.kid if kid == "current" else kid
        return sign_jwt(header, claims, current.private if key is None else key)

    def token(self, person: Person, fault: str = "good", /, **changes: object) -> str:
        """A token for somebody, with what is wrong with it (a key of ``TOKENS``)."""
        return self.sign(self.claims(person, **(self._wrong(person, fault) | changes)))

    def _wrong(self, person: Person, fault: str) -> dict[str, object]:
        now = int(self.clock().timestamp())
        of_an_app = {"idtyp": "app", "azpacr": "1", "roles": roles(person) or ["Policy.Staff"]}
        wrong: dict[str, dict[str, object]] = {
            "good": {},
            "v1": {
                "ver": "1.0",
                "iss": f"https://sts.windows.net/{TENANT_ID}/",
                "aud": f"api://{CLIENT_ID}",
                "appid": WEB,
                "azp": OMIT,
                "upn": person.email,
                "unique_name": person.email,
                "preferred_username": OMIT,
            },
            "expired": {"iat": now - 9000, "nbf": now - 9000, "exp": now - 4300},
            "early": {"iat": now + 600, "nbf": now + 600, "exp": now + 600 + LIFE},
            "no-scope": {"scp": OMIT, "roles": OMIT},
            "app-only": {"scp": OMIT, **of_an_app},
            "other-client": {"azp": OTHER_ID},
            "other-audience": {"aud": OTHER_ID},
            "other-tenant": {"tid": OTHER_ID, "iss": f"{self.authority}/{OTHER_ID}/v2.0"},
        }
        return wrong[fault]

    def _held(self) -> list[Key]:
        if not self.keys:  # made when first needed: it takes a moment
            self.rotate()
        return self.keys


def roles(person: Person) -> list[str]:
    """The app roles somebody was given: staff of their school; heads may manage. Whoever
    administers the site was given none."""
    if person.school is None:
        return []
    given = [f"Policy.Staff.{person.school}"]
    return [*given, "Policy.Manager"] if person.kind == "head" else given


def describe(authority: str) -> dict[str, Any]:
    """What a tool needs to let this organisation in, and who is in charge at each school."""
    heads = {one.school: one for one in first_people().values() if one.kind == "head"}
    return {
        "name": "Sandbox organisation",
        "tenant": TENANT_ID,
        "client_id": CLIENT_ID,
        "authority": authority,
        "headteachers": {school: object_id(heads[school]) for school in SCHOOLS},
    }
