"""Disposal when a period has run out: what goes, what stays, and what the ledger says of it."""

import json
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.erasure import Disposal, Erasure
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.evidence.checkpoints import checking
from lti_tool.evidence.cli import evidence
from lti_tool.evidence.retention import disposing, setting
from lti_tool.evidence.retention.kinds import KINDS
from lti_tool.people.acts import recording
from lti_tool.people.acts.models import Act
from lti_tool.people.details import absences
from lti_tool.people.models import Identity, Membership, Person
from lti_tool.training.models import Completion, Journey, Question, Round
from tests.conftest import SetClock
from tests.factories.packs import declare, made, member, open_cycle
from tests.factories.registers import GLENMERE, HEMSWELL, NOW, Guest, arrive, make_manager, owe

YEARS = 7 * 366


def set_all(database: Database, *but: str, school_id: str = HEMSWELL, **months: int) -> None:
    with database.transaction() as session:
        for kind, one in KINDS.items():
            if kind not in but:
                setting.set_period(
                    session,
                    school_id=school_id,
                    kind=kind,
                    months=months.get(kind.replace("-", "_"), one.suggested),
                    by=None,
                    now=NOW,
                )


def leave(database: Database, guest: Guest, on: date = date(2026, 11, 20)) -> None:
    with database.transaction() as session:
        session.get_one(Membership, guest.membership_id).ends_on = on


def run(app: Flask, clock: SetClock, **by: float) -> dict[str, int]:
    clock.move(**by)
    catalogue = app.extensions["catalogue"]
    with app.app_context():
        return dict(
            disposing.dispose(
                app.extensions["database"],
                school=catalogue.schools[HEMSWELL],
                catalogue=catalogue,
                now=clock(),
            )
        )


def count(database: Database, table: Any, *where: Any) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def holds(app: Flask, school_id: str = HEMSWELL) -> None:
    database, keys = app.extensions["database"], app.extensions["evidence_keys"]
    with database.reading() as session:
        assert checking.verify(session, keys, school_id=school_id)[2] is None


def peopled(database: Database) -> tuple[Guest, Guest, Guest]:
    """A manager; somebody who left, of whom there is something of every kind; and a colleague."""
    open_cycle(database)
    head = make_manager(database, arrive(database, "Helen Head", counted=True))
    lena, carl = (
        member(database, "Lena Left", email="lena@x.org"),
        member(database, "Carl Col", subject="carl"),
    )
    for guest in (lena, carl):
        declare(database, guest)
        owe(database, guest, module="induction")
        with database.transaction() as session:
            absences.enter(
                session,
                school_id=HEMSWELL,
                person_id=guest.person_id,
                person_ids={guest.person_id},
                starts_on=date(2026, 11, 2),
                ends_on=date(2026, 11, 3),
                by=head.person_id,
                now=NOW,
            )
            recording.record(
                session,
                school_id=HEMSWELL,
                actor_id=head.person_id,
                what="person-viewed",
                concerns=[guest.person_id],
                now=NOW,
            )
    leave(database, lena)
    return head, lena, carl


def test_without_a_period_nothing_ever_goes(
    app: Flask, database: Database, clock: SetClock
) -> None:
    peopled(database)
    with database.reading() as session:
        assert disposing.not_set(session, school_id=HEMSWELL) == list(KINDS)
    assert run(app, clock, days=20 * 366) == {}
    assert count(database, Disposal) == 0


def test_a_person_who_left_is_gone_and_the_chain_still_holds(
    app: Flask, database: Database, clock: SetClock
) -> None:
    head, lena, carl = peopled(database)
    before = made(app, head)
    set_all(database)
    clock.move(days=YEARS)
    with database.reading() as session:
        shown = disposing.preview(session, school_id=HEMSWELL, on=clock().date())
    expected = {kind: len(ids) for kind, ids in shown.due.items() if ids}
    gone = run(app, clock)
    assert gone == expected
    assert gone["training"] == gone["people"] == 1
    with database.reading() as session:
        person = session.get_one(Person, lena.person_id)
        assert (person.name, person.email) == ("", "")
        assert session.get_one(Person, carl.person_id).name == "Carl Col"
    for table in (Membership, Identity, Completion, Journey):
        assert count(database, table, table.person_id == lena.person_id) == 0
        assert count(database, table, table.person_id == carl.person_id) >= 1
    assert count(database, Disclosure, Disclosure.person_id == lena.person_id) == 0
    assert count(database, Disclosure, Disclosure.field == "printed_name") == 1
    holds(app)
    app.cli.add_command(evidence)
    said = app.test_cli_runner().invoke(args=["evidence", "verify"]).output
    erased = count(database, Erasure, Erasure.school_id == HEMSWELL)
    assert f"{erased} values erased under retention" in said
    assert made(app, head) != before  # later packs are made and found whole as ever
    assert run(app, clock, days=1).keys() <= {"acts", "visits"}, "what is gone is gone once"


def test_the_tombstone_names_rule_and_numbers_and_nobody(
    app: Flask, database: Database, clock: SetClock
) -> None:
    _head, lena, _carl = peopled(database)
    set_all(database)
    run(app, clock, days=YEARS)
    with database.reading() as session:
        stones = [
            json.loads(body)
            for body in session.scalars(
                select(LedgerEntry.body)
                .where(LedgerEntry.kind == "disposed")
                .order_by(LedgerEntry.sequence)
            )
        ]
    rules = {one["facts"]["rule"]: one for one in stones}
    assert rules["training"]["facts"]["rows"]["completion"] == 1
    assert rules["training"]["facts"]["months"] == 72
    assert rules["training"]["facts"]["values"] == 4
    assert all(one["personal"] == {} for one in stones)
    said = json.dumps(stones)
    assert "Lena" not in said
    assert str(lena.person_id) not in said


def test_a_hold_keeps_everything_of_one_person(
    app: Flask, database: Database, clock: SetClock
) -> None:
    head, lena, _carl = peopled(database)
    set_all(database)
    with database.transaction() as session:
        setting.place_hold(
            session,
            school_id=HEMSWELL,
            person_id=lena.person_id,
            reason="A claim",
            by=head.person_id,
            now=NOW,
        )
    values = count(database, Disclosure, Disclosure.person_id == lena.person_id)
    run(app, clock, days=YEARS)
    assert count(database, Disclosure, Disclosure.person_id == lena.person_id) == values
    assert count(database, Act) == 1, "the row of the access log about her stays as well"
    with database.transaction() as session:
        setting.lift_hold(
            session,
            school_id=HEMSWELL,
            person_id=lena.person_id,
            reason="It is settled",
            by=head.person_id,
            now=clock(),
        )
    run(app, clock, days=1)
    assert count(database, Disclosure, Disclosure.person_id == lena.person_id) == 0
    holds(app)


def test_who_is_at_another_school_stays_known_there(
    app: Flask, database: Database, clock: SetClock
) -> None:
    open_cycle(database)
    here = member(database, "Two Schools", subject="two")
    there = arrive(database, "Two Schools", GLENMERE, subject="two", counted=True)
    assert here.person_id == there.person_id
    declare(database, here)
    declare(database, there)
    leave(database, here)
    set_all(database)
    run(app, clock, days=YEARS)
    with database.reading() as session:
        assert session.get_one(Person, here.person_id).name == "Two Schools"
    assert count(database, Membership, Membership.person_id == here.person_id) == 1
    assert count(database, Completion, Completion.person_id == here.person_id) == 1
    assert count(database, Disclosure, Disclosure.school_id == GLENMERE) == 4


def test_an_identity_by_which_another_school_knows_somebody_stays(
    app: Flask, database: Database, clock: SetClock
) -> None:
    """Joined with somebody who is at another school: one human, who signs in there with both."""
    open_cycle(database)
    root, other = member(database, "Both Schools", subject="b"), member(database, "Also Both")
    arrive(database, "Both Schools", GLENMERE, subject="b", counted=True)
    with database.transaction() as session:
        session.get_one(Person, other.person_id).one_with = root.person_id
    leave(database, root)
    leave(database, other)
    set_all(database)
    assert run(app, clock, days=YEARS)["people"] == 2
    assert count(database, Identity, Identity.person_id == other.person_id) == 1
    assert count(database, Membership, Membership.school_id == HEMSWELL) == 0


def test_a_name_waits_for_the_training_and_a_new_period_for_a_week(
    app: Flask, database: Database, clock: SetClock
) -> None:
    _head, lena, _carl = peopled(database)
    set_all(database, "training", people=1)
    assert "people" not in run(app, clock, days=100)
    with database.transaction() as session:
        setting.set_period(
            session, school_id=HEMSWELL, kind="training", months=1, by=None, now=clock()
        )
    assert "training" not in run(app, clock, days=6)
    assert run(app, clock, days=1)["people"] == 1
    assert count(database, Membership, Membership.person_id == lena.person_id) == 0


def test_answers_go_with_their_version_and_leave_the_record(
    app: Flask, database: Database, clock: SetClock
) -> None:
    _head, _lena, carl = peopled(database)
    with database.transaction() as session:
        journey = session.scalars(select(Journey).where(Journey.person_id == carl.person_id)).one()
        sitting = Round(school_id=HEMSWELL, journey_id=journey.id, number=1, started_at=NOW)
        session.add(sitting)
        session.flush()
        session.add(
            Question(
                school_id=HEMSWELL,
                journey_id=journey.id,
                round_id=sitting.id,
                position=1,
                topic="t",
                scenario="s",
                scenario_sha256="0" * 64,
                option_order=["a"],
                state="settled",
                is_first_asking=True,
                choice="a",
                verdict="right",
                answered_at=NOW,
            )
        )
    set_all(database, *(kind for kind in KINDS if kind != "answers"))
    assert run(app, clock, days=YEARS) == {}, "the version is in use"
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO policy_opening (id, school_id, number, sha256, before, weight, "
                "proposed, reason, clauses, binds, opened_on, opened_at) VALUES (:id, :school, "
                "'2033-01', '', '2022-03', 'minor', '', '', '[]', '[]', '2033-11-01', :at)"
            ),
            {"id": new_id().hex, "school": HEMSWELL, "at": clock()},
        )
    assert run(app, clock, days=360) == {}
    assert run(app, clock, days=10) == {"answers": 1}
    assert count(database, Question) == 0
    assert count(database, Completion, Completion.person_id == carl.person_id) == 1
    assert count(database, Disclosure, Disclosure.field == "choice-1") == 1, "hers had no questions"
    assert count(database, Disclosure, Disclosure.field == "printed_name") == 2
    holds(app)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM disclosure",
        "UPDATE disclosure SET value = salt",
        "UPDATE erasure SET field = 'x'",
        "DELETE FROM erasure",
        "DELETE FROM disposal",
        "UPDATE disposal SET ended_at = NULL",
        "UPDATE disposal SET months = 1",
        "INSERT INTO erasure SELECT record_id, 'person', school_id, disposal_id FROM erasure",
        "INSERT INTO disclosure SELECT record_id, field, school_id, record_id, '', '' FROM erasure",
        "DELETE FROM act",
    ],
)
def test_only_a_disposal_under_way_lets_values_go(
    app: Flask, database: Database, clock: SetClock, statement: str
) -> None:
    peopled(database)
    set_all(database, "access-log")
    run(app, clock, days=YEARS)
    with (
        pytest.raises(DBAPIError, match=r"append-only|UNIQUE|unique"),
        database.engine.execution_options(writes=True).begin() as connection,
    ):
        connection.exec_driver_sql(statement)
    holds(app)


def test_an_erasure_by_hand_is_found(app: Flask, database: Database, clock: SetClock) -> None:
    """Whoever can write to the database can call it a disposal; the ledger knows of none."""
    _head, lena, _carl = peopled(database)
    forged = new_id()
    with database.transaction() as session:
        session.add(
            Disposal(
                id=forged,
                school_id=HEMSWELL,
                kind="people",
                months=1,
                before=NOW,
                began_at=NOW,
            )
        )
        session.flush()
        row = session.scalars(
            select(Disclosure).where(Disclosure.person_id == lena.person_id)
        ).first()
        assert row is not None
        session.add(
            Erasure(
                record_id=row.record_id,
                field=row.field,
                school_id=HEMSWELL,
                disposal_id=forged,
            )
        )
        session.flush()
        session.delete(row)
    with database.reading() as session:
        _count, fault = ledger.verify(session, school_id=HEMSWELL)
        assert fault is not None
        assert "gone, and was not disposed of" in fault.reason
    with database.transaction() as session:  # and one that points at some entry of the ledger
        stone: UUID = ledger.append(
            session,
            school_id=HEMSWELL,
            kind="disposed",
            facts={"disposal": str(forged), "values": 0, "values_sha256": ""},
            now=NOW + timedelta(days=1),
        )
        disposal = session.get_one(Disposal, forged)
        disposal.ended_at, disposal.record_id = NOW, stone
    with database.reading() as session:
        _count, fault = ledger.verify(session, school_id=HEMSWELL)
        assert fault is not None
        assert "erased something else" in fault.reason
