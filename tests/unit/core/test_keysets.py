"""Others' public keys, fetched from a real server."""

import base64
import json
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
from lti_tool.core.keysets import KeySets, read_keys
from lti_tool.core.outside import Answer, Outage, Outside
from sandbox_lms.serve import running
from sandbox_lms.tokens import Key

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class Keyset:
    """A signer's key set: how often it was asked, and whether it answers."""

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
    keyset, whose = Keyset(), uuid4()
    with running(keyset.app) as url:
        key_sets = KeySets(
            Outside(Config(instance=Path("."))), unknown="token-unknown", away="signer-away"
        )
        yield (
            keyset,
            lambda kid, now: key_sets.get(whose, f"{url}/jwks", kid, now=now),
        )


Given = tuple[Keyset, Callable[[str, datetime], object]]


def test_keys_are_looked_at_again_after_an_hour(keyset: Given) -> None:
    platform, get = keyset
    kid = platform.keys[0].kid
    key = get(kid, NOW)
    assert get(kid, NOW + timedelta(minutes=59)) is key
    assert platform.asked == 1
    platform.keys = [Key.generate()]
    with pytest.raises(ToolError, match="token-unknown"):
        get(kid, NOW + timedelta(minutes=61))


def test_keys_we_hold_outlast_an_outage_of_a_day(keyset: Given) -> None:
    platform, get = keyset
    kid = platform.keys[0].kid
    get(kid, NOW)
    platform.is_away = True
    assert get(kid, NOW + timedelta(hours=23))
    with pytest.raises(ToolError, match="signer-away"):
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
    assert found == ["signer-away" if is_away else "key"] * 6


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
    assert time.monotonic() - started < 4, "and not the five seconds of the fetch"
    platform.wait.set()
    asking.join()


def test_a_clock_that_is_set_back_prolongs_no_outage(keyset: Given) -> None:
    platform, get = keyset
    platform.is_away = True
    with pytest.raises(ToolError, match="signer-away"):
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
    assert time.monotonic() - began < 10
