"""Tokens and keys of any shape: never let in, never a fault of ours (SEC-1, SEC-2, SEC-5, SEC-7).

The tokens are signed by us and not by a library, so that they may say what no library would.
"""

import base64
import json
import math
import time
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lti_tool.core.keysets import read_keys
from lti_tool.core.outside import Answer, Outage
from tests.conformance.world import CORE, Begun, World
from tests.factories.keys import strangers_key

few = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([10**400, -1, "\ud800", "\0", "RS256", "none", "../", "x" * 3000])
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
DECIDES = ("iss", "aud", "nonce", "iat", "exp", f"{CORE}deployment_id", f"{CORE}target_link_uri")
OTHERS = ("azp", "nbf", "sub", f"{CORE}version", f"{CORE}message_type", f"{CORE}roles", "name")
headers = st.fixed_dictionaries(
    {},
    optional={
        "alg": st.sampled_from(["RS256", "none", "None", "HS256", "ES256", "PS256", ""]) | anything,
        "kid": anything,
        "typ": anything,
        "crit": anything,
        "jku": st.sampled_from(["http://127.0.0.1:9/", "file:///etc/passwd"]) | anything,
        "jwk": anything,
        "x5u": anything,
        "x5c": anything,
        "b64": anything,
        "zip": st.just("DEF"),
    },
)


def encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def signed(header: object, body: object, key: rsa.RSAPrivateKey) -> str:
    parts = b".".join(encoded(json.dumps(part).encode()) for part in (header, body))
    signature = key.sign(parts, padding.PKCS1v15(), hashes.SHA256())
    return (parts + b"." + encoded(signature)).decode()


def posted(tool: World, begun: Begun, token: str) -> int:
    """The status of a launch with this token, which is no fault of ours."""
    client = tool.app.test_client(use_cookies=False)
    cookie = "; ".join(f"{name}={value}" for name, value in begun.cookies.items())
    reply = client.post(
        "/lti/launch",
        data={"state": begun.state, "id_token": token},
        headers={"Cookie": cookie},
        base_url=tool.url,
    )
    assert reply.status_code < 500, reply.text
    return reply.status_code


def test_sec_1_no_header_makes_anothers_signature_good(tool: World) -> None:
    begun, ours = tool.begin(), tool.platform.keys[-1]
    claims, stranger = tool.claims(begun), strangers_key()

    @few
    @given(headers, st.booleans())
    def forge(header: dict[str, Any], names_our_key: bool) -> None:
        said = {"alg": "RS256", "jwk": stranger.to_jwk()} | header
        if names_our_key:
            said["kid"] = ours.kid
        assert 400 <= posted(tool, begun, signed(said, claims, stranger.private)) < 500

    forge()


def test_sec_1_whatever_a_header_says_only_what_we_asked_for_is_let_in(tool: World) -> None:
    begun, ours = tool.begin(), tool.platform.keys[-1]
    claims = tool.claims(begun) | {"nonce": "another"}  # else the first good one uses it up

    @few
    @given(headers)
    def say(header: dict[str, Any]) -> None:
        assert 400 <= posted(tool, begun, signed(header, claims, ours.private)) < 500

    say()


def test_sec_2_no_token_that_was_touched_is_let_in(tool: World) -> None:
    begun = tool.begin()
    good = tool.token(begun)
    head, body, _ = good.split(".")
    alphabet = "ABCabc019-_.=+/ \n\0é"

    @few
    @given(
        st.integers(0, len(head) + len(body)),
        st.text(alphabet, max_size=3),
        st.integers(0, 3),
    )
    def touch(at: int, put: str, taken: int) -> None:
        token = good[:at] + put + good[at + taken :]
        if token.rpartition(".")[0] != f"{head}.{body}":
            assert 400 <= posted(tool, begun, token) < 500

    touch()
    for token in (f"{good}.{good}", "." * 60_000, f"{head}.{body}.", f".{body}.", good[:-4] + "é"):
        assert 400 <= posted(tool, begun, token) < 500


def test_sec_2_claims_that_decide_are_taken_as_they_must_be_or_not_at_all(tool: World) -> None:
    ours = tool.platform.keys[-1]

    @few
    @given(
        st.dictionaries(st.sampled_from(DECIDES), anything, min_size=1, max_size=2),
        st.dictionaries(st.sampled_from(OTHERS), anything, max_size=2),
    )
    def say(decisive: dict[str, Any], others: dict[str, Any]) -> None:
        begun = tool.begin()
        claims = tool.claims(begun)
        status = posted(
            tool, begun, signed({"alg": "RS256", "kid": ours.kid}, claims | others | decisive,
                                ours.private)
        )  # fmt: skip
        assert 400 <= status < 500 or _still_true(claims, decisive)

    say()


def _still_true(claims: dict[str, Any], said: dict[str, Any]) -> bool:
    """A time may be another one, within what is allowed; nothing else may."""
    return all(
        claims[name] == value or (name in ("iat", "exp") and abs(float(value)) < math.inf)
        for name, value in said.items()
    )


@pytest.mark.parametrize("body", ["[" * 5000, '{"a":' * 5000, "[]", "1", '"x"', "null", "{", ""])
def test_sec_2_bodies_that_are_none(tool: World, body: str) -> None:
    begun, ours = tool.begin(), tool.platform.keys[-1]
    parts = encoded(json.dumps({"alg": "RS256", "kid": ours.kid}).encode()), encoded(body.encode())
    signature = ours.private.sign(b".".join(parts), padding.PKCS1v15(), hashes.SHA256())
    token = b".".join([*parts, encoded(signature)]).decode()
    assert 400 <= posted(tool, begun, token) < 500


numbers = (
    st.integers(0, 2**2100)
    | st.sampled_from([0, 1, 2, 3, 65536, 65537, 2**64 + 1, 2**2047 + 1, 2**2048 - 1, 2**9000 - 1])
).map(lambda value: encoded(value.to_bytes((value.bit_length() + 7) // 8, "big")).decode())
entries = st.fixed_dictionaries(
    {"kty": st.just("RSA"), "kid": st.text(max_size=5), "n": numbers | anything},
    optional={
        "e": numbers | st.just("AQAB") | anything,
        "use": st.just("sig") | anything,
        "alg": st.just("RS256") | anything,
        "key_ops": anything,
        "d": numbers,
        "x5c": anything,
    },
)


@settings(max_examples=100, deadline=None)
@given(st.lists(entries | anything, max_size=3) | anything)
def test_sec_5_any_key_set_is_read_or_is_none(keys: Any) -> None:
    try:
        found = read_keys(Answer(200, json.dumps({"keys": keys}).encode(), {}))
    except Outage:
        return
    for key in found.values():
        began = time.monotonic()
        with pytest.raises((InvalidSignature, ValueError)):
            key.verify(b"\1" * (key.key_size // 8), b"x", padding.PKCS1v15(), hashes.SHA256())
        assert time.monotonic() - began < 10


def test_sec_5_an_odd_number_in_a_key_is_no_fault() -> None:
    """An even modulus, and exponents of its own size, which take long where they are let in."""
    for modulus, exponent in ((2**2048 - 2, 65537), (2**4096 - 1, 2**4095 + 1), (2**2048 - 1, 1)):
        entry = {
            "kty": "RSA",
            "kid": "k",
            "n": encoded(modulus.to_bytes(512, "big")).decode(),
            "e": encoded(exponent.to_bytes(512, "big")).decode(),
        }
        try:
            found = read_keys(Answer(200, json.dumps({"keys": [entry]}).encode(), {}))
        except Outage:
            continue
        key = found["k"]
        with pytest.raises((InvalidSignature, ValueError)):
            key.verify(b"\1" * (key.key_size // 8), b"x", padding.PKCS1v15(), hashes.SHA256())
