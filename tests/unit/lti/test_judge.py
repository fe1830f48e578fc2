"""What each reply to a score means."""

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.lti.models import BLOCKED, DEAD, NOT_SCORED, PENDING, SENT
from lti_tool.lti.services import connection, line_items, sending

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "said", "state", "reason"),
    [
        (200, "OK", SENT, ""),
        (201, "", SENT, ""),
        (202, "", SENT, ""),
        (204, "", SENT, ""),
        (301, "Moved", BLOCKED, "refused"),
        (400, 'Incorrect score received{"userId": "8"}', NOT_SCORED, "not-gradable"),
        (400, "Bad Request", BLOCKED, "refused"),
        (400, 'Bad Request {"message": "User could not be found"}', NOT_SCORED, "not-gradable"),
        (401, "", BLOCKED, "reconnect"),
        (403, "", BLOCKED, "forbidden"),
        (403, "user is not enrolled in the org unit", NOT_SCORED, "not-gradable"),
        (404, "Not Found", DEAD, "line-item-gone"),
        (405, "", BLOCKED, "refused"),
        (408, "", PENDING, "unreachable"),
        (422, "", BLOCKED, "refused"),
        (425, "", PENDING, "unreachable"),
        (429, "", PENDING, "unreachable"),
        (500, "", PENDING, "platform-fault"),
        (502, "", PENDING, "unreachable"),
        (503, "", PENDING, "unreachable"),
    ],
)
def test_reply(status: int, said: str, state: str, reason: str) -> None:
    outcome = sending.judge(connection.Reply(status, said, b"", {}), NOW)
    assert (outcome.state, outcome.reason, outcome.status) == (state, reason, status)


@pytest.mark.parametrize(
    ("status", "said", "is_conflict"),
    [
        (409, "Conflict", True),
        (400, '{"timestamp":["Score already exists for the provided timestamp"]}', True),
        (
            400,
            '{"timestamp":["Score timestamp can only be updated to a later point in time"]}',
            True,
        ),
        (400, '{"timestamp":["This field is required."]}', False),
        (500, "Score already exists for the provided timestamp", False),
    ],
)
def test_something_as_new_is_held(status: int, said: str, is_conflict: bool) -> None:
    assert sending.is_conflict(connection.Reply(status, said, b"", {})) is is_conflict


@pytest.mark.parametrize(
    ("status", "said", "refuses"),
    [
        (401, "", True),
        (403, 'Forbidden {"detail":"Invalid token signature."}', True),
        (403, 'Forbidden {"detail":"You do not have permission to perform this action."}', False),
        (200, "Invalid token signature.", False),
    ],
)
def test_it_is_the_token_that_is_refused(status: int, said: str, refuses: bool) -> None:
    assert connection.Reply(status, said, b"", {}).refuses_token is refuses


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("Mon, 23 Nov 2026 09:05:00 GMT", timedelta(minutes=5)),
        ("Mon, 23 Nov 2026 08:05:00 GMT", timedelta()),
        ("9999999", timedelta(days=1)),
        ("9" * 40, None),
        ("soon", None),
        ("", None),
        ("Mon, 23 Nov 2026 09:05:00 -0000", None),
    ],
)
def test_retry_after(given: str, wait: timedelta | None) -> None:
    reply = connection.Reply(503, "", b"", {"Retry-After": given})
    assert sending.judge(reply, NOW).wait == wait


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://m.example/1/lineitem?type_id=7", "https://m.example/1/lineitem/scores?type_id=7"),
        ("https://m.example/1/lineitem", "https://m.example/1/lineitem/scores"),
        ("https://m.example/1/lineitem/", "https://m.example/1/lineitem/scores"),
        ("https://m.example/1?a=%2F&b=c", "https://m.example/1/scores?a=%2F&b=c"),
    ],
)
def test_scores_go_into_the_path(url: str, found: str) -> None:
    assert line_items.beneath(url, "scores") == found


def test_queries_are_added_to() -> None:
    assert line_items.with_query("https://m.example/a?t=1", u="a&b") == (
        "https://m.example/a?t=1&u=a%26b"
    )
    assert line_items.with_query("https://m.example/a", u="1") == "https://m.example/a?u=1"
