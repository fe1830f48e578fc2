"""PostgreSQL in a backup: every table by ``COPY``, all of one moment.

It needs none of PostgreSQL's own programs, whose version would have to fit the server's, and goes
from one version of PostgreSQL to another. Our migrations make the tables that it is put back into.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import Connection, MetaData

from lti_tool.core.database import Database
from lti_tool.migrations.run import revision
from lti_tool.operation.backups.archive import CHUNK, Backup, BackupError, Writer

# So that text means the same wherever it is read.
PLAIN: Final = (
    "SET LOCAL DateStyle = 'ISO'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 3",
)
NOT_OURS: Final = ("alembic_version", "huey_")
OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def save(database: Database, writer: Writer, *, beside: Path) -> dict[str, Any]:
    """Copy every table out, in the order in which they can be filled."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    tables = []
    with database.engine.connect().execution_options(**options) as connection:
        driver = _prepare(connection)
        for table in _ours(connection).sorted_tables:
            columns = [column.name for column in table.columns]
            tables.append({"name": table.name, "columns": columns})
            with (
                writer.member(f"database/{table.name}.copy") as write,
                driver.cursor().copy(_copy(table.name, columns, "TO STDOUT")) as rows,
            ):
                for part in rows:
                    write(bytes(part))
        return {"kind": "postgresql", "revision": revision(connection), "tables": tables}


def fill(connection: Connection, backup: Backup) -> None:
    """Put every row back, into the tables that the backup's own layout has."""
    driver = _prepare(connection)
    for table in backup.tables:
        name, columns = table["name"], table["columns"]
        with (
            backup.open(f"database/{name}.copy") as source,
            driver.cursor().copy(_copy(name, columns, "FROM STDIN")) as rows,
        ):
            while part := source.read(CHUNK):
                rows.write(part)


def must_be_alone(connection: Connection) -> None:
    """Raises ``BackupError`` while others are connected to the database."""
    others = connection.exec_driver_sql(OTHERS).scalar_one()
    if others:
        raise BackupError(
            f"{others} others are connected to the database: stop every web server and worker"
        )


def put_aside(connection: Connection, *, aside: str) -> str:
    """Begin with nothing; the new name of what there was, where it is kept."""
    schema = str(connection.exec_driver_sql("SELECT current_schema()").scalar_one())
    kept = aside.replace("-", "_").lower()
    if kept:
        connection.exec_driver_sql(f'ALTER SCHEMA "{schema}" RENAME TO "{kept}"')
    else:
        connection.exec_driver_sql(f'DROP SCHEMA "{schema}" CASCADE')
    connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    return kept


def _ours(connection: Connection) -> MetaData:
    metadata = MetaData()
    metadata.reflect(connection, only=lambda name, _: not name.startswith(NOT_OURS))
    return metadata


def _prepare(connection: Connection) -> Driver[Any]:
    for statement in PLAIN:
        connection.exec_driver_sql(statement)
    driver: Any = connection.connection.dbapi_connection
    return driver  # type: ignore[no-any-return]


def _copy(table: str, columns: Sequence[str], where: str) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) {}").format(sql.Identifier(table), names, sql.SQL(where))
