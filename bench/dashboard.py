"""What it costs to show 200 schools side by side: CPU, statements, memory.

``python -m bench.dashboard`` fills a new SQLite file with 200 schools of 100 people, each with this
year's and last year's refresh, journeys, completions and absences, and lets one manager who holds a
grant for every school ask for *All your schools* and for one school's dashboard, through the whole
tool as a WSGI application. CPU is this process's alone (``time.process_time``). ``--postgres URL``
does the same on a database that is there and empty, and shows how it would run the counting.
"""

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

from flask import Flask
from sqlalchemy import event, func, insert, select, text

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.evidence.dashboard import trusts
from lti_tool.migrations.run import upgrade
from lti_tool.people import access
from lti_tool.people.arrive import Arrival, admit
from lti_tool.people.models import Absence, Grant, Membership, Person
from lti_tool.training.cycles.models import Cycle, Obligation
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration, Journey

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MODEL = "hemswell-cliff"
GROUPS = ("teaching", "teaching", "support", "support", "governor", "volunteer", "supply")
TABLES = (Person, Membership, Absence, Journey, Declaration, Completion, Obligation)
ROUNDS = 15
Rows = dict[type, list[dict[str, Any]]]


def people(school_id: str, number: int, random: Random) -> Rows:
    """Everybody at one school, with two years behind them."""
    rows: Rows = {table: [] for table in TABLES}
    for place in range(number):
        person_id = new_id()
        rows[Person].append(
            {"id": person_id, "name": f"Person {place}", "email": "", "created_at": NOW}
        )
        rows[Membership].append(
            {
                "id": new_id(),
                "school_id": school_id,
                "person_id": person_id,
                "role_group": random.choice(GROUPS),
                "created_at": NOW,
                "confirmed_at": NOW,
            }
        )
        if random.random() < 0.03:
            rows[Absence].append(
                {
                    "id": new_id(),
                    "school_id": school_id,
                    "person_id": person_id,
                    "starts_on": date(2026, 11, 2),
                    "entered_at": NOW,
                }
            )
        for year in (2025, 2026):
            duty(rows, school_id, person_id, year, random)
    return rows


def duty(rows: Rows, school_id: str, person_id: UUID, year: int, random: Random) -> None:
    """One year's refresh of one person: done, begun or not."""
    cycle = f"{year}-{year % 100 + 1}"
    day = date(year, 9, 1) + timedelta(days=int(random.expovariate(1 / 40)))
    is_done = day <= min(NOW.date(), date(year + 1, 8, 31))
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    completion_id = None
    base = {"school_id": school_id, "person_id": person_id}
    if is_done or random.random() < 0.3:
        journey_id, declaration_id = new_id(), new_id()
        rows[Journey].append(
            {
                **base,
                "id": journey_id,
                "module": "annual-refresh",
                "cycle": cycle,
                "policy_number": "2022-03",
                "policy_sha256": "0" * 64,
                "role_group": "teaching",
                "language": "en",
                "started_at": at if is_done else NOW,
                "completed_at": at if is_done else None,
            }
        )
        if is_done:
            completion_id = new_id()
            rows[Declaration].append(
                {
                    **base,
                    "id": declaration_id,
                    "journey_id": journey_id,
                    "printed_name": "A",
                    "text": "B",
                    "language": "en",
                    "policy_number": "2022-03",
                    "policy_sha256": "0" * 64,
                    "document_sha256": "",
                    "signed_at": at,
                    "method": "online",
                }
            )
            rows[Completion].append(
                {
                    **base,
                    "id": completion_id,
                    "journey_id": journey_id,
                    "declaration_id": declaration_id,
                    "record_id": uuid4(),
                    "module": "annual-refresh",
                    "cycle": cycle,
                    "score": 90,
                    "first_score": 80,
                    "pass_mark": 80,
                    "policy_number": "2022-03",
                    "completed_at": at,
                }
            )
    outcome = "done" if is_done else "" if year == 2026 else "lapsed"
    ended_on = {"done": day, "": None, "lapsed": date(2026, 9, 1)}[outcome]
    rows[Obligation].append(
        {
            **base,
            "id": new_id(),
            "module": "annual-refresh",
            "cycle": cycle,
            "opens_on": date(year, 9, 1),
            "due_on": date(year, 10, 31),
            "reason": {"code": "refresh", "closes": f"{year}-10-31"},
            "created_at": NOW,
            "outcome": outcome,
            "ended_on": ended_on,
            "completion_id": completion_id,
        }
    )


def fill(database: Database, schools: list[str], number: int) -> str:
    """All schools, and the cookie of the manager of all of them."""
    random = Random(7)
    with database.transaction() as session:
        for school_id in schools:
            session.execute(
                insert(Cycle),
                [
                    {
                        "id": new_id(),
                        "school_id": school_id,
                        "name": f"{year}-{year % 100 + 1}",
                        "opens_on": date(year, 9, 1),
                        "closes_on": date(year, 10, 31),
                        "opened_at": NOW,
                    }
                    for year in (2025, 2026)
                ],
            )
            for table, rows in people(school_id, number, random).items():
                if rows:
                    session.execute(insert(table), rows)
        come = admit(
            session,
            Arrival(
                door="lti",
                realm="bench",
                subject="trust",
                name="Trudy Trust",
                email="",
                school_id=schools[0],
                module="annual-refresh",
                is_bound=True,
                may_ask_to_manage=False,
                may_set_up=False,
                platform_name="Moodle",
                frame_ancestors="",
            ),
            now=NOW,
        )
        session.execute(
            insert(Grant),
            [
                {
                    "id": new_id(),
                    "school_id": school_id,
                    "person_id": come.person_id,
                    "granted_at": NOW,
                }
                for school_id in schools
            ],
        )
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as open_one:
            open_one.execute(text("ANALYZE"))
    return come.token


def running(instance: Path, url: str, schools: list[str]) -> Flask:
    """The tool with as many schools as wanted, each with the model's texts."""
    app = create_app(Config(instance=instance, database_url=url), clock=lambda: NOW)
    catalogue = app.extensions["catalogue"]
    model = catalogue.schools[MODEL]
    app.extensions["catalogue"] = replace(
        catalogue,
        schools={
            school_id: replace(model, id=school_id, name=f"School {place:03} of the trust")
            for place, school_id in enumerate(schools)
        },
    )
    return app


def measured(app: Flask, token: str, address: str) -> tuple[list[float], int, int]:
    """CPU milliseconds of each asking after the first, statements of one, bytes of the page."""
    client = app.test_client()
    client.set_cookie(access.COOKIE, token, secure=True)
    seen: list[str] = []
    database: Database = app.extensions["database"]

    def note(*details: Any) -> None:
        seen.append(details[2])

    event.listen(database.engine, "before_cursor_execute", note)
    reply = client.get(address, base_url="https://localhost")
    event.remove(database.engine, "before_cursor_execute", note)
    assert reply.status_code == 200, reply.text
    spent = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        client.get(address, base_url="https://localhost")
        spent.append((time.process_time() - begin) * 1000)
    return spent, len(seen), len(reply.data)


def counting(database: Database, schools: list[str]) -> Iterator[str]:
    """How long the counting alone takes, and on PostgreSQL how it is done."""
    with database.reading() as session:
        begin = time.perf_counter()
        trusts.beside(
            session,
            names={one: one for one in schools},
            module="annual-refresh",
            cycle="2026-27",
            today=NOW.date(),
        )
        yield f"counting alone: {(time.perf_counter() - begin) * 1000:.0f} ms on the clock"
        if database.is_sqlite:
            return
        statement = (
            select(Obligation.school_id, state(NOW.date()).label("state"), func.count())
            .where(
                Obligation.school_id.in_(schools),
                Obligation.module == "annual-refresh",
                Obligation.cycle == "2026-27",
                Obligation.outcome != "withdrawn",
            )
            .group_by(Obligation.school_id, "state")
        )
        plain = statement.compile(database.engine, compile_kwargs={"literal_binds": True})
        for (line,) in session.execute(text(f"EXPLAIN ANALYZE {plain}".replace(":", r"\:"))):
            yield line[:150]


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(say: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=200)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--postgres", default="", metavar="URL")
    args = parser.parse_args()
    schools = [f"school-{place:03}" for place in range(args.schools)]
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        url = args.postgres or f"sqlite:///{instance / 'clauseway.sqlite3'}"
        database = Database(url)
        upgrade(database.engine)
        token = fill(database, schools, args.people)
        app = running(instance, url, schools)
        say(f"{args.schools} schools of {args.people} people, {database.engine.dialect.name}")
        for name, address in (
            ("all schools", "/schools"),
            ("one school", "/dashboard"),
            ("whom to chase", "/chase"),
            ("register", "/register?module=annual-refresh"),
        ):
            before = memory()
            spent, statements, size = measured(app, token, address)
            say(
                f"{name:14} CPU {statistics.median(spent):6.1f} ms (worst {max(spent):6.1f}), "
                f"{statements} statements, {size / 1024:.0f} KiB, +{memory() - before:.1f} MiB"
            )
        for line in counting(database, schools):
            say(line)


if __name__ == "__main__":
    main()
