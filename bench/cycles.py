"""What it costs to open a cycle for twenty thousand people at one school, and to settle it again.

``python -m bench.cycles`` makes a new SQLite file with as many members (``--people``), a tenth of
them new, a tenth away, each with last year's training, then opens this year's cycle as the worker
does and settles the school once more. ``--database`` takes an empty PostgreSQL instead.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.curriculum.reading import ROOT, read_catalogue
from lti_tool.evidence import register
from lti_tool.evidence.schemas import Filters
from lti_tool.migrations.run import upgrade
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.policies.policy import School
from lti_tool.training.cycles.models import Calendar, Obligation
from lti_tool.training.cycles.opening import open_due
from lti_tool.training.cycles.settling import settle
from lti_tool.training.cycles.states import state
from lti_tool.training.models import Completion, Declaration, Journey

SCHOOL = "hemswell-cliff"
LAST_YEAR = datetime(2025, 9, 20, 9, 0, tzinfo=UTC)
LAST_AUTUMN = datetime(2025, 9, 1, 6, 0, tzinfo=UTC)
OPENS = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)


def fill(session: Session, people: int, school_id: str = SCHOOL) -> None:
    session.add(Calendar(school_id=school_id, began_on=date(2025, 8, 1), changed_at=LAST_YEAR))
    session.flush()
    rows: dict[type, list[dict[str, Any]]] = {
        table: [] for table in (Person, Membership, Absence, Journey, Declaration, Completion)
    }
    for number in range(people):
        _add(rows, number, school_id)
    for table, found in rows.items():
        session.execute(insert(table), found)


def _add(rows: dict[type, list[dict[str, Any]]], number: int, school_id: str) -> None:
    person, journey, declaration = new_id(), new_id(), new_id()
    here = {"school_id": school_id, "person_id": person}
    is_new = number % 10 == 0
    rows[Person].append({"id": person, "name": f"Person {number}", "created_at": LAST_YEAR})
    rows[Membership].append(
        {
            **here, "id": new_id(), "role_group": "teaching", "created_at": LAST_YEAR,
            "confirmed_at": LAST_YEAR, "starts_on": date(2026, 8, 28) if is_new else None,
        }
    )  # fmt: skip
    if number % 10 == 1:
        rows[Absence].append(
            {
                **here, "id": new_id(), "starts_on": date(2026, 8, 1),
                "ends_on": date(2026, 12, 1) if number % 20 == 1 else None,
                "entered_at": LAST_YEAR,
            }
        )  # fmt: skip
    if is_new:
        return
    done = {**here, "module": "annual-refresh", "cycle": "2025-26"}
    policy = {"policy_number": "2022-03", "policy_sha256": "0" * 64, "language": "en"}
    rows[Journey].append(
        {
            **done, **policy, "id": journey, "role_group": "teaching", "started_at": LAST_YEAR,
            "completed_at": LAST_YEAR,
        }
    )  # fmt: skip
    rows[Declaration].append(
        {
            **here, **policy, "id": declaration, "journey_id": journey, "printed_name": "P",
            "text": "T", "document_sha256": "", "signed_at": LAST_YEAR, "method": "online",
        }
    )  # fmt: skip
    rows[Completion].append(
        {
            **done, "id": new_id(), "journey_id": journey, "declaration_id": declaration,
            "record_id": new_id(), "score": 90, "first_score": 80, "pass_mark": 80,
            "policy_number": "2022-03", "completed_at": LAST_YEAR,
        }
    )  # fmt: skip


def timed(database: Database, what: str, act: Callable[[Session], object]) -> None:
    began = time.perf_counter()
    with database.transaction() as session:
        found = act(session)
    print(f"{what}: {time.perf_counter() - began:.2f} s ({found})")


def states(session: Session) -> object:
    shown = state(OPENS.date(), schools=[SCHOOL]).label("state")
    return dict(session.execute(select(shown, func.count()).group_by("state")).all())


def registered(session: Session) -> object:
    asked = Filters(module="annual-refresh", cycle="2026-27")
    return register.count(session, school_id=SCHOOL, filters=asked, today=OPENS.date()).states


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--people", type=int, default=20_000)
    options.add_argument("--database", default="")
    given = options.parse_args()
    school: School = replace(read_catalogue(ROOT).schools[SCHOOL])
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
        database = Database(url)
        upgrade(database.engine)
        timed(database, f"{given.people} people made", lambda s: fill(s, given.people))
        timed(database, "the cycle before it", lambda s: open_before(s, school))
        timed(database, "the cycle opens", lambda s: opened(s, school))
        timed(database, "settled once more", lambda s: dict(settle(s, school=school, now=OPENS)))
        timed(database, "states counted", states)
        timed(database, "the register counted", registered)
        timed(database, "obligations", lambda s: s.scalar(select(func.count(Obligation.id))))
        database.engine.dispose()


def open_before(session: Session, school: School) -> object:
    return opened(session, school, LAST_AUTUMN)


def opened(session: Session, school: School, now: datetime = OPENS) -> object:
    found = open_due(session, school=school, now=now)
    return found and found.people


if __name__ == "__main__":
    main()
