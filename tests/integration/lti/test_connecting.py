"""Registrations on each kind of database, and the command that invites."""

import json
import threading

import requests
from sqlalchemy import func, select

from lti_tool.lti.connect import cli, invitations
from lti_tool.lti.models import Registration
from sandbox_lms.visitor import read_form
from tests.conformance.world import OTHER, SCHOOL, World
from tests.factories.platforms import pretending


def invite(tool: World, *words: str) -> str:
    result = tool.app.test_cli_runner().invoke(cli.invite, ["--json", *words])
    assert result.exit_code == 0, result.output
    found: str = json.loads(result.output)["url"]
    return found


def test_the_command_invites(tool: World) -> None:
    said = tool.app.test_cli_runner().invoke(cli.invite, ["--school", SCHOOL]).output
    assert said.startswith(f"{tool.url}/connect/register/")
    address = invite(tool, "--school", SCHOOL, "--school", OTHER)
    with tool.database.reading() as session:
        row = invitations.find(session, address.rsplit("/", 1)[1], now=tool.lti.clock())
        assert invitations.schools_of(session, row) == (OTHER, SCHOOL)
    refused = tool.app.test_cli_runner().invoke(cli.invite, ["--school", "nowhere"])
    assert (refused.exit_code, "no school nowhere" in refused.output) == (1, True)


def test_two_invitations_for_one_platform_at_once(tool: World) -> None:
    """Several tabs, several invitations, one client: one registration, nothing torn."""
    before = registrations(tool)
    with pretending() as pretender:
        addresses = [invite(tool, "--school", SCHOOL) for _ in range(2)] * 2
        query = {"openid_configuration": pretender.config_url}
        pages = [tool.http.get(one, params=query, timeout=30) for one in addresses]
        pretender.answer.seconds = 0.3
        statuses: list[int] = []

        def send(page: requests.Response) -> None:
            action, fields = read_form(page)
            data = {"sealed": fields["sealed"], "wanted": ["name"]}
            statuses.append(requests.post(action, data=data, timeout=30).status_code)

        threads = [threading.Thread(target=send, args=(page,)) for page in pages]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert registrations(tool) == before + 1
    assert statuses.count(409) == 2
    assert statuses.count(200) == 2


def registrations(tool: World) -> int:
    with tool.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Registration)) or 0
