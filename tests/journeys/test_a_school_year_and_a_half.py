"""A year and a half of one school's life, against the register that a clerk kept by hand.

Two platforms, three versions of the policy, people who join, leave, are away and come back. What
people do they do over HTTP; what the worker does is done each Monday and on each day on which
anything happens. The story and the table are in ``clerks_register.yaml``.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import yaml
from sqlalchemy import select

from lti_tool.core import ledger
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.models import Obligation
from tests.conftest import SetClock
from tests.factories.keys import give_key
from tests.journeys.school_life import NAMES, SCHOOL, Life, three, versions

CLERK: Final = yaml.safe_load(Path(__file__).with_name("clerks_register.yaml").read_text("utf-8"))
FILE: Final = """name,email,role group,start date,payroll number
Dev Dale,dev@school.example,governor,1/9/2020,D1
Eve Elm,eve@school.example,volunteer,5/6/2023,E1
"""
WHY: Final = {  # the last of these that stands in the reason
    "This year’s refresh closes on": "closes",
    "The school’s policy changed on": "version",
    "New starter training is due": "start",
    "It is due on the first day here": "first-day",
    "because of days away from work": "back",
    "The school moved the date": "moved",
}
REGISTER_SAYS: Final = {
    "done": "Done", "overdue": "Overdue", "lapsed": "Overdue", "paused": "Paused",
    "left-incomplete": "Left incomplete",
}  # fmt: skip


def begin_school(life: Life) -> None:
    """The first day: the platforms, the head, the holidays, the staff, the refresh."""
    one = life.connect(life.one, "Moodle")
    life.connect(life.two, "The trust’s Moodle")
    life.enrol(life.one, "Ada", "Ben", "Cara", "Ida", "Jon", "Kim", "Moe")
    with life.app.extensions["database"].transaction() as session:
        head = expect(session, realm=one, subject=str(ord("A")), now=life.clock())
        memberships.grant(session, person_id=head, school_id=SCHOOL, now=life.clock())
    ada = life.arrive("Ada")
    for number, (first, last) in enumerate(CLERK["holidays"]):
        ada.press(
            "/year", "/year/holidays",
            name=f"Holiday {number}", starts_on=str(first), ends_on=str(last),
        )  # fmt: skip
    link = ada.link("/staff-lists", "Link “")
    ada.press(link, link, is_staff_only="yes")
    life.work()
    ada.bring(FILE)
    ada.press("/year/cycle", "/year/cycle", closes_on="2025-10-31")


def autumn(life: Life) -> None:
    life.enrol(life.two, "Ned")
    life.arrive("Ned", platform=life.two)
    life.on("2025-09-16").learn("Ada")
    life.on("2025-09-22").learn("Ben")
    life.enrol(life.one, "Eve")
    life.on("2025-09-30").arrive("Eve")
    life.arrive("Ada").join("Eve")
    life.learn("Eve")
    life.on("2025-10-06").arrive("Ada").away("Jon", "6/10/2025", "14/11/2025")
    life.enrol(life.one, "Dev")
    life.on("2025-10-13").arrive("Dev")
    life.arrive("Ada").join("Dev")
    life.learn("Dev")
    ada = life.on("2025-10-20").arrive("Ada")
    ada.move("Kim", "2025-11-14", "Kim leads the harvest play.")
    ada.say("Ida", ends_on="24/10/2025")
    life.on("2025-10-30").learn("Cara", wrong=2)
    life.on("2025-11-02")
    life.enrol(life.one, "Finn")
    life.on("2025-11-03").begin("Finn", "induction")
    life.on("2025-11-10").learn("Finn", "induction")
    life.on("2025-11-12").learn("Kim", wrong=1)
    life.on("2025-11-28").learn("Jon")
    life.on("2026-01-11")
    life.enrol(life.one, "Gwen")
    ada = life.on("2026-01-12", "07:30").arrive("Ada")
    ada.say("Gwen", role_group="supply", ends_on="31/7/2026")
    life.on("2026-01-12").learn("Gwen", "before-you-start")
    life.on("2026-01-23").learn("Gwen", "induction")
    life.on("2026-02-22")


def spring(life: Life) -> None:
    ada = life.on("2026-02-23").arrive("Ada")
    page = "/policy/versions/2026-02/open"
    ada.press(page, page, day="13", month="3", year="2026")
    life.on("2026-02-24").learn("Ada")
    life.on("2026-03-01").arrive("Ada").away("Finn", "1/3/2026", "30/4/2026")
    life.on("2026-03-02").learn("Ben")
    ada = life.on("2026-03-12").arrive("Ada")
    page = ada.record("Jon") + "/paper"
    ada.press(
        page, "/paper", training="policy-update policy-2026-02", policy_number="2026-02",
        reason="Signed in the staff room.", **three("signed_on", "2026-03-10"),
    )  # fmt: skip
    life.on("2026-03-13", "23:30").learn("Kim")
    life.on("2026-05-12").learn("Finn")
    life.on("2026-05-31")


def summer_and_after(life: Life) -> None:
    ada = life.on("2026-06-01").arrive("Ada")
    page = "/policy/versions/2026-05/open"
    ada.press(page, page)
    life.on("2026-06-14")
    life.enrol(life.one, "Hal")
    life.on("2026-06-15")
    life.on("2026-06-24").learn("Hal", "induction")
    life.on("2026-08-23")
    life.enrol(life.one, "Pia")
    life.on("2026-08-24")
    life.on("2026-08-28").begin("Pia", "induction")
    life.on("2026-08-31")
    life.enrol(life.one, "Lou")
    life.on("2026-09-01")
    life.on("2026-09-02").learn("Pia", "induction")
    life.on("2026-09-03").learn("Ada")
    life.enrol(life.two, "Eve")
    life.on("2026-09-10").arrive("Eve", platform=life.two)
    life.arrive("Ada").join("Eve")
    life.learn("Eve", platform=life.two)
    life.on("2026-09-20").learn("Lou", "induction")
    life.on("2026-10-01").arrive("Ada").away("Kim", "1/10/2026")
    life.on("2026-10-20").begin("Dev")
    life.arrive("Ada").say("Finn", ends_on="20/10/2026")
    life.on("2026-10-28").learn("Moe")
    ada = life.on("2026-10-30").arrive("Ada")
    ada.move("Jon", "2026-11-30", "Jon covers for Kim.")
    life.begin("Cara")
    life.on("2026-10-31", "23:50").learn("Ben")
    life.on("2026-11-05").learn("Cara")
    life.on("2027-02-28")


def compare(life: Life) -> None:
    """What the register says, line by line, against the clerk's."""
    ada = life.arrive("Ada")
    lines = [[str(cell or "") for cell in line] for line in CLERK["lines"]]
    found = []
    for module, cycle in sorted({(line[1], line[2]) for line in lines}):
        for name, row in ada.register(module, cycle).items():
            if row["State"] == "Not due":
                assert not row["Due on"], row
                continue
            why = [short for words, short in WHY.items() if words in row["Why then"]]
            found.append((
                name, module, cycle, row["Due on"], why[-1], row["State"], row["Declared on"],
                row["Policy version"], row["Declared how"],
            ))  # fmt: skip
    how = {"online": "On screen", "paper": "On paper", "": ""}
    expected = [(*line[:5], REGISTER_SAYS[line[5]], *line[6:8], how[line[8]]) for line in lines]
    assert set(found) ^ set(expected) == set()
    assert len(found) == len(expected)

    outcomes = {(line[0], line[1], line[2]): line[5] for line in lines}
    still_open = {"overdue": "", "paused": ""}
    with life.app.extensions["database"].reading() as session:
        rows = session.execute(
            select(Person.name, Obligation).join(Person, Person.id == Obligation.person_id)
        ).all()
        kept = {
            (name.split()[0], one.module, one.cycle): one.outcome
            for name, one in rows
            if one.outcome != "withdrawn"
        }
        assert kept == {key: still_open.get(end, end) for key, end in outcomes.items()}
        count, fault = ledger.verify(session, school_id=SCHOOL)
        assert fault is None
        assert count > len(lines)
        ned = session.scalars(
            select(Membership)
            .join(Person, Person.id == Membership.person_id)
            .where(Person.name == NAMES["Ned"])
        ).one()
        assert ned.confirmed_at is None, "a pupil whom nobody confirmed"


def test_the_register_is_the_clerks(tmp_path: Path, own_url: str) -> None:
    clock = SetClock(datetime(2025, 9, 15, 8, 0, tzinfo=UTC))
    give_key(tmp_path)
    life = Life(tmp_path, own_url, clock)
    first, second, third = versions()
    with life.platforms():
        with life.knowing(first):
            begin_school(life)
            autumn(life)
        with life.knowing(first, second):
            spring(life)
        with life.knowing(first, second, third):
            summer_and_after(life)
            assert len(life.kept) >= 3 * sum(line[5] == "done" for line in CLERK["lines"])
            compare(life)
