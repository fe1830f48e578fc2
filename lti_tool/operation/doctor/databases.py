"""What the doctor finds in the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, func, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry, LedgerHead
from lti_tool.evidence.retention import disposing
from lti_tool.migrations import guards
from lti_tool.migrations.run import head, knows, revision
from lti_tool.operation.beating import LATE, alive, last_beat
from lti_tool.operation.doctor.finding import Finding, fault, ok, warning
from lti_tool.operation.metrics.figures import oldest_due

ABOUT: Final = "Database"
OLDEST_POSTGRES: Final = 150000
SAFE_ON_SQLITE: Final = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}
SAFE_ON_POSTGRES: Final = ("fsync", "full_page_writes", "synchronous_commit")
LONG_DUE: Final = timedelta(minutes=30)
SLACK: Final = timedelta(seconds=2)


@contextmanager
def opened(config: Config) -> Iterator[Database | None]:
    """The database; nothing where it is a file that is not there, since to open makes it."""
    file = make_url(config.database_url).database or ""
    if config.database_url.startswith("sqlite") and not Path(file).exists():
        yield None
        return
    database = Database(config.database_url)
    try:
        yield database
    finally:
        database.engine.dispose()


def examine(config: Config, database: Database | None, clock: Clock) -> Iterator[Finding]:
    """Whether it answers, is migrated, keeps what it takes, and is worked for."""
    if database is None:
        file = make_url(config.database_url).database
        yield fault(ABOUT, f"{file} is not there", "Run clauseway migrate, or restore a backup.")
        return
    try:
        with database.engine.connect() as connection:
            yield from _layout(connection)
            yield from _settings(connection)
            is_current = revision(connection) == head()
        if is_current:
            with database.reading() as session:
                yield from _ledger(session, clock)
                yield from _worker(session, clock)
                yield from _retention(session)
    except SQLAlchemyError as error:
        says = str(getattr(error, "orig", error)).strip().splitlines()
        yield fault(
            ABOUT,
            f"does not answer: {says[0] if says else type(error).__name__}",
            "See that it runs, and that CLAUSEWAY_DATABASE_URL is right.",
        )


def _layout(connection: Connection) -> Iterator[Finding]:
    found, newest = revision(connection), head()
    if not found:
        yield fault(ABOUT, "is empty", "Run clauseway migrate, or restore a backup.")
    elif found == newest:
        yield ok(ABOUT, f"{_kind(connection)}, at the newest layout ({found})")
    elif knows(found):
        yield fault(ABOUT, f"at layout {found}, not {newest}", "Run clauseway migrate.")
    else:
        yield fault(ABOUT, f"at layout {found}, of a newer tool", "Install that version, or newer.")
    if found and (gone := guards.missing(connection)) and found == newest:
        yield fault(
            "Ledger",
            f"guards are missing: {', '.join(gone)}",
            "Somebody changed the database by hand. clauseway evidence verify says whether "
            "records were altered; put the guards back from lti_tool/migrations/guards.py.",
        )


def _retention(session: Session) -> Iterator[Finding]:
    about, schools = "Retention", list(ledger.schools(session))
    missing = {one: disposing.not_set(session, school_id=one) for one in schools}
    for school_id, kinds in missing.items():
        if kinds:
            yield warning(
                about,
                f"{school_id} has not set yet: {', '.join(kinds)}; nothing of these is disposed of",
                "A manager sets it under “How long data are kept”, or clauseway retention set.",
            )
    if schools and not any(missing.values()):
        yield ok(about, "every school has set how long it keeps what")


def _kind(connection: Connection) -> str:
    version = connection.dialect.server_version_info or ()
    name = "SQLite" if connection.dialect.name == "sqlite" else "PostgreSQL"
    return f"{name} {'.'.join(str(part) for part in version)}"


def _settings(connection: Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        wrong = [
            f"{name} is {value}"
            for name, safe in SAFE_ON_SQLITE.items()
            if (value := str(_one(connection, f"PRAGMA {name}"))) != safe
        ]
        does = "Is the file on a network disk? SQLite needs a local one."
    else:
        wrong = [
            f"{name} is off"
            for name in SAFE_ON_POSTGRES
            if _one(connection, f"SHOW {name}") == "off"
        ]
        if int(str(_one(connection, "SHOW server_version_num"))) < OLDEST_POSTGRES:
            wrong.append("it is older than PostgreSQL 15, with which nothing was tried")
        if _one(connection, "SHOW transaction_read_only") == "on":
            wrong.append("it takes no writes")
        does = "Set them right in postgresql.conf: a crash could lose records."
    if wrong:
        yield fault(ABOUT, "; ".join(wrong), does)
    else:
        yield ok(ABOUT, "keeps what it was told to keep, also when the power fails")


def _one(connection: Connection, asked: str) -> object:
    return connection.exec_driver_sql(asked).scalar_one()


def _ledger(session: Session, clock: Clock) -> Iterator[Finding]:
    """No entry can be of a later moment than now."""
    latest = session.scalar(
        select(func.max(LedgerEntry.recorded_at)).join(
            LedgerHead,
            (LedgerHead.school_id == LedgerEntry.school_id)
            & (LedgerHead.sequence == LedgerEntry.sequence),
        )
    )
    if latest is not None and latest > clock() + SLACK:
        yield fault(
            "Clock",
            f"the last record is of {latest:%d %B %Y %H:%M:%S} UTC, which has not come yet",
            "Set this machine's clock by a time server (NTP).",
        )


def _worker(session: Session, clock: Clock) -> Iterator[Finding]:
    now, does = clock(), "Start clauseway worker; see its log where it has ended."
    seen = last_beat(session)
    if seen is None:
        yield warning("Worker", "none has been at work yet", does)
    elif now - seen > LATE:
        minutes = int((now - seen).total_seconds() // 60)
        yield fault("Worker", f"none has been at work for {minutes} minutes", does)
    else:
        yield ok("Worker", f"{alive(session, now=now)} at work")
    due = oldest_due(session, now=now)
    if due is not None and now - due > LONG_DUE:
        minutes = int((now - due).total_seconds() // 60)
        yield warning(
            "Scores",
            f"one has been due for {minutes} minutes",
            "clauseway scores list --state pending; is a worker running, is a platform away?",
        )
