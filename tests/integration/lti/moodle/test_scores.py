"""Every way of Moodle's own with scores and results, from recordings of it."""

from datetime import UTC, datetime, timedelta

from lti_tool.lti.services import line_items, outbox
from lti_tool.lti.services.paging import next_page
from lti_tool.lti.services.reconciling import reconcile
from tests.conformance.world import World
from tests.conftest import SetClock
from tests.factories.moodle import RECORDED, SERVICES, Moodle
from tests.factories.scoring import rows, where
from tests.integration.lti.moodle.conftest import send_score


def test_scores_stand_before_the_query(tool: World, platform: Moodle) -> None:
    assert send_score(tool, platform) == "sent"
    assert platform.scores()[0].path == f"{SERVICES}/7/lineitem/scores?type_id=1"
    assert RECORDED["an address with its query in the middle"]["status"] == 400


def test_media_types_are_exact(tool: World, platform: Moodle) -> None:
    """The recording answers no other; Moodle says 400 even to ``application/json``."""
    send_score(tool, platform)
    assert platform.scores()[0].headers["Content-Type"] == RECORDED["a score"]["content-type"]
    assert RECORDED["another media type"]["status"] == 400
    assert RECORDED["line items of any media type"]["status"] == 400


def test_success_is_an_empty_body(tool: World, platform: Moodle) -> None:
    assert "json" not in RECORDED["a score"]
    assert send_score(tool, platform) == "sent"


def test_a_refusals_reason_stands_in_the_status_line_alone(tool: World, platform: Moodle) -> None:
    assert RECORDED["a teacher"]["json"] == []
    platform.plays("a teacher")
    assert send_score(tool, platform, subject="8") == "not-scored not-gradable"


def test_a_status_line_that_repeats_a_long_comment(tool: World, platform: Moodle) -> None:
    platform.plays("a teacher", reason=f"Incorrect score received{'x' * 7000}")
    assert send_score(tool, platform, subject="8") == "not-scored not-gradable"


def test_somebody_suspended_is_scored_all_the_same(tool: World, platform: Moodle) -> None:
    platform.plays("somebody suspended")
    assert send_score(tool, platform, subject="11") == "sent"


def test_a_person_without_a_number_breaks_moodle_and_is_not_lost(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("a person without a number")
    assert send_score(tool, platform, subject="abc") == "waiting unreachable"
    platform.plays("a score")
    clock.move(hours=1)
    assert send_score(tool, platform, subject="3") == "sent", "and holds up nobody else"


def test_a_locked_mark_is_tried_for_three_days_and_holds_up_nobody(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    platform.plays("a locked mark")
    assert send_score(tool, platform) == "waiting platform-fault"
    for _ in range(80):
        clock.move(hours=1)
        outbox.sweep(tool.lti)
    (row,) = rows(tool)
    assert where(tool, row.completion_id).state == "attention"
    platform.plays("a score")
    assert send_score(tool, platform, subject="4") == "sent"


def test_a_mark_changed_by_hand_is_found_by_night(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """Moodle takes the score with 200 and goes on showing the teacher's."""
    platform.plays("an overridden mark", "all results")
    assert send_score(tool, platform, 99) == "sent"
    clock.move(hours=5)
    assert +reconcile(tool.lti) == {"changed": 1}
    assert where(tool, rows(tool)[0].completion_id).state == "changed"


def test_timestamps_are_compared_in_whole_seconds(tool: World, platform: Moodle) -> None:
    """So two scores of one person lie a second apart at least, whatever happens between them."""
    assert RECORDED["the same second"]["status"] == 409
    for score in (60, 70, 80):
        send_score(tool, platform, score)
    stamps = [datetime.fromisoformat(asked.json["timestamp"]) for asked in platform.scores()]
    assert [stamp.replace(microsecond=0) - stamps[0] for stamp in stamps] == [
        timedelta(seconds=number) for number in range(3)
    ]


def test_a_score_that_came_through_though_its_answer_was_lost(
    tool: World, platform: Moodle
) -> None:
    """The same again is refused as no newer; Moodle holds what we sent."""
    platform.plays("the same timestamp", "all results")
    assert send_score(tool, platform, 89) == "sent held-already"
    assert len(platform.scores()) == 1


def test_a_mark_from_the_future_blocks_nothing(
    tool: World, platform: Moodle, clock: SetClock
) -> None:
    """Moodle took one dated tomorrow, of ours, and refuses what is earlier."""
    assert send_score(tool, platform, 80, subject="5") == "sent"
    platform.plays("earlier than one from the future", "a score", "all results")
    tomorrow = datetime(2026, 11, 24, 3, 40, 1, tzinfo=UTC)
    for entry in platform.answers["GET", RECORDED["all results"]["path"]][0]["json"]:
        if entry["userId"] == "5":
            entry |= {"resultScore": 80, "timestamp": tomorrow.isoformat()}
    assert send_score(tool, platform, 90, subject="5") == "sent"
    assert datetime.fromisoformat(platform.scores()[-1].json["timestamp"]) > tomorrow


def test_only_a_full_mark_is_ever_sent(tool: World, platform: Moodle) -> None:
    """Anything else would delete the one that is there, and the completion with it."""
    send_score(tool, platform)
    said = platform.scores()[0].json
    assert (said["activityProgress"], said["gradingProgress"]) == ("Completed", "FullyGraded")
    assert said["scoreGiven"] == 85


def test_the_last_one_wins_so_a_lower_one_is_not_sent(tool: World, platform: Moodle) -> None:
    for score in (95, 50):
        assert send_score(tool, platform, score) == "sent"
    assert [asked.json["scoreGiven"] for asked in platform.scores()] == [95]


def test_a_score_of_0_is_sent_and_held(tool: World, platform: Moodle, clock: SetClock) -> None:
    platform.plays("a score of 0")
    assert send_score(tool, platform, 0, subject="7") == "sent"
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
    send_score(tool, platform, 89)
    clock.move(hours=5)
    assert +reconcile(tool.lti) == {"held": 1}
    assert not [asked for asked in platform.asked if "limit" in asked.path]
