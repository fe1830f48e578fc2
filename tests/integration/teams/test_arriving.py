"""Who a token lets in, where to, and what they may ask for."""

import re

import pytest

from lti_tool.people import memberships
from lti_tool.people.memberships import make_manager_code
from lti_tool.people.models import Grant, Membership
from lti_tool.teams.tenants import FRAMED_BY
from sandbox_lms.platform import OMIT
from sandbox_lms.schools import SCHOOLS
from tests.factories.registers import GLENMERE, HEMSWELL, ORIGIN
from tests.factories.teams import TeamsWorld

TRAINING = ("induction", "training")


def policy(reply: object, directive: str) -> str:
    said: str = reply.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    (found,) = [part for part in said.split("; ") if part.startswith(directive)]
    return found


@pytest.mark.parametrize(
    ("roles", "schools", "is_counted"),
    [
        (["Policy.Staff"], [HEMSWELL], True),
        (["Policy.Manager"], [HEMSWELL], True),
        ([f"Policy.Staff.{HEMSWELL}"], [HEMSWELL], True),
        ([f"Policy.Staff.{HEMSWELL}"], [HEMSWELL, GLENMERE], True),
        # Which of several schools is not said, or another is.
        (["Policy.Staff"], [HEMSWELL, GLENMERE], False),
        (["Policy.Manager"], [HEMSWELL, GLENMERE], False),
        ([f"Policy.Staff.{GLENMERE}"], [HEMSWELL, GLENMERE], False),
        # Nobody gave them the app: a pupil, perhaps.
        (OMIT, [HEMSWELL], False),
        ([], [HEMSWELL], False),
        (["Somebody.Else"], [HEMSWELL], False),
    ],
)
def test_whom_entra_calls_staff_is_counted(
    world: TeamsWorld, roles: object, schools: list[str], is_counted: bool
) -> None:
    world.let_in(*schools)
    person = world.platform.enrol_starter(SCHOOLS[HEMSWELL])
    world.enter(world.token(person, roles=roles), school=HEMSWELL)
    _visit, _person, _identity, member = world.latest()
    assert member is not None
    assert (member.confirmed_at is not None) is is_counted


def test_no_role_means_a_learner(world: TeamsWorld) -> None:
    grants = world.count(Grant)
    reply = world.enter(world.token(world.person(), roles=OMIT), school=HEMSWELL, to="register")
    client, page = world.open(reply)
    assert page.status_code == 200
    assert "Ask to manage" in page.text
    assert "Policy.Manager" in page.text  # what to ask of whom
    assert client.get("/register").status_code == 403
    assert client.post("/ask-to-manage").status_code == 400
    assert world.count(Grant) == grants


def test_who_has_no_role_learns_what_it_means(world: TeamsWorld) -> None:
    """Not counted until the school says yes; and whom to ask, here and in Entra."""
    person = world.platform.enrol_starter(SCHOOLS[HEMSWELL])
    for roles, is_told in ((OMIT, True), ([f"Policy.Staff.{HEMSWELL}"], False)):
        client, page = world.open(world.enter(world.token(person, roles=roles), school=HEMSWELL))
        assert "Teams keeps no marks" in page.text
        assert "teachers in Microsoft Teams" not in page.text
        text = client.get("/my-training").text
        assert ("it is counted once the school has said so" in text) is is_told
        assert ("Policy.Staff" in text) is is_told


def test_a_client_that_keeps_no_cookie_of_a_frame(world: TeamsWorld) -> None:
    """The way on is a window of its own, in which one is asked who one is."""
    reply = world.enter(world.token(), school=HEMSWELL)
    page = world.client().get(reply.get_json()["next"])
    assert page.status_code == 200
    assert "Open in a new window" in page.text
    assert policy(page, "frame-ancestors") == "frame-ancestors " + " ".join(FRAMED_BY)


def test_the_managers_role_opens_nothing_by_itself(world: TeamsWorld) -> None:
    """It lets one ask; a grant for a school opens its register, and no other school's."""
    head = world.person("head")
    reply = world.enter(world.token(head), school=HEMSWELL, to="register")
    client, page = world.open(reply)
    assert "Manager code" in page.text
    assert client.get("/register").status_code == 403
    with world.database.transaction() as session:
        code = make_manager_code(session, school_id=HEMSWELL, now=world.clock())
    token = re.search(r'name="csrf_token" value="(\w+)"', page.text)
    assert token is not None
    client.post("/ask-to-manage", data={"code": code, "csrf_token": token[1]})
    assert client.get("/register").status_code == 200

    again, page = world.open(world.enter(world.token(head), school=HEMSWELL, to="register"))
    assert page.request.path == "/register"
    again, page = world.open(world.enter(world.token(head), school=GLENMERE, to="register"))
    assert page.request.path == "/ask-to-manage"
    assert again.get("/register").status_code == 403


def test_a_manager_comes_to_their_own_training_too(world: TeamsWorld) -> None:
    head = world.person("head")
    world.enter(world.token(head), school=HEMSWELL)
    with world.database.transaction() as session:
        person_id = world.latest()[1].id
        memberships.grant(session, person_id=person_id, school_id=HEMSWELL, now=world.clock())
    reply = world.enter(world.token(head), school=HEMSWELL)
    response = world.client(reply).get(reply.get_json()["next"])
    assert response.location == "/"


@pytest.mark.parametrize(
    ("fields", "school", "module", "to"),
    [
        ({"school": GLENMERE}, GLENMERE, "induction", "training"),
        ({"school": GLENMERE, "module": "annual-refresh"}, GLENMERE, "annual-refresh", "training"),
        ({"school": GLENMERE, "to": "register"}, GLENMERE, "induction", "register"),
        ({"school": GLENMERE, "place": "register"}, GLENMERE, "induction", "register"),
        (
            {"school": GLENMERE, "to": "register", "place": "next"},
            GLENMERE,
            "induction",
            "training",
        ),
        ({"place": f"module/annual-refresh@{HEMSWELL}"}, HEMSWELL, "annual-refresh", "training"),
        ({"school": GLENMERE, "place": "of-next-year"}, GLENMERE, "induction", "training"),
        ({"school": GLENMERE, "unheard": "of"}, GLENMERE, "induction", "training"),
    ],
)
def test_where_a_tab_or_a_deep_link_leads(
    world: TeamsWorld, fields: dict[str, str], school: str, module: str, to: str
) -> None:
    reply = world.enter(world.token(), **fields)
    visit = world.latest()[0]
    assert (visit.school_id, visit.module) == (school, module)
    assert reply.get_json()["next"].endswith(f"&to={to}")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"school": "wren-spinney"}, 403, "teams-school-not-served"),
        ({"place": "next@wren-spinney"}, 403, "teams-school-not-served"),
        ({"school": HEMSWELL, "module": "no-such"}, 404, "module-unknown"),
        ({"school": "x" * 100}, 400, "form-incomplete"),
    ],
)
def test_a_tab_chooses_within_the_organisation_only(
    world: TeamsWorld, fields: dict[str, str], status: int, code: str
) -> None:
    reply = world.enter(world.token(), **fields)
    assert reply.status_code == status
    assert code in reply.text


def test_an_organisation_with_several_schools(world: TeamsWorld) -> None:
    """Whoever is new is asked, once; whoever is known at one of them comes to that one."""
    person = world.platform.enrol_starter(SCHOOLS[GLENMERE])
    reply = world.enter(world.token(person))
    client, page = world.open(reply)
    assert page.request.path == "/teams/school"
    assert page.text.index("Glenmere") < page.text.index("Hemswell Cliff")
    assert f"/teams/tab?school={GLENMERE}" in page.text
    assert client.get("/training").status_code == 403
    world.enter(world.token(person), school=GLENMERE)
    assert world.latest()[0].school_id == GLENMERE
    world.enter(world.token(person))
    assert world.latest()[0].school_id == GLENMERE


def test_an_organisation_with_one_school_asks_nobody(world: TeamsWorld) -> None:
    world.let_in(GLENMERE)
    world.enter(world.token())
    assert world.latest()[0].school_id == GLENMERE


def test_two_tabs_at_once_of_somebody_new(world: TeamsWorld) -> None:
    first = world.enter(world.token(world.person("governor")), school=HEMSWELL)
    second = world.enter(world.token(world.person("governor")), school=HEMSWELL)
    assert first.get_json() != second.get_json()
    members = world.count(Membership)
    world.enter(world.token(world.person("governor")), school=HEMSWELL)
    assert world.count(Membership) == members


def test_framed_by_teams_and_nobody_else(world: TeamsWorld) -> None:
    """``frame-ancestors`` is just the list of Teams, on the pages of this door and of its visits;
    other pages have nothing of it (which tests/house asks of every route)."""
    teams = "frame-ancestors " + " ".join(FRAMED_BY)
    reply = world.enter(world.token(), school=HEMSWELL, to="register")
    client, page = world.open(reply)
    shown = ("/teams/tab", "/teams/configure", "/teams/set-up", "/ask-to-manage", "/my-training")
    refused = ("/teams/tab?school=" + "x" * 100, "/register", "/teams/app.zip", "/channel")
    for path in (*shown, *refused):
        page = client.get(path)
        assert (page.status_code == 200) is (path in shown), path
        assert policy(page, "frame-ancestors") == teams, path
        assert "X-Frame-Options" not in page.headers
    enter = world.client().post("/teams/enter")
    assert (enter.status_code, policy(enter, "frame-ancestors")) == (401, teams)
    for path in ("/teams/about", "/teams/set-up", "/connect/by-hand", "/lti/jwks", "/healthz"):
        assert policy(world.client().get(path), "frame-ancestors") == "frame-ancestors 'none'"
    # Without a visit nobody knows in whose frame this happens, and it has to be read.
    assert policy(world.client().get("/register"), "frame-ancestors") == "frame-ancestors *"


def test_the_list_is_the_one_microsoft_publishes() -> None:
    assert " ".join(FRAMED_BY) == (
        "https://teams.microsoft.com https://*.teams.microsoft.com https://*.cloud.microsoft "
        "https://*.microsoft365.com https://*.office.com https://outlook.office.com "
        "https://outlook.office365.com"
    )


def test_the_page_speaks_to_no_sandbox_in_production(world: TeamsWorld) -> None:
    page = world.client().get("/teams/tab").text
    assert 'data-door="teams" data-hosts=""' in page


def test_a_theme_is_drawn_from_the_cookie(world: TeamsWorld) -> None:
    client = world.client()
    for theme, drawn in (("dark", True), ("contrast", True), ("glass", False), ('"><b>', False)):
        client.set_cookie("clauseway-theme", theme)
        page = client.get("/teams/tab").text
        assert (f'data-theme="{theme}"' in page) is drawn
        assert "<b>" not in page


def test_the_configuration_is_for_those_who_bring_a_token(world: TeamsWorld) -> None:
    assert "Hemswell" not in world.client().get("/teams/configure").text
    refused = world.client().post("/teams/configure")
    assert refused.status_code == 401
    headers = {"Authorization": f"Bearer {world.token()}"}
    page = world.client().post("/teams/configure", headers=headers).text
    assert "Hemswell Cliff" in page
    assert "Wren" not in page
    assert page.index("New starter training") < page.index("Annual refresh")
    assert f'data-tab-url="{ORIGIN}/teams/tab"' in page
