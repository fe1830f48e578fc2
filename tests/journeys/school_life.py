"""A school whose people arrive over HTTP from two platforms, and the clock on its wall."""

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

from bs4 import Tag
from flask import Flask
from sqlalchemy import select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.ledger import LedgerEntry
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.platforms import Details, add_platform
from lti_tool.lti.rosters import reading
from lti_tool.lti.services import outbox
from lti_tool.policies.policy import Clause, Force, PolicyVersion
from lti_tool.training.cycles.models import Obligation
from lti_tool.training.models import Completion, Declaration
from lti_tool.training.year.tasks import settle_all
from sandbox_lms import schools as sandbox
from sandbox_lms.platform import CLIENT_ID, Platform
from sandbox_lms.serve import running_platform
from tests.conftest import SetClock
from tests.factories import machines
from tests.factories.little_school import little_school
from tests.journeys.conftest import Product, Visitor

LONDON: Final = ZoneInfo("Europe/London")
SCHOOL: Final = "glenmere"
EVERYBODY: Final = frozenset({"teaching", "support", "governor", "volunteer", "supply"})
STAFF: Final = frozenset({"teaching", "support"})
GROUPS: Final = {
    "Ada": "teaching", "Ben": "teaching", "Cara": "support", "Dev": "governor", "Eve": "volunteer",
    "Finn": "teaching", "Gwen": "supply", "Hal": "support", "Ida": "teaching", "Jon": "support",
    "Kim": "teaching", "Lou": "teaching", "Moe": "support", "Ned": "support", "Pia": "teaching",
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

        def make(config: Config) -> Flask:
            return create_app(config, clock=self.clock, catalogue=catalogue(*known))

        config = Config(instance=self.instance, database_url=self.database_url)
        port = urlsplit(self.one.tool_url).port or 0
        second = machines.thread(make)
        with machines.served(make, config, port=port, second=second) as self.app:
            self.one.tool_url = self.two.tool_url = self.app.extensions["config"].url
            yield

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
