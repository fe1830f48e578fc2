"""How the commonest queries are answered where the tables are big: by an index, never row by row.

Whatever the tool asks while somebody goes from launch to register is taken down, and the database
is asked how it would answer each with many schools' rows in every table. ``make plans`` writes down
those asked most often (``docs/query-plans.md``).
"""

import os
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from lti_tool.app import ROOT
from lti_tool.core.clock import utc_now
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.operation.metrics import figures
from lti_tool.people.models import Absence
from lti_tool.training.cycles.models import DueDateMove, Obligation
from lti_tool.training.models import Completion
from lti_tool.training.reminders.models import Reminder, ReminderBatch
from lti_tool.training.year.tasks import settle_all
from tests.journeys.conftest import Product, Visitor, serving

RECORDED = ROOT / "docs" / "query-plans.md"
ROWS = 20_000
# What grows with people and years. The others hold a few rows for each school or platform.
BIG = (
    "absence", "completion", "declaration", "disclosure", "due_date_move", "identity", "journey",
    "ledger_entry", "membership", "obligation", "person", "question", "reminder", "round",
    "score_outbox", "section_read", "visit",
)  # fmt: skip
KEPT = {"state", "module", "cycle", "kind", "realm", "level"}


@dataclass
class Asked:
    """What was asked, how often, and once with which values."""

    times: Counter[str] = field(default_factory=Counter)
    values: dict[str, Any] = field(default_factory=dict)

    def note(self, sql: str, values: Any) -> None:
        if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            self.times[sql] += 1
            self.values.setdefault(sql, values)


@contextmanager
def taking_down(database: Database) -> Iterator[Asked]:
    asked = Asked()

    def note(conn: Any, cursor: Any, sql: str, values: Any, context: Any, many: bool) -> None:
        if not many:
            asked.note(sql, values)

    event.listen(database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(database.engine, "before_cursor_execute", note)


def go_through(product: Product) -> None:
    """From launch to register, and what the worker does each minute."""
    school = "hemswell-cliff"
    for kind in ("starter", "assistant"):
        person = product.platform.person(school, kind)
        visitor = Visitor(product, person, product.platform.activity_at(school))
        visitor.learn(wrong=1)
        visitor.get("/training")
    with product.database.transaction() as session:
        one_of_each(session, done_by(session, school), school)
    product.deliver()
    settle_all(product.database, product.catalogue.schools.values(), utc_now)
    list(figures.read(product.database, now=utc_now()))
    head = Visitor(product, product.platform.person(school, "head"), visitor.activity)
    for page in ("/register", "/dashboard", "/chase", "/people", "/reminders", "/packs"):
        head.get(page)
    head.http.get(f"{product.platform.tool_url}/register.csv", timeout=30)


def done_by(session: Session, school_id: str) -> UUID:
    done = select(Completion.person_id).where(Completion.school_id == school_id)
    return session.scalars(done).first() or new_id()


def one_of_each(session: Session, person_id: UUID, school_id: str) -> None:
    """What this way through leaves no row of."""
    now = utc_now()
    today = now.date()
    owed = Obligation(
        id=new_id(), school_id=school_id, person_id=person_id, module="annual-refresh",
        cycle="2026-27", opens_on=today, due_on=today, reason={"code": "refresh"}, created_at=now,
    )  # fmt: skip
    batch = ReminderBatch(id=new_id(), school_id=school_id, asked_at=now, planned={}, left_out={})
    session.add_all((owed, batch))
    session.flush()
    session.add_all(
        (
            Absence(school_id=school_id, person_id=person_id, starts_on=today, entered_at=now),
            DueDateMove(
                school_id=school_id, obligation_id=owed.id, from_on=today, to_on=today,
                reason="", moved_at=now, moved_by=person_id,
            ),
            Reminder(
                school_id=school_id, batch_id=batch.id, person_id=person_id, kind="due",
                day=today, state="sent", next_at=now,
            ),
        )
    )  # fmt: skip


def fill(database: Database) -> None:
    """Many other schools' rows in every big table, like the one that is there."""
    inspector = inspect(database.engine)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        for table in BIG:
            told_apart = _told_apart(inspector, table)
            columns = {str(one["name"]): one["type"] for one in inspector.get_columns(table)}
            chosen = [
                _other(name, str(kind)) if name in told_apart else f't."{name}"'
                for name, kind in columns.items()
            ]
            names = ", ".join(f'"{name}"' for name in columns)
            copied = connection.exec_driver_sql(
                f'INSERT INTO "{table}" ({names}) SELECT {", ".join(chosen)} '
                f'FROM (SELECT * FROM "{table}" LIMIT 1) AS t, generate_series(1, {ROWS}) AS n'
            )
            assert copied.rowcount == ROWS, table
        connection.exec_driver_sql("SET session_replication_role = DEFAULT")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")


def _told_apart(inspector: Any, table: str) -> set[str]:
    """The columns by which rows are told apart or found."""
    found = set(inspector.get_pk_constraint(table)["constrained_columns"])
    for one in (*inspector.get_indexes(table), *inspector.get_unique_constraints(table)):
        found |= set(one["column_names"])
    return found - KEPT


def _other(name: str, kind: str) -> str:
    if kind == "UUID":
        return "gen_random_uuid()"
    if kind.startswith(("VARCHAR", "TEXT")):
        return (
            f"left(md5(n::text || '{name}'), 20)" if name != "school_id" else "'s' || mod(n, 400)"
        )
    if kind == "BYTEA":
        return "decode(md5(n::text), 'hex')"
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"t.\"{name}\" - n * interval '1 minute'"
    return f't."{name}" + n'


def plan_on_postgres(database: Database, sql: str, values: Any) -> str:
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {sql}", values).scalars().all()
    return "\n".join(rows)


def plan_on_sqlite(database: Database, sql: str, values: Any) -> str:
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", tuple(values)).all()
    return "\n".join(row.detail for row in rows)


def read_whole(plan: str) -> list[str]:
    """The big tables that a plan goes through row by row."""
    found = re.findall(r"Seq Scan on (\w+)|^SCAN (\w+)(?! USING)", plan, re.MULTILINE)
    return sorted({one or other for one, other in found} & set(BIG))


def reads_the_school(sql: str, plan: str) -> bool:
    """Whether what is asked of one person goes through all that their school has (SQLite says)."""
    is_of_one = "person.one_with = ?" in sql and "person.id = ?" in sql
    by_school = r"SEARCH (journey|completion) USING [A-Z ]*\w+ \(school_id=\?\)"
    return is_of_one and re.search(by_school, plan) is not None


def reads_the_platform(plan: str) -> bool:
    """Whether what is asked of a few scores goes through all that one platform was ever sent."""
    by_platform = r"SEARCH score_outbox USING [A-Z ]*\w+ \(registration_id=\?\)"
    return re.search(by_platform, plan) is not None


@pytest.mark.one_machine("asks one process what it asks of its database")
def test_no_big_table_is_gone_through_row_by_row(
    database_url: str, database: Database, tmp_path: Path
) -> None:
    with serving(database_url, tmp_path) as product:
        with taking_down(product.database) as asked:
            go_through(product)
        if not database.is_sqlite:
            fill(product.database)
        explain = plan_on_sqlite if database.is_sqlite else plan_on_postgres
        plans = {sql: explain(product.database, sql, asked.values[sql]) for sql in asked.times}
    assert len(plans) > 60
    if os.environ.get("RECORD_PLANS"):
        record(asked, plans, "SQLite" if database.is_sqlite else "PostgreSQL")
    assert {sql: plan for sql, plan in plans.items() if read_whole(plan)} == {}
    assert {sql: plan for sql, plan in plans.items() if reads_the_school(sql, plan)} == {}
    assert {sql: plan for sql, plan in plans.items() if reads_the_platform(plan)} == {}


def record(asked: Asked, plans: dict[str, str], kind: str) -> None:
    """The ten commonest of what reads a big table, in the file's part for this database."""
    reads = re.compile(rf"\b(FROM|UPDATE|JOIN) ({'|'.join(BIG)})\b")
    commonest = [one for one in asked.times.most_common() if reads.search(one[0])][:10]
    told = [
        f"### {kind}, {number}. Asked {times} times\n\n```sql\n{_in_lines(sql)}\n```\n\n"
        f"```\n{plans[sql]}\n```\n"
        for number, (sql, times) in enumerate(commonest, 1)
    ]
    head, *parts = re.split(r"^(?=## )", RECORDED.read_text(), flags=re.MULTILINE)
    kept = [part for part in parts if not part.startswith(f"## {kind}")]
    parts = sorted([*kept, f"## {kind}\n\n" + "\n".join(told).rstrip() + "\n\n"])
    RECORDED.write_text(head + "".join(parts).rstrip() + "\n")


def _in_lines(sql: str) -> str:
    return "\n".join(textwrap.wrap(" ".join(sql.split()), 100))
