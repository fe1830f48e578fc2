"""Makes a backup, while the tool goes on working."""

from datetime import datetime
from pathlib import Path
from typing import Final

from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.operation.backups import postgresql, sqlite
from lti_tool.operation.backups.archive import BackupError, Writer, written

SETTINGS: Final = "clauseway.toml"
FILES: Final = ("secret.key", SETTINGS)
FOLDERS: Final = {
    "keys": "*.pem",
    "evidence-keys": "*.p*",  # private keys and the public halves of all there were
    "packs": "*.zip",
    "kept": "*.zip",
}


def back_up(config: Config, path: Path, *, now: datetime) -> int:
    """Write a backup to a new file; its size in bytes. Raises ``BackupError``.

    First the database as it is in one moment, then the keys: so every key that the database
    speaks of is there.
    """
    database = Database(config.database_url)
    try:
        with written(path) as writer:
            room = sqlite if database.is_sqlite else postgresql
            facts = room.save(database, writer, beside=path)
            if not facts["revision"]:
                raise BackupError("the database is empty: there is nothing to back up")
            save_instance(config.instance, writer)
            writer.finish({"made_at": now.isoformat(timespec="seconds"), **facts})
    finally:
        database.engine.dispose()
    return path.stat().st_size


def save_instance(instance: Path, writer: Writer) -> None:
    """All that belongs to the installation and is not in the database."""
    for path in instance_files(instance):
        try:
            writer.add(f"instance/{path.relative_to(instance).as_posix()}", path)
        except FileNotFoundError:
            continue  # an old pack or key that has just been taken away


def instance_files(instance: Path) -> list[Path]:
    """The files that a restore puts back."""
    found = [path for name in FILES if (path := instance / name).exists()]
    for folder, of in FOLDERS.items():
        found += sorted((instance / folder).glob(of))
    return found
