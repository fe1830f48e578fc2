"""The database: SQLite under a desk, PostgreSQL behind several machines; the same code for both."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    Insert,
    MetaData,
    create_engine,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

from lti_tool.core.secret import write_private

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",  # so that REPLACE meets the ledger's delete guard
    "busy_timeout=10000",
    "cache_size=-256",  # KiB of each connection: the machine keeps the file's pages anyhow
)


class Table(DeclarativeBase):
    """The base of every mapped table."""

    metadata = MetaData(naming_convention=NAMING)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept in UTC. SQLite has no zones, so the offset is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Holding(Session):
    """A session with one connection, from its first question to its end. Statements that are handed
    straight to the driver (``core.hot``) cost it no more than the connection does."""

    _held: Connection | None = None

    def get_bind(self, *args: Any, **options: Any) -> Connection:
        if self._held is None:
            self._held = self._take(cast(Engine, super().get_bind(*args, **options)))
        return self._held

    def _take(self, engine: Engine) -> Connection:
        return engine.connect()

    def rollback(self) -> None:
        super().rollback()
        self._let_go()

    def close(self) -> None:
        if self.in_transaction():  # else it holds no objects, and there is nothing to put away
            super().close()
        self._let_go()

    def invalidate(self) -> None:
        super().invalidate()
        if self._held is not None:
            self._held.invalidate()
        self._let_go()

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()


class Reading(_Holding):
    """Writes nothing; in a transaction only once a mapped object is asked for."""


class Writing(_Holding):
    """In a transaction of its connection's own, which the session joins once it has to do with
    mapped objects, entries of the ledger or acts after the commit."""

    def _take(self, engine: Engine) -> Connection:
        held = engine.connect()
        try:
            held.begin()
        except BaseException:
            held.close()
            raise
        return held

    def commit(self) -> None:
        if self.in_transaction() or self.info:
            self.connection()
            super().commit()
        elif self._held is not None:
            self._held.commit()
        self._let_go()


class Database:
    """One engine and two ways to open a session: ``reading()`` and ``writing()``.

    On SQLite a writing transaction takes the write lock when it begins (``BEGIN IMMEDIATE``),
    because a lock taken half-way fails at once when somebody else has written meanwhile; and
    writers of one process queue on a lock of their own, which is fairer than SQLite's polling.
    On PostgreSQL the two are alike.
    """

    def __init__(self, url: str, connections: int = 8) -> None:
        self.engine: Engine = create_engine(
            url,
            hide_parameters=True,  # a fault goes to the log, and a log holds no names
            **({} if url.startswith("sqlite") else _pool(connections)),
        )
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        writing = self.engine.execution_options(writes=True)
        self.reading = sessionmaker(self.engine, class_=Reading, expire_on_commit=False)
        self.writing = sessionmaker(
            writing,
            class_=Writing,
            expire_on_commit=False,
            join_transaction_mode="control_fully",
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A short writing transaction of its own: committed at the end, rolled back on a fault."""
        with self.writing() as session:
            yield session
            session.commit()


def insert_missing(session: Session, table: type[Table]) -> Insert:
    """An INSERT that lets a row stand whose key is there already: somebody was quicker."""
    words = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return cast(Insert, words.insert(table).on_conflict_do_nothing())


def _pool(connections: int) -> dict[str, Any]:
    """As many connections as the process may have, each tried before it is used. A server that is
    away, a lock that somebody died over and a pool in use are told within seconds."""
    return {
        "pool_size": connections,
        "max_overflow": 0,
        "pool_timeout": 10,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": 5,
            "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=5min",
        },
    }


def abandon(session: Session) -> None:
    """End a session that leaves nothing behind; also where the database has gone meanwhile, which
    harms nobody any more."""
    try:
        session.close()
    except OperationalError:
        session.invalidate()


def _prepare_sqlite(engine: Engine) -> None:
    lock = threading.Lock()
    if engine.url.database:
        write_private(Path(engine.url.database), b"")  # an empty file is an empty database

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            _begin_writing(connection, lock)
        else:
            _driver(connection).execute("BEGIN")

    @event.listens_for(engine, "checkin")
    def checkin(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        # The connection comes back once its COMMIT or ROLLBACK has been done.
        if record.info.pop("writer_lock", False):
            lock.release()


def _begin_writing(connection: Connection, lock: threading.Lock) -> None:
    # Past the wait SQLite's own lock decides, so a stuck thread cannot stop the process.
    held = lock.acquire(timeout=10)
    try:
        _driver(connection).execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as fault:
        if held:
            lock.release()
        raise OperationalError("BEGIN IMMEDIATE", None, fault) from fault
    connection.info["writer_lock"] = held


def _driver(connection: Connection) -> sqlite3.Connection:
    """The driver's own connection: every page begins a transaction, which is quicker so."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)
