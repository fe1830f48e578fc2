"""``clauseway platforms``, ``keys``, ``scores``."""

import json
from uuid import uuid4

import pytest
from click.testing import Result
from sqlalchemy import select

from lti_tool.lti import cli
from lti_tool.lti.models import ScoreOutbox
from sandbox_lms.schools import Person
from tests.conformance.world import OTHER, SCHOOL, World
from tests.factories.scoring import arrive, held, owe
from tests.integration.lti.conftest import make_manager

GIVEN = {
    "--name": "School Moodle",
    "--issuer": "https://moodle.example",
    "--client-id": "abc",
    "--auth-login-url": "https://moodle.example/auth",
    "--auth-token-url": "https://moodle.example/token",
    "--jwks-url": "https://moodle.example/certs",
    "--deployment-id": "1",
}


def _run(tool: World, group: str, *words: str) -> Result:
    return tool.app.test_cli_runner().invoke(getattr(cli, group), words)


def _add(tool: World, *words: str, **changes: str) -> Result:
    given = GIVEN | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    flat = [word for pair in given.items() for word in pair]
    return _run(tool, "platforms", "add", *flat, *words)


def test_add_tells_what_the_platform_must_know_and_the_managers_code(tool: World) -> None:
    result = _add(tool, "--school", SCHOOL)
    assert result.exit_code == 0, result.output
    for said in (f"{tool.url}/lti/login", f"{tool.url}/lti/launch", f"{tool.url}/lti/jwks"):
        assert said in result.output
    assert f"manager code for {SCHOOL}" in result.output


def test_add_again_changes_and_adds_but_doubles_nothing(tool: World) -> None:
    first = json.loads(_add(tool, "--school", SCHOOL, "--json").output)
    second = json.loads(
        _add(
            tool,
            *("--school", SCHOOL, "--school", OTHER, "--json"),
            deployment_id="2",
            jwks_url="https://moodle.example/new",
        ).output
    )
    assert second["id"] == first["id"]
    assert second["jwks_url"] == "https://moodle.example/new"
    assert second["deployments"] == {"1": [SCHOOL], "2": [OTHER, SCHOOL]}
    third = json.loads(_add(tool, "--school", OTHER, "--json", deployment_id="2").output)
    assert third["deployments"]["2"] == [OTHER]
    assert set(third["manager_codes"]) == {OTHER}


def test_a_school_that_has_a_manager_gets_no_code(tool: World) -> None:
    arrive(tool)
    make_manager(tool)
    assert json.loads(_add(tool, "--school", SCHOOL, "--json").output)["manager_codes"] == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"jwks_url": "http://moodle.example/certs"}, "plain http"),
        ({"issuer": "moodle.example"}, "https://"),
        ({"auth_login_url": "https://moodle.example/a#b"}, "fragment"),
        ({"auth_token_url": "https://me:secret@moodle.example/"}, "password"),
        ({"client_id": ""}, "client_id"),
        ({"deployment_id": "x" * 256}, "deployment_id"),
        ({"frame_origin": "https://moodle.example/path"}, "origin"),
    ],
)
def test_add_refuses_what_cannot_be_right(tool: World, changes: dict[str, str], said: str) -> None:
    before = tool.counts()
    result = _add(tool, "--school", SCHOOL, **changes)
    assert result.exit_code != 0
    assert said in result.output
    assert tool.counts() == before


def test_add_knows_the_schools(tool: World) -> None:
    result = _add(tool, "--school", "nowhere")
    assert result.exit_code != 0
    assert "nowhere" in result.output
    assert SCHOOL in result.output


def test_list_show_and_disable(tool: World) -> None:
    _add(tool, "--school", SCHOOL)
    (row,) = [
        one
        for one in json.loads(_run(tool, "platforms", "list", "--json").output)
        if one["name"] == "School Moodle"
    ]
    for given in ("School Moodle", row["id"]):
        shown = json.loads(_run(tool, "platforms", "show", given, "--json").output)
        assert shown == row
    assert "deployment 1: hemswell-cliff" in _run(tool, "platforms", "show", row["id"]).output
    assert _run(tool, "platforms", "disable", "School Moodle").exit_code == 0
    assert "disabled" in _run(tool, "platforms", "list").output
    assert _run(tool, "platforms", "show", "unheard of").exit_code != 0


def test_disable_stops_logins_in_this_process_at_once(tool: World) -> None:
    tool.begin()
    assert _run(tool, "platforms", "disable", "The platform").exit_code == 0
    assert tool.send_login(tool.parameters()).status_code == 403


def test_check(tool: World) -> None:
    """On each kind of database; what it finds is shown in health/."""
    owe(tool, arrive(tool))
    tool.lti.clock.move(hours=2)  # type: ignore[attr-defined]
    checked = _run(tool, "platforms", "check", "The platform")
    assert checked.exit_code == 0, checked.output
    assert "Scores that wait to be sent: 1" in checked.output
    tool.platform.faults.put("jwks", "404")
    assert _run(tool, "platforms", "check", "The platform").exit_code == 1
    assert _run(tool, "platforms", "check", "unheard of").exit_code != 0


def test_keys(tool: World) -> None:
    (first,) = tool.lti.tool_keys.kids()
    assert _run(tool, "keys", "list").output == f"{first}  signs\n"
    tool.lti.clock.move(days=1)  # type: ignore[attr-defined]
    made = _run(tool, "keys", "rotate").output.strip()
    assert _run(tool, "keys", "list").output == f"{first}  signs\n{made}\n"
    tool.lti.clock.move(hours=2)  # type: ignore[attr-defined]
    assert _run(tool, "keys", "list").output == f"{first}\n{made}  signs\n"
    last = _run(tool, "keys", "rotate", "--at-once").output.strip()
    assert _run(tool, "keys", "list").output == f"{last}  signs\n"


def test_scores_list_send_and_resend(tool: World) -> None:
    assert "there is none" in _run(tool, "scores", "list").output
    visit = arrive(tool)
    owe(tool, visit)
    tool.platform.faults.put("scores", "503")
    assert "0 sent" in _run(tool, "scores", "send").output
    tool.platform.faults.clear()
    (row,) = json.loads(_run(tool, "scores", "list", "--json", "--state", "pending").output)
    assert (row["school"], row["state"], row["attempts"]) == (SCHOOL, "pending", 1)
    assert visit.person_id.hex not in json.dumps(row)
    assert "1 sent" in _run(tool, "scores", "send").output
    assert row["id"] in _run(tool, "scores", "list").output
    tool.platform.gradebook.grades.clear()
    assert _run(tool, "scores", "resend", row["id"]).output.strip() == "sent"
    assert held(tool) == 90
    assert _run(tool, "scores", "resend", str(uuid4())).exit_code != 0


def test_no_list_names_anybody(tool: World) -> None:
    head: Person = tool.platform.person(SCHOOL, "head")
    owe(tool, arrive(tool, head))
    _run(tool, "scores", "send")
    said = _run(tool, "scores", "list", "--json").output + _run(tool, "scores", "list").output
    with tool.database.reading() as session:
        subject = session.scalars(select(ScoreOutbox.subject)).one()
    assert head.name not in said
    assert f'"{subject}"' not in said
