"""Moodle's services as they were recorded, and a score that is sent to them."""

from collections.abc import Iterator

import pytest

from lti_tool.lti.services import outbox
from tests.conformance.world import World
from tests.factories.moodle import Moodle, moodle
from tests.factories.scoring import arrive, owe, where

CYCLE = "2026-27"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One kind will do: what Moodle says is no matter of the database."""
    return sqlite_url


@pytest.fixture
def platform(tool: World) -> Iterator[Moodle]:
    with moodle(tool) as recorded:
        yield recorded


def send_score(tool: World, platform: Moodle, score: int = 85, *, subject: str = "3") -> str:
    """A score of Moodle's person number ``subject``; returns its state after one try."""
    visit = arrive(tool, sub=subject, **platform.claim())
    completion_id = owe(tool, visit, score, cycle=CYCLE)
    outbox.send_due(tool.lti)
    delivery = where(tool, completion_id)
    return f"{delivery.state} {delivery.reason_code}".strip()
