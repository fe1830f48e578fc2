"""Our own keys, as files."""

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lti_tool.core.drawers import Folder
from lti_tool.lti.keys import ToolKeys, open_tool_keys
from tests.conftest import SetClock

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


def test_the_first_start_makes_a_key_that_only_its_owner_reads(
    tmp_path: Path, clock: SetClock
) -> None:
    folder = tmp_path / "keys"
    keys = open_tool_keys(Folder(folder), clock)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_tool_keys(Folder(folder), clock).kids() == keys.kids() == [file.stem]
    assert keys.signing()[0] == file.stem


def test_the_key_set_holds_nothing_private(tmp_path: Path, clock: SetClock) -> None:
    (key,) = open_tool_keys(Folder(tmp_path), clock).jwks()["keys"]
    assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}


def test_a_new_key_is_published_for_an_hour_before_it_signs(
    tmp_path: Path, clock: SetClock
) -> None:
    keys = open_tool_keys(Folder(tmp_path), clock)
    first = keys.signing()[0]
    clock.move(days=1)
    second = keys.rotate()
    assert [key["kid"] for key in keys.jwks()["keys"]] == [first, second]
    clock.move(minutes=59)
    assert keys.signing()[0] == first
    clock.move(minutes=1, seconds=1)
    assert keys.signing()[0] == second
    assert open_tool_keys(Folder(tmp_path), clock).signing()[0] == second


def test_rotation_keeps_the_old_key_published_for_thirty_days(
    tmp_path: Path, clock: SetClock
) -> None:
    keys = open_tool_keys(Folder(tmp_path), clock)
    (first,) = keys.kids()
    clock.move(days=1)
    second = keys.rotate()
    assert keys.kids() == [first, second]
    clock.move(days=29)
    third = keys.rotate()
    assert keys.kids() == [first, second, third]
    clock.move(days=2)
    fourth = keys.rotate()
    assert keys.kids() == [second, third, fourth]


def test_a_stolen_key_goes_at_once(tmp_path: Path, clock: SetClock) -> None:
    keys = open_tool_keys(Folder(tmp_path), clock)
    clock.move(days=1)
    keys.rotate()
    made = keys.rotate(at_once=True)
    assert keys.kids() == [made]
    assert keys.signing()[0] == made


def test_a_key_made_or_taken_away_by_another_process_is_seen(
    tmp_path: Path, clock: SetClock
) -> None:
    ours, theirs = open_tool_keys(Folder(tmp_path), clock), ToolKeys(Folder(tmp_path), clock)
    (first,) = ours.kids()
    for _ in range(3):  # within one tick of the folder's own clock
        clock.move(seconds=1)
        made = theirs.rotate()
        assert made in ours.kids()
    assert ours.signing()[0] == theirs.signing()[0] == first
    theirs.rotate(at_once=True)
    assert ours.kids() == theirs.kids()
