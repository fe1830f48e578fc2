"""A year and a half of one school's life, against the register that a clerk kept by hand.

Two platforms, three versions of the policy, people who join, leave, are away and come back. What
people do they do over HTTP; what the worker does is done each Monday and on each day on which
anything happens. The story and the table are in ``clerks_register.yaml``.
"""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from bs4 import Tag
from flask import Flask
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.ledger import LedgerEntry
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.platforms import Details, add_platform
from lti_tool.lti.rosters import reading
from lti_tool.lti.services import outbox
from lti_tool.people import memberships
from lti_tool.people.arrive import expect
from lti_tool.people.models import Membership, Person
from lti_tool.policies.policy import Clause, Force, PolicyVersion
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.models import Completion, Declaration
from lti_tool.training.year.tasks import settle_all
from sandbox_lms import schools as sandbox
from sandbox_lms.platform import CLIENT_ID, Platform
from sandbox_lms.serve import running, running_platform
from tests.conftest import SetClock
from tests.factories.keys import give_key
from tests.factories.little_school import little_school
from tests.journeys.conftest import Product, Visitor

CLERK: Final = yaml.safe_load(Path(__file__).with_name("clerks_register.yaml").read_text("utf-8"))
LONDON: Final = ZoneInfo("Europe/London")
SCHOOL: Final = "glenmere"
EVERYBODY: Final = frozenset({"teaching", "support", "governor", "volunteer", "supply"})
STAFF: Final = frozenset({"teaching", "support"})
GROUPS: Final = {
    "Ada": "teaching", "Ben": "teaching", "Cara": "support", "Dev": "governor", "Eve": "volunteer",
    "Finn": "teaching", "Gwen": "supply", "Hal": "support", "Ida": "teaching", "Jon": "support",
    "Kim": "teaching", "Lou": "teaching", "Moe": "support", "Ned": "support", "Pia": "teaching",
}  # fmt: skip
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


def versions() -> tuple[PolicyVersion, ...]:
    """As the policy was, with a rule changed for staff, and with some words changed."""
    written = little_school().schools["little-school"].policy
    clauses = {name: _for_everybody(one) for name, one in written.clauses.items()}
    first = replace(
        written,
        school_id=SCHOOL,
        clauses=clauses | {"c3": replace(clauses["c3"], binds=STAFF)},
        rules=tuple(
            one if one.clauses == ("c3",) else replace(one, binds=EVERYBODY)
            for one in written.rules
        ),
    )
    stricter = replace(first.clauses["c3"], text={"en": "Nobody ever does topic-03 at all."})
    second = replace(
        first,
        clauses={**first.clauses, "c3": stricter},
        rules=tuple(
            replace(one, force=Force.MUST, wording="must not") if one.clauses == ("c3",) else one
            for one in first.rules
        ),
    )
    reworded = replace(second.clauses["c5"], text={"en": "Nobody will do topic-05."})
    third = replace(second, clauses={**second.clauses, "c5": reworded})
    return (
        _numbered(first, "2025-01"), _numbered(second, "2026-02"), _numbered(third, "2026-05"),
    )  # fmt: skip


def _for_everybody(clause: Clause) -> Clause:
    return clause if clause.binds == frozenset({"school"}) else replace(clause, binds=EVERYBODY)


def _numbered(version: PolicyVersion, number: str) -> PolicyVersion:
    body = f'{{"policy":"{number}"}}'.encode()
    return replace(
        version,
        number=number,
        approved_on=number,
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def catalogue(*known: PolicyVersion) -> Catalogue:
    little = little_school()
    school = replace(
        little.schools["little-school"], id=SCHOOL, name="Glenmere School", versions=known
    )
    return replace(little, schools={SCHOOL: school})


def somebody(number: int, name: str) -> sandbox.Person:
    """An account, with the address the school knows."""
    given, family = name.split()
    kind = "head" if given == "Ada" else "teacher"
    return sandbox.Person(
        str(number), SCHOOL, kind, given, family, f"{given.lower()}@school.example"
    )


NAMES: Final = {
    name.split()[0]: name
    for name in (
        "Ada Ash", "Ben Beech", "Cara Cedar", "Dev Dale", "Eve Elm", "Finn Fir", "Gwen Gale",
        "Hal Hill", "Ida Ivy", "Jon Jay", "Kim Kay", "Lou Lake", "Moe Mill", "Ned Nash", "Pia Pine",
    )
}  # fmt: skip


class Life:
    """The school, its two platforms, and the clock on the wall."""

    def __init__(self, instance: Path, database_url: str, clock: SetClock) -> None:
        self.instance, self.database_url, self.clock = instance, database_url, clock
        self.app: Flask
        self.one: Platform
        self.two: Platform
        self.kept: dict[tuple[str, str], tuple[Any, ...]] = {}

    @contextmanager
    def platforms(self) -> Iterator[None]:
        with ExitStack() as stack:
            self.one, self.two = (
                stack.enter_context(running_platform(tool_url="", clock=self.clock))
                for _ in range(2)
            )
            for platform in (self.one, self.two):
                platform.people = {}
            yield

    @contextmanager
    def knowing(self, *known: PolicyVersion) -> Iterator[None]:
        """The tool, started with these versions of the policy, always at the same address."""
        made: list[Flask] = []

        def make(url: str) -> Flask:
            config = Config(instance=self.instance, url=url, database_url=self.database_url)
            made.append(create_app(config, clock=self.clock, catalogue=catalogue(*known)))
            return made[0]

        port = urlsplit(self.one.tool_url).port or 0
        with running(make, port=port) as url:
            self.app, self.one.tool_url, self.two.tool_url = made[0], url, url
            yield
            self.app.extensions["lti"].http.close()
            self.app.extensions["queue"].storage.close()
            self.app.extensions["database"].engine.dispose()

    # The school's people

    def connect(self, platform: Platform, name: str) -> str:
        """Register a platform; returns its id."""
        issuer = platform.issuer
        details = Details(
            name=name,
            issuer=issuer,
            client_id=CLIENT_ID,
            auth_login_url=f"{issuer}/auth",
            auth_token_url=f"{issuer}/token",
            jwks_url=f"{issuer}/jwks",
            deployment_id=SCHOOL,
            schools=(SCHOOL,),
        )
        with self.app.extensions["database"].transaction() as session:
            found = str(add_platform(session, details, now=self.clock()).id)
        self.app.extensions["lti"].registry.forget()
        return found

    def enrol(self, platform: Platform, *names: str) -> None:
        for name in names:
            number = str(ord(name[0]))
            platform.people[number] = somebody(int(number), NAMES[name])

    def arrive(
        self, name: str, module: str = "annual-refresh", *, platform: Platform | None = None
    ) -> "Member":
        here = platform or self.one
        person = here.people[str(ord(name[0]))]
        return Member(Product(self.app, here), person, here.activity_at(SCHOOL, module))

    def learn(
        self,
        name: str,
        module: str = "annual-refresh",
        *,
        wrong: int = 0,
        platform: Platform | None = None,
    ) -> None:
        """Somebody does what they owe, to its end."""
        member = self.arrive(name, module, platform=platform)
        member.learn(GROUPS[name], wrong=wrong)

    def begin(self, name: str, module: str = "annual-refresh") -> None:
        """Somebody begins, and leaves it lying."""
        member = self.arrive(name, module)
        member.get("/")
        member.begin(GROUPS[name])

    # Time

    def on(self, day: str, at: str = "10:00") -> "Life":
        """Let time pass until then: the worker works each Monday, and in the morning of the day."""
        until = date.fromisoformat(day)
        now = self.clock().astimezone(LONDON).date()
        assert until >= now, "time runs forwards"
        while now < until:
            now += timedelta(days=1)
            if now.weekday() == 0 or now == until:
                self._at(now, time(6, 0))
                self.work()
        self._at(until, time.fromisoformat(at))
        return self

    def _at(self, day: date, moment: time) -> None:
        there = datetime.combine(day, moment, tzinfo=LONDON).astimezone(UTC)
        self.clock.now = max(self.clock.now, there)

    def work(self) -> None:
        """What the worker does; and a look at what it must never do."""
        found = self.app.extensions
        reading.read_due(found["lti"])
        settle_all(found["database"], found["catalogue"].schools.values(), self.clock)
        outbox.sweep(found["lti"])
        self.look()

    def look(self) -> None:
        """Nobody owes twice; what was recorded is what it was."""
        with self.app.extensions["database"].reading() as session:
            owed = session.scalars(select(Obligation).where(Obligation.outcome != "withdrawn"))
            rows = [one for one in owed if one.module != "before-you-start"]
            twice = Counter((one.person_id, one.cycle) for one in rows)
            at_once = Counter(one.person_id for one in rows if not one.outcome)
            assert max(twice.values(), default=0) <= 1, "owes twice for one cycle"
            assert max(at_once.values(), default=0) <= 1, "owes two trainings at once"
            records = {
                (table.__name__, str(row.id)): tuple(
                    getattr(row, column.key) for column in table.__mapper__.column_attrs
                )
                for table in (Completion, Declaration)
                for row in session.scalars(select(table))
            }
            records |= {
                ("entry", f"{row.sequence}"): (row.body, row.hash)
                for row in session.scalars(
                    select(LedgerEntry).where(LedgerEntry.kind == "completion")
                )
            }
        assert self.kept.items() <= records.items(), "a record was lost or altered"
        self.kept = records


class Member(Visitor):
    """Somebody at a keyboard; a manager, if it is Ada."""

    def learn(self, role_group: str = "teaching", *, wrong: int = 0, name: str = "") -> None:
        if self.path == "/register":
            self.get("/training")
        super().learn(role_group, wrong=wrong, name=name)
        assert self.path == "/training/finished"

    def press(self, page: str, action: str, **fields: str) -> None:
        """Open a page and send its form whose address ends so, with what it holds already."""
        self.get(page)
        forms = self.page.select("main form[method=post]")
        (form,) = [one for one in forms if str(one.get("action") or self.path).endswith(action)]
        tool = self.product.platform.tool_url
        address = tool + str(form.get("action") or self.path)
        self.see(self.http.post(address, data=held(form) | fields, timeout=30))
        assert not self.page.select(".govuk-error-summary"), self.page.get_text()

    def link(self, page: str, words: str) -> str:
        """Where the link with these words leads."""
        self.get(page)
        (found,) = {
            str(one["href"])
            for one in self.page.select("main a[href]")
            if " ".join(one.get_text(" ").split()).startswith(words)
        }
        return found

    def page_of(self, name: str) -> str:
        """The page of one of the school's people."""
        return self.link("/people?show=all", NAMES[name])

    def record(self, name: str) -> str:
        return self.page_of(name).replace("/people/", "/register/")

    def away(self, name: str, first: str, last: str = "") -> None:
        self.press(self.page_of(name), "/away", away_from=first, away_until=last)

    def say(self, name: str, **fields: str) -> None:
        """Change what is known of somebody."""
        page = self.page_of(name)
        self.press(page, page, **fields)

    def move(self, name: str, to_on: str, reason: str) -> None:
        address = self.due_dates(name)
        self.press(address, "/due-dates", reason=reason, **three("to_on", to_on))

    def due_dates(self, name: str) -> str:
        self.get(self.record(name))
        (found,) = {str(one["href"]) for one in self.page.select("main a[href^='/due-dates']")}
        return found

    def join(self, name: str) -> None:
        """Say that two of this name are one."""
        pair = self.link("/people/same", "Compare the two : " + NAMES[name])
        self.press(pair, "")

    def bring(self, text: str) -> None:
        """Bring a staff file, look at what it would do, have it done."""
        self.get("/people/files")
        form = self.page.select_one("main form[enctype]")
        assert form is not None
        sent = {"file": ("staff.csv", text.encode(), "text/csv")}
        tool = self.product.platform.tool_url
        reply = self.http.post(tool + "/people/files", data=held(form), files=sent, timeout=30)
        self.see(reply)
        preview = self.path
        self.press(preview, preview)
        assert self.path == f"{preview}/result"

    def register(self, module: str, cycle: str) -> dict[str, Mapping[str, str]]:
        """The register of one training as its file says it, by first name."""
        tool = self.product.platform.tool_url
        asked = {"module": module, "cycle": cycle}
        reply = self.http.get(tool + "/register.csv", params=asked, timeout=30)
        assert reply.status_code == 200, reply.text
        rows = csv.DictReader(io.StringIO(reply.content.decode("utf-8-sig"), newline=""))
        found = list(rows)
        by_name: dict[str, Mapping[str, str]] = {row["Name"].split()[0]: row for row in found}
        assert len(by_name) == len(found), "somebody stands there twice"
        return by_name


def held(form: Tag) -> dict[str, str]:
    """What a form would send as it stands."""
    values = {}
    for one in form.select("input[name], textarea[name]"):
        if one.get("type") in {"radio", "checkbox"} and not one.has_attr("checked"):
            continue
        values[str(one["name"])] = str(one.get("value", one.get_text()))
    for one in form.select("select[name]"):
        chosen = one.select_one("option[selected]") or one.select_one("option")
        values[str(one["name"])] = str(chosen["value"]) if chosen else ""
    return {name: value for name, value in values.items() if name != "file"}


def three(name: str, day: str) -> dict[str, str]:
    """A day as its three fields."""
    year, month, number = day.split("-")
    return {f"{name}-day": number, f"{name}-month": month, f"{name}-year": year}


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


def test_the_register_is_the_clerks(tmp_path: Path, sqlite_url: str) -> None:
    clock = SetClock(datetime(2025, 9, 15, 8, 0, tzinfo=UTC))
    give_key(tmp_path)
    life = Life(tmp_path, sqlite_url, clock)
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
