"""Dynamic Registration 1.0: what a platform may answer to our registration."""

from urllib.parse import urlsplit

import pytest
from sqlalchemy import update

from lti_tool.lti.claims import LINE_ITEM_SCOPE
from lti_tool.lti.connect.registering import TOOL
from lti_tool.lti.models import Registration
from tests.conformance.world import OTHER, SCHOOL, World, refused
from tests.factories.connecting import (
    connect,
    invite,
    paste,
    press,
    registered,
    served,
    unmoved,
    words,
)
from tests.factories.platforms import RECORDED, Pretender, Said


@pytest.mark.parametrize("said", RECORDED["refusals"], ids=lambda said: str(said["case"]))
def test_dr_2_moodles_refusals_are_told(
    tool: World, pretender: Pretender, said: dict[str, str]
) -> None:
    pretender.answer = Said(said["body"], int(said["status"]), said["content_type"])
    address = invite(tool)
    reply = connect(tool, pretender, address)
    is_used = said["body"] == "token_already_used"
    unmoved(
        tool, reply, address, "registration-token-used" if is_used else "registration-refused", 400
    )
    if not is_used:
        assert str(said["status"]) in words(reply)
        assert ("<" in said["body"]) or said["body"] in words(reply)
    assert not registered(tool, pretender.url)
    pretender.answer = Said(pretender.moodle("answer"))
    assert connect(tool, pretender, address).status_code == 200


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ({"error": "invalid_client_metadata", "error_description": "no <b>logo</b>"}, "<b>"),
        ({"errors": [1]}, "422"),
        ("x" * 100_000, "x" * 80),
        ("two\nlines", "two lines"),
        ("\u202eevil", "evil"),
    ],
)
def test_dr_2_a_refusal_is_shown_cut_and_escaped(
    tool: World, pretender: Pretender, body: object, shown: str
) -> None:
    pretender.answer = Said(body, 422)
    address = invite(tool)
    reply = connect(tool, pretender, address)
    unmoved(tool, reply, address, "registration-refused", 400)
    assert shown in words(reply)
    assert "<b>" not in reply.text
    assert "x" * 81 not in reply.text


def test_dr_2_a_used_token_of_the_sandbox(tool: World) -> None:
    """The same page sent twice: the platform's token is good once, our invitation still."""
    source = paste(tool, invite(tool))
    assert press(tool, tool.http.get(source, timeout=30)).status_code == 200
    other = invite(tool)
    again = tool.http.get(f"{other}?{urlsplit(source).query}", timeout=30)
    unmoved(tool, press(tool, again), other, "registration-token-used", 400)
    assert len(tool.platform.tools) == 1


def test_dr_2_less_leave_than_asked_for_is_told(tool: World, pretender: Pretender) -> None:
    answer = pretender.moodle("answer")
    answer["scope"] = LINE_ITEM_SCOPE
    answer[TOOL]["claims"] = ["iss", "sub", "email"]
    pretender.answer = Said(answer)
    said = words(connect(tool, pretender))
    told = said.partition("What the platform did not grant")[2]
    assert told
    for what in ("Names :", "Scores :", "The list of members :"):
        assert what in told
    assert "E-mail" not in told
    assert len(registered(tool, pretender.url)) == 1


def test_dr_2_no_leave_at_all_is_told_and_silence_is_not(tool: World, pretender: Pretender) -> None:
    answer = pretender.moodle("answer")
    pretender.answer = Said({**answer, "scope": "", TOOL: {**answer[TOOL], "claims": []}})
    told = words(connect(tool, pretender)).partition("What the platform did not grant")[2]
    for what in ("Names :", "E-mail addresses :", "Scores :", "The list of members :"):
        assert what in told
    del answer["scope"], answer[TOOL]["claims"]
    pretender.answer = Said(answer)
    assert "did not grant" not in words(connect(tool, pretender))


def test_dr_2_no_invitation_takes_over_a_connection_of_other_schools(
    tool: World, pretender: Pretender
) -> None:
    assert connect(tool, pretender, invite(tool, OTHER)).status_code == 200
    (before,) = registered(tool, pretender.url)
    pretender.say(jwks_uri=f"{pretender.url}/mine")
    address = invite(tool, SCHOOL)
    unmoved(tool, connect(tool, pretender, address), address, "platform-taken", 409)
    (after,) = registered(tool, pretender.url)
    assert (after.jwks_url, after.version) == (before.jwks_url, before.version)
    assert served(tool, after) == {"1": {OTHER}}
    assert connect(tool, pretender, invite(tool, SCHOOL, OTHER)).status_code == 200
    (whole,) = registered(tool, pretender.url)
    assert served(tool, whole) == {"1": {SCHOOL, OTHER}}
    assert whole.jwks_url == f"{pretender.url}/mine"


def test_dr_2_no_invitation_switches_a_platform_on_again(tool: World, pretender: Pretender) -> None:
    connect(tool, pretender)
    with tool.database.transaction() as session:
        session.execute(
            update(Registration)
            .where(Registration.issuer == pretender.url)
            .values(disabled_at=tool.lti.clock())
        )
    address = invite(tool)
    unmoved(tool, connect(tool, pretender, address), address, "platform-disabled", 409)


def test_dr_2_the_first_launch_names_a_deployment_that_was_left_open(tool: World) -> None:
    """As Canvas does: client id now, deployment id with the first launch."""
    row_id = tool.register("", SCHOOL, client_id="no-deployment")
    begun = tool.begin(client_id="no-deployment", lti_deployment_id="d-7")
    core = "https://purl.imsglobal.org/spec/lti/claim/"
    mine = {"aud": "no-deployment", f"{core}deployment_id": "d-7"}
    assert tool.post(begun, tool.token(begun, **mine)).status_code == 303
    with tool.database.reading() as session:
        row = session.get_one(Registration, row_id)
    assert served(tool, row) == {"d-7": {SCHOOL}}
    begun = tool.begin(client_id="no-deployment", lti_deployment_id="d-8")
    other = {"aud": "no-deployment", f"{core}deployment_id": "d-8"}
    refused(tool.post(begun, tool.token(begun, **other)), 403, "deployment-unknown")


@pytest.mark.parametrize("is_there", [True, False])
def test_dr_2_an_answer_without_a_deployment(
    tool: World, pretender: Pretender, is_there: bool
) -> None:
    """An update leaves the deployment as it is; a new platform's first launch will name it."""
    if is_there:
        connect(tool, pretender)
    pretender.answer = Said({"client_id": pretender.moodle("answer")["client_id"]})
    done = connect(tool, pretender)
    (row,) = registered(tool, pretender.url)
    assert served(tool, row) == {"1" if is_there else "": {SCHOOL}}
    assert ("deployment ID" in words(done)) is not is_there


@pytest.mark.parametrize("client_id", [10000000000001, "10000000000001"])
def test_dr_2_a_client_id_may_be_a_number(
    tool: World, pretender: Pretender, client_id: object
) -> None:
    pretender.answer = Said({"client_id": client_id}, 201)
    assert connect(tool, pretender).status_code == 200
    assert [row.client_id for row in registered(tool, pretender.url)] == ["10000000000001"]


NO_CLIENT_IDS: tuple[object, ...] = (None, "", [], {}, True, 1.5, "x" * 256, "a\nb")


@pytest.mark.parametrize(
    "body",
    [
        *("", "no json", "[]", "1", "null", '"x"', "{}", "[" * 100_000),
        *({"client_id": one} for one in NO_CLIENT_IDS),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_dr_2_an_answer_that_says_nothing(tool: World, pretender: Pretender, body: object) -> None:
    pretender.answer = Said(body)
    address = invite(tool)
    unmoved(tool, connect(tool, pretender, address), address, "registration-unreadable", 400)
    assert not registered(tool, pretender.url)
