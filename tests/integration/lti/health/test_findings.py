"""A connection's health: what is found where something is wrong, by command."""

import json
import socket
import time
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from lti_tool.cli import clauseway
from lti_tool.core.outside import PATIENCE
from lti_tool.curriculum.catalogue import Kept
from lti_tool.lti.claims import LINE_ITEM_SCOPE, MEMBERS_SCOPE, RESULT_SCOPE, SCORE_SCOPE
from lti_tool.lti.health import asking
from lti_tool.lti.health.words import SAID, STATES, SUBJECTS, Finding, line
from lti_tool.lti.models import BLOCKED, Registration, ScoreOutbox
from lti_tool.lti.platforms import disable_platform
from lti_tool.lti.services import outbox
from lti_tool.lti.services.breaker import OPENS_AFTER, failed
from tests.conformance.world import AGS, NRPS, OTHER, SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import owe
from tests.factories.servers import answering


def check(tool: World, *options: str, name: str = "The platform") -> tuple[int, str]:
    command = ["platforms", "check", name, *options]
    info = ScriptInfo(create_app=lambda: tool.app)
    run = CliRunner().invoke(clauseway, command, obj=info)
    assert run.exception is None or isinstance(run.exception, SystemExit), run.output
    return run.exit_code, run.output


def found(tool: World, name: str = "The platform") -> dict[str, str]:
    """The code of each subject; of several the last."""
    _, said = check(tool, "--json", name=name)
    return {line["subject"]: line["code"] for line in json.loads(said)["lines"]}


WELL = {
    "registration": "enabled",
    "keys": "keys-read",
    "scores": "granted",
    "results": "granted",
    "line-items": "granted",
    "members": "granted",
    "roster": "roster-read",
    "clock": "clock-right",
    "school": "school-open",
    "launch": "launched",
    "score": "never-scored",
}


def test_nothing_is_wrong(connected: World) -> None:
    before = connected.counts()
    assert found(connected) == WELL
    code, said = check(connected)
    assert code == 0
    assert "ok         The platform’s keys: They can be read." in said
    assert "23 November 2026, 09:00" in said  # the last launch
    assert connected.counts() == before  # neither a token nor a member was kept


def test_nobody_has_come_yet(tool: World) -> None:
    codes = found(tool)
    assert codes["launch"] == "never-launched"
    assert codes["roster"] == "roster-nowhere"
    assert codes["members"] == "granted"


@pytest.mark.parametrize(
    ("target", "kind", "codes"),
    [
        ("jwks", "500", {"keys": "keys-refused"}),
        ("jwks", "404", {"keys": "keys-refused"}),
        ("jwks", "html", {"keys": "keys-none"}),
        ("jwks", "reset", {"keys": "keys-silent"}),
        ("token", "401", {"scores": "token-refused", "roster": "roster-no-leave"}),
        ("token", "403", {"members": "token-refused"}),
        ("token", "429", {"results": "token-away"}),
        ("token", "503", {"line-items": "token-away"}),
        ("token", "html", {"scores": "token-unreadable"}),
        ("token", "reset", {"scores": "token-silent", "roster": "roster-no-leave"}),
        ("nrps", "401", {"roster": "roster-refused", "members": "granted"}),
        ("nrps", "404", {"roster": "roster-refused"}),
        ("nrps", "html", {"roster": "roster-unreadable"}),
    ],
)
def test_faults(connected: World, target: str, kind: str, codes: dict[str, str]) -> None:
    connected.platform.faults.put(target, kind)
    all_codes = found(connected)
    assert {subject: all_codes[subject] for subject in codes} == codes
    code, said = check(connected)
    assert code == 1
    assert "fault" in said
    if kind.isdigit():
        assert f"{kind} " in said  # in words: 503 Service Unavailable


@pytest.mark.parametrize(
    ("subject", "scope"),
    [("scores", SCORE_SCOPE), ("results", RESULT_SCOPE), ("members", MEMBERS_SCOPE)],
)
def test_leave_that_launches_promise_is_not_given(
    connected: World, subject: str, scope: str
) -> None:
    connected.platform.scopes.discard(scope)
    assert found(connected)[subject] == "withdrawn"
    code, said = check(connected)
    assert code == 1
    assert "400 Bad Request, invalid_scope" in said
    assert ("Names and Role" if subject == "members" else "Assignment and Grade") in said


def test_leave_that_nobody_promised_may_have_been_left_out(tool: World) -> None:
    assert tool.launch(**{AGS: {"scope": []}, NRPS: {}}).status_code == 303
    tool.platform.scopes.clear()
    codes = found(tool)
    assert {codes[name] for name in ("scores", "results", "line-items", "members")} == {"left-out"}
    assert codes["roster"] == "roster-nowhere"
    assert check(tool)[0] == 0


def test_one_of_two_scopes_will_do(connected: World) -> None:
    connected.platform.scopes.discard(LINE_ITEM_SCOPE)
    assert found(connected)["line-items"] == "granted"


def test_a_platform_that_has_another_key_of_ours(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected.platform, "tool_key", lambda kid, afresh: None)
    assert found(connected)["scores"] == "key-unknown"
    said = check(connected)[1]
    assert f"{connected.url}/lti/jwks" in said
    assert "Signature verification failed" in said


def test_a_client_id_that_the_platform_does_not_know(tool: World) -> None:
    tool.register("other", OTHER, client_id="another", name="Another")
    assert found(tool, "Another")["scores"] == "client-unknown"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (0, "clock-right"),
        (4, "clock-right"),
        (15, "clock-off"),
        (-8, "clock-off"),
        (45, "clock-ahead"),
        (-20, "clock-behind"),
    ],
)
def test_clocks_that_differ(connected: World, clock: SetClock, seconds: int, code: str) -> None:
    connected.platform.clock = lambda: clock() + timedelta(seconds=seconds)
    assert found(connected)["clock"] == code
    said = check(connected)[1]
    if code != "clock-right":
        assert f"{abs(seconds)} seconds" in said
    assert ("clock-refused" in check(connected, "--json")[1]) is (seconds < -10)


def test_a_date_that_something_in_between_kept_says_nothing(connected: World) -> None:
    body = json.dumps({"keys": [connected.platform.keys[0].to_jwk()]}).encode()

    def answer(connection: socket.socket) -> None:
        connection.recv(10_000)
        connection.sendall(
            b"HTTP/1.0 200 OK\r\nDate: Mon, 01 Jan 2001 00:00:00 GMT\r\nAge: 9\r\n\r\n" + body
        )

    with answering(answer) as url:
        connected.register(SCHOOL, SCHOOL, jwks_url=url, auth_token_url=url)
        assert found(connected)["clock"] == "clock-unknown"


def test_everything_silent_takes_no_more_than_five_seconds(
    connected: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE <= 4.5  # and here, to be quicker
    monkeypatch.setattr(asking, "PATIENCE", 2)
    with answering(lambda connection: time.sleep(8)) as url:
        connected.register(SCHOOL, SCHOOL, jwks_url=url, auth_token_url=url)
        started = time.monotonic()
        codes = found(connected)
        assert time.monotonic() - started < 5, "all asked at once, and not in turn"
    assert codes["keys"] == "keys-silent"
    assert codes["scores"] == codes["members"] == "token-silent"
    assert codes["clock"] == "clock-unknown"
    assert codes["launch"] == "launched"


def test_a_list_that_is_slow_is_no_fault(connected: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.7)
    connected.platform.faults.put("nrps", "slow", seconds=1.5)
    assert found(connected)["roster"] == "roster-slow"


def test_a_private_address_is_told_apart(connected: World) -> None:
    connected.register(SCHOOL, SCHOOL, jwks_url="https://10.1.2.3/jwks")
    assert found(connected)["keys"] == "keys-private"
    assert "CLAUSEWAY_PRIVATE_HOSTS" in check(connected)[1]


def test_a_platform_that_was_switched_off_is_not_asked(connected: World) -> None:
    with connected.database.transaction() as session:
        row = session.get_one(Registration, connected.registration_id)
        disable_platform(session, row, now=connected.lti.clock())
    connected.platform.requests_seen.clear()
    codes = found(connected)
    assert codes["registration"] == "disabled"
    assert "keys" not in codes
    assert not connected.platform.requests_seen
    assert check(connected)[0] == 1


def test_scores_that_were_sent_that_wait_and_that_are_stuck(
    connected: World, clock: SetClock
) -> None:
    owe(connected, connected.visits()[-1])
    outbox.send_due(connected.lti)
    assert found(connected)["score"] == "scored"
    connected.platform.gradebook.grades.clear()
    assert connected.launch(sub="2002").status_code == 303
    owe(connected, connected.visits()[-1])
    assert found(connected)["score"] == "scored"  # it has not waited long
    clock.move(hours=2)
    assert found(connected)["score"] == "scores-wait"
    with connected.database.transaction() as session:
        for row in session.query(ScoreOutbox).filter(ScoreOutbox.sent_at.is_(None)):
            row.state, row.reason = BLOCKED, "overridden"
    assert found(connected)["score"] == "scored"  # changed there by hand is nobody's trouble
    with connected.database.transaction() as session:
        for row in session.query(ScoreOutbox).filter(ScoreOutbox.sent_at.is_(None)):
            row.reason = "refused"
    assert found(connected)["score"] == "scores-stuck"


def test_a_platform_that_is_left_alone(connected: World) -> None:
    now = connected.lti.clock()
    with connected.database.transaction() as session:
        for _ in range(OPENS_AFTER):
            failed(session, connected.registration_id, now=now)
    assert found(connected)["score"] == "left-alone"
    assert "not answered since 23 November 2026, 09:00" in check(connected)[1]


@pytest.mark.parametrize("code", ["school-kept", "school-closed", "school-gone"])
def test_a_school_at_fault(connected: World, code: str) -> None:
    extensions = connected.app.extensions
    catalogue = extensions["catalogue"]
    slug = {"school-closed": "wren-spinney", "school-gone": "never-was"}.get(code, SCHOOL)
    kept = {SCHOOL: Kept(connected.lti.clock(), {}, ("a fault",))} if slug == SCHOOL else {}
    connected.register(SCHOOL, slug)
    object.__setattr__(catalogue, "kept", kept)
    assert found(connected)["school"] == code


@pytest.mark.parametrize("code", SAID)
def test_every_finding_has_words(tool: World, code: str) -> None:
    class Any_(dict[str, Any]):
        def __missing__(self, name: str) -> str:
            return name

    facts = dict.fromkeys(
        [
            "platform",
            "at",
            "count",
            "host",
            "url",
            "status",
            "our_keys",
            "client_id",
            "within",
            "seconds",
            "since",
            "school",
        ],
        "x",
    )
    with tool.app.test_request_context():
        for subject in SUBJECTS:
            said = line(Finding(subject, code, facts))
            assert said.says
            assert "%(" not in said.says + said.does
        assert SAID[code].state in STATES
        assert said.does or SAID[code].state == "ok" or code in ("left-out", "withdrawn")
