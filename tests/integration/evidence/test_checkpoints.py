"""Checkpoints over real ledgers: what is signed for, and what shows that it changed."""

import stat
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.drawers import Folder
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints import checking, making, tree
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.models import Checkpoint, LedgerTile
from lti_tool.evidence.cli import evidence
from lti_tool.evidence.proof.codes import code_of, read_code
from lti_tool.evidence.proof.merkle import (
    consistency_path,
    inclusion_path,
    is_consistent,
    leaf_hash,
    root_by,
    subtree_of,
)
from lti_tool.evidence.proof.statements import Signed, shown_fingerprint
from tests.factories.registers import GLENMERE, HEMSWELL, NOW
from tests.integration.core.test_ledger import disarm


@pytest.fixture
def keys(tmp_path: Path) -> EvidenceKeys:
    return EvidenceKeys(Folder(tmp_path / "evidence-keys"))


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four hashes a tile instead of 256, so that a few entries make several levels."""
    for module in (tree, making):
        monkeypatch.setattr(module, "WIDTH", 4)
    monkeypatch.setattr(tree, "BITS", 2)


def write(database: Database, number: int, kind: str = "test", school: str = HEMSWELL) -> None:
    for index in range(number):
        with database.transaction() as session:
            facts: dict[str, ledger.Value] = {"n": index, "module": "induction", "cycle": "2026-27"}
            ledger.append(session, school_id=school, kind=kind, facts=facts, now=NOW)


def make(database: Database, keys: EvidenceKeys, school: str = HEMSWELL) -> Checkpoint:
    made = making.make(database, keys, school_id=school, why="asked", now=NOW)
    assert made is not None
    return made


def leaves(session: Session) -> list[bytes]:
    found = session.scalars(
        select(LedgerEntry.hash)
        .where(LedgerEntry.school_id == HEMSWELL)
        .order_by(LedgerEntry.sequence)
    )
    return [leaf_hash(bytes.fromhex(one)) for one in found]


@pytest.mark.usefixtures("small_tiles")
def test_every_size_has_the_root_and_the_proofs_of_a_plain_tree(
    database: Database, keys: EvidenceKeys
) -> None:
    for _ in range(12):
        write(database, 3)
        made = make(database, keys)
        with database.reading() as session:
            plain = subtree_of(leaves(session))
            assert bytes.fromhex(made.root) == plain(0, made.size)
            stored = tree.Tree(session, school_id=HEMSWELL, size=made.size)
            for index in range(made.size):
                path = inclusion_path(index, made.size, stored.subtree)
                assert path == inclusion_path(index, made.size, plain)
            for first in range(1, made.size):
                path = consistency_path(first, made.size, stored.subtree)
                assert path == consistency_path(first, made.size, plain)
    with database.reading() as session:
        levels = session.scalars(select(LedgerTile.level).order_by(LedgerTile.level)).all()
        assert list(levels) == [0] * 9 + [1] * 2


def test_a_checkpoint_says_what_it_signs_for(database: Database, keys: EvidenceKeys) -> None:
    write(database, 2)
    write(database, 3, "completion")
    first = make(database, keys)
    signed = Signed(first.text, first.signature, first.public_key)
    assert signed.holds()
    assert first.text == ledger.canonical(signed.said())
    said = signed.said()
    assert said["records"] == {"induction 2026-27": 3}
    assert (said["school"], said["size"], said["root"]) == (HEMSWELL, 5, first.root)
    assert said["key"] == first.key == keys.fingerprint()
    assert read_code(first.code) == code_of(first.text, first.signature)

    write(database, 1, "completion")
    second = make(database, keys)
    later = Signed(second.text, second.signature, second.public_key).said()
    assert later["records"] == {"induction 2026-27": 4}
    assert later["previous"] == sha256(first.text).hexdigest()
    with database.reading() as session:
        stored = tree.Tree(session, school_id=HEMSWELL, size=6)
        assert is_consistent(
            consistency_path(5, 6, stored.subtree),
            first=5,
            first_root=bytes.fromhex(first.root),
            second=6,
            second_root=bytes.fromhex(second.root),
        )
        assert later["head"] == session.scalar(
            select(LedgerEntry.hash).where(LedgerEntry.sequence == 6)
        )
        path = inclusion_path(1, 6, stored.subtree)
        assert root_by(path, leaf=leaves(session)[1], index=1, size=6) == bytes.fromhex(second.root)


def test_nothing_new_is_signed_for_once(database: Database, keys: EvidenceKeys) -> None:
    assert making.make(database, keys, school_id=HEMSWELL, why="daily", now=NOW) is None
    write(database, 1)
    write(database, 1, school=GLENMERE)
    assert make(database, keys).id == make(database, keys).id
    assert making.make_daily(database, keys, now=NOW) == 0
    with database.reading() as session:
        made = session.execute(select(Checkpoint.school_id, Checkpoint.why)).all()
    assert {tuple(one) for one in made} == {(HEMSWELL, "asked"), (GLENMERE, "daily")}


def test_makers_at_once_sign_the_same(database: Database, keys: EvidenceKeys) -> None:
    write(database, 3)
    keys.fingerprint()
    made: list[Checkpoint] = []
    makers = [threading.Thread(target=lambda: made.append(make(database, keys))) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert len({one.code for one in made}) == 1
    assert len(made) == 4


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("number", [2, 12])
def test_a_ledger_that_was_altered_is_not_signed_for(
    database: Database, keys: EvidenceKeys, number: int
) -> None:
    """Whether the altered entry had been signed for before or not."""
    write(database, 9)
    make(database, keys)
    write(database, 4)
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(
            text("UPDATE ledger_entry SET hash = :hash WHERE sequence = :number"),
            {"hash": "0" * 64, "number": number},
        )
        connection.execute(text("DELETE FROM ledger_tile"))
    with pytest.raises(ToolError) as refused:
        make(database, keys)
    assert refused.value.code == "ledger-broken"
    assert making.make_daily(database, keys, now=NOW) == 1
    with database.reading() as session:
        assert len(session.scalars(select(Checkpoint)).all()) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE checkpoint SET code = 'x'",
        "DELETE FROM checkpoint",
        "UPDATE ledger_tile SET number = 9",
        "DELETE FROM ledger_tile",
    ],
)
def test_the_database_refuses_to_change_what_was_signed(
    database: Database, keys: EvidenceKeys, statement: str, small_tiles: None
) -> None:
    write(database, 5)
    make(database, keys)
    with (
        pytest.raises(DBAPIError, match="append-only"),
        database.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.exec_driver_sql(statement)


def alter(database: Database, statement: str) -> None:
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE checkpoint SET root = 'x' WHERE size = 2", "columns"),
        ("UPDATE checkpoint SET code = 'x' WHERE size = 3", "another code"),
        ("UPDATE checkpoint SET key = 'x' WHERE size = 2", "key of ours"),
        ("UPDATE checkpoint SET signature = public_key WHERE size = 2", "key of ours"),
        ("DELETE FROM checkpoint WHERE size = 2", "does not follow"),
    ],
)
def test_a_changed_checkpoint_is_named(
    database: Database, keys: EvidenceKeys, statement: str, reason: str
) -> None:
    for _ in range(3):
        write(database, 1)
        make(database, keys)
    with database.reading() as session:
        assert checking.verify(session, keys, school_id=HEMSWELL) == (3, 3, None)
    alter(database, statement)
    with database.reading() as session:
        entries, _, fault = checking.verify(session, keys, school_id=HEMSWELL)
    assert entries == 3
    assert fault is not None
    assert reason in fault.reason


def test_a_chain_made_anew_does_not_fit_its_checkpoints(
    database: Database, keys: EvidenceKeys
) -> None:
    """Whoever holds the database can chain other entries; what was signed for shows it."""
    write(database, 3)
    make(database, keys)
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(text("DELETE FROM ledger_entry"))
        connection.execute(
            text("UPDATE ledger_head SET sequence = 0, hash = :no"), {"no": "0" * 64}
        )
    write(database, 3)
    with database.reading() as session:
        entries, signed, fault = checking.verify(session, keys, school_id=HEMSWELL)
    assert (entries, signed) == (3, 0)
    assert fault is not None
    assert "not those the checkpoint" in fault.reason


def test_keys_lie_apart_and_earlier_ones_stay_listed(
    database: Database, keys: EvidenceKeys, tmp_path: Path
) -> None:
    write(database, 1)
    make(database, keys)
    earlier = keys.fingerprint()
    for path in (tmp_path / "evidence-keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    later = keys.rotate(NOW + timedelta(days=3650))
    assert [(one.fingerprint, one.signs) for one in keys.listed()] == [
        (later, True),
        (earlier, False),
    ]
    assert len(list((tmp_path / "evidence-keys").glob("*.pem"))) == 1
    write(database, 1)
    assert make(database, keys).key == later
    with database.reading() as session:
        assert checking.verify(session, keys, school_id=HEMSWELL) == (2, 2, None)


def test_commands(app: Flask, database: Database) -> None:
    app.cli.add_command(evidence)
    run = app.test_cli_runner().invoke
    assert run(args=["evidence", "checkpoint"]).output == "nothing has been recorded yet\n"
    write(database, 2)
    said = run(args=["evidence", "checkpoint"]).output
    assert said.startswith("hemswell-cliff: 2 entries, record check code ")
    read_code(said.rsplit(" ", 1)[1])
    assert '"code": ' in run(args=["evidence", "checkpoint", "--json"]).output
    said = run(args=["evidence", "verify"]).output
    assert said == "hemswell-cliff: 2 entries hold, 1 checkpoints fit\n"
    first = app.extensions["evidence_keys"].fingerprint()
    assert run(args=["evidence", "key"]).output.startswith(shown_fingerprint(first))
    said = run(args=["evidence", "key", "--rotate"]).output
    assert said.count("signs") == said.count("earlier") == 1
    alter(database, "UPDATE ledger_entry SET hash = 'x'")
    write(database, 1)
    refused = run(args=["evidence", "checkpoint"])
    assert refused.exit_code == 1
    assert "nothing was signed" in refused.output
