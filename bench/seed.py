"""Fills a database with as many completions as wanted, with chains that hold, at speed.

``python -m bench.seed --completions 1000000 --folder /tmp/large`` lets one person do the training
over HTTP, and copies the rows that this left, under other names, numbers and years: a thousand
completions a school, of two hundred people in each of five years. The one school that is served has
all its answers; of the others one completion in ten has (``--answered``), so that a million stay
at some eight GiB: the rest have records without questions, whose personal values are erased as
disposal leaves them. ``--database`` fills an empty PostgreSQL instead of an SQLite file.
"""

import argparse
import asyncio
import hashlib
import json
import os
import re
import secrets
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

from bench.acts import Peer
from bench.browsers import Expert
from bench.serving import CLAUSEWAY, SCHOOL, Platform, run, settings, start_tool
from lti_tool.core.ledger import PERSONAL, canonical
from lti_tool.curriculum.reading import ROOT, read_catalogue

FORM: Final = 1
"""A change of what is made here is a new number: what was made before is not taken."""
PEOPLE, YEARS = 200, 5
A_SCHOOL: Final = PEOPLE * YEARS
LAST_CYCLE: Final = "2026-27"
AT_ONCE: Final = 20
"""Schools between two commits."""
PERSON: Final = ("person", "identity", "membership")
DONE: Final = ("journey", "declaration", "completion", "obligation", "score_outbox")
ANSWERS: Final = ("round", "question", "section_read", "disclosure")
LEDGER: Final = ("ledger_entry", "ledger_head")
ID: Final = re.compile(r"[0-9a-f]{32}")
DAY: Final = re.compile(r"\b(20\d\d)(-\d\d-\d\d)")

Row = tuple[Any, ...]
Rows = dict[str, list[Row]]
_numbers = count(1)


@dataclass(frozen=True)
class Pattern:
    """What one person left, and the columns of each table."""

    columns: Mapping[str, Sequence[str]]
    rows: Mapping[str, Sequence[Row]]
    facts: bytes
    """How the entry begins, up to what is personal."""
    few_facts: bytes
    """The same, without questions."""

    def of_year(self, years_ago: int) -> "Pattern":
        """The same, so many years earlier."""
        first = int(LAST_CYCLE[:4])
        past = f"{first - years_ago}-{(first - years_ago + 1) % 100:02}"

        def back(value: Any) -> Any:
            if isinstance(value, bytes):
                try:
                    return back(value.decode()).encode()
                except UnicodeDecodeError:
                    return value  # a salt, of which each copy has its own
            if not isinstance(value, str):
                return value
            value = value.replace(LAST_CYCLE, past)
            return DAY.sub(lambda at: f"{int(at[1]) - years_ago}{at[2]}", value)

        rows = {
            table: [tuple(back(value) for value in row) for row in found]
            for table, found in self.rows.items()
        }
        return Pattern(self.columns, rows, back(self.facts), back(self.few_facts))


def pattern(folder: Path) -> Pattern:
    """Let somebody do the training in a new instance, which stays, without them."""
    platform = Platform()
    tool = start_tool(platform, folder)
    try:
        peer = Peer(tool, platform, Expert(read_catalogue(ROOT)), 1)
        asyncio.run(peer.somebody("pattern").walk())
    finally:
        tool.stop()
    connection = sqlite3.connect(folder / "clauseway.sqlite3")
    columns, rows = {}, {}
    for table in (*PERSON, *DONE, *ANSWERS, *LEDGER):
        found = connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid')
        columns[table], rows[table] = [one[0] for one in found.description], found.fetchall()
    person = rows["completion"][0][columns["completion"].index("person_id")]
    rows["person"] = [row for row in rows["person"] if person in row]
    rows["identity"] = [row for row in rows["identity"] if person in row]
    body: bytes = rows["ledger_entry"][-1][columns["ledger_entry"].index("body")]
    record = rows["ledger_entry"][-1][columns["ledger_entry"].index("record_id")]
    rows["disclosure"] = [row for row in rows["disclosure"] if record in row]
    made = Pattern(columns, rows, _facts(body), _facts(_without_questions(body)))
    rows["obligation"] = [_owed(made)]
    _put(made, "membership", confirmed_at=_of(made, "person", "created_at"))
    _put(made, "score_outbox", state="sent", sent_at=_of(made, "completion", "completed_at"))
    connection.close()
    return made


def _facts(body: bytes) -> bytes:
    return body[: body.rindex(PERSONAL)]


def _without_questions(body: bytes) -> bytes:
    said = json.loads(body)
    return canonical(said | {"facts": said["facts"] | {"questions": []}})


def _of(found: Pattern, table: str, column: str) -> Any:
    return found.rows[table][0][found.columns[table].index(column)]


def _put(found: Pattern, table: str, **values: Any) -> None:
    row = dict(zip(found.columns[table], found.rows[table][0], strict=True)) | values
    found.rows[table][0] = tuple(row.values())  # type: ignore[index]


def _owed(found: Pattern) -> Row:
    """An obligation that the completion fulfilled."""
    values = {
        name: _of(found, "completion", name) for name in ("school_id", "person_id", "module")
    } | {
        "id": secrets.token_hex(16),
        "cycle": LAST_CYCLE,
        "opens_on": "2026-09-01",
        "due_on": "2026-12-31",
        "reason": '{"code": "induction", "starts": "2026-09-01"}',
        "created_at": _of(found, "person", "created_at"),
        "outcome": "done",
        "ended_on": _of(found, "completion", "completed_at")[:10],
        "completion_id": _of(found, "completion", "id"),
    }
    return tuple(values.get(name) for name in found.columns["obligation"])


class School:
    """Copies the pattern for one school, and chains its entries."""

    def __init__(self, years: Sequence[Pattern], school_id: str, answered: float) -> None:
        self.years, self.school_id, self.answered = years, school_id, answered
        self.rows: Rows = {table: [] for table in (*PERSON, *DONE, *ANSWERS, *LEDGER)}
        self.sequence, self.previous = 0, "0" * 64
        now = years[-1]
        self.person, self.known = _of(now, "person", "id"), _of(now, "identity", "subject")

    def fill(self) -> Rows:
        staff = [next(_numbers) for _ in range(PEOPLE)]
        ids = {number: _id(number) for number in staff}
        for number in staff:
            self._copy(PERSON, self.years[0], self._named(number, ids[number]))
        for year in self.years:
            for number in staff:
                self._complete(year, self._named(number, ids[number]))
        self.rows["ledger_head"] = [(self.school_id, self.sequence, self.previous)]
        return self.rows

    def _named(self, number: int, person: str) -> dict[Any, Any]:
        return {
            SCHOOL: self.school_id,
            self.person: person,
            self.known: f"seed-{number}",
            "Learner pattern": f"Learner {number}",
        }

    def _complete(self, year: Pattern, said: dict[Any, Any]) -> None:
        is_answered = self.answered >= 1 or secrets.randbelow(1000) < 1000 * self.answered
        tables = (*DONE, *ANSWERS[:3]) if is_answered else DONE
        self._copy(tables, year, said)
        record = said[_of(year, "completion", "record_id")]
        commitments = self._commit(year, said, record, is_answered)
        facts = year.facts if is_answered else year.few_facts
        self.sequence += 1
        body = (
            facts
            + (
                f',"personal":{{{commitments}}},"previous":"{self.previous}","record":"'
                f"{record[:8]}-{record[8:12]}-{record[12:16]}-{record[16:20]}-{record[20:]}"
                f'","school":"{self.school_id}","sequence":{self.sequence}}}'
            ).encode()
        )
        self.previous = hashlib.sha256(body).hexdigest()
        at = _of(year, "completion", "completed_at")
        self.rows["ledger_entry"].append(
            (self.school_id, self.sequence, record, "completion", at, body, self.previous)
        )

    def _commit(self, year: Pattern, said: dict[Any, Any], record: str, is_answered: bool) -> str:
        """The commitments as the entry writes them; their values are kept where answers are."""
        person, found = said[self.person], []
        kept = self.rows["disclosure"]
        random = os.urandom(32 * len(year.rows["disclosure"]))
        for place, (_record, field, _school, _person, _salt, value) in enumerate(
            year.rows["disclosure"]
        ):
            if not is_answered and "-" in field:
                continue
            if is_answered:
                salt = random[32 * place : 32 * place + 16]
                if field == "person":
                    value = f'"{_dashed(person)}"'.encode()
                elif field == "printed_name":
                    value = f'"{said["Learner pattern"]}"'.encode()
                kept.append((record, field, self.school_id, person, salt, value))
                digest = hashlib.sha256(salt + value).hexdigest()
            else:
                digest = random[32 * place : 32 * place + 32].hex()
            found.append(f'"{field}":"{digest}"')
        return ",".join(sorted(found, key=lambda one: one.split('"')[1]))

    def _copy(self, tables: Sequence[str], year: Pattern, said: dict[Any, Any]) -> None:
        """The pattern's rows, with what is said in place of what stood there; every number of a
        row that is not known yet is given a new one."""
        for table in tables:
            rows = self.rows[table]
            for row in year.rows[table]:
                for value in row[:1]:
                    if value not in said and isinstance(value, str) and ID.fullmatch(value):
                        said[value] = _id(next(_numbers))
                if table == "completion":
                    said.setdefault(_of(year, table, "record_id"), _id(next(_numbers)))
                rows.append(tuple([said.get(value, value) for value in row]))


def _id(number: int) -> str:
    """A UUID of version 7; later ones are greater."""
    return f"018bcfe568007000{0x8 << 60 | number:016x}"


def _dashed(one: str) -> str:
    return f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}"


def schools(completions: int) -> Iterator[str]:
    """The school that is served, and as many others as it takes."""
    yield SCHOOL
    for number in range(1, -(-completions // A_SCHOOL)):
        yield f"school-{number:04}"


def fill(folder: Path, completions: int, *, answered: float = 0.1, database: str = "") -> None:
    """A new instance in ``folder`` with so many completions."""
    found = pattern(folder)
    years = [found.of_year(ago) for ago in reversed(range(YEARS))]
    if database:
        run(settings(folder, "http://localhost:8000", database), "migrate")
        writer: Sqlite | Postgres = Postgres(database, found.columns)
    else:
        writer = Sqlite(folder / "clauseway.sqlite3", found.columns)
    writer.empty(tuple(reversed((*PERSON, *DONE, *ANSWERS))))
    for number, school_id in enumerate(schools(completions), start=1):
        share = 1 if school_id == SCHOOL else answered
        for table, rows in School(years, school_id, share).fill().items():
            writer.write(table, rows)
        if number % AT_ONCE == 0:
            writer.commit()
    writer.close()


class Sqlite:
    def __init__(self, path: Path, columns: Mapping[str, Sequence[str]]) -> None:
        self.columns = columns
        self.connection = sqlite3.connect(path)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
            self.connection.execute(f"PRAGMA {pragma}")

    def empty(self, tables: Sequence[str]) -> None:
        """Whatever the pattern's person left, its entries of the ledger among them."""
        guards = self.connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _sql in guards:
            self.connection.execute(f"DROP TRIGGER {name}")
        for table in (*LEDGER, *tables):
            kept = " WHERE id IN (SELECT person_id FROM manager_grant)" if table == "person" else ""
            if table == "identity":
                kept = " WHERE person_id IN (SELECT person_id FROM manager_grant)"
            where = kept.replace(" IN ", " NOT IN ")
            self.connection.execute(f'DELETE FROM "{table}"{where}')
        for _name, sql in guards:
            self.connection.execute(sql)

    def write(self, table: str, rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(self.columns[table]))
        names = ", ".join(self.columns[table])
        self.connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)

    def commit(self) -> None:
        self.connection.commit()

    def close(self) -> None:
        self.connection.commit()
        # No ANALYZE: the tool never has SQLite make statistics.
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.close()


class Postgres:
    def __init__(self, url: str, columns: Mapping[str, Sequence[str]]) -> None:
        self.columns = columns
        self.connection = psycopg.connect(url.replace("+psycopg", ""))
        self.connection.execute("SET TIME ZONE 'UTC'")

    def empty(self, tables: Sequence[str]) -> None:
        """Nobody has been there."""

    def write(self, table: str, rows: Sequence[Row]) -> None:
        names = ", ".join(self.columns[table])
        with (
            self.connection.cursor() as cursor,
            cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as out,
        ):
            for row in rows:
                out.write_row(row)

    def commit(self) -> None:
        self.connection.commit()

    def close(self) -> None:
        self.connection.commit()
        self.connection.autocommit = True
        self.connection.execute("ANALYZE")
        self.connection.close()


def verify(folder: Path, school: str = "", database: str = "") -> str:
    """What ``clauseway evidence verify`` says. Raises where a chain is broken."""
    environment = os.environ | settings(folder, "http://localhost:8000", database)
    command = [CLAUSEWAY, "evidence", "verify", *([f"--school={school}"] if school else [])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2000:] + done.stderr[-2000:])
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--completions", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--answered", type=float, default=0.1)
    parser.add_argument("--database", default="", metavar="URL")
    asked = parser.parse_args()
    begun = time.perf_counter()
    fill(asked.folder, asked.completions, answered=asked.answered, database=asked.database)
    print(f"{asked.completions} completions in {time.perf_counter() - begun:.0f} s")
    begun = time.perf_counter()
    held = sum(int(one) for one in re.findall(r": (\d+) entries hold", verify(asked.folder)))
    print(f"{held} entries verified in {time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
