"""Where a launch leads: the school, the training, who frames it, who manages it."""

from pathlib import Path

import pytest
from sqlalchemy import select

from lti_tool.core.errors import ToolError
from lti_tool.lti import platforms
from lti_tool.lti.models import ResourceLink
from lti_tool.people import memberships, visits
from lti_tool.people.models import Visit
from sandbox_lms.platform import OMIT
from tests.conformance.world import AGS, CORE, MEMBERSHIP, OTHER, SCHOOL, World, refused, world
from tests.conftest import SetClock

INSTRUCTOR: dict[str, object] = {f"{CORE}roles": [f"{MEMBERSHIP}#Instructor"]}
ADMINISTRATOR: dict[str, object] = {
    f"{CORE}roles": ["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"]
}
NOTHING_CHOSEN: dict[str, object] = {f"{CORE}custom": {}}


def _custom(**values: str) -> dict[str, object]:
    return {f"{CORE}custom": values}


def _link(tool: World) -> ResourceLink:
    with tool.database.reading() as session:
        return session.scalars(select(ResourceLink)).one()


def test_the_only_school_and_induction_are_the_default(tool: World) -> None:
    assert tool.launch(**NOTHING_CHOSEN).status_code == 303
    (visit,) = tool.visits()
    assert (visit.school_id, visit.module, visit.door) == (SCHOOL, "induction", "lti")
    assert visit.platform_name == "The platform"


def test_custom_parameters_choose(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    assert tool.launch(**_custom(school=OTHER, module="annual-refresh")).status_code == 303
    (visit,) = tool.visits()
    assert (visit.school_id, visit.module) == (OTHER, "annual-refresh")


@pytest.mark.parametrize(
    ("custom", "status", "code"),
    [
        ({"school": OTHER}, 403, "school-not-served"),
        ({"school": "nowhere"}, 403, "school-not-served"),
        ({"module": "unheard-of"}, 404, "module-unknown"),
        ({"school": SCHOOL.upper()}, 403, "school-not-served"),
    ],
)
def test_custom_parameters_choose_no_more_than_the_deployment_serves(
    tool: World, custom: dict[str, str], status: int, code: str
) -> None:
    before = tool.counts()
    refused(tool.launch(**_custom(**custom)), status, code)
    assert tool.counts() == before


@pytest.mark.parametrize(
    ("school", "code"), [("wren-spinney", "school-closed"), ("nowhere", "school-unknown")]
)
def test_a_school_that_is_closed_or_gone_takes_no_launches(
    tool: World, school: str, code: str
) -> None:
    tool.register(SCHOOL, school)
    before = tool.counts()
    reply = tool.launch(**NOTHING_CHOSEN)
    refused(reply, reply.status_code, code)
    assert reply.status_code >= 400
    assert tool.counts() == before


def test_several_schools_and_none_chosen(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    before = tool.counts()
    reply = tool.launch(**NOTHING_CHOSEN)
    refused(reply, reply.status_code, "school-not-set-up")
    assert tool.counts() == before
    assert tool.launch(**NOTHING_CHOSEN, **INSTRUCTOR).status_code == 303
    assert tool.visits()[0].school_id == ""


def _choose(tool: World, visit: Visit, school_id: str = OTHER) -> None:
    with tool.database.transaction() as session:
        held = session.get_one(Visit, visit.id)
        platforms.choose(
            session,
            held,
            school_id=school_id,
            module="annual-refresh",
            catalogue=tool.app.extensions["catalogue"],
            now=tool.lti.clock(),
        )


def test_a_platform_administrator_sets_the_activity_up_for_everybody(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    tool.launch(**NOTHING_CHOSEN, **ADMINISTRATOR)
    _choose(tool, tool.visits()[-1])
    assert tool.launch(**NOTHING_CHOSEN).status_code == 303
    visit = tool.visits()[-1]
    assert (visit.school_id, visit.module) == (OTHER, "annual-refresh")


def test_an_instructor_chooses_for_their_own_visit_alone(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    tool.launch(**NOTHING_CHOSEN, **INSTRUCTOR)
    (visit,) = tool.visits()
    _choose(tool, visit)
    assert tool.visits()[0].school_id == OTHER
    assert _link(tool).school_id == ""
    with tool.database.transaction() as session:
        assert memberships.membership(session, school_id=OTHER, person_id=visit.person_id)
        memberships.grant(session, person_id=visit.person_id, school_id=OTHER, now=tool.lti.clock())
    _choose(tool, visit)
    assert _link(tool).school_id == OTHER


def test_who_may_not_choose(tool: World) -> None:
    tool.launch()
    (learner,) = tool.visits()
    with pytest.raises(ToolError, match="school-not-set-up"):
        _choose(tool, learner, SCHOOL)
    tool.launch(**INSTRUCTOR)
    with pytest.raises(ToolError, match="school-not-served"):
        _choose(tool, tool.visits()[-1], OTHER)
    begun = tool.begin()
    tool.post(begun, tool.token(begun, **INSTRUCTOR), cookies={})
    with pytest.raises(ToolError, match="visit-unconfirmed"):
        _choose(tool, tool.visits()[-1], SCHOOL)


def test_the_set_up_page(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    tool.launch(**NOTHING_CHOSEN, **ADMINISTRATOR)
    (visit,) = tool.visits()
    with tool.database.transaction() as session:
        visits.renew_token(
            session, session.get_one(Visit, visit.id), token="a-token", now=tool.lti.clock()
        )
        session.get_one(Visit, visit.id).confirmed_at = tool.lti.clock()
    held = {"Cookie": "__Host-clauseway-visit=a-token"}
    page = tool.http.get(f"{tool.url}/lti/set-up", headers=held, timeout=30)
    assert page.status_code == 200, page.text
    assert 'value="glenmere"' in page.text
    assert "frame-ancestors http" in page.headers["Content-Security-Policy"]
    token = page.text.split('name="csrf_token" value="')[1].split('"')[0]
    form = {"school": OTHER, "module": "induction", "csrf_token": token}

    def send(data: dict[str, str]) -> int:
        return tool.http.post(
            f"{tool.url}/lti/set-up",
            data=data,
            headers=held,
            allow_redirects=False,
            timeout=30,
        ).status_code

    assert send(form | {"csrf_token": "x"}) == 400
    assert send({"csrf_token": token}) == 400
    assert _link(tool).school_id == ""
    assert send(form) == 303
    assert _link(tool).school_id == OTHER


def test_services_are_kept_as_the_latest_launch_gives_them(tool: World, clock: SetClock) -> None:
    tool.launch()
    first = _link(tool)
    assert first.line_item_url
    assert "score" in first.scopes
    clock.move(minutes=1)
    tool.launch()
    assert _link(tool).seen_at == first.seen_at, "nothing new, so nothing is written"
    tool.launch(**{AGS: OMIT})
    changed = _link(tool)
    assert (changed.line_item_url, changed.scopes, changed.seen_at) == ("", "", clock())
    clock.move(minutes=11)
    tool.launch(**{AGS: OMIT})
    assert _link(tool).seen_at == clock()


def test_the_return_url_is_kept_as_its_origin_alone(tool: World) -> None:
    url = "https://moodle.example/return.php?sesskey=abcdef"
    tool.launch(**{f"{CORE}launch_presentation": {"return_url": url}})
    assert _link(tool).return_origin == "https://moodle.example"
    (visit,) = tool.visits()
    assert visit.frame_ancestors.split() == [tool.platform.issuer, "https://moodle.example"]
    with tool.database.engine.connect() as connection:
        for table in ("resource_link", "visit"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            assert "sesskey" not in str(rows)


def test_further_frame_origins(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, frame_origins=("https://portal.example",))
    tool.launch()
    assert "https://portal.example" in tool.visits()[-1].frame_ancestors.split()


def test_two_registrations_of_one_issuer_share_nobody(tool: World) -> None:
    tool.register("second", OTHER, client_id="second")
    tool.launch(sub="77")
    begun = tool.begin(client_id="second", lti_deployment_id="second")
    token = tool.token(
        begun,
        sub="77",
        aud="second",
        **{f"{CORE}deployment_id": "second", f"{CORE}custom": {}},
    )
    assert tool.post(begun, token).status_code == 303
    first, second = tool.visits()
    assert first.person_id != second.person_id
    assert (first.school_id, second.school_id) == (SCHOOL, OTHER)


@pytest.mark.parametrize(
    ("schools", "roles", "manages"),
    [
        ((SCHOOL,), INSTRUCTOR, True),
        ((SCHOOL,), ADMINISTRATOR, False),
        ((SCHOOL,), {}, False),
        ((SCHOOL, OTHER), INSTRUCTOR, False),
    ],
)
def test_instructors_manage_only_where_that_was_chosen_for_one_school(
    sqlite_url: str,
    clock: SetClock,
    tmp_path: Path,
    schools: tuple[str, ...],
    roles: dict[str, object],
    manages: bool,
) -> None:
    with world(sqlite_url, clock, tmp_path, managers="instructors") as tool:
        tool.register(SCHOOL, *schools)
        for _ in range(2):
            assert tool.launch(**_custom(school=SCHOOL), **roles).status_code == 303
        with tool.database.reading() as session:
            managed = memberships.is_manager(
                session, person_id=tool.visits()[0].person_id, school_id=SCHOOL
            )
        assert managed is manages


def test_an_instructor_is_no_manager(tool: World) -> None:
    tool.launch(**INSTRUCTOR)
    (visit,) = tool.visits()
    with tool.database.reading() as session:
        assert not memberships.is_manager(session, person_id=visit.person_id, school_id=SCHOOL)
