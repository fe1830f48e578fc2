"""How packs are made: announced and recorded, by one worker, never half, and not for ever."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text

from lti_tool.app import ROOT
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints import checking
from lti_tool.evidence.packs import asking, contents, making
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof.check import check
from tests.conftest import SetClock
from tests.factories.packs import ask, content_of, facts_of, made, pack_row, staffed
from tests.factories.registers import HEMSWELL, browser
from tests.integration.core.test_ledger import disarm


def test_the_export_is_in_the_ledger_before_and_after(app: Flask, database: Database) -> None:
    head = staffed(database)
    pack_id = ask(app, head)
    assert [one["pack"] for one in facts_of(database, "pack-asked")] == [str(pack_id)]
    assert facts_of(database, "pack-made") == []
    maker = maker_of(app)
    with app.app_context():
        assert making.make(maker, pack_id) == "ready"
        assert making.make(maker, pack_id) == ""
    data = content_of(maker, pack_id)
    (made_,) = facts_of(database, "pack-made")
    row = pack_row(database, pack_id)
    assert made_["sha256"] == row.sha256 == sha256(data).hexdigest()
    assert made_["code"] == check(data).codes[HEMSWELL]
    assert (row.state, row.progress, row.size) == ("ready", 100, len(data))
    with database.reading() as session:
        entries, signed, fault = checking.verify(session, maker.keys, school_id=HEMSWELL)
    assert (signed, fault) == (1, None)
    assert entries == check(data).manifest["entries"] + 2  # the grant before, the pack after


STAGES = {
    "reading": "making.contents.write",
    "laying out": "making.container.write",
    "checking": "making._must_hold",
    "saying so": "making._finish",
    "the entry": "making.ledger.append",
}
CHILD = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from lti_tool.core.database import Database
from lti_tool.evidence.packs import making
from lti_tool.evidence.packs.tasks import maker_of
from tests.conftest import SetClock
from tests.factories.registers import running

folder, url, pack_id, stage = sys.argv[1:]
owner, _, name = stage.rpartition(".")
holder = making
for part in owner.split(".")[1:]:
    holder = getattr(holder, part)
setattr(holder, name, lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL))
with running(Path(folder), Database(url), SetClock()) as app, app.app_context():
    making.make(maker_of(app), UUID(pack_id))
"""


@pytest.mark.parametrize(
    ("database_url", "stage"),
    [
        *(("sqlite", one) for one in STAGES),
        *(
            pytest.param("postgres", one, marks=pytest.mark.postgres)
            for one in ("checking", "the entry")
        ),
    ],
    indirect=["database_url"],
)
def test_a_worker_that_is_killed_leaves_no_half_pack_and_no_false_entry(
    app: Flask, database: Database, clock: SetClock, tmp_path: Path, stage: str
) -> None:
    head = staffed(database, number=2)
    pack_id, maker = ask(app, head), maker_of(app)
    url = database.engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), url, str(pack_id), STAGES[stage]],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    row = pack_row(database, pack_id)
    assert row.state == "making"
    with pytest.raises(ToolError, match="pack-gone"):
        asking.content_of(maker.drawer, row)
    assert facts_of(database, "pack-made") == []
    assert len(facts_of(database, "pack-asked")) == 1
    with database.reading() as session:
        assert checking.verify(session, maker.keys, school_id=HEMSWELL)[2] is None

    with app.app_context():
        assert making.make_due(maker) == 0
        clock.now += making.LEASE + timedelta(seconds=1)
        assert making.make_due(maker) == 1
    asking.remove_old(database, maker.drawer, maker.folder, now=clock.now)
    assert [path.name for path in maker.folder.iterdir()] == [f"{pack_id}-2.zip"]
    assert check(content_of(maker, pack_id)).findings == []
    assert len(facts_of(database, "pack-made")) == 1


def test_whoever_was_overtaken_gives_way(
    app: Flask, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id, maker = ask(app, staffed(database, number=1)), maker_of(app)
    whole, overtaken = making._must_hold, []

    def slow(maker: making.Maker, data: bytes) -> None:
        monkeypatch.setattr(making, "_must_hold", whole)
        clock.now += making.LEASE + timedelta(seconds=1)
        overtaken.append(making.make(maker, pack_id))

    monkeypatch.setattr(making, "_must_hold", slow)
    with app.app_context():
        assert making.make(maker, pack_id) == "failed"
    assert overtaken == ["ready"]
    assert pack_row(database, pack_id).state == "ready"
    assert maker.drawer.names("") == [f"{pack_id}-2.zip"]
    assert len(facts_of(database, "pack-made")) == 1


def test_a_broken_ledger_and_a_dying_worker_end_in_a_failure_that_is_said(
    app: Flask, database: Database, clock: SetClock
) -> None:
    head = staffed(database, number=1)
    pack_id, maker = ask(app, head), maker_of(app)
    with database.transaction() as session:
        session.get_one(Pack, pack_id).attempts = making.MOST_ATTEMPTS
    with app.app_context():
        assert making.make_due(maker) == 0
    assert pack_row(database, pack_id).reason == "pack-failed"

    other = ask(app, head)
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(text("UPDATE ledger_entry SET hash = 'x' WHERE sequence = 1"))
    with app.app_context():
        assert making.make(maker, other) == "failed"
    assert pack_row(database, other).reason == "ledger-broken"
    assert "was altered or lost outside the tool" in browser(app, head).get("/packs").text


def test_a_pack_that_would_not_pass_is_not_handed_out(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id, maker = ask(app, staffed(database, number=1)), maker_of(app)
    monkeypatch.setattr(
        contents, "_counted", lambda checkpoint, parts: {"annual-refresh 2026-27": 7}
    )
    with app.app_context():
        assert making.make(maker, pack_id) == "failed"
    assert pack_row(database, pack_id).reason == "pack-unsound"
    assert list(maker.folder.iterdir()) == []


def test_old_packs_go(app: Flask, database: Database, clock: SetClock) -> None:
    head = staffed(database, number=1)
    made(app, head)
    maker = maker_of(app)
    assert asking.remove_old(database, maker.drawer, maker.folder, now=clock.now) == 0
    assert len(list(maker.folder.iterdir())) == 1
    clock.now += asking.KEPT + timedelta(hours=1)
    assert asking.remove_old(database, maker.drawer, maker.folder, now=clock.now) == 1
    assert list(maker.folder.iterdir()) == []
    with database.reading() as session:
        assert [one.state for one in session.scalars(select(Pack))] == ["removed"]


def test_no_more_than_three_are_made_at_once(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    for _ in range(3):
        ask(app, head)
    with pytest.raises(ToolError, match="packs-under-way"):
        ask(app, head)


def test_no_personal_value_is_in_the_open(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    made(app, head)
    with database.reading() as session:
        for body in session.scalars(select(LedgerEntry.body)):
            assert str(head.person_id).encode() not in body
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None
