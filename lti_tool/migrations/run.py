"""Bring a database to the newest layout, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


def upgrade(engine: Engine) -> None:
    """Migrate to the newest version."""
    with engine.execution_options(writes=True).connect() as connection, connection.begin():
        upgrade_on(connection, "head")


def upgrade_on(connection: Connection, version: str) -> None:
    """Migrate to a version, in the connection's transaction."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)


def head() -> str:
    """The newest version there is."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def revision(connection: Connection) -> str:
    """The version a database stands at; empty where it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def knows(version: str) -> bool:
    """Whether a version is one of ours: a newer tool's is not."""
    known = ScriptDirectory.from_config(_config()).walk_revisions()
    return any(script.revision == version for script in known)
