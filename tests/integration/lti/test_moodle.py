"""Every way of Moodle's own with tokens, line items, scores and results, from recordings of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from sqlalchemy import select

from lti_tool.core.database import Table
from lti_tool.lti.services import line_items, outbox
from lti_tool.lti.services.paging import next_page
from lti_tool.lti.services.reconciling import reconcile
from tests.conformance.world import CORE, SCHOOL, World, set_cookies
from tests.conftest import SetClock
from tests.factories.moodle import RECORDED, SERVICES, Moodle, moodle
from tests.factories.scoring import arrive, owe, rows, where

CYCLE = "2026-27"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def platform(tool: World) -> Iterator[Moodle]:
    with moodle(tool) as recorded:
        yield recorded


def _owe(tool: World, platform: Moodle, score: int = 85, *, subject: str = "3") -> str:
    """A score of Moodle's person number ``subject``; returns its state after one try."""
    visit = arrive(tool, sub=subject, **platform.claim())
    completion_id = owe(tool, visit, score, cycle=CYCLE)
    outbox.send_due(tool.lti)
    delivery = where(tool, completion_id)
    return f"{delivery.state} {delivery.reason_code}".strip()


# Launches


@pytest.mark.parametrize("locale", ["en", "en_us", "cy"])
def test_a_launch_of_an_activity_with_all_that_moodle_adds(
    tool: World, locale: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The language of its own pages, with an underscore, is not that of the training. A name with
    capitals or spaces comes twice, what it does not know comes as it was written, ids of staff are
    empty, and the address to return to holds the person's live session key."""
    target = f"{tool.url}/lti/launch?school=glenmere"  # a teacher may add to it
    said: dict[str, object] = {
        f"{CORE}target_link_uri": target,
        f"{CORE}custom": {
            "module": "annual-refresh",
            "Module": "annual-refresh",
            "our_key": "1",
            "Our Key": "1",
            "due": "$ResourceLink.submission.endDateTime",
            "school": "$Unknown.variable",
            "context_memberships_url": f"{tool.platform.issuer}/members",
        },
        f"{CORE}lis": {"person_sourcedid": "", "course_section_sourcedid": ""},
        f"{CORE}context": {"id": "2", "label": "S", "title": "Staff", "type": ["CourseSection"]},
        f"{CORE}launch_presentation": {
            "locale": locale,
            "document_target": "iframe",
            "return_url": f"{tool.platform.issuer}/mod/lti/return.php?course=2&sesskey=LIVEKEY",
        },
        f"{CORE}ext": {"user_username": "student1", "lms": "moodle-2"},
    }
    begun = tool.begin(target_link_uri=target)
    reply = tool.post(begun, tool.token(begun, **said))
    assert reply.status_code == 303
    visit = tool.visits()[-1]
    assert (visit.school_id, visit.module) == (SCHOOL, "annual-refresh")
    cookie = "; ".join(f"{name}={value}" for name, value in set_cookies(reply).items())
    page = tool.http.get(f"{tool.url}/my-training", headers={"Cookie": cookie}, timeout=30)
    assert page.status_code == 200
    assert '<html lang="en-GB"' in page.text
    with tool.database.reading() as session:
        rows = [session.execute(select(one)).all() for one in Table.metadata.tables.values()]
    assert "LIVEKEY" not in str(rows) + caplog.text + str([one.__dict__ for one in caplog.records])
    assert tool.platform.issuer in str(rows)


# Tokens


def test_a_token_comes_as_json_under_the_name_of_html(tool: World, platform: Moodle) -> None:
    assert RECORDED["a token"]["headers"]["Content-Type"].startswith("text/html")
    assert _owe(tool, platform) == "sent"
    assert platform.scores()[0].headers["Authorization"] == "Bearer TOKEN"


def test_a_token_of_an_hour_is_kept_until_a_minute_before_its_end(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    for subject, minutes in (("3", 0), ("4", 58.9), ("5", 0.2)):
        clock.move(minutes=minutes)
        _owe(tool, platform, subject=subject)
    assert len([asked for asked in platform.asked if "token" in asked.path]) == 2


def test_our_statement_says_what_moodle_does_not_check_too(tool: World, platform: Moodle) -> None:
    """It reads neither ``aud`` nor ``jti`` and takes a replay; others do not."""
    _owe(tool, platform)
    form = platform.asked[0].body.decode().split("&")
    (given,) = [part.partition("=")[2] for part in form if part.startswith("client_assertion=")]
    said = jwt.decode(given, options={"verify_signature": False})
    assert set(said) == {"iss", "sub", "aud", "iat", "exp", "jti"}


def test_no_clock_of_ours_may_run_ahead_of_moodles(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """It has no leeway for ``iat``, so ours lies ten seconds back."""
    _owe(tool, platform)
    given = platform.asked[0].body.decode().split("client_assertion=")[1].split("&")[0]
    said = jwt.decode(given, options={"verify_signature": False})
    assert said["iat"] == int(clock().timestamp()) - 10


def test_the_kid_is_one_of_our_published_keys(tool: World, platform: Moodle) -> None:
    _owe(tool, platform)
    given = platform.asked[0].body.decode().split("client_assertion=")[1].split("&")[0]
    published = tool.http.get(f"{tool.url}/lti/jwks", timeout=10).json()["keys"]
    assert jwt.get_unverified_header(given)["kid"] in [key["kid"] for key in published]


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("no scope left", "invalid_scope"),
        ("an unknown client", "invalid_client"),
        ("a wrong signature", "Signature verification failed"),
        ("no kid", "errorError kid must be provided in JWT header"),
        ("an unknown kid", "error  kid invalid unable to lookup correct key"),
        ("from the future", "Cannot handle token with iat prior to 2026-11-21T034158"),
    ],
)
def test_a_refused_token_is_shown_with_moodles_words_in_the_log_and_mends_itself(
    tool: World,
    platform: Moodle,
    clock: SetClock,
    name: str,
    error: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One of these bodies is no valid JSON."""
    platform.plays(name)
    assert _owe(tool, platform) == "attention reconnect"
    logged = [record for record in caplog.records if record.message == "token refused"]
    assert error in str(logged[0].__dict__["error"])
    assert platform.scores() == []
    platform.plays("a token")
    clock.move(days=1)
    reconcile(tool.lti)
    assert outbox.sweep(tool.lti) == 1


def test_scopes_that_were_dropped_silently(tool: World, platform: Moodle) -> None:
    """Moodle leaves out what it does not allow, and says so in its reply alone."""
    platform.plays("a token for some of the scopes")
    assert _owe(tool, platform) == "attention reconnect"
    assert platform.scores() == []


def test_a_token_without_the_scope_is_401_like_any_other(tool: World, platform: Moodle) -> None:
    platform.plays("a token of another scope")
    assert _owe(tool, platform) == "attention reconnect"
    assert [asked.path.rpartition("/")[2] for asked in platform.asked] == [
        *("token.php", "scores?type_id=1", "token.php", "scores?type_id=1"),
    ]


# Scores


def test_scores_stand_before_the_query(tool: World, platform: Moodle) -> None:
    assert _owe(tool, platform) == "sent"
    assert platform.scores()[0].path == f"{SERVICES}/7/lineitem/scores?type_id=1"
    assert RECORDED["an address with its query in the middle"]["status"] == 400


def test_media_types_are_exact(tool: World, platform: Moodle) -> None:
    """The recording answers no other; Moodle says 400 even to ``application/json``."""
    _owe(tool, platform)
    assert platform.scores()[0].headers["Content-Type"] == RECORDED["a score"]["content-type"]
    assert RECORDED["another media type"]["status"] == 400
    assert RECORDED["line items of any media type"]["status"] == 400


def test_success_is_an_empty_body(tool: World, platform: Moodle) -> None:
    assert "json" not in RECORDED["a score"]
    assert _owe(tool, platform) == "sent"


def test_a_refusals_reason_stands_in_the_status_line_alone(tool: World, platform: Moodle) -> None:
    assert RECORDED["a teacher"]["json"] == []
    platform.plays("a teacher")
    assert _owe(tool, platform, subject="8") == "not-scored not-gradable"


def test_a_status_line_that_repeats_a_long_comment(tool: World, platform: Moodle) -> None:
    platform.plays("a teacher", reason=f"Incorrect score received{'x' * 7000}")
    assert _owe(tool, platform, subject="8") == "not-scored not-gradable"


def test_somebody_suspended_is_scored_all_the_same(tool: World, platform: Moodle) -> None:
    platform.plays("somebody suspended")
    assert _owe(tool, platform, subject="11") == "sent"


def test_a_person_without_a_number_breaks_moodle_and_is_not_lost(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("a person without a number")
    assert _owe(tool, platform, subject="abc") == "waiting unreachable"
    platform.plays("a score")
    clock.move(hours=1)
    assert _owe(tool, platform, subject="3") == "sent", "and holds up nobody else"


def test_a_locked_mark_is_tried_for_three_days_and_holds_up_nobody(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("a locked mark")
    assert _owe(tool, platform) == "waiting platform-fault"
    for _ in range(80):
        clock.move(hours=1)
        outbox.sweep(tool.lti)
    (row,) = rows(tool)
    assert where(tool, row.completion_id).state == "attention"
    platform.plays("a score")
    assert _owe(tool, platform, subject="4") == "sent"


def test_a_mark_changed_by_hand_is_found_by_night(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """Moodle takes the score with 200 and goes on showing the teacher's."""
    platform.plays("an overridden mark", "all results")
    assert _owe(tool, platform, 99) == "sent"
    clock.move(hours=5)
    assert +reconcile(tool.lti) == {"changed": 1}
    assert where(tool, rows(tool)[0].completion_id).state == "changed"


def test_timestamps_are_compared_in_whole_seconds(tool: World, platform: Moodle) -> None:
    """So two scores of one person lie a second apart at least, whatever happens between them."""
    assert RECORDED["the same second"]["status"] == 409
    for score in (60, 70, 80):
        _owe(tool, platform, score)
    stamps = [datetime.fromisoformat(asked.json["timestamp"]) for asked in platform.scores()]
    assert [stamp.replace(microsecond=0) - stamps[0] for stamp in stamps] == [
        timedelta(seconds=number) for number in range(3)
    ]


def test_a_score_that_came_through_though_its_answer_was_lost(
    tool: World, platform: Moodle
) -> None:
    """The same again is refused as no newer; Moodle holds what we sent."""
    platform.plays("the same timestamp", "all results")
    assert _owe(tool, platform, 89) == "sent held-already"
    assert len(platform.scores()) == 1


def test_a_mark_from_the_future_blocks_nothing(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """Moodle took one dated tomorrow, of ours, and refuses what is earlier."""
    assert _owe(tool, platform, 80, subject="5") == "sent"
    platform.plays("earlier than one from the future", "a score", "all results")
    tomorrow = datetime(2026, 11, 24, 3, 40, 1, tzinfo=UTC)
    for entry in platform.answers["GET", RECORDED["all results"]["path"]][0]["json"]:
        if entry["userId"] == "5":
            entry |= {"resultScore": 80, "timestamp": tomorrow.isoformat()}
    assert _owe(tool, platform, 90, subject="5") == "sent"
    assert datetime.fromisoformat(platform.scores()[-1].json["timestamp"]) > tomorrow


def test_only_a_full_mark_is_ever_sent(tool: World, platform: Moodle) -> None:
    """Anything else would delete the one that is there, and the completion with it."""
    _owe(tool, platform)
    said = platform.scores()[0].json
    assert (said["activityProgress"], said["gradingProgress"]) == ("Completed", "FullyGraded")
    assert said["scoreGiven"] == 85


def test_the_last_one_wins_so_a_lower_one_is_not_sent(tool: World, platform: Moodle) -> None:
    for score in (95, 50):
        assert _owe(tool, platform, score) == "sent"
    assert [asked.json["scoreGiven"] for asked in platform.scores()] == [95]


def test_a_score_of_0_is_sent_and_held(tool: World, platform: Moodle, clock: SetClock) -> None:
    platform.plays("a score of 0")
    assert _owe(tool, platform, 0, subject="7") == "sent"
    assert platform.scores()[0].json["scoreGiven"] == 0
    results = RECORDED["a result of 0"]
    platform.plays("a result of 0", path=results["path"].replace("&user_id=7", ""))
    clock.move(hours=5)
    assert +reconcile(tool.lti) == {"held": 1}


def test_a_result_is_compared_by_its_share_of_the_items_maximum() -> None:
    """Moodle brings scores to the item's own maximum, here 40."""
    (entry,) = RECORDED["a result out of 40"]["json"]
    assert line_items._result(entry).percent == 75


def test_results_and_line_items_are_never_asked_for_in_pages(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """For results there is an error page; for line items a ``Link`` that cannot be read."""
    assert RECORDED["results in pages"]["status"] == 404
    header = RECORDED["line items in pages"]["headers"]["Link"].encode().decode("latin-1")
    assert next_page(header, platform.url) == ""
    platform.plays("all results")
    _owe(tool, platform, 89)
    clock.move(hours=5)
    assert +reconcile(tool.lti) == {"held": 1}
    assert not [asked for asked in platform.asked if "limit" in asked.path]


# Line items


def _unplaced(tool: World, platform: Moodle) -> str:
    """A score from an activity whose launch names no line item."""
    search = f"{SERVICES}?type_id=1"
    nothing = RECORDED["line items of an activity"] | {"json": []}
    for query in (
        f"&resource_link_id={tool.activity.id}",
        "&resource_id=induction&tag=policy-2026-27",
    ):
        platform.answers.setdefault(("GET", search + query), [nothing])
    visit = arrive(tool, sub="3", **platform.claim(lineitem=""))
    completion_id = owe(tool, visit, 85, cycle=CYCLE)
    outbox.send_due(tool.lti)
    delivery = where(tool, completion_id)
    return f"{delivery.state} {delivery.reason_code}".strip()


def test_moodle_makes_the_same_twice_so_we_look_first(tool: World, platform: Moodle) -> None:
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"
    assert [asked.method for asked in platform.asked if "scores" not in asked.path] == [
        *("POST", "GET", "GET", "POST", "POST"),
    ], "a token, two looks, one made, a token for the score"


def test_the_item_of_the_activity_itself_is_found(tool: World, platform: Moodle) -> None:
    """Moodle's own has neither resource id nor tag."""
    found = RECORDED["line items of an activity"]["json"][0]
    own = found | {"resourceLinkId": tool.activity.id, "ltiLinkId": tool.activity.id}
    path = f"{SERVICES}?type_id=1&resource_link_id={tool.activity.id}"
    platform.plays("line items of an activity", path=path, json=[own])
    platform.plays("a score", path=f"{SERVICES}/5/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"


def test_another_tools_item_that_can_be_read_is_not_ours(tool: World, platform: Moodle) -> None:
    """The token reads every item of the course; a score for such a one is 403."""
    other = RECORDED["another tool's line item read"]["json"]
    path = f"{SERVICES}?type_id=1&resource_id=induction&tag=policy-2026-27"
    ours = {"resourceId": "induction", "tag": "policy-2026-27"}
    platform.plays("line items of an activity", path=path, json=[other | ours])
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    assert _unplaced(tool, platform) == "sent"


def test_an_item_of_another_tool_refuses_and_is_tried_once_more_after_a_launch(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("another tool's line item", path=f"{SERVICES}/7/lineitem/scores?type_id=1")
    assert _owe(tool, platform) == "attention forbidden"
    clock.move(hours=1)
    arrive(tool, sub="3", **platform.claim())
    outbox.sweep(tool.lti)
    assert len(platform.scores()) == 2


@pytest.mark.parametrize(
    "name", ["a line item for no activity of ours", "a line item with leave to read alone"]
)
def test_a_line_item_that_may_not_be_made(tool: World, platform: Moodle, name: str) -> None:
    platform.plays(name)
    assert _unplaced(tool, platform).startswith("attention")
    assert platform.scores() == []


def test_the_activitys_own_item_can_be_deleted_under_us(tool: World, platform: Moodle) -> None:
    gone = RECORDED["an unknown line item"] | {"path": f"{SERVICES}/7/lineitem/scores?type_id=1"}
    platform.answers["POST", gone["path"]] = [gone]
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    search = f"{SERVICES}?type_id=1"
    nothing = RECORDED["line items of an activity"] | {"json": []}
    platform.answers["GET", f"{search}&resource_link_id={tool.activity.id}"] = [nothing]
    platform.answers["GET", f"{search}&resource_id=induction&tag=policy-2026-27"] = [nothing]
    assert _owe(tool, platform) == "sent"
    made = [asked for asked in platform.asked if asked.path == search]
    assert [asked.json["tag"] for asked in made] == ["policy-2026-27"]


def test_an_item_is_never_changed_nor_deleted(tool: World, platform: Moodle) -> None:
    """A PUT would unbind it from its activity; a DELETE takes everybody's marks along."""
    platform.plays("a line item made")
    platform.plays("a score", path=f"{SERVICES}/11/lineitem/scores?type_id=1")
    _unplaced(tool, platform)
    assert {asked.method for asked in platform.asked} == {"GET", "POST"}
