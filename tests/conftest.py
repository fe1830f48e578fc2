"""What every test may use: a real database of each kind, a clock that can be set, the app."""

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import CodeType

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.migrations.run import upgrade
from sandbox_lms.tokens import Key
from tests.factories.keys import stock
from tests.factories.machines import MACHINES
from tests.factories.postgres import Server, running_server
from tests.factories.registers import running


class SetClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        """Let time pass: ``clock.move(minutes=31)``."""
        self.now += timedelta(**by)


def pytest_collection_finish() -> None:
    """What has been imported stays, and the collector need not walk through it again and again: an
    eighth of what the tests cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _keys_from_stock() -> Iterator[None]:
    """Platforms of tests take their keys from a few that are there."""
    keys = stock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Key, "generate", lambda: next(keys))
        yield


@pytest.fixture(scope="session", autouse=True)
def _routes_compiled_once() -> Iterator[None]:
    """Werkzeug writes and compiles two functions for each route of each app: four fifths of what an
    app costs. They depend on the route alone."""
    held: dict[object, Callable[..., tuple[str, str]]] = {}
    compiled = Rule._compile_builder

    def once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (rule.rule, tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in held:
            held[key] = compiled(rule, append_unknown)
        return held[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", once)
        yield


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="session", autouse=True)
def _templates_compiled_once() -> None:
    """Each app has an environment of its own, which would compile every template anew."""
    Flask.jinja_options = {"bytecode_cache": Compiled()}


class Compiled(BytecodeCache):
    """What templates were compiled to, by their file and text."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._held.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._held[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at the newest layout, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "clauseway.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade(database.engine)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.engine.dispose()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite database."""
    path = tmp_path / "clauseway.sqlite3"
    shutil.copyfile(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest,
) -> Callable[[Path], AbstractContextManager[str]]:
    """The URL of a fresh, migrated database for a product that is really served: an SQLite file in
    the folder, or where several machines serve it, one of PostgreSQL's."""
    if MACHINES > 1:
        server: Server = request.getfixturevalue("postgres")
        return lambda _folder: server.another()
    migrated: Path = request.getfixturevalue("migrated_sqlite")

    @contextmanager
    def copied(folder: Path) -> Iterator[str]:
        path = folder / "clauseway.sqlite3"
        shutil.copyfile(migrated, path)
        yield f"sqlite:///{path}"

    return copied


@pytest.fixture
def own_url(
    new_database: Callable[[Path], AbstractContextManager[str]], tmp_path: Path
) -> Iterator[str]:
    """A database as ``new_database`` makes it, for one test."""
    with new_database(tmp_path) as url:
        yield url


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several machines serve, pass over what says why it has nothing to do with them."""
    for item in items if MACHINES > 1 else ():
        if mark := item.get_closest_marker("one_machine"):
            item.add_marker(pytest.mark.skip(reason=str(mark.args[0])))


ON_POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)


@pytest.fixture(params=["sqlite", ON_POSTGRES])
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh, migrated database, once of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server: Server = request.getfixturevalue("postgres")
    with server.lend() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, once of each kind."""
    database = Database(database_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    """The whole tool over that database and a small catalogue."""
    with running(tmp_path, database, clock) as app:
        yield app
