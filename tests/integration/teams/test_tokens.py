"""Each thing that can be wrong with an access token of Entra's, and what its bearer is told."""

import base64
import json
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization

from lti_tool.people.models import Identity, Visit
from lti_tool.teams import tenants, tokens
from sandbox_lms.platform import OMIT
from sandbox_lms.teams.issuer import CLIENT_ID, OTHER_ID, TENANT_ID
from tests.factories.keys import strangers_key
from tests.factories.registers import HEMSWELL
from tests.factories.teams import TeamsWorld


def refused(world: TeamsWorld, token: str | None, status: int, code: str, says: str = "") -> None:
    """Nobody is let in, nothing is written, and the page says what to do."""
    before = world.count(Visit), world.count(Identity)
    reply = world.enter(token, school=HEMSWELL)
    assert (reply.status_code, code) == (status, code), reply.text
    assert code in reply.text
    assert says in reply.text
    assert "Set-Cookie" not in reply.headers
    assert (world.count(Visit), world.count(Identity)) == before


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_a_good_token_lets_its_person_in(world: TeamsWorld) -> None:
    reply = world.enter(world.token(), school=HEMSWELL)
    assert reply.status_code == 200
    visit, person, identity, _member = world.latest()
    assert (identity.realm, visit.door) == (f"teams:{TENANT_ID}", "teams")
    assert person.name == world.person().name


DOCUMENTED = (
    *("aud", "iss", "iat", "nbf", "exp", "aio", "azp", "azpacr", "name", "oid"),
    *("preferred_username", "rh", "roles", "scp", "sid", "sub", "tid", "uti", "ver", "xms_ftd"),
)
"""Claims of an access token, version 2.0: learn.microsoft.com, "Access token claims reference"."""


def test_the_sandbox_issues_what_entra_issues(world: TeamsWorld) -> None:
    """Else the tests prove nothing: the claims of a person’s token, the discovery document at the
    address that belongs to the issuer, keys that say whose they are."""
    claims = jwt.decode(world.token(), options={"verify_signature": False})
    assert set(claims) == set(DOCUMENTED)
    found = requests.get(f"{claims['iss']}/.well-known/openid-configuration", timeout=10).json()
    assert found["issuer"] == claims["iss"]
    (key,) = requests.get(found["jwks_uri"], timeout=10).json()["keys"]
    assert key["kid"] == jwt.get_unverified_header(world.token())["kid"]
    assert (key["kty"], key["use"], key["issuer"]) == ("RSA", "sig", claims["iss"])


def test_no_token(world: TeamsWorld) -> None:
    refused(world, None, 401, "teams-token-missing")
    refused(world, "", 401, "teams-token-missing")


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "." * 9, "A" * 20_000, "eyJhbGciOiJSUzI1NiJ9." + "W1tb" * 3000 + "."]
)
def test_what_is_no_token(world: TeamsWorld, token: str) -> None:
    refused(world, token, 401, "teams-token-invalid")


def test_unknown_tenant(world: TeamsWorld) -> None:
    asked = world.issuer.asked
    refused(
        world, world.token(world.person(), "other-tenant"), 403, "teams-tenant-unknown", "account"
    )
    assert world.issuer.asked == asked  # nobody is asked on the word of an unproved claim


@pytest.mark.parametrize("tid", [OMIT, None, "", 5, "common", "../" + TENANT_ID, TENANT_ID[:35]])
def test_a_tenant_that_is_no_id(world: TeamsWorld, tid: object) -> None:
    refused(world, world.token(world.person(), tid=tid), 403, "teams-tenant-unknown")


def test_a_tenant_that_was_disabled(world: TeamsWorld) -> None:
    with world.database.transaction() as session:
        (row,) = tenants.listed(session)
        tenants.disable(session, row, now=world.clock())
    refused(world, world.token(), 403, "teams-tenant-unknown")


@pytest.mark.parametrize("tid", [TENANT_ID, TENANT_ID.upper()])
def test_other_issuer_with_our_tenants_name(world: TeamsWorld, tid: str) -> None:
    """Keys of another organisation sign nothing for ours."""
    forged = world.issuer.sign(
        world.issuer.claims(world.person(), tid=tid), key=strangers_key().private
    )
    refused(world, forged, 401, "teams-token-invalid")
    claims = world.issuer.claims(world.person(), iss=f"{world.issuer.authority}/{OTHER_ID}/v2.0")
    refused(world, world.issuer.sign(claims), 401, "teams-token-invalid")


@pytest.mark.parametrize("aud", [OTHER_ID, f"api://{CLIENT_ID}", [CLIENT_ID], OMIT, None])
def test_other_audience(world: TeamsWorld, aud: object) -> None:
    refused(world, world.token(world.person(), aud=aud), 403, "teams-audience-other", "client ID")


def test_v1_token(world: TeamsWorld) -> None:
    token = world.token(world.person(), "v1")
    refused(world, token, 403, "teams-token-version", "requestedAccessTokenVersion")
    refused(world, world.token(world.person(), ver=OMIT), 403, "teams-token-version")


def test_app_only_token(world: TeamsWorld) -> None:
    refused(world, world.token(world.person(), "app-only"), 403, "teams-token-app-only")
    # Also where somebody gave it a scope, and where Entra was not asked for ``idtyp``.
    refused(world, world.token(world.person(), idtyp="app"), 403, "teams-token-app-only")
    refused(world, world.token(world.person(), scp=OMIT), 403, "teams-token-app-only")


@pytest.mark.parametrize("scp", [OMIT, "", "User.Read", "access_as_users", ["access_as_user"], 1])
def test_missing_scope(world: TeamsWorld, scp: object) -> None:
    token = world.token(world.person(), scp=scp, roles=OMIT)
    refused(world, token, 403, "teams-scope-missing", "administrator")


@pytest.mark.parametrize("azp", [OTHER_ID, OMIT, None, *tokens.OTHER_CLIENTS])
def test_wrong_azp(world: TeamsWorld, azp: object) -> None:
    refused(world, world.token(world.person(), azp=azp), 403, "teams-client-refused")


@pytest.mark.parametrize("azp", [*tokens.TEAMS_CLIENTS, *tokens.OTHER_CLIENTS])
def test_outlook_where_it_is_allowed(world: TeamsWorld, azp: str) -> None:
    world.let_in(HEMSWELL, in_outlook=True)
    assert world.enter(world.token(world.person(), azp=azp)).status_code == 200


def test_expired(world: TeamsWorld) -> None:
    token = world.token(world.person(), "expired")
    refused(world, token, 401, "teams-token-expired", "clock")


def test_not_yet_valid(world: TeamsWorld) -> None:
    refused(world, world.token(world.person(), "early"), 401, "teams-clock-wrong", "clock")


def test_clocks_may_differ_by_a_minute(world: TeamsWorld) -> None:
    now = int(world.clock().timestamp())
    for exp, nbf, status in ((now - 59, now, 200), (now - 61, now, 401), (now + 9, now + 59, 200)):
        token = world.token(world.person(), exp=exp, nbf=nbf)
        assert world.enter(token, school=HEMSWELL).status_code == status


@pytest.mark.parametrize("exp", [OMIT, None, "2099-01-01", True, [], 1e300, float("nan")])
def test_an_end_that_is_no_time(world: TeamsWorld, exp: object) -> None:
    refused(world, world.token(world.person(), exp=exp), 401, "teams-token-invalid")


def test_alg_none(world: TeamsWorld) -> None:
    claims = world.issuer.claims(world.person())
    refused(world, world.issuer.sign(claims, alg="none"), 401, "teams-token-invalid")
    unsigned = world.token().rpartition(".")[0] + "."
    refused(world, unsigned, 401, "teams-token-invalid")


def test_alg_hs256_with_our_own_public_key_as_secret(world: TeamsWorld) -> None:
    claims = world.issuer.claims(world.person())
    public = world.issuer.keys[-1].private.public_key()
    for encoding in (serialization.Encoding.PEM, serialization.Encoding.DER):
        secret = public.public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
        forged = world.issuer.sign(claims, alg="HS256", key=secret)
        refused(world, forged, 401, "teams-token-invalid")


@pytest.mark.parametrize("alg", ["RS384", "RS512"])
def test_another_alg_of_the_right_key(world: TeamsWorld, alg: str) -> None:
    claims = world.issuer.claims(world.person())
    refused(world, world.issuer.sign(claims, alg=alg), 401, "teams-token-invalid")


def test_no_kid(world: TeamsWorld) -> None:
    claims = world.issuer.claims(world.person())
    refused(world, world.issuer.sign(claims, kid=None), 401, "teams-token-invalid")


def test_keys_that_the_header_brings_along(world: TeamsWorld) -> None:
    """``jwk``, ``jku`` and ``x5c`` name keys of the sender's own."""
    own = strangers_key()
    head = {"alg": "RS256", "kid": own.kid, "jwk": own.to_jwk(), "jku": "http://127.0.0.1:9/"}
    claims = world.issuer.claims(world.person())
    parts = [
        base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=") for one in (head, claims)
    ]
    signature = world.issuer.sign(claims, kid=own.kid, key=own.private).rpartition(".")[2]
    refused(world, b".".join(parts).decode() + f".{signature}", 401, "teams-token-invalid")


def test_a_changed_claim(world: TeamsWorld) -> None:
    head, _body, signature = world.token().split(".")
    changed = encoded(world.issuer.claims(world.person("head")))
    refused(world, f"{head}.{changed}.{signature}", 401, "teams-token-invalid")


def test_unknown_kid_storm(world: TeamsWorld) -> None:
    """However many come with a made-up key: Entra is asked twice a minute at most, and whoever
    has a good token gets in meanwhile."""
    assert world.enter(world.token(), school=HEMSWELL).status_code == 200
    asked = world.issuer.asked
    for number in range(20):
        claims = world.issuer.claims(world.person())
        refused(
            world, world.issuer.sign(claims, kid=f"made-up-{number}"), 401, "teams-token-invalid"
        )
    assert world.issuer.asked - asked <= 2
    assert world.enter(world.token(), school=HEMSWELL).status_code == 200


def test_a_new_key_is_found_at_once(world: TeamsWorld) -> None:
    assert world.enter(world.token(), school=HEMSWELL).status_code == 200
    world.clock.move(minutes=2)
    old = world.token()
    world.issuer.rotate()
    assert world.enter(world.token(), school=HEMSWELL).status_code == 200
    assert world.enter(old, school=HEMSWELL).status_code == 200
    world.clock.move(minutes=61)
    world.issuer.rotate(keep_old=False)
    late = world.issuer.claims(world.person())
    world.enter(world.token(), school=HEMSWELL)
    gone = world.issuer.sign(late, key=strangers_key().private)
    refused(world, gone, 401, "teams-token-invalid")


def test_entra_does_not_answer(world: TeamsWorld) -> None:
    world.clock.move(hours=2)
    world.platform.faults.put("entra", "503")
    world.issuer.rotate()
    refused(world, world.token(), 503, "teams-keys-unavailable")
    world.platform.faults.clear()
    world.clock.move(seconds=10)
    assert world.enter(world.token(), school=HEMSWELL).status_code == 200


@pytest.mark.parametrize("oid", [OMIT, None, "", "someone@example.org", 7])
def test_identity_is_the_object_id_and_nothing_else(world: TeamsWorld, oid: object) -> None:
    refused(world, world.token(world.person(), oid=oid), 401, "teams-token-invalid")


def test_the_same_address_is_not_the_same_person(world: TeamsWorld) -> None:
    world.enter(world.token(), school=HEMSWELL)
    first = world.latest()[1]
    other = world.token(world.person("teacher"), preferred_username=world.person().email)
    world.enter(other, school=HEMSWELL)
    second = world.latest()[1]
    assert first.id != second.id
    assert first.email == second.email


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"name": OMIT}, ""),
        ({"name": 5}, ""),
        ({"name": "Half a \ud800 letter\x00"}, "Half a  letter"),
        ({"name": "x" * 300}, "x" * 255),
        ({"roles": "Policy.Manager"}, None),
        ({"roles": [["Policy.Manager"], None]}, None),
        ({"preferred_username": 5, "email": ["a@b.c"]}, None),
    ],
)
def test_odd_words_are_no_fault(
    world: TeamsWorld, changes: dict[str, Any], name: str | None
) -> None:
    token = world.token(world.person(), oid=str(uuid4()), **changes)
    reply = world.enter(token, school=HEMSWELL)
    assert reply.status_code == 200, reply.text
    visit, person, _identity, _member = world.latest()
    assert not visit.may_ask_to_manage
    assert name is None or person.name == name


def test_no_log_line_holds_a_token_or_a_name(
    world: TeamsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    token = world.token()
    world.enter(token, school=HEMSWELL)
    world.enter(world.token(world.person(), "v1"), school=HEMSWELL)
    said = capsys.readouterr()
    for secret in (token, token.rpartition(".")[2], world.person().name, world.person().email):
        assert secret not in said.err + said.out
