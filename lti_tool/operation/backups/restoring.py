"""Puts a backup back: all of it, or nothing. What was there before is put aside, never removed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.orm import Session

from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.migrations import guards
from lti_tool.migrations.run import knows, upgrade_on
from lti_tool.operation.backups import postgresql, sqlite
from lti_tool.operation.backups.archive import Backup, BackupError, opened
from lti_tool.operation.backups.making import SETTINGS, instance_files


@dataclass
class Restored:
    """What came of it."""

    made_at: str
    """When the backup was made."""
    entries: dict[str, int] = field(default_factory=dict)
    """How many entries of each school's ledger hold."""
    broken: dict[str, str] = field(default_factory=dict)
    """Where a ledger does not hold: it did not when the backup was made."""
    aside: list[str] = field(default_factory=list)
    """What was there before, by its name now."""


def restore(config: Config, path: Path, *, replace: bool, now: datetime) -> Restored:
    """Restore an installation from a file. Raises ``BackupError``, and has then changed nothing.

    Over a database that holds anything, and over keys, only with ``replace``.
    """
    config.instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = f"before-restore-{now:%Y%m%dT%H%M%S}"
    with opened(path) as backup:
        _must_fit(config, backup)
        keys = [file for file in instance_files(config.instance) if file.name != SETTINGS]
        if keys and not replace:
            raise BackupError(f"{config.instance} holds keys already: --replace puts them aside")
        restored = Restored(backup.made_at)
        into = _into_sqlite if backup.kind == "sqlite" else _into_postgresql
        with (
            _staged(config.instance, backup) as staged,
            into(config, backup, restored, replace, aside),
        ):
            _put_files(config.instance, staged, keys, restored, aside)
    return restored


def _must_fit(config: Config, backup: Backup) -> None:
    kind = "sqlite" if config.database_url.startswith("sqlite") else "postgresql"
    if backup.kind != kind:
        raise BackupError(f"the backup is of {backup.kind}, and the settings name {kind}")
    if not knows(backup.revision):
        raise BackupError(f"the backup is of a newer Clauseway (layout {backup.revision})")


@contextmanager
def _into_sqlite(
    config: Config, backup: Backup, restored: Restored, replace: bool, aside: str
) -> Iterator[None]:
    database = Database(config.database_url)
    try:
        with database.engine.connect() as connection:
            is_empty = _is_empty(connection, replace)
    finally:
        database.engine.dispose()
    sqlite.must_be_alone(database)
    with sqlite.prepared(database, backup) as prepared:
        made = Database(f"sqlite:///{prepared}")
        with made.engine.execution_options(writes=True).begin() as connection:
            _bring_up(connection, restored)
        made.engine.dispose()
        yield
        if kept := sqlite.put_in_place(database, prepared, aside="" if is_empty else aside):
            restored.aside.append(kept)


@contextmanager
def _into_postgresql(
    config: Config, backup: Backup, restored: Restored, replace: bool, aside: str
) -> Iterator[None]:
    database = Database(config.database_url)
    try:
        with database.engine.begin() as connection:
            is_empty = _is_empty(connection, replace)
            postgresql.must_be_alone(connection)
            if kept := postgresql.put_aside(connection, aside="" if is_empty else aside):
                restored.aside.append(f"schema {kept}")
            upgrade_on(connection, backup.revision)
            postgresql.fill(connection, backup)
            _bring_up(connection, restored)
            yield
    finally:
        database.engine.dispose()


def _is_empty(connection: Connection, replace: bool) -> bool:
    """Whether the database holds no row. Raises ``BackupError`` where it may not hold any."""
    for table in inspect(connection).get_table_names():
        asked = f'SELECT 1 FROM "{table}" LIMIT 1'  # noqa: S608  (a table of the database's own)
        if not table.startswith(postgresql.NOT_OURS) and connection.exec_driver_sql(asked).first():
            if not replace:
                raise BackupError("the database is not empty: --replace puts what it holds aside")
            return False
    return True


def _bring_up(connection: Connection, restored: Restored) -> None:
    """To the newest layout, with every guard; and see whether the ledgers hold."""
    upgrade_on(connection, "head")
    if gone := guards.missing(connection):
        raise BackupError(f"guards of the ledger are missing: {', '.join(gone)}")
    with Session(connection, join_transaction_mode="create_savepoint") as session:
        for school_id in list(ledger.schools(session)):
            count, fault = ledger.verify(session, school_id=school_id)
            restored.entries[school_id] = count
            if fault is not None:
                restored.broken[school_id] = f"entry {fault.sequence}: {fault.reason}"


@contextmanager
def _staged(instance: Path, backup: Backup) -> Iterator[Path]:
    """The backup's files, laid out beside where they will be: what is left are renamings."""
    folder = instance / "restoring"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for name in backup.names:
            if name.startswith("instance/"):
                backup.extract(name, folder / name.removeprefix("instance/"))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put_files(
    instance: Path, staged: Path, there: list[Path], restored: Restored, aside: str
) -> None:
    """Keys and the like; this machine's own settings stay, with the backup's beside them."""
    for path in there:
        _move(path, instance / aside / path.relative_to(instance))
    if there:
        restored.aside.append(f"{instance.name}/{aside}/")
    for path in sorted(file for file in staged.rglob("*") if file.is_file()):
        inner = path.relative_to(staged)
        ending = ".from-backup" if inner.name == SETTINGS else ""
        _move(path, instance / f"{inner}{ending}")


def _move(path: Path, to: Path) -> None:
    to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.replace(to)
