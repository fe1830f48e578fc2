"""Keys and signatures of the platform, and the check of a tool's client assertion."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.types import Options

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}
_SIGNATURE_ONLY: Final[Options] = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}
LookUp = Callable[[str, bool], jwt.PyJWK | None]


class TokenRefused(Exception):
    """What Moodle puts into `error`; `kid` problems break its JSON, see `views`."""


@dataclass(frozen=True)
class Key:
    kid: str
    private: rsa.RSAPrivateKey

    @classmethod
    def generate(cls) -> "Key":
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(secrets.token_hex(10), private)

    @classmethod
    def from_pem(cls, kid: str, pem: str) -> "Key":
        private = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ValueError("the sandbox's key file holds something other than an RSA key")
        return cls(kid, private)

    def to_pem(self) -> str:
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def to_jwk(self) -> dict[str, str]:
        """The public half as Moodle publishes it (RFC 7517)."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "alg": "RS256",
            "kid": self.kid,
            "e": _base64url(numbers.e.to_bytes(3)),
            "n": _base64url(numbers.n.to_bytes(256)),
            "use": "sig",
        }


def sign_jwt(header: Mapping[str, object], payload: object, key: rsa.RSAPrivateKey | bytes) -> str:
    """A JWS by hand, because tests need ones that no library would make.

    `payload` may be anything JSON can hold. The header's `alg` decides: `none`, `HS256` (`key` is
    the secret) or RS256, RS384, RS512 (`key` is the private key).
    """
    parts = [_base64url(json.dumps(part).encode()) for part in (header, payload)]
    message = ".".join(parts).encode()
    return ".".join([*parts, _base64url(_signature(str(header["alg"]), message, key))])


def _signature(algorithm: str, message: bytes, key: rsa.RSAPrivateKey | bytes) -> bytes:
    if algorithm == "none":
        return b""
    if isinstance(key, bytes):
        return hmac.digest(key, message, hashlib.sha256)
    return key.sign(message, padding.PKCS1v15(), _HASHES[algorithm])


def check_assertion(
    assertion: str, *, is_client: Callable[[str | None], bool], look_up: LookUp, now: datetime
) -> dict[str, Any]:
    """The claims of a valid client assertion (RFC 7523, Security Framework 1.0 section 4.1).

    Lenient where Moodle is: `aud` and `jti` unread, replay accepted, `exp` optional. Strict where
    Moodle is: `iat` in the future by one second is refused. `look_up(kid, afresh)` finds a key of
    the tool. Raises TokenRefused.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise TokenRefused("invalid_request") from None
    if claims.get("iss") != claims.get("sub") or not is_client(claims.get("sub")):
        raise TokenRefused("invalid_client")
    if not header.get("kid"):
        raise TokenRefused("error/Error: kid must be provided in JWT header.")
    if not any(_verifies(assertion, look_up(header["kid"], afresh)) for afresh in (False, True)):
        raise TokenRefused("Signature verification failed")
    _check_times(claims, int(now.timestamp()))
    return claims


def _verifies(assertion: str, key: jwt.PyJWK | None) -> bool:
    """Whether this key made the signature. Raises TokenRefused when there is no such key."""
    if key is None:
        return False
    try:
        jwt.decode(assertion, key.key, algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except jwt.InvalidTokenError:
        return False
    return True


def _check_times(claims: Mapping[str, Any], now: int) -> None:
    for name in ("nbf", "iat"):
        moment = claims.get(name)
        if isinstance(moment, (int, float)) and moment > now:
            when = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
            raise TokenRefused(f"Cannot handle token with {name} prior to {when}")
    expires = claims.get("exp")
    if isinstance(expires, (int, float)) and expires <= now:
        raise TokenRefused("Expired token")


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
