"""Measures the register's downloads against ``sqlite3`` and ``csv.writer`` alone.

The floor runs the very statement of the download through ``sqlite3`` and hands its raw rows to
``csv.writer``: no words, no days by the school's clock, no guard against formulas. XLSX is held
against the same floor. Floor, CSV and XLSX take turns, each in a process that is forked from the
tool once it is warm; what is printed is the median of the rounds' ratios of CPU time. Memory is
how far a process's peak rose above what it held when it was forked. The downloads are those of
the whole tool: from the call of its WSGI application to the last byte, ledger entries, SHA-256
and checkpoint among it; the first byte is by the clock.
"""

import argparse
import csv
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from bench.registers import OWED, SCHOOL, fill
from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.evidence import register
from lti_tool.evidence.schemas import Filters
from lti_tool.migrations.run import upgrade
from lti_tool.people import access, memberships
from lti_tool.people.arrive import Arrival, admit

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
Figures = dict[str, float]
Export = Callable[[Path], float]
"""Writes a file; how long its first byte took, in milliseconds."""


def arrive(database: Database) -> str:
    """A manager at the school; the token of their visit."""
    arrival = Arrival(
        door="lti", realm="bench", subject="head", name="Hedda Head", email="", school_id=SCHOOL,
        module="annual-refresh", is_bound=True, may_ask_to_manage=False, may_set_up=False,
        platform_name="Moodle", frame_ancestors="",
    )  # fmt: skip
    with database.transaction() as session:
        admission = admit(session, arrival, now=NOW)
        memberships.grant(session, person_id=admission.person_id, school_id=SCHOOL, now=NOW)
    return admission.token


def floor_of(database: Path) -> Export:
    filters = Filters(**OWED)
    statement = register.exported(SCHOOL, filters, NOW.date())
    said = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})

    def floor(path: Path) -> float:
        with path.open("w", newline="") as file:
            csv.writer(file).writerows(sqlite3.connect(database).execute(str(said)))
        return 0

    return floor


def download_of(app: Flask, token: str, kind: str) -> Export:
    def download(path: Path) -> float:
        client = app.test_client()
        client.set_cookie(access.COOKIE, token, secure=True)
        began, first = time.perf_counter(), 0.0
        response = client.get(f"/register.{kind}", query_string=OWED, base_url="https://localhost")
        assert response.status_code == 200, response.status
        with path.open("wb") as file:
            for piece in response.iter_encoded():
                first = first or (time.perf_counter() - began) * 1000
                file.write(piece)
        response.close()
        return first

    return download


def apart(act: Export, path: Path) -> Figures:
    """CPU seconds, MiB and milliseconds of one run, in a process of its own."""
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        with os.fdopen(reading) as found:
            said: Figures = json.loads(found.read())
        os.waitpid(child, 0)
        return said
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what it holds now
    before, began = memory("VmRSS"), time.process_time()
    first = act(path)
    figures = {
        "cpu": time.process_time() - began,
        "mib": (memory("VmHWM") - before) / 1024,
        "first": first,
        "bytes": path.stat().st_size,
    }
    os.write(writing, json.dumps(figures).encode())
    os._exit(0)


def memory(name: str) -> int:
    """KiB, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


@contextmanager
def school(folder: Path, people: int) -> Iterator[tuple[Flask, str, Path]]:
    """The tool over a school of so many, warmed up; a manager's token, the database's file."""
    path = folder / "clauseway.sqlite3"
    config = Config(instance=folder, database_url=f"sqlite:///{path}")
    app = create_app(config, clock=lambda: NOW)
    database: Database = app.extensions["database"]
    upgrade(database.engine)
    with database.transaction() as session:
        fill(session, people)
    token = arrive(database)
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    for kind in ("csv", "xlsx"):
        client = app.test_client()
        client.set_cookie(access.COOKIE, token, secure=True)
        asked = {**OWED, "q": "nobody"}
        client.get(f"/register.{kind}", query_string=asked, base_url="https://localhost").get_data()
    database.engine.dispose()  # no connection of ours is carried into a fork
    yield app, token, path


def measure(folder: Path, people: int, rounds: int) -> None:
    """Print every figure for a school of so many people."""
    with school(folder, people) as (app, token, path):
        acts = {
            "floor": floor_of(path),
            "csv": download_of(app, token, "csv"),
            "xlsx": download_of(app, token, "xlsx"),
        }
        found: dict[str, list[Figures]] = {name: [] for name in acts}
        for _ in range(rounds):
            for name, act in acts.items():
                found[name].append(apart(act, folder / f"out.{name}"))
    base = [one["cpu"] for one in found["floor"]]
    print(f"{people} people, {rounds} rounds; floor: {statistics.median(base):.2f} s CPU")
    for name, ratio, mib in (("csv", 1.5, 16), ("xlsx", 3.0, 32)):
        runs = found[name]
        ratios = [one["cpu"] / floor for one, floor in zip(runs, base, strict=True)]
        print(
            f"{name}: {statistics.median(one['cpu'] for one in runs):.2f} s CPU, "
            f"{statistics.median(ratios):.2f} of the floor (aim {ratio}, "
            f"{min(ratios):.2f} to {max(ratios):.2f}); "
            f"memory at most {max(one['mib'] for one in runs):.1f} MiB (aim {mib}); "
            f"first byte {statistics.median(one['first'] for one in runs):.0f} ms, at most "
            f"{max(one['first'] for one in runs):.0f} ms (aim 100); "
            f"{runs[0]['bytes'] / 1e6:.0f} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clauseway-exports-") as folder:
        measure(Path(folder), given.people, given.rounds)


if __name__ == "__main__":
    main()
