"""What nobody waits for: scores sent, staff lists read, cycles opened, the ledger kept.

Each is done on a database that is there already, on one core; the floor's peer does the least of
the same with ``sqlite3``, ``json`` and ``http.client``. Called by ``python -m bench``.
"""

import hashlib
import http.client
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import func, select

from bench import cycles, ledger, rosters
from bench.serving import SCHOOL, Platform, start_worker
from lti_tool.core.database import Database
from lti_tool.core.ledger import verify
from lti_tool.curriculum.reading import ROOT, read_catalogue
from lti_tool.lti.models import PENDING, SENDING, ScoreOutbox

APPENDS: Final = 300
PATIENCE: Final = 600.0
OTHER_SCHOOL: Final = "glenmere"
"""One that nobody has come to: its cycle is opened, its list read."""


def table(
    instances: Mapping[str, Path], platform: Platform, people: int, owed: int, database: str
) -> Iterator[str]:
    """CPU milliseconds a piece, the floor's first."""
    names = list(instances)
    yield (
        "| work of the worker | floor, CPU ms | "
        + " | ".join(f"tool at {name}, CPU ms" for name in names)
        + " | ratio | speed kept |"
    )
    yield "|---" * (len(names) + 4) + "|"
    found = {name: _of(one, platform, people, owed, database) for name, one in instances.items()}
    for act, floor in _floors(platform, people, owed).items():
        cost = [each[act] for each in found.values()]
        kept = f"**{cost[0] / cost[-1]:.2f}**" if len(cost) > 1 else ""
        shown = " | ".join(f"{one:.3f}" for one in cost)
        yield f"| {act} | {floor:.3f} | {shown} | **{cost[0] / floor:.1f}** | {kept} |"
    tokens = ", ".join(f"{each['tokens']:.0f}" for each in found.values())
    yield ""
    yield f"Tokens asked for, for all scores of a worker: {tokens} (at most one an hour)."


SCORE: Final = "a score sent"
MEMBER: Final = "a new member of a list read"
DUTY: Final = "a person's duty, where a cycle opens"
APPENDED: Final = "an entry appended"
VERIFIED: Final = "an entry verified"


def _of(instance: Path, platform: Platform, people: int, owed: int, url: str) -> dict[str, float]:
    url = url or f"sqlite:///{instance / 'clauseway.sqlite3'}"
    found = _passback(instance, platform, url)
    database = Database(url)
    school = read_catalogue(ROOT).schools[OTHER_SCHOOL]
    with database.transaction() as session:
        cycles.fill(session, people, OTHER_SCHOOL)
    with database.transaction() as session:
        cycles.opened(session, school, cycles.LAST_AUTUMN)
    with database.transaction() as session:
        found[DUTY] = _timed(lambda: cycles.opened(session, school)) / people
    found[APPENDED] = _timed(lambda: [ledger.append(database, 1) for _ in range(APPENDS)]) / APPENDS
    with database.reading() as session:
        held = list[int]()
        spent = _timed(lambda: held.append(verify(session, school_id=SCHOOL)[0]))
        found[VERIFIED] = spent / held[0]
    database.engine.dispose()
    found[MEMBER] = 1000 * rosters.newcomers(instance, url, people) / people
    return found


def _timed(act: Callable[[], object]) -> float:
    """CPU milliseconds of this thread."""
    begun = time.thread_time()
    act()
    return 1000 * (time.thread_time() - begun)


def _passback(instance: Path, platform: Platform, url: str) -> dict[str, float]:
    """A worker sends whatever is owed; what that costs is read between the first that it records
    and the last."""
    database, tokens = Database(url), platform.tokens

    def left() -> int:
        with database.reading() as session:
            is_owed = ScoreOutbox.state.in_((PENDING, SENDING))
            return session.scalar(select(func.count()).where(is_owed)) or 0

    number = left()
    worker = start_worker(instance, "http://localhost:8000", database=url)
    try:
        _await(lambda: left() < number)
        measured, cpu = left(), worker.cpu()
        _await(lambda: not left())
        spent = worker.cpu() - cpu
    finally:
        worker.stop()
        database.engine.dispose()
    return {SCORE: 1000 * spent / measured, "tokens": platform.tokens - tokens}


def _await(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("the worker did not send what is owed")
        time.sleep(0.01)


def _floors(platform: Platform, people: int, owed: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "floor.sqlite3", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE person(id TEXT PRIMARY KEY, name TEXT, email TEXT)",
            "CREATE TABLE duty(person TEXT PRIMARY KEY, due_on TEXT, reason TEXT)",
            "CREATE TABLE ledger(number INTEGER PRIMARY KEY, body BLOB, hash TEXT)",
            "CREATE TABLE owed(id INTEGER PRIMARY KEY, payload TEXT, state TEXT)",
        ):
            connection.execute(statement)
        payload = json.dumps(
            {"userId": "1", "scoreGiven": 100, "comment": "Training done.", "timestamp": "2026"}
        )
        rows = [(number, payload, "pending") for number in range(owed)]
        connection.executemany("INSERT INTO owed VALUES (?, ?, ?)", rows)
        floor = _Floor(connection, platform)
        members = [rosters.member(number) for number in range(people)]
        pages = [json.dumps(members[start : start + 100]) for start in range(0, people, 100)]
        return {
            SCORE: _timed(lambda: floor.send(owed)) / owed,
            MEMBER: _timed(lambda: floor.read(pages)) / people,
            DUTY: _timed(lambda: floor.open(people)) / people,
            APPENDED: _timed(lambda: [floor.append() for _ in range(APPENDS)]) / APPENDS,
            VERIFIED: _timed(floor.verify) / APPENDS,
        }


class _Floor:
    def __init__(self, connection: sqlite3.Connection, platform: Platform) -> None:
        self.connection = connection
        host = urlsplit(platform.url)
        self.http = http.client.HTTPConnection(str(host.hostname), host.port)
        self.previous = ""

    def send(self, owed: int) -> None:
        headers = {"Authorization": "Bearer bench", "Content-Type": "application/json"}
        for number in range(owed):
            found = self.connection.execute("SELECT payload FROM owed WHERE id = ?", (number,))
            self.http.request("POST", "/1/scores", found.fetchone()[0], headers)
            self.http.getresponse().read()
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.execute("UPDATE owed SET state = 'sent' WHERE id = ?", (number,))
            self.connection.execute("COMMIT")

    def read(self, pages: list[str]) -> None:
        for page in pages:
            rows = [(one["user_id"], one["name"], one["email"]) for one in json.loads(page)]
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany("INSERT INTO person VALUES (?, ?, ?)", rows)
            self.connection.execute("COMMIT")

    def open(self, people: int) -> None:
        reason = json.dumps({"code": "refresh", "closes": "2026-10-31"})
        rows = [(str(number), "2026-10-31", reason) for number in range(people)]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO duty VALUES (?, ?, ?)", rows)
        self.connection.execute("COMMIT")

    def append(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        body = json.dumps({"previous": self.previous, **ledger.FACTS}, sort_keys=True).encode()
        self.previous = hashlib.sha256(body).hexdigest()
        row = (body, self.previous)
        self.connection.execute("INSERT INTO ledger(body, hash) VALUES (?, ?)", row)
        self.connection.execute("COMMIT")

    def verify(self) -> None:
        for body, digest in self.connection.execute("SELECT body, hash FROM ledger"):
            assert hashlib.sha256(body).hexdigest() == digest
