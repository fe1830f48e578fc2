"""The dashboard and whom to chase: what is counted, of whom, and on what grounds."""

import csv
import io
import json
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.dashboard import chasing, duties, trusts
from lti_tool.evidence.dashboard.chasing import ChaseFilters
from lti_tool.people.models import Absence, Membership, Person
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.cycles.states import state
from lti_tool.training.reminders.models import Reminder, ReminderBatch
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    make_manager,
    owe,
    place,
    start_training,
)

TODAY = NOW.date()
SOON = date(2026, 12, 1)


@pytest.fixture
def head(database: Database) -> Guest:
    return make_manager(database, arrive(database, "Hedda Head", counted=True))


def away(database: Database, guest: Guest, ends_on: date | None = None) -> None:
    with database.transaction() as session:
        session.add(
            Absence(
                school_id=guest.school_id,
                person_id=guest.person_id,
                starts_on=TODAY - timedelta(days=3),
                ends_on=ends_on,
                entered_at=NOW,
            )
        )


def join(database: Database, joined: Guest, root: Guest) -> None:
    with database.transaction() as session:
        session.get_one(Person, joined.person_id).one_with = root.person_id


def a_school_in_every_state(database: Database, school_id: str = HEMSWELL) -> None:
    def somebody(name: str, **given: object) -> Guest:
        guest = arrive(database, name, school_id, counted=True)
        owe(database, guest, **given)  # type: ignore[arg-type]
        return guest

    somebody("Amara Done", outcome="done", ended_on=date(2026, 9, 9))
    somebody("Bethan Overdue")
    begun = somebody("Colin Begun", due_on=SOON)
    start_training(database, begun, module="annual-refresh")
    somebody("Dylan Due", due_on=SOON)
    away(database, somebody("Ffion Away"))
    away(database, somebody("Grace Back"), TODAY - timedelta(days=1))
    somebody("Hugo Left", outcome="left-incomplete", ended_on=date(2026, 11, 1))
    somebody("Imran Lapsed", outcome="lapsed", ended_on=date(2026, 11, 1))
    somebody("Jodie Withdrawn", outcome="withdrawn", ended_on=date(2026, 11, 1))
    somebody("Kofi Later", opens_on=date(2026, 12, 1), due_on=date(2027, 1, 31))
    # Two identities of one: what either began, and where either is away, is theirs.
    root = somebody("Lena Root", due_on=SOON)
    twin = arrive(database, "L. Root", school_id, counted=True)
    start_training(database, twin, module="annual-refresh")
    join(database, twin, root)


COUNTED = {
    "done": 1,
    "overdue": 3,
    "in-progress": 2,
    "due": 1,
    "paused": 1,
    "left-incomplete": 1,
    "not-due": 1,
}


def test_the_plots_count_as_the_lists_do(database: Database) -> None:
    """One is worked out in SQL, the other from the dates, so that it holds for any day."""
    a_school_in_every_state(database)
    a_school_in_every_state(database, GLENMERE)
    with database.reading() as session:
        found = duties.read(session, school_id=HEMSWELL, module="annual-refresh", cycle="2026-27")
        rows = session.execute(
            select(state(TODAY, schools=None).label("state"), func.count())
            .where(Obligation.school_id == HEMSWELL, Obligation.outcome != "withdrawn")
            .group_by("state")
        ).all()
        (school,) = trusts.beside(
            session,
            names={HEMSWELL: "Hemswell"},
            module="annual-refresh",
            cycle="2026-27",
            today=TODAY,
        )
    assert duties.count(found, TODAY) == COUNTED
    assert {name: number for name, number in rows} == COUNTED
    assert school.counts == COUNTED
    assert (school.asked, school.share) == (8, 12)


def test_whom_to_chase_the_longest_overdue_first(database: Database) -> None:
    a_school_in_every_state(database)
    a_school_in_every_state(database, GLENMERE)
    early = arrive(database, "Maya Early", counted=True)
    owe(database, early, due_on=date(2026, 10, 1), module="induction")
    with database.reading() as session:
        lines, total = chasing.page(
            session, school_id=HEMSWELL, filters=ChaseFilters(), number=1, today=TODAY
        )
    assert total == len(lines) == 6
    assert [(line.name, line.state, line.days) for line in lines] == [
        ("Maya Early", "overdue", -53),
        ("Bethan Overdue", "overdue", -23),
        ("Grace Back", "overdue", -23),
        ("Colin Begun", "in-progress", 8),
        ("Dylan Due", "due", 8),
        ("Lena Root", "in-progress", 8),
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", {"Bethan", "Grace", "Colin", "Dylan", "Lena"}),
        ("?when=overdue", {"Bethan", "Grace"}),
        ("?when=soon", {"Colin", "Dylan", "Lena"}),
        ("?module=induction", set()),
        ("?role_group=governor", {"Dylan"}),
    ],
)
def test_the_list_its_filters_and_its_file(
    app: Flask, database: Database, head: Guest, query: str, names: set[str]
) -> None:
    a_school_in_every_state(database)
    with database.reading() as session:
        person_id = session.scalars(select(Person.id).where(Person.name == "Dylan Due")).one()
        member = session.scalars(
            select(Membership.id).where(Membership.person_id == person_id)
        ).one()
    place(
        database,
        Guest(head.admission, member, HEMSWELL),
        role_group="governor",
    )
    client = browser(app, head)
    text = client.get(f"/chase{query}").text
    every = ("Amara", "Bethan", "Colin", "Dylan", "Ffion", "Grace", "Hugo", "Kofi", "Lena")
    assert {name for name in every if name in text} == names
    if "Bethan" in names:
        assert "23 days overdue" in text
        assert "refresh closes on 31 October 2026" in text
    reply = client.get(f"/chase.csv{query}", buffered=True)
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"), newline="")))
    assert {row["Name"].split()[0] for row in rows} == names
    with database.reading() as session:
        bodies = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == "export"))
        (entry,) = [json.loads(body) for body in bodies]
    assert entry["facts"]["what"] == "chase.csv"
    assert entry["facts"]["rows"] == len(names)


def test_the_list_says_who_was_reminded_and_when(
    app: Flask, database: Database, head: Guest
) -> None:
    guest = arrive(database, "Amara Osei", counted=True)
    owe(database, guest)
    client = browser(app, head)
    assert "Not yet" in client.get("/chase").text
    sendings = ((3, "overdue", "sent"), (2, "digest", "sent"), (1, "overdue", "dropped"))
    with database.transaction() as session:
        batch = ReminderBatch(
            id=new_id(), school_id=HEMSWELL, asked_at=NOW, planned={}, left_out={}
        )
        session.add(batch)
        session.flush()
        for days, kind, what in sendings:
            day = TODAY - timedelta(days=days)
            session.add(
                Reminder(
                    school_id=HEMSWELL,
                    batch_id=batch.id,
                    person_id=guest.person_id,
                    kind=kind,
                    day=day,
                    tried_on=day,
                    state=what,
                    next_at=NOW,
                )
            )
    text = client.get("/chase").text
    assert "20 November 2026" in text
    assert "Not yet" not in text
    assert '"2026-11-20"' in client.get("/chase.csv", buffered=True).text


def test_another_site_cannot_set_the_file_off(app: Flask, database: Database, head: Guest) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert browser(app, head).get("/chase.csv", headers=headers).status_code == 400


def test_the_dashboard_shows_plots_with_their_tables(
    app: Flask, database: Database, head: Guest
) -> None:
    a_school_in_every_state(database)
    a_school_in_every_state(database, GLENMERE)
    last = arrive(database, "Nia Last", counted=True)
    owe(
        database,
        last,
        cycle="2025-26",
        opens_on=date(2025, 9, 1),
        due_on=date(2025, 10, 31),
        outcome="done",
        ended_on=date(2025, 9, 9),
    )
    text = browser(app, head).get("/dashboard").text
    assert "1 of 8 done (12%)" in text
    assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="cw-plot"') == 3
    assert text.count("The same as a table") == 3
    assert "2025-26, at its end" in text
    assert " style=" not in text
    assert "All your schools" not in text
    empty = browser(app, head).get("/dashboard?module=induction").text
    assert "This training is asked of nobody in this year." in empty


def test_the_sites_of_a_federation_stand_side_by_side(app: Flask, database: Database) -> None:
    head = make_manager(database, arrive(database, "Hedda Head", GLENMERE, counted=True))
    for site in ("North", "South", "South"):
        guest = arrive(database, f"{site} Person", GLENMERE, counted=True)
        place(database, guest, role_group="support", site=site)
        owe(database, guest)
    client = browser(app, head)
    text = client.get("/dashboard").text
    assert "By site" in text
    assert "North: 0 of 1 done. South: 0 of 2 done." in text
    assert "0 of 1 done" in client.get("/dashboard?site=North").text
    assert client.get("/dashboard?site=East").status_code == 400


@pytest.mark.parametrize(
    "address",
    ["/dashboard?cycle=x", "/dashboard?module=x", "/dashboard?school=x", "/chase?when=x"],
)
def test_anything_else_is_refused(
    app: Flask, database: Database, head: Guest, address: str
) -> None:
    assert browser(app, head).get(address).status_code == 400
    assert browser(app, head).get("/chase?page=2").status_code == 404


def test_a_policy_versions_own_training_has_its_own_cycle(
    app: Flask, database: Database, head: Guest
) -> None:
    """A year that is no cycle of the training asked for is not shown for it."""
    owe(database, arrive(database, "Amara Osei", counted=True), cycle="policy-2026-11")
    text = browser(app, head).get("/dashboard?module=annual-refresh&cycle=policy-2026-11").text
    assert "2026-27" in text
    assert "policy version 2026-11" in text  # to be chosen
    assert browser(app, head).get("/register").status_code == 200
