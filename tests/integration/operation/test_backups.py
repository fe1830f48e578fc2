"""A backup taken while others write, and what a restore makes of it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy.exc import DBAPIError

from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.drawers import Folder
from lti_tool.evidence.checkpoints import making as checkpoints
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.migrations import guards
from lti_tool.operation.backups.archive import BackupError
from lti_tool.operation.backups.making import back_up
from lti_tool.operation.backups.restoring import Restored, restore
from tests.factories.keys import give_key
from tests.factories.registers import GLENMERE, HEMSWELL, arrive

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEY = "20260101T000000000000-00000000.pem"
CLAUSEWAY = Path(sys.executable).with_name("clauseway")


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Config:
    """An installation with keys, settings and a pack."""
    instance = tmp_path / "instance"
    for name in ("secret.key", "clauseway.toml", "packs/one.zip", "logs/x.log"):
        (instance / name).parent.mkdir(parents=True, exist_ok=True)
        (instance / name).write_bytes(name.encode())
    give_key(instance)
    return Config(instance=instance, database_url=database_url)


def write(database: Database, number: int) -> None:
    """An entry of the ledger, and what it is about."""
    school_id = (HEMSWELL, GLENMERE)[number % 2]
    guest = arrive(database, f"Ōdd \\ \t Näme\n{number}", school_id)
    with database.transaction() as session:
        ledger.append(
            session,
            school_id=school_id,
            kind="test",
            facts={"number": number},
            person_id=guest.person_id,
            personal={"person": str(guest.person_id)},
            now=NOW,
        )


@contextmanager
def writing(database: Database) -> Iterator[threading.Event]:
    """Somebody who goes on writing; the event is set each time something was written."""
    stop, wrote = threading.Event(), threading.Event()
    faults: list[BaseException] = []

    def work() -> None:
        number = 1000
        try:
            while not stop.is_set():
                write(database, number)
                number += 1
                wrote.set()
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield wrote
    finally:
        stop.set()
        thread.join()
    assert not faults


def elsewhere(config: Config, tmp_path: Path) -> tuple[Config, bool]:
    """Another machine; PostgreSQL has the same database, over which must be asked for."""
    instance = tmp_path / "elsewhere"
    if config.database_url.startswith("sqlite"):
        return Config(instance=instance, database_url=f"sqlite:///{instance}/new.sqlite3"), False
    return Config(instance=instance, database_url=config.database_url), True


def entries(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {one: ledger.verify(session, school_id=one)[0] for one in ledger.schools(session)}


def test_a_backup_during_writing_is_restored_whole(
    config: Config, database: Database, tmp_path: Path
) -> None:
    for number in range(6):
        write(database, number)
    keys = EvidenceKeys(Folder(config.instance / "evidence-keys"))
    checkpoints.make(database, keys, school_id=HEMSWELL, why="test", now=NOW)
    file = tmp_path / "whole.backup"
    with writing(database) as wrote:
        wrote.wait(10)
        wrote.clear()
        back_up(config, file, now=NOW)
        wrote.clear()
        assert wrote.wait(10), "writing goes on"
    assert file.stat().st_mode & 0o777 == 0o600
    later = entries(database)
    database.engine.dispose()

    there, replace = elsewhere(config, tmp_path)
    restored = restore(there, file, replace=replace, now=NOW)
    assert not restored.broken
    assert len(restored.aside) == int(replace)
    again = Database(there.database_url)
    assert entries(again) == restored.entries
    assert 3 < restored.entries[HEMSWELL] < later[HEMSWELL], "of one moment while others wrote"
    again.engine.dispose()
    _has_the_files(there.instance, config.instance)
    said = subprocess.run(
        [CLAUSEWAY, "evidence", "verify"],
        env=os.environ
        | {
            "CLAUSEWAY_INSTANCE": str(there.instance),
            "CLAUSEWAY_DATABASE_URL": there.database_url,
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f"{HEMSWELL}: {restored.entries[HEMSWELL]} entries hold, 1 checkpoints fit" in said
    _stands_as_before(again)


def _stands_as_before(database: Database) -> None:
    """The ledger's guards are in place, and what comes next can be written."""
    with database.engine.connect() as connection:
        assert guards.missing(connection) == []
    with (
        pytest.raises(DBAPIError, match="append-only"),
        database.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM ledger_entry")
    before = entries(database)[HEMSWELL]
    write(database, 2)
    assert entries(database)[HEMSWELL] == before + 1
    with database.engine.execution_options(writes=True).begin() as connection:
        names = connection.exec_driver_sql("SELECT name FROM person").scalars().all()
        assert "Ōdd \\ \t Näme\n0" in names
    database.engine.dispose()


def _has_the_files(instance: Path, before: Path) -> None:
    for name in ("secret.key", f"keys/{KEY}", "packs/one.zip"):
        assert (instance / name).read_bytes() == (before / name).read_bytes()
        assert (instance / name).stat().st_mode & 0o777 == 0o600
    assert (instance / "clauseway.toml.from-backup").exists(), "this machine's settings stay"
    assert not (instance / "clauseway.toml").exists()
    assert not (instance / "logs").exists()
    assert len(list((instance / "evidence-keys").iterdir())) == 2


def test_nothing_is_restored_over_what_is_there_unless_told(
    config: Config, database: Database, tmp_path: Path
) -> None:
    write(database, 0)
    file = tmp_path / "whole.backup"
    back_up(config, file, now=NOW)
    write(database, 2)
    database.engine.dispose()
    other = Config(instance=tmp_path / "other", database_url=config.database_url)
    with pytest.raises(BackupError, match="not empty"):
        restore(other, file, replace=False, now=NOW)
    with pytest.raises(BackupError, match="holds keys"):
        restore(config, file, replace=False, now=NOW)
    assert entries(database) == {HEMSWELL: 2}
    with pytest.raises(BackupError, match="stop"):
        restore(config, file, replace=True, now=NOW)  # the look above has left a connection open
    assert entries(database) == {HEMSWELL: 2}
    assert (config.instance / "secret.key").exists()
    database.engine.dispose()

    restored = restore(config, file, replace=True, now=NOW)
    assert entries(database) == {HEMSWELL: 1}
    assert len(restored.aside) == 2
    assert (config.instance / "before-restore-20261123T090000/keys" / KEY).exists()
    assert not (config.instance / "restoring").exists()
    _is_kept(database, restored)
    database.engine.dispose()


def _is_kept(database: Database, restored: Restored) -> None:
    name = next(one for one in restored.aside if not one.endswith("/"))
    if database.is_sqlite:
        kept = Database(f"sqlite:///{Path(str(database.engine.url.database)).with_name(name)}")
        assert entries(kept) == {HEMSWELL: 2}
        kept.engine.dispose()
        return
    with database.engine.begin() as connection:
        schema = name.removeprefix("schema ")
        asked = f'SELECT count(*) FROM "{schema}".ledger_entry'
        assert connection.exec_driver_sql(asked).scalar_one() == 2
        connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')


def test_a_migrated_but_empty_database_is_filled(
    config: Config, database: Database, tmp_path: Path
) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
    database.engine.dispose()
    file = tmp_path / "whole.backup"
    back_up(config, file, now=NOW)
    other = Config(instance=tmp_path / "other", database_url=config.database_url)
    assert restore(other, file, replace=False, now=NOW).aside == []
    write(database, 0)
    assert entries(database) == {HEMSWELL: 1}


@pytest.fixture
def made(sqlite_url: str, tmp_path: Path) -> tuple[Config, Path]:
    """A small backup of SQLite, and where another could be restored."""
    database = Database(sqlite_url)
    write(database, 0)
    database.engine.dispose()
    config = Config(instance=tmp_path / "instance", database_url=sqlite_url)
    config.instance.mkdir()
    file = tmp_path / "whole.backup"
    back_up(config, file, now=NOW)
    place = tmp_path / "elsewhere"
    return Config(instance=place, database_url=f"sqlite:///{place}/new.sqlite3"), file


def test_a_backup_is_never_written_over(made: tuple[Config, Path], sqlite_url: str) -> None:
    config = Config(instance=made[1].parent, database_url=sqlite_url)
    before = made[1].read_bytes()
    with pytest.raises(BackupError, match="already"):
        back_up(config, made[1], now=NOW)
    assert made[1].read_bytes() == before
    with pytest.raises(BackupError, match="cannot be written"):
        back_up(config, made[1].parent / "nowhere" / "x.backup", now=NOW)
    assert sorted(one.name for one in made[1].parent.iterdir()) == [
        "clauseway.sqlite3", "instance", "whole.backup",
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["cut", "altered", "newer", "other"])
def test_what_is_not_as_it_was_written_is_not_restored(
    made: tuple[Config, Path], change: str
) -> None:
    there, file = made
    with ZipFile(file) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    said = json.loads(members["backup.json"])
    if change == "cut":
        file.write_bytes(file.read_bytes()[:2000])
    else:
        if change == "altered":
            members["database/clauseway.sqlite3"] += b"x"
        elif change == "newer":
            said["revision"] = "9999"
        else:
            said["kind"] = "postgresql"
        members["backup.json"] = json.dumps(said).encode()
        with ZipFile(file, "w") as whole:
            for name, body in members.items():
                whole.writestr(name, body)
    with pytest.raises(BackupError):
        restore(there, file, replace=True, now=NOW)
    assert not there.instance.exists() or list(there.instance.iterdir()) == []


def test_a_ledger_that_was_altered_before_is_said(
    made: tuple[Config, Path], sqlite_url: str
) -> None:
    database = Database(sqlite_url)
    with database.engine.execution_options(writes=True).begin() as connection:
        for (trigger,) in connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'ledger_entry_no_update'"
        ).all():
            connection.exec_driver_sql("DROP TRIGGER ledger_entry_no_update")
            connection.exec_driver_sql("UPDATE ledger_entry SET kind = 'other'")
            connection.exec_driver_sql(trigger)
    database.engine.dispose()
    there, file = made
    file.unlink()
    back_up(Config(instance=file.parent, database_url=sqlite_url), file, now=NOW)
    restored = restore(there, file, replace=False, now=NOW)
    assert list(restored.broken) == [HEMSWELL]
