"""Tokens of any shape at the door of Teams: nobody is let in, and nothing breaks."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sandbox_lms.platform import OMIT
from tests.conformance.test_fuzz import anything, few, headers, signed
from tests.factories.keys import strangers_key
from tests.factories.registers import HEMSWELL
from tests.factories.teams import TeamsWorld

DECIDES = ("aud", "iss", "tid", "oid", "ver", "scp", "azp", "exp")


def entered(world: TeamsWorld, token: str) -> int:
    status = world.enter(token, school=HEMSWELL).status_code
    assert status < 500
    return status


def test_no_header_makes_anothers_signature_good(world: TeamsWorld) -> None:
    claims, stranger = world.issuer.claims(world.person()), strangers_key()

    @few
    @given(headers, st.booleans())
    def forge(header: dict[str, Any], names_their_key: bool) -> None:
        said = {"alg": "RS256", "jwk": stranger.to_jwk()} | header
        if names_their_key:
            said["kid"] = world.issuer.keys[-1].kid
        assert entered(world, signed(said, claims, stranger.private)) >= 400

    forge()


def test_claims_that_decide_are_as_they_must_be_or_nobody_is_let_in(world: TeamsWorld) -> None:
    key, person = world.issuer.keys[-1], world.person()
    good = world.issuer.claims(person)
    assert entered(world, signed({"alg": "RS256", "kid": key.kid}, good, key.private)) == 200

    @few
    @given(st.dictionaries(st.sampled_from(DECIDES), anything, min_size=1, max_size=3))
    def say(changes: dict[str, Any]) -> None:
        claims = world.issuer.claims(person, **changes)
        token = signed({"alg": "RS256", "kid": key.kid}, claims, key.private)
        assert entered(world, token) >= 400 or set(changes) == {"exp"}

    say()


def test_nor_where_one_is_missing(world: TeamsWorld) -> None:
    for name in (*DECIDES, "nbf", "iat"):
        token = world.token(world.person(), **{name: OMIT})
        assert entered(world, token) >= 400 or name in ("nbf", "iat"), name


@few
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200))
def test_what_is_no_token(world: TeamsWorld, text: str) -> None:
    assert entered(world, text.encode("latin-1", "replace").decode("latin-1")) >= 400
