"""Onboarding: the commands, the page of steps, the package."""

import io
import json
import zipfile

import pytest
from click.testing import Result

from lti_tool.people import memberships
from lti_tool.teams.cli import teams
from sandbox_lms.teams.issuer import CLIENT_ID, OTHER_ID, TENANT_ID
from tests.factories.registers import GLENMERE, HEMSWELL
from tests.factories.teams import TeamsWorld

ADD = ("add", f"--tenant={TENANT_ID}", f"--client-id={CLIENT_ID}")


def run(world: TeamsWorld, *arguments: str) -> Result:
    return world.app.test_cli_runner().invoke(teams, list(arguments))


def test_add_asks_entra_and_says_what_comes_next(world: TeamsWorld) -> None:
    done = run(world, *ADD, f"--school={HEMSWELL}", "--name=The school")
    assert done.exit_code == 0, done.output
    assert f"application ID URI: api://training.example.org/{CLIENT_ID}" in done.output
    assert f"manager code for {HEMSWELL}" in done.output
    assert "clauseway teams package" in done.output
    said = json.loads(run(world, "list", "--json").output)
    assert [(one["tenant"], one["schools"]) for one in said] == [(TENANT_ID, [HEMSWELL])]


def test_add_again_replaces_the_schools(world: TeamsWorld) -> None:
    run(world, *ADD, f"--school={HEMSWELL}", f"--school={GLENMERE}")
    done = run(world, *ADD, f"--school={GLENMERE}", "--outlook", "--json")
    said = json.loads(done.output)
    assert (said["schools"], said["outlook"]) == ([GLENMERE], True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*ADD, "--school=nowhere"), "there is no school nowhere"),
        (
            ("add", f"--tenant={OTHER_ID}", f"--client-id={CLIENT_ID}", f"--school={HEMSWELL}"),
            "Entra knows no tenant",
        ),
        (
            ("add", "--tenant=contoso", f"--client-id={CLIENT_ID}", f"--school={HEMSWELL}"),
            "the tenant id is no GUID",
        ),
        (
            ("add", f"--tenant={TENANT_ID}", "--client-id=x", f"--school={HEMSWELL}"),
            "the client id x is no GUID",
        ),
        (("package", f"--tenant={OTHER_ID}"), "there is no organisation"),
    ],
)
def test_what_cannot_be_is_said(world: TeamsWorld, arguments: tuple[str, ...], says: str) -> None:
    done = run(world, *arguments)
    assert done.exit_code == 1
    assert says in done.output


def test_an_organisation_entra_was_not_asked_about(world: TeamsWorld) -> None:
    options = (f"--tenant={OTHER_ID}", f"--client-id={CLIENT_ID}", f"--school={HEMSWELL}")
    assert run(world, "add", *options, "--unchecked").exit_code == 0
    assert "several organisations" in run(world, "package").output
    assert run(world, "disable", OTHER_ID).exit_code == 0
    assert "disabled" in run(world, "list").output


def test_package_writes_the_zip(world: TeamsWorld, tmp_path: object) -> None:
    path = f"{tmp_path}/app.zip"
    done = run(world, "package", f"--tenant={TENANT_ID}", f"--output={path}")
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(path) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["webApplicationInfo"]["id"] == CLIENT_ID


def test_the_page_of_steps_has_blanks_for_strangers(world: TeamsWorld) -> None:
    page = world.client().get("/teams/set-up").text
    assert "api://training.example.org/CLIENT-ID" in page
    for held in (TENANT_ID, CLIENT_ID, "The trust"):
        assert held not in page
    for said in (
        *("access_as_user", "requestedAccessTokenVersion", "Assignment required?", "Policy.Staff"),
        *("Policy.Manager", "1fec8e78-bce4-4aaf-ab1b-5451cc387264", "Grant admin consent"),
        *("5e3ce6c0-2b1f-4285-8d4b-75ee78787346", "clauseway teams add", "Saved here"),
    ):
        assert said in page, said
    assert world.client().get("/teams/app.zip").status_code == 401


def test_the_page_of_steps_has_the_schools_own_values(world: TeamsWorld) -> None:
    head = world.person("head")
    world.enter(world.token(head), school=HEMSWELL)
    with world.database.transaction() as session:
        person_id = world.latest()[1].id
        memberships.grant(session, person_id=person_id, school_id=HEMSWELL, now=world.clock())
    client, _page = world.open(world.enter(world.token(head), school=HEMSWELL, to="register"))
    page = client.get("/teams/set-up").text
    assert f"api://training.example.org/{CLIENT_ID}" in page
    assert f"--tenant {TENANT_ID}" in page
    assert f"Policy.Staff.{GLENMERE}" in page  # of several schools each has its own
    assert "https://teams.microsoft.com/l/entity/" in page
    made = client.get("/teams/app.zip")
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert "manifest.json" in archive.namelist()

    learner, _page = world.open(world.enter(world.token(), school=HEMSWELL, to="register"))
    assert CLIENT_ID not in learner.get("/teams/set-up").text
    assert learner.get("/teams/app.zip").status_code == 403
