"""Line items and scores as Moodle keeps them (AGS 2.0 and Moodle 4.5's own ways with it).

Pure: no HTTP and no clock. What Moodle refuses is raised as `Refused`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_FIRST_MADE_BY_A_TOOL = 1001
_PRESENT = ("userId", "timestamp", "gradingProgress", "activityProgress")


class Refused(Exception):
    """The request is turned down. Moodle tells why in the status line only.

    `bare` is True where the body is `[]`, as for every refused score.
    """

    def __init__(self, status: int, reason: str, *, bare: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.bare = bare


class Broken(Exception):
    """Moodle itself falls over here: a 502 page from the web server in front of it."""


@dataclass
class LineItem:
    id: int
    course_id: str
    label: str
    score_maximum: float
    resource_id: str = ""
    tag: str = ""
    resource_link_id: str | None = None


@dataclass
class Grade:
    """What the gradebook holds for one person and item.

    `timestamp` is the last score's, in whole seconds: Moodle compares no finer. `score` is None
    once cleared; the timestamp stays. `overridden` and `locked` are what a teacher may do by hand.
    """

    timestamp: int = 0
    score: float | None = None
    comment: str | None = None
    activity_progress: str = ""
    grading_progress: str = ""
    overridden: bool = False
    locked: bool = False


@dataclass
class Gradebook:
    items: dict[int, LineItem] = field(default_factory=dict)
    grades: dict[tuple[int, str], Grade] = field(default_factory=dict)

    def item(self, item_id: int) -> LineItem:
        if item_id not in self.items:
            raise Refused(404, f"Not Found: Grade item {item_id} doesn't exist")
        return self.items[item_id]

    def grade(self, item_id: int, user_id: str) -> Grade | None:
        return self.grades.get((item_id, user_id))

    def create(self, course_id: str, sent: dict[str, Any], links: set[str]) -> LineItem:
        """A new item. Nothing is ever deduplicated; `links` are the activities it may hang on."""
        if not sent.get("label") or sent.get("scoreMaximum") is None:
            raise Refused(400, "No label or Score Maximum")
        link = sent.get("resourceLinkId")
        if link is not None and link not in links:
            raise Refused(403, "Forbidden")
        item_id = max([*self.items, _FIRST_MADE_BY_A_TOOL - 1]) + 1
        self.items[item_id] = LineItem(item_id, course_id, "", 0)
        return self.update(item_id, sent)

    def update(self, item_id: int, sent: dict[str, Any]) -> LineItem:
        """Set everything from `sent`; a PUT without `resourceLinkId` unbinds the item."""
        item = self.item(item_id)
        item.label = str(sent["label"])
        item.score_maximum = float(sent["scoreMaximum"])
        item.resource_id = sent.get("resourceId", "")
        item.tag = sent.get("tag", "")
        item.resource_link_id = sent.get("resourceLinkId")
        return item

    def delete(self, item_id: int) -> None:
        """Moodle lets a tool delete even the activity's own item, and its grades with it."""
        del self.items[self.item(item_id).id]
        self.grades = {key: grade for key, grade in self.grades.items() if key[0] != item_id}

    def record_score(
        self, item_id: int, body: bytes, *, is_gradable: Callable[[str], bool]
    ) -> Grade:
        """Take one score. The last write wins, whatever it says.

        Raises Refused (400 unusable or person not gradable, 409 not newer in whole seconds, 500
        locked) and Broken (a user id that is not a number).
        """
        item = self.item(item_id)
        sent = _readable_score(body)
        user_id = str(sent["userId"])
        if not user_id.isdigit():
            raise Broken
        if not is_gradable(user_id):
            raise _incorrect(body)
        grade = self.grades.setdefault((item_id, user_id), Grade())
        timestamp = int(_instant(sent["timestamp"]).timestamp())
        if grade.timestamp >= timestamp:
            reason = f"Refusing score with an earlier timestamp for item {item_id}"
            raise Refused(409, f"{reason} and user {user_id}", bare=True)
        if grade.locked:
            raise Refused(500, "Internal Server Error", bare=True)
        grade.timestamp = timestamp
        grade.activity_progress = str(sent["activityProgress"])
        grade.grading_progress = str(sent["gradingProgress"])
        if not grade.overridden:
            grade.comment = sent.get("comment")
            grade.score = _score_of(sent, item.score_maximum)
        return grade

    def override(self, item_id: int, user_id: str, score: float | None) -> None:
        """A teacher types a grade by hand: later scores are taken but do not show."""
        grade = self.grades.setdefault((item_id, user_id), Grade())
        grade.score, grade.overridden = score, True

    def lock(self, item_id: int, user_id: str) -> None:
        """A teacher locks a grade: later scores are answered with 500."""
        self.grades.setdefault((item_id, user_id), Grade()).locked = True


def _readable_score(body: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(body)
    except ValueError:
        raise _incorrect(body) from None
    if not isinstance(sent, dict) or any(sent.get(name) is None for name in _PRESENT):
        raise _incorrect(body)
    given, maximum = sent.get("scoreGiven"), sent.get("scoreMaximum")
    try:
        _instant(sent["timestamp"])
        unusable = given is not None and (maximum is None or float(given) != float(given))
        float(maximum if maximum is not None else 1)
    except (TypeError, ValueError):
        raise _incorrect(body) from None
    if unusable:
        raise _incorrect(body)
    return sent


def _incorrect(body: bytes) -> Refused:
    """Moodle repeats the whole payload in the status line."""
    return Refused(400, f"Incorrect score received{body.decode(errors='replace')}", bare=True)


def _instant(value: object) -> datetime:
    """ISO 8601 with a date in front; without a zone it is read in the server's, here UTC."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("not ISO 8601")
    instant = datetime.fromisoformat(value)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _score_of(sent: dict[str, Any], item_maximum: float) -> float | None:
    """The score on the item's scale, clamped. None, which clears, unless fully graded."""
    if sent["gradingProgress"] != "FullyGraded" or sent.get("scoreGiven") is None:
        return None
    score, maximum = float(sent["scoreGiven"]), float(sent["scoreMaximum"])
    if maximum:
        score = score / maximum * item_maximum
    return round(min(max(score, 0.0), item_maximum), 5)
