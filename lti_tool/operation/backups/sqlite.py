"""SQLite in a backup: the whole file, by SQLite's own online backup, while others go on writing."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from lti_tool.core.database import Database
from lti_tool.core.secret import write_private
from lti_tool.migrations.run import revision
from lti_tool.operation.backups.archive import Backup, BackupError, Writer

NAME: Final = "database/clauseway.sqlite3"


def save(database: Database, writer: Writer, *, beside: Path) -> dict[str, Any]:
    """Copy it, in one step: in several, each write meanwhile would begin it anew."""
    copy = beside.with_name(beside.name + ".database")
    write_private(copy, b"")
    try:
        with (
            closing(sqlite3.connect(_file(database), timeout=10)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        writer.add(NAME, copy)
        made = Database(f"sqlite:///{copy}")
        with made.engine.connect() as connection:
            found = revision(connection)
        made.engine.dispose()
    finally:
        _remove(copy)
    return {"kind": "sqlite", "revision": found}


@contextmanager
def prepared(database: Database, backup: Backup) -> Iterator[Path]:
    """The backup's database in a file beside the one it will be, for the time being."""
    target = Path(_file(database)).with_name("restoring.sqlite3")
    _remove(target)
    backup.extract(NAME, target)
    try:
        with closing(sqlite3.connect(target)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupError("the database in the backup is damaged")
        yield target
    finally:
        _remove(target)


def put_in_place(database: Database, prepared: Path, *, aside: str) -> str:
    """Let the prepared file be the database; the name of what was there, where it is kept."""
    place = Path(_file(database))
    close(prepared)
    kept = f"{place.name}.{aside}" if aside else ""
    if kept:
        place.rename(place.with_name(kept))
    prepared.replace(place)
    return kept


def must_be_alone(database: Database) -> None:
    """Raises ``BackupError`` while another process has the database open."""
    close(Path(_file(database)))


def close(path: Path) -> None:
    """Bring all that was written into the one file, which nobody else may have open."""
    try:
        with closing(sqlite3.connect(path, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as fault:
        raise BackupError("the database is in use: stop the web server and the worker") from fault


def _file(database: Database) -> str:
    return str(database.engine.url.database)


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
