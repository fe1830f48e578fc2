"""Scores and results go the way they were recorded to go in Moodle 4.5.6."""

import pytest
from flask import Response

from sandbox_lms.faults import Faults
from sandbox_lms.platform import Platform
from sandbox_lms.services import RESULT_CONTAINER
from tests.conftest import SetClock
from tests.sandbox.fake_tool import Services

MORNING = "2026-11-23T09:00:00"


def test_a_score_is_taken_in_silence_and_shows_in_the_results(
    services: Services, platform: Platform
) -> None:
    reply = services.score(comment="Well done — passed", timestamp=f"{MORNING}.871637+00:00")
    assert (reply.status_code, reply.reason, reply.content) == (200, "OK", b"")
    assert reply.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json; charset=utf-8"
    item = f"{platform.issuer}/mod/lti/services.php/2/lineitems/111/lineitem"
    assert services.results() == [
        {
            "id": f"{item}/results?type_id=1&user_id=1000",
            "userId": "1000",
            "resultScore": 85,
            "resultMaximum": 100,
            "comment": "Well done — passed",
            "scoreOf": f"{item}?type_id=1",
            "timestamp": f"{MORNING}+00:00",
        }
    ]


def test_a_comment_left_out_is_cleared(services: Services, clock: SetClock) -> None:
    services.score(comment="Passed")
    clock.move(seconds=1)
    services.score()
    assert "comment" not in services.results()[0]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"scoreGiven": 0}, 0),
        ({"scoreGiven": -5}, 0),
        ({"scoreGiven": 120}, 100),
        ({"scoreGiven": 7, "scoreMaximum": 10}, 70),
        ({"scoreGiven": "55.5", "scoreMaximum": "100"}, 55.5),
        ({"scoreGiven": 50, "scoreMaximum": 0}, 50),
        ({"activityProgress": "Banana", "scoreGiven": 60}, 60),
    ],
)
def test_scores_are_rescaled_and_clamped(
    services: Services, sent: dict[str, object], shown: float
) -> None:
    assert services.score(**sent).status_code == 200
    assert services.results()[0]["resultScore"] == shown


@pytest.mark.parametrize(
    "sent",
    [
        {"activityProgress": "InProgress", "gradingProgress": "NotReady", "scoreGiven": None},
        {"gradingProgress": "Pending", "scoreGiven": 95},
        {"activityProgress": "Submitted", "gradingProgress": "PendingManual", "scoreGiven": 70},
        {"scoreGiven": None, "scoreMaximum": None},
    ],
)
def test_anything_not_fully_graded_wipes_the_grade(
    services: Services, clock: SetClock, sent: dict[str, object]
) -> None:
    services.score(scoreGiven=91)
    clock.move(seconds=2)
    assert services.score(**sent).status_code == 200
    assert services.results() == []


def test_the_last_score_wins_even_when_it_is_lower(services: Services, clock: SetClock) -> None:
    services.score(scoreGiven=95)
    clock.move(seconds=1)
    services.score(scoreGiven=50)
    assert services.results()[0]["resultScore"] == 50


@pytest.mark.parametrize("later", [".900+00:00", ".100+00:00", "+00:00"])
def test_scores_are_compared_in_whole_seconds(services: Services, later: str) -> None:
    services.score(timestamp=f"{MORNING}.100+00:00")
    refused = services.score(timestamp=MORNING + later, scoreGiven=10)
    assert refused.status_code == 409
    assert refused.reason == "Refusing score with an earlier timestamp for item 111 and user 1000"
    assert refused.json() == []
    assert services.score(timestamp="2026-11-23T09:00:01+00:00").status_code == 200


def test_a_score_from_the_future_blocks_those_of_today(services: Services) -> None:
    assert services.score(timestamp="2026-11-24T09:00:00Z").status_code == 200
    assert services.score().status_code == 409


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-23T09:00:00Z",
        "2026-11-23T09:00:00.123Z",
        "2026-11-23T09:00:00.455084Z",
        "2026-11-23T09:00:00+0000",
        "2026-11-23T10:00:00+01:00",
        "2026-11-23T09:00:00",
        "2026-11-23 09:00:00",
    ],
)
def test_timestamps_that_are_read(services: Services, timestamp: str) -> None:
    assert services.score(timestamp=timestamp).status_code == 200
    assert services.results()[0]["timestamp"] == f"{MORNING}+00:00"


@pytest.mark.parametrize(
    "unusable",
    [
        {"timestamp": 1795424400},
        {"timestamp": "1795424400"},
        {"timestamp": "Mon, 23 Nov 2026 09:00:00 GMT"},
        {"timestamp": None},
        {"activityProgress": None},
        {"gradingProgress": None},
        {"scoreMaximum": None},
        {"scoreGiven": "many"},
        {"userId": "1001"},
        {"userId": "1007"},
        {"userId": "2"},
        {"userId": "9999"},
        {"userId": "2000"},
    ],
    ids=[
        "epoch number",
        "epoch text",
        "RFC 1123",
        "no timestamp",
        "no activity progress",
        "no grading progress",
        "no maximum",
        "not a number",
        "headteacher",
        "non-editing teacher",
        "administrator",
        "nobody",
        "somebody of another school",
    ],
)
def test_unusable_scores_are_repeated_in_the_status_line(
    services: Services, platform: Platform, unusable: dict[str, object]
) -> None:
    refused = services.score(**unusable)
    assert refused.status_code == 400
    assert refused.reason.startswith('Incorrect score received{"')
    assert refused.reason.endswith("}")
    assert refused.json() == []
    assert refused.headers["Content-Type"].startswith("application/vnd.ims.lis.v1.score+json")
    assert platform.gradebook.grades == {}


def test_a_refused_comment_cannot_break_the_status_line(services: Services) -> None:
    refused = services.score(userId="1001", comment="ŵ 王\r\nX-Forged: yes")
    assert refused.status_code == 400
    assert "X-Forged" not in refused.headers
    path = "/2/lineitems/111/lineitem/scores?type_id=1"
    media_type = "application/vnd.ims.lis.v1.score+json"
    raw = services.call("POST", path, media_type, data="ŵ\r\nX-Forged: yes".encode())
    assert raw.status_code == 400
    assert "X-Forged" not in raw.headers


def test_a_user_id_that_is_no_number_breaks_moodle(services: Services) -> None:
    broken = services.score(userId="abc")
    assert (broken.status_code, broken.headers["Content-Type"]) == (502, "text/html")


def test_media_types_are_taken_to_the_letter(services: Services) -> None:
    plain = services.score("application/json")
    path = "/2/lineitems/111/lineitem/scores"
    assert plain.status_code == 400
    assert plain.reason == f"No handler found for {path}  application/json"
    assert plain.json() == {
        "status": 400,
        "reason": plain.reason,
        "request": {
            "method": "POST",
            "url": f"/mod/lti/services.php{path}?type_id=1",
            "accept": "*/*",
            "contentType": "application/json",
        },
    }
    assert services.score("application/vnd.ims.lis.v1.score+json; charset=UTF-8").ok


def test_scores_belongs_before_the_query(services: Services) -> None:
    media_type = "application/vnd.ims.lis.v1.score+json"
    appended = services.call("POST", "/2/lineitems/111/lineitem?type_id=1/scores", media_type)
    assert appended.status_code == 400
    assert appended.reason == f"No handler found for /2/lineitems/111/lineitem  {media_type}"


def test_other_refusals(services: Services) -> None:
    media_type = "application/vnd.ims.lis.v1.score+json"
    unknown = services.call("POST", "/2/lineitems/9999/lineitem/scores", media_type, json={})
    assert (unknown.status_code, unknown.reason) == (
        404,
        "Not Found: Grade item 9999 doesn't exist",
    )
    read = services.call("GET", "/2/lineitems/111/lineitem/scores?type_id=1")
    assert (read.status_code, read.reason) == (405, "Method Not Allowed")


def test_a_grade_set_by_hand_does_not_move(
    services: Services, platform: Platform, clock: SetClock
) -> None:
    services.score(scoreGiven=60)
    platform.gradebook.override(111, "1000", 77)
    clock.move(seconds=1)
    assert services.score(scoreGiven=99).status_code == 200
    assert services.results()[0]["resultScore"] == 77


def test_a_locked_grade_is_a_server_error(
    services: Services, platform: Platform, clock: SetClock
) -> None:
    services.score(scoreGiven=60)
    platform.gradebook.lock(111, "1000")
    clock.move(seconds=1)
    assert services.score(scoreGiven=99).status_code == 500
    assert services.results()[0]["resultScore"] == 60


def test_results_of_one_person_and_without_type_id(services: Services, platform: Platform) -> None:
    services.score()
    services.score(userId="1002", scoreGiven=60)
    assert [one["userId"] for one in services.results()] == ["1000", "1002"]
    assert [one["resultScore"] for one in services.results("type_id=1&user_id=1002")] == [60]
    assert services.results("user_id=1001") == []
    bare = services.results("user_id=1002")[0]
    assert bare["id"].endswith("/lineitem/results?user_id=1002")
    assert bare["scoreOf"].endswith("/lineitem")


def test_pages_of_results_are_a_fatal_error(services: Services) -> None:
    path = "/2/lineitems/111/lineitem/results?type_id=1&limit=2"
    page = services.call("GET", path, RESULT_CONTAINER)
    assert page.status_code == 404
    assert page.headers["Content-Type"].startswith("text/html")


def test_a_fault_hits_its_share_of_the_calls() -> None:
    faults = Faults()

    def hit(share: float, calls: int) -> set[int]:
        faults.put("scores", "503", share=share)
        answer = Response("done")
        return {faults.around("scores", lambda: answer).status_code for _ in range(calls)}

    assert hit(0, 20) == {200}
    assert hit(0.5, 100) == {200, 503}
    assert hit(1, 20) == {503}
