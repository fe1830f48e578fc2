"""Our own keys, as files; and the platforms', as they are fetched."""

import base64
import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask, Response, jsonify

from lti_tool.config import Config
from lti_tool.core.errors import ToolError
from lti_tool.lti.keys import PlatformKeys, ToolKeys, open_tool_keys, read_keys
from lti_tool.lti.outside import Answer, Outage, Outside
from sandbox_lms.serve import running
from sandbox_lms.tokens import Key
from tests.conftest import SetClock

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOW)


def test_the_first_start_makes_a_key_that_only_its_owner_reads(
    tmp_path: Path, clock: SetClock
) -> None:
    folder = tmp_path / "keys"
    keys = open_tool_keys(folder, clock)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_tool_keys(folder, clock).kids() == keys.kids() == [file.stem]
    assert keys.signing()[0] == file.stem


def test_the_key_set_holds_nothing_private(tmp_path: Path, clock: SetClock) -> None:
    (key,) = open_tool_keys(tmp_path, clock).jwks()["keys"]
    assert key.keys() == {"kty", "use", "alg", "kid", "n", "e"}


def test_a_new_key_is_published_for_an_hour_before_it_signs(
    tmp_path: Path, clock: SetClock
) -> None:
    keys = open_tool_keys(tmp_path, clock)
    first = keys.signing()[0]
    clock.move(days=1)
    second = keys.rotate()
    assert [key["kid"] for key in keys.jwks()["keys"]] == [first, second]
    clock.move(minutes=59)
    assert keys.signing()[0] == first
    clock.move(minutes=1, seconds=1)
    assert keys.signing()[0] == second
    assert open_tool_keys(tmp_path, clock).signing()[0] == second


def test_rotation_keeps_the_old_key_published_for_thirty_days(
    tmp_path: Path, clock: SetClock
) -> None:
    keys = open_tool_keys(tmp_path, clock)
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
    keys = open_tool_keys(tmp_path, clock)
    clock.move(days=1)
    keys.rotate()
    made = keys.rotate(at_once=True)
    assert keys.kids() == [made]
    assert keys.signing()[0] == made


def test_a_key_made_or_taken_away_by_another_process_is_seen(
    tmp_path: Path, clock: SetClock
) -> None:
    ours, theirs = open_tool_keys(tmp_path, clock), ToolKeys(tmp_path, clock)
    (first,) = ours.kids()
    for _ in range(3):  # within one tick of the folder's own clock
        clock.move(seconds=1)
        made = theirs.rotate()
        assert made in ours.kids()
    assert ours.signing()[0] == theirs.signing()[0] == first
    theirs.rotate(at_once=True)
    assert ours.kids() == theirs.kids()


class Keyset:
    """A platform's key set: how often it was asked, and whether it answers."""

    def __init__(self) -> None:
        self.keys = [Key.generate()]
        self.asked, self.is_away, self.wait = 0, False, threading.Event()
        self.wait.set()
        self.app = Flask("keys")
        self.app.add_url_rule("/jwks", "jwks", self.answer)

    def answer(self) -> Response:
        self.asked += 1
        self.wait.wait(5)
        if self.is_away:
            return Response("<html>", 503)
        return jsonify({"keys": [key.to_jwk() for key in self.keys]})


@pytest.fixture
def keyset() -> Iterator[tuple[Keyset, Callable[[str, datetime], object]]]:
    keyset, registration_id = Keyset(), uuid4()
    with running(keyset.app) as url:
        platform_keys = PlatformKeys(Outside(Config(instance=Path("."))))
        yield (
            keyset,
            lambda kid, now: platform_keys.get(registration_id, f"{url}/jwks", kid, now=now),
        )


Given = tuple[Keyset, Callable[[str, datetime], object]]


def test_keys_are_looked_at_again_after_an_hour(keyset: Given) -> None:
    platform, get = keyset
    kid = platform.keys[0].kid
    key = get(kid, NOW)
    assert get(kid, NOW + timedelta(minutes=59)) is key
    assert platform.asked == 1
    platform.keys = [Key.generate()]
    with pytest.raises(ToolError, match="launch-token-invalid"):
        get(kid, NOW + timedelta(minutes=61))


def test_keys_we_hold_outlast_an_outage_of_a_day(keyset: Given) -> None:
    platform, get = keyset
    kid = platform.keys[0].kid
    get(kid, NOW)
    platform.is_away = True
    assert get(kid, NOW + timedelta(hours=23))
    with pytest.raises(ToolError, match="platform-keys-unavailable"):
        get(kid, NOW + timedelta(hours=25))
    platform.is_away = False
    assert get(kid, NOW + timedelta(hours=25, seconds=4))


@pytest.mark.parametrize("is_away", [False, True])
def test_many_who_wait_share_one_fetch(keyset: Given, is_away: bool) -> None:
    platform, get = keyset
    platform.is_away = is_away
    platform.wait.clear()
    found: list[str] = []

    def ask() -> None:
        try:
            get(platform.keys[0].kid, NOW)
            found.append("key")
        except ToolError as refusal:
            found.append(refusal.code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    while not platform.asked:
        time.sleep(0.01)
    time.sleep(0.1)  # by now the others wait too
    platform.wait.set()
    for thread in threads:
        thread.join()
    assert platform.asked == 1
    assert found == ["platform-keys-unavailable" if is_away else "key"] * 6


def test_keys_we_hold_are_used_while_somebody_asks_for_newer_ones(keyset: Given) -> None:
    platform, get = keyset
    kid = platform.keys[0].kid
    key = get(kid, NOW)
    platform.wait.clear()
    asking = threading.Thread(target=get, args=(kid, NOW + timedelta(hours=2)))
    asking.start()
    while platform.asked < 2:
        time.sleep(0.01)
    started = time.monotonic()
    assert get(kid, NOW + timedelta(hours=2)) is key
    assert time.monotonic() - started < 1
    platform.wait.set()
    asking.join()


def test_a_clock_that_is_set_back_prolongs_no_outage(keyset: Given) -> None:
    platform, get = keyset
    platform.is_away = True
    with pytest.raises(ToolError, match="platform-keys-unavailable"):
        get("any", NOW)
    platform.is_away = False
    assert get(platform.keys[0].kid, NOW - timedelta(hours=1))


def test_large_keys_take_no_time() -> None:
    """From a private key without its primes they were looked for: at 20000 bits for half a
    minute, in which nothing else of the process ran."""
    number = base64.urlsafe_b64encode(b"\xff" * 2500).decode()
    entry = {"kty": "RSA", "kid": "k", "n": number, "e": "AQAB"}
    began = time.monotonic()
    for key in (entry, entry | {"d": number}):
        with pytest.raises(Outage):
            read_keys(Answer(200, json.dumps({"keys": [key]}).encode(), {}))
    assert time.monotonic() - began < 1
