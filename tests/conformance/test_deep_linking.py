"""Picking activities for a course (1EdTech certification §6.2, Deep Linking 2.0)."""

import re
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
import requests
from bs4 import BeautifulSoup, Tag

from lti_tool.lti.models import Registration
from lti_tool.lti.platforms import disable_platform
from sandbox_lms.claims import DEEP_LINKING
from sandbox_lms.platform import CLIENT_ID, OMIT
from sandbox_lms.schools import SCHOOLS
from tests.conformance.world import CORE, MEMBERSHIP, OTHER, SCHOOL, World, read_recorded, refused
from tests.conftest import SetClock

SETTINGS = f"{DEEP_LINKING}deep_linking_settings"
ITEMS = f"{DEEP_LINKING}content_items"
DATA = f"{DEEP_LINKING}data"
BOTH = ["induction", "annual-refresh"]


@dataclass
class Teacher:
    """Somebody whom a platform sends to pick something."""

    tool: World
    page: requests.Response

    @property
    def form(self) -> Tag:
        assert self.page.status_code == 200, self.page.text
        found = BeautifulSoup(self.page.text, "html.parser").select_one("main form")
        assert found is not None
        return found

    def choices(self, name: str) -> list[str]:
        return [str(one["value"]) for one in self.form.select(f"input[name={name}]")]

    def send(self, *modules: str, **fields: str) -> requests.Response:
        """Send the page's form, as a browser would: no cookie is asked for."""
        hidden = {str(one["name"]): one["value"] for one in self.form.select("input[type=hidden]")}
        values = {**hidden, "answer": "add", "module": list(modules), **fields}
        address = f"{self.tool.url}{self.form['action']}"
        return self.tool.http.post(address, data=values, timeout=30)

    def answer(self, *modules: str, **fields: str) -> "Answer":
        return Answer(self.tool, self.send(*modules, **fields))


class Answer:
    """The page that takes the answer to the platform, and what it says, verified."""

    def __init__(self, tool: World, page: requests.Response) -> None:
        assert page.status_code == 200, page.text
        self.page = page
        form = BeautifulSoup(page.text, "html.parser").select_one("main form")
        assert form is not None
        self.address, self.method = str(form["action"]), form["method"]
        fields = {str(one["name"]): str(one["value"]) for one in form.select("input")}
        assert fields.keys() == {"JWT"}  # no token of ours goes to the platform
        assert form.select_one("button") is not None  # and it can be sent without JavaScript
        keys = requests.get(f"{tool.url}/lti/jwks", timeout=30).json()
        self.header = jwt.get_unverified_header(fields["JWT"])
        options: Any = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        self.said: dict[str, Any] = jwt.decode(
            fields["JWT"],
            jwt.PyJWKSet.from_dict(keys)[self.header["kid"]].key,
            algorithms=["RS256"],
            options=options,
        )

    @property
    def items(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.said[ITEMS]
        return found


def ask(tool: World, *, changes: dict[str, object] | None = None, **settings: object) -> Teacher:
    """A deep linking request of the headteacher's; ``settings`` are changed, OMIT leaves one out.

    The browser sends no cookie back: as in a frame of Safari's.
    """
    begun = tool.begin()
    head = tool.platform.person(SCHOOL, "head")
    said = tool.platform.picking_claims(head, SCHOOLS[SCHOOL], begun.nonce)
    whole: dict[str, object] = {**said[SETTINGS], **settings}  # type: ignore[dict-item]
    said[SETTINGS] = {name: value for name, value in whole.items() if value is not OMIT}
    said |= changes or {}
    said = {name: value for name, value in said.items() if value is not OMIT}
    return Teacher(tool, tool.post(begun, tool.platform.sign(said), cookies={}))


def test_dl_1_request_is_accepted(tool: World) -> None:
    before = tool.counts()
    teacher = ask(tool)
    assert teacher.choices("module") == [*BOTH, "register"]
    assert teacher.choices("school") == [SCHOOL]
    # Nobody is let in, and nothing is kept but that the message has been used.
    assert "Set-Cookie" not in teacher.page.headers
    assert tool.counts() == before | {"nonce": before["nonce"] + 1}
    policy = teacher.page.headers["Content-Security-Policy"]
    assert tool.platform.issuer in policy.partition("frame-ancestors")[2]
    assert "form-action 'self';" in policy


@pytest.mark.parametrize("role", ["Instructor", "ContentDeveloper", "Administrator"])
def test_dl_1_request_of_others_who_may_edit(tool: World, role: str) -> None:
    assert ask(tool, changes={f"{CORE}roles": [f"{MEMBERSHIP}#{role}"]}).choices("module")


@pytest.mark.parametrize(
    "name", ["deep_link_return_url", "accept_types", "accept_presentation_document_targets"]
)
@pytest.mark.parametrize("value", [OMIT, None, "", 7, {}])
def test_dl_1_required_setting_missing(tool: World, name: str, value: object) -> None:
    before = tool.counts()
    settings: dict[str, Any] = {name: value}
    refused(ask(tool, **settings).page, 400, "launch-message-invalid")
    assert tool.counts() == before


@pytest.mark.parametrize("value", [OMIT, None, [], "settings"])
def test_dl_1_settings_missing(tool: World, value: object) -> None:
    refused(ask(tool, changes={SETTINGS: value}).page, 400, "launch-message-invalid")


@pytest.mark.parametrize(
    "url", ["http://moodle.example/back", "javascript:alert(1)", "//moodle.example", "https://"]
)
def test_dl_1_return_address_that_is_none(tool: World, url: str) -> None:
    refused(ask(tool, deep_link_return_url=url).page, 400, "launch-message-invalid")


@pytest.mark.parametrize(("levels", "is_taken"), [(50, True), (51, False), (400, False)])
def test_dl_1_data_within_data(tool: World, levels: int, is_taken: bool) -> None:
    data: object = "x"
    for _ in range(levels):
        data = [data]
    teacher = ask(tool, data=data)
    if is_taken:
        assert teacher.answer("induction").said[DATA] == data
    else:
        refused(teacher.page, 400, "launch-message-invalid")


def test_dl_1_request_is_used_up(tool: World) -> None:
    begun = tool.begin()
    head = tool.platform.person(SCHOOL, "head")
    token = tool.platform.sign(tool.platform.picking_claims(head, SCHOOLS[SCHOOL], begun.nonce))
    assert tool.post(begun, token).status_code == 200
    refused(tool.post(begun, token), 401, "launch-replayed")


def test_dl_1_request_recorded_from_moodle(tool: World) -> None:
    begun = tool.begin()
    moodles = tool.recorded_claims("moodle_deep_linking_request", begun)
    answer = Teacher(tool, tool.post(begun, tool.platform.sign(moodles))).answer(*BOTH)
    assert answer.address == (
        "https://moodle.example/mod/lti/contentitem_return.php?course=2&id=1&sesskey=SESSKEY"
    )
    # Moodle took an answer with these claims, and items with these parts.
    taken = read_recorded("moodle_deep_linking_answer_taken")
    assert answer.said.keys() <= taken.keys()
    for item in answer.items:
        assert item.keys() <= taken[ITEMS][0].keys()
        assert item["lineItem"].keys() <= taken[ITEMS][0]["lineItem"].keys()


def test_dl_2_answer_is_a_form_field_to_the_return_url(tool: World) -> None:
    answer = ask(tool).answer("induction")
    assert answer.method == "post"
    assert answer.address.startswith(f"{tool.platform.issuer}/schools/{SCHOOL}/picked?course=")
    policy = answer.page.headers["Content-Security-Policy"]
    assert f"form-action 'self' {tool.platform.issuer};" in policy
    assert tool.platform.issuer in policy.partition("frame-ancestors")[2]


def test_dl_3_message_type_and_version(tool: World) -> None:
    said = ask(tool).answer("induction").said
    assert said[f"{CORE}message_type"] == "LtiDeepLinkingResponse"
    assert said[f"{CORE}version"] == "1.3.0"


def test_dl_4_times(tool: World, clock: SetClock) -> None:
    said = ask(tool).answer("induction").said
    now = clock().timestamp()
    assert now - 60 < said["iat"] < now < said["exp"] < now + 600


def test_dl_5_signature_is_of_our_key_set(tool: World) -> None:
    header = ask(tool).answer("induction").header
    assert header["alg"] == "RS256"
    assert header["kid"] == tool.lti.tool_keys.signing()[0]


def test_dl_6_parties_nonce_deployment(tool: World) -> None:
    first, second = (ask(tool).answer("induction").said for _ in range(2))
    assert (first["iss"], first["aud"]) == (CLIENT_ID, tool.platform.issuer)
    assert first[f"{CORE}deployment_id"] == SCHOOL
    assert len(first["nonce"]) >= 32
    assert first["nonce"] != second["nonce"]
    assert DATA not in first


@pytest.mark.parametrize(
    "data",
    [
        "csrftoken:c7fbba78-7b75-46e3-9201-11e6d5f36f53",
        "",
        ' \t"quotes" <b>&amp;</b> %41+ \' ] \u2028 e\u0301\U0001f600',
        "half a letter \ud800",
        "x" * 40_000,
        {"an": ["object", 1, None]},
        None,
    ],
)
def test_dl_6_data_is_echoed_exactly(tool: World, data: object) -> None:
    assert ask(tool, data=data).answer("induction").said[DATA] == data


def test_dl_7_items_say_what_was_chosen(tool: World) -> None:
    assert ask(tool).answer("annual-refresh").items == [
        {
            "type": "ltiResourceLink",
            "title": "annual-refresh",
            "text": "annual-refresh",
            "url": f"{tool.url}/lti/launch",
            "custom": {"school": SCHOOL, "module": "annual-refresh"},
            "lineItem": {
                "label": "annual-refresh",
                "scoreMaximum": 100,
                "resourceId": "annual-refresh",
                "tag": "policy-2026-27",
                "submissionReview": {"reviewableStatus": ["Completed"]},
            },
            "window": {"targetName": "clauseway"},
        }
    ]


def test_dl_7_several_items(tool: World) -> None:
    items = ask(tool).answer("annual-refresh", "register", "induction").items
    assert [item["custom"]["module"] for item in items] == [*BOTH, "register"]


def test_dl_7_the_register_has_no_line_item(tool: World) -> None:
    (item,) = ask(tool).answer("register").items
    assert item["title"] == "Training register"
    assert item["custom"] == {"school": SCHOOL, "module": "register"}
    assert "lineItem" not in item


def test_dl_7_one_of_several_schools(tool: World) -> None:
    tool.register(SCHOOL, SCHOOL, OTHER, "wren-spinney", "unheard-of")
    try:
        teacher = ask(tool)
        assert teacher.choices("school") == [OTHER, SCHOOL]  # one is closed, one has no content
        (item,) = teacher.answer("induction", school=OTHER).items
        assert item["custom"] == {"school": OTHER, "module": "induction"}
        assert item["title"] == "induction, Glenmere"
        refused(teacher.send("induction", school="wren-spinney"), 403, "school-not-served")
        refused(teacher.send("induction", school=""), 403, "school-not-served")
    finally:
        tool.register(SCHOOL, SCHOOL)
    refused(teacher.send("induction", school=OTHER), 403, "school-not-served")


def test_dl_7_only_what_is_offered(tool: World) -> None:
    teacher = ask(tool)
    refused(teacher.send("unheard-of"), 404, "module-unknown")
    refused(teacher.send("induction", school=OTHER), 403, "school-not-served")
    refused(teacher.send("induction", answer="something"), 400, "form-incomplete")


@pytest.mark.parametrize("modules", [[], BOTH])
def test_dl_8_cancelled(tool: World, modules: list[str]) -> None:
    answer = ask(tool, data="kept").answer(*modules, answer="nothing")
    assert answer.items == []
    assert answer.said[DATA] == "kept"
    assert answer.said[f"{DEEP_LINKING}msg"] == "Nothing was added."


def test_dl_8_nothing_chosen(tool: World) -> None:
    assert ask(tool).answer().items == []


@pytest.mark.parametrize("value", [False, OMIT, "yes"])
def test_dl_9_one_item_only(tool: World, value: object) -> None:
    teacher = ask(tool, accept_multiple=value)
    assert {one["type"] for one in teacher.form.select("input[name=module]")} == {"radio"}
    assert len(teacher.answer("register").items) == 1
    refused(teacher.send(*BOTH), 400, "form-incomplete")


@pytest.mark.parametrize("types", [[], ["link", "file"]])
def test_dl_9_no_activities_taken(tool: World, types: list[str]) -> None:
    teacher = ask(tool, accept_types=types)
    assert teacher.choices("module") == []
    assert "takes no activities" in teacher.page.text
    assert teacher.answer(answer="nothing").items == []
    refused(teacher.send("induction", school=SCHOOL), 400, "form-incomplete")


@pytest.mark.parametrize(("value", "there"), [(False, False), (True, True), (OMIT, True)])
def test_dl_9_line_items(tool: World, value: object, there: bool) -> None:
    (item,) = ask(tool, accept_lineitem=value).answer("induction").items
    assert ("lineItem" in item) is there


def test_dl_9_no_window_taken(tool: World) -> None:
    (item,) = ask(tool, accept_presentation_document_targets=["iframe"]).answer("induction").items
    assert "window" not in item


@pytest.mark.parametrize(
    "roles",
    [
        [f"{MEMBERSHIP}#Learner"],
        [],
        ["http://purl.imsglobal.org/vocab/lis/v2/institution/person#Instructor"],
    ],
)
def test_dl_10_learner_is_refused(tool: World, roles: list[str]) -> None:
    before = tool.counts()
    page = ask(tool, changes={f"{CORE}roles": roles}).page
    refused(page, 403, "picking-not-allowed", "You cannot add activities")
    assert tool.counts() == before


ODD = 'https://moodle.example/back\'s?a=%22b%22&c="d"&amp;e=<f>&g=é#h'


def test_dl_11_return_address_is_exact(tool: World) -> None:
    answer = ask(tool, deep_link_return_url=ODD).answer("induction")
    assert answer.address == ODD
    policy = answer.page.headers["Content-Security-Policy"]
    assert "form-action 'self' https://moodle.example;" in policy


def test_dl_11_return_address_may_be_long(tool: World) -> None:
    url = f"https://canvas.example/deep_linking_response?data={'x' * 6000}"
    assert ask(tool, deep_link_return_url=url).answer("induction").address == url


def test_dl_11_return_address_is_not_logged(tool: World, capfd: pytest.CaptureFixture[str]) -> None:
    ask(tool).answer("induction")
    said = "".join(capfd.readouterr())
    assert tool.platform.session_key not in said


def test_the_request_is_ours_and_young(tool: World, clock: SetClock) -> None:
    teacher = ask(tool)
    text = str(teacher.form.select_one("input[name=request]")["value"])  # type: ignore[index]
    for forged in ("", "x", text[:-1], text[1:], re.sub("^.", "_", text)):
        refused(teacher.send("induction", request=forged), 400, "picking-over")
    clock.move(minutes=59)
    assert teacher.answer("induction").items
    clock.move(minutes=1)
    refused(teacher.send("induction"), 400, "picking-over")


def test_a_platform_disabled_meanwhile_gets_no_answer(tool: World) -> None:
    teacher, begun = ask(tool), tool.begin()
    head = tool.platform.person(SCHOOL, "head")
    said = tool.platform.picking_claims(head, SCHOOLS[SCHOOL], begun.nonce)
    with tool.database.transaction() as session:
        row = session.get_one(Registration, tool.registration_id)
        disable_platform(session, row, now=tool.lti.clock())
    try:
        # Still in memory: the launch's own transaction sees it.
        refused(tool.post(begun, tool.platform.sign(said)), 403, "platform-unknown")
        refused(teacher.send("induction"), 403, "platform-unknown")
    finally:
        tool.register(SCHOOL, SCHOOL)


def test_a_deployment_without_an_open_school(tool: World) -> None:
    tool.register(SCHOOL, "wren-spinney")
    try:
        refused(ask(tool).page, 503, "school-closed")
    finally:
        tool.register(SCHOOL, SCHOOL)


def test_custom_parameters_open_nothing(tool: World) -> None:
    """An activity that leads managers to the register leads anybody else to what they may see."""
    custom = {"school": SCHOOL, "module": "register"}
    learner = tool.launch(**{f"{CORE}custom": custom})
    assert learner.headers["Location"] == "/"
    assert tool.visits()[-1].module == ""
    teaches = {f"{CORE}custom": custom, f"{CORE}roles": [f"{MEMBERSHIP}#Instructor"]}
    assert tool.launch(**teaches).headers["Location"] == "/ask-to-manage"
