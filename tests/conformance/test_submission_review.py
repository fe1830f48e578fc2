"""Opening a person's record from a platform's gradebook (SR-1)."""

from collections.abc import Mapping
from uuid import UUID

import pytest
import requests

from lti_tool.lti.models import ResourceLink
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from lti_tool.people.models import Membership, Visit
from sandbox_lms.claims import review_claims
from sandbox_lms.platform import OMIT
from sandbox_lms.schools import Person
from tests.conformance.world import (
    AGS,
    CORE,
    MEMBERSHIP,
    OTHER,
    SCHOOL,
    Begun,
    World,
    refused,
    set_cookies,
)

INSTRUCTOR = [f"{MEMBERSHIP}#Instructor"]


@pytest.fixture
def head(tool: World) -> Person:
    """Somebody who manages the school."""
    person = tool.platform.person(SCHOOL, "head")
    grant(tool, person.id, SCHOOL)
    return person


def grant(tool: World, subject: str, school: str) -> None:
    with tool.database.transaction() as session:
        now, realm = tool.lti.clock(), str(tool.registration_id)
        person_id = expect(session, realm=realm, subject=subject, now=now)
        memberships.grant(session, person_id=person_id, school_id=school, now=now)


def arrive(tool: World, person: Person, school: str = SCHOOL) -> UUID:
    """Somebody has opened the training; gives their membership."""
    reply = tool.launch(sub=person.id, **{f"{CORE}custom": {"school": school}})
    assert reply.status_code == 303, reply.text
    visit = tool.visits()[-1]
    with tool.database.reading() as session:
        found = memberships.membership(session, school_id=school, person_id=visit.person_id)
        assert found is not None
        return found.id


def review(
    tool: World,
    reviewer: Person,
    user_id: object,
    changes: Mapping[str, object] | None = None,
    *,
    is_bound: bool = True,
) -> requests.Response:
    begun = tool.begin()
    said = tool.claims(begun, sub=reviewer.id, **review_claims("x"))
    said[f"{CORE}for_user"] = {"user_id": user_id}
    said[f"{CORE}roles"] = INSTRUCTOR
    said |= changes or {}
    said = {name: value for name, value in said.items() if value is not OMIT}
    cookies: Mapping[str, str] | None = None if is_bound else {}
    return tool.post(begun, tool.platform.sign(said), cookies=cookies)


def browse(
    tool: World, method: str, path: str, cookies: dict[str, str], **data: str
) -> requests.Response:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return tool.http.request(
        method,
        f"{tool.url}{path}",
        data=data,
        headers={"Cookie": header},
        allow_redirects=False,
        timeout=30,
    )


def test_sr_1_manager_comes_to_the_record(tool: World, head: Person) -> None:
    membership_id = arrive(tool, tool.learner)
    reply = review(tool, head, tool.learner.id)
    assert reply.status_code == 303, reply.text
    assert reply.headers["Location"] == f"/register/{membership_id}"
    page = browse(tool, "GET", reply.headers["Location"], set_cookies(reply))
    assert page.status_code == 200
    assert tool.learner.name in page.text


def test_sr_1_unbound_visit_is_confirmed_first(tool: World, head: Person) -> None:
    membership_id = arrive(tool, tool.learner)
    reply = review(tool, head, tool.learner.id, is_bound=False)
    assert reply.headers["Location"].startswith("/start?code=")
    cookies = set_cookies(reply)
    assert browse(tool, "GET", f"/register/{membership_id}", cookies).status_code == 403
    begun = browse(tool, "GET", reply.headers["Location"], cookies)
    assert begun.headers["Location"] == "/confirm"
    asked = browse(tool, "GET", "/confirm", cookies).text
    token = asked.partition('name="csrf_token" value="')[2].partition('"')[0]
    on = browse(tool, "POST", "/confirm", cookies, csrf_token=token, answer="yes")
    assert on.headers["Location"] == f"/register/{membership_id}"
    assert browse(tool, "GET", on.headers["Location"], cookies).status_code == 200


@pytest.mark.parametrize("is_bound", [True, False])
@pytest.mark.parametrize(
    "roles",
    [
        INSTRUCTOR,
        [f"{MEMBERSHIP}#Learner"],
        ["http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"],
    ],
)
def test_sr_1_nobody_without_a_grant(tool: World, is_bound: bool, roles: list[str]) -> None:
    """Whatever the role says: the signature proves nothing about who asked for it."""
    arrive(tool, tool.learner)
    before = tool.counts()
    lead = tool.platform.person(SCHOOL, "lead")
    for user_id in (tool.learner.id, "nobody"):  # nor does anything tell whom we know
        reply = review(tool, lead, user_id, {f"{CORE}roles": roles}, is_bound=is_bound)
        refused(reply, 403, "not-a-manager")
    assert tool.counts() == before


def test_sr_1_forged_by_a_student(tool: World) -> None:
    """As recorded from Moodle: signed well, about somebody else."""
    begun, victim = tool.begin(), tool.learner
    arrive(tool, victim)
    said = tool.recorded_claims("moodle_submission_review_forged_by_student", begun)
    said |= {"sub": "3", f"{CORE}for_user": {"user_id": victim.id}}
    refused(tool.post(begun, tool.platform.sign(said)), 403, "not-a-manager")


def test_sr_1_recorded_from_moodle(tool: World) -> None:
    membership_id = arrive(tool, tool.learner)
    begun = tool.begin()
    said = tool.recorded_claims("moodle_submission_review", begun)
    said |= {f"{CORE}for_user": {"user_id": tool.learner.id}}
    grant(tool, str(said["sub"]), SCHOOL)
    reply = tool.post(begun, tool.platform.sign(said))
    assert reply.headers["Location"] == f"/register/{membership_id}"


def test_sr_1_person_unknown(tool: World, head: Person) -> None:
    before = tool.counts()
    refused(review(tool, head, "nobody-we-know"), 404, "person-not-here")
    assert tool.counts() == before


def test_sr_1_person_of_another_school(tool: World, head: Person) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER)
    try:
        elsewhere = tool.platform.person(OTHER, "starter")
        arrive(tool, elsewhere, OTHER)
        refused(review(tool, head, elsewhere.id), 404, "person-not-here")
        other = {f"{CORE}custom": {"school": OTHER}}
        refused(review(tool, head, elsewhere.id, other), 403, "not-a-manager")
        nowhere = {
            f"{CORE}custom": {},
            f"{CORE}resource_link": {"id": "an activity that is not set up"},
        }
        refused(review(tool, head, elsewhere.id, nowhere), 403, "not-a-manager")
    finally:
        tool.register(SCHOOL, SCHOOL)


def test_sr_1_person_of_another_platform(tool: World, head: Person) -> None:
    """The same subject at another registration is somebody else."""
    with tool.database.transaction() as session:
        now = tool.lti.clock()
        person_id = expect(session, realm=str(UUID(int=1)), subject="both", now=now)
        session.add(Membership(school_id=SCHOOL, person_id=person_id, created_at=now))
    refused(review(tool, head, "both"), 404, "person-not-here")


def test_sr_1_leaves_the_activity_as_it_was(tool: World, head: Person) -> None:
    """The line item under review may be another than the activity's own."""
    arrive(tool, tool.learner)
    other = {"scope": [], "lineitem": f"{tool.platform.issuer}/another"}
    assert review(tool, head, tool.learner.id, {AGS: other}).status_code == 303
    with tool.database.reading() as session:
        visit = session.get_one(Visit, tool.visits()[-1].id)
        link = session.get_one(ResourceLink, visit.place_id)
        assert "/another" not in link.line_item_url
        assert link.scopes


def test_sr_1_of_a_line_item_without_an_activity(tool: World, head: Person) -> None:
    membership_id = arrive(tool, tool.learner)
    reply = review(tool, head, tool.learner.id, {f"{CORE}resource_link": OMIT})
    assert reply.headers["Location"] == f"/register/{membership_id}"
    assert tool.visits()[-1].place_id is None


BAD: dict[str, dict[str, object]] = {
    "no for_user": {f"{CORE}for_user": OMIT},
    "for_user no object": {f"{CORE}for_user": "7"},
    "no user_id": {f"{CORE}for_user": {"name": "A Name"}},
    "user_id too long": {f"{CORE}for_user": {"user_id": "x" * 256}},
    "no service": {AGS: OMIT},
    "service no object": {AGS: "lineitem"},
    "no line item": {AGS: {"lineitems": "https://moodle.example/items"}},
}


@pytest.mark.parametrize("changes", BAD.values(), ids=BAD.keys())
def test_sr_1_required_claim_missing(tool: World, head: Person, changes: dict[str, object]) -> None:
    refused(review(tool, head, tool.learner.id, changes), 400, "launch-message-invalid")


def test_sr_1_is_used_up(tool: World, head: Person) -> None:
    arrive(tool, tool.learner)
    begun: Begun = tool.begin()
    said = tool.claims(begun, sub=head.id, **review_claims(tool.learner.id))
    token = tool.platform.sign(said)
    assert tool.post(begun, token).status_code == 303
    refused(tool.post(begun, token), 401, "launch-replayed")
