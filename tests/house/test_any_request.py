"""Whatever is asked of any route, by whomever, is answered, and never by a fault of ours.

Hypothesis draws the words; each example goes through every route there is, half of them with the
fields that the pages' own forms have, so that what stands behind a form's first check is reached.
"""

import gc
import io
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from marshmallow import Schema
from werkzeug.routing import Rule

from lti_tool.core.database import Database
from lti_tool.core.limits import Tally
from lti_tool.lti.connect import invitations
from lti_tool.people import access
from tests.conftest import SetClock
from tests.factories.little_school import little_school
from tests.factories.one_of_each import one_of_each
from tests.factories.registers import NOW, Guest, arrive, browser, csrf, make_manager, running
from tests.house.test_other_schools import NAMES

SCHOOL = "little-school"
# What ends a visit or takes leave away comes last, or the rest would not be reached.
LAST = ("people.finish", "people.answer_confirm", "managers.dismiss", "joins.join")
LEVELS = {"nobody": ("public",), "learner": ("arrived", "visitor"), "manager": ("manager",)}
METHODS = ("GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
WORDS = [
    "", " ", "\0", "a\0b", "\ud800", "\u202e", "x" * 5000, "<script>", "'\"", "%s%n", "{{7*7}}",
    "-1", "0", "1", "2", "99999999999999999999", "1e400", "NaN", "0x1", "1_0", "²", "٣", "１",
    "true", "yes", "no", "b", "teaching", "induction", "annual-refresh", "2026-27", "2027-28",
    "policy-2022-03", "2026-02-30", "2026-12-24", "0001-01-01", "9999-12-31", "31/12/9999",
    "10000-01-01", "24 December", "../../../etc/passwd", "/%2e%2e/", "https://[::1",
    "https://a:99999/", "https://10.0.0.1/", "//evil.example", "javascript:alert(1)", "[]", "{}",
    "null", "[" * 2000, "little-school", "a@b.example", "=1+1",
]  # fmt: skip
ELSE = ("code", "state", "id_token", "storage", "error", "iss", "login_hint", "target_link_uri")


def names() -> list[str]:
    """Every name of a field that a form or an address may have, as far as schemas say it."""
    gc.collect()
    kinds, found = [Schema], set(ELSE)
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        found |= set(kind._declared_fields)
    return sorted(found)


class Stranger:
    """Somebody who sends whatever comes to mind."""

    def __init__(self, app: Flask, database: Database, who: str) -> None:
        self.app, self.database, self.who = app, database, who
        self.guest: Guest | None = None
        self.ids: dict[str, Any] = {}
        with database.transaction() as session:
            self.secret = invitations.invite(session, schools=[SCHOOL], now=NOW)
        self.arrive()
        self.forms = self.read_forms()

    def arrive(self) -> None:
        if self.who == "nobody":
            return
        self.guest = arrive(self.database, "Some Body", SCHOOL, counted=True)
        if self.who == "manager":
            make_manager(self.database, self.guest)
        staff = arrive(self.database, "Staff", SCHOOL, counted=True)
        self.ids = dict(one_of_each(self.database, staff))

    def client(self) -> tuple[FlaskClient, str]:
        token = csrf(self.app, self.guest.admission.visit_id) if self.guest else "x"
        return browser(self.app, self.guest), token

    def path(self, rule: Rule, random: Random, words: list[str]) -> str:
        values: dict[str, Any] = {}
        for name in rule.arguments:
            kind = type(rule._converters[name]).__name__
            known = self.ids.get(NAMES.get(name, ""), uuid4())
            values[name] = {
                "UUIDConverter": random.choice([known, known, uuid4(), UUID(int=0)]),
                "IntegerConverter": random.choice([0, 1, 2, 11, 10**30]),
            }.get(kind, plain(random.choice([self.secret, "2022-03", "private", *words])) or "x")
        built = rule.build(values, append_unknown=False)
        assert built is not None
        return built[1]

    def read_forms(self) -> dict[tuple[str, str], dict[str, list[str]]]:
        """By method and address, what the forms of this visitor's pages send."""
        client, _ = self.client()
        found: dict[tuple[str, str], dict[str, list[str]]] = {}
        if self.guest is None:
            return found
        for rule in self.rules():
            if "GET" not in (rule.methods or ()):
                continue
            path = self.path(rule, Random(1), ["x"])
            reply = client.get(path, base_url="https://localhost")
            if reply.mimetype != "text/html" or b"<form" not in reply.data:
                reply.close()
                continue
            for form in BeautifulSoup(reply.data, "html.parser").select("form"):
                sent: dict[str, list[str]] = {}
                for field in form.select("[name]"):
                    sent.setdefault(str(field["name"]), []).append(str(field.get("value", "")))
                action = str(form.get("action") or path)
                method = str(form.get("method", "get")).upper()
                found[method, action] = sent
        return found

    def rules(self) -> list[Rule]:
        """The routes that are open to them: that the others are not, test_routes shows."""
        views = self.app.view_functions
        every = [
            (one, access.access_of(views[one.endpoint])) for one in self.app.url_map.iter_rules()
        ]
        found = [rule for rule, mark in every if mark and mark.level in LEVELS[self.who]]
        return sorted(found, key=lambda rule: rule.endpoint in LAST)

    def send_everything(self, random: Random, words: list[str]) -> None:
        rules = self.rules()
        client, token = self.client()
        known = names()
        requests = []
        for rule in rules:
            fields = {random.choice(known): [random.choice(words)] for _ in range(4)}
            requests.append((random.choice(METHODS), self.path(rule, random, words), fields))
            if "POST" in (rule.methods or ()):
                requests.append(("POST", self.path(rule, random, words), fields))
        for (method, path), held in self.forms.items():
            sent = {name: [random.choice(values)] for name, values in held.items()}
            for name in random.sample(sorted(sent), k=min(len(sent), random.choice([0, 1, 1, 2]))):
                sent[name] = random.choices([*words, *sent[name]], k=random.choice([0, 1, 2]))
            requests.insert(random.randrange(len(requests)), (method, path, sent))
        for method, path, fields in requests:
            said = {**fields, "csrf_token": [token]}
            reply = client.open(path, method=method, **shape(random, method, said, words))
            assert reply.status_code < 500, (method, path, said, reply.text)
            reply.close()


def shape(
    random: Random, method: str, fields: dict[str, list[str]], words: list[str]
) -> dict[str, Any]:
    """The request as a browser would send it, or nearly."""
    raw = {
        name: [one.encode("utf-8", "surrogatepass") for one in values]
        for name, values in fields.items()
    }
    given: dict[str, Any] = {"base_url": "https://localhost"}
    if random.random() < 0.2:
        odd = "".join(filter(str.isprintable, random.choice(words))).encode("ascii", "ignore")
        name = random.choice(["Authorization", "Origin", "Accept-Language", "Sec-Fetch-Site"])
        given["headers"] = {name: f"Bearer {odd.decode()}"}
    if method in ("GET", "HEAD"):
        return given | {"query_string": urlencoded(raw)}
    way = random.randrange(8)
    if way == 0:
        name = random.choice(sorted(fields))
        files = {name: (io.BytesIO(random.choice(words).encode("utf-8", "replace")), "a.csv")}
        rest = {name: values for name, values in fields.items() if name not in files}
        readable = {name: [plain(one) for one in values] for name, values in rest.items()}
        return given | {"data": {**readable, **files}, "content_type": "multipart/form-data"}
    if way == 1:
        kind = random.choice(["application/json", "multipart/form-data", "text/plain", "x"])
        return given | {"data": json.dumps(fields), "content_type": kind}
    return given | {
        "data": urlencoded(raw),
        "content_type": "application/x-www-form-urlencoded",
    }


def plain(text: str) -> str:
    """The text without half characters."""
    return text.encode("utf-8", "replace").decode()


def urlencoded(fields: dict[str, list[bytes]]) -> str:
    return urlencode(fields, doseq=True)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def app(database: Database, tmp_path: Path, clock: SetClock) -> Iterator[Flask]:
    with running(tmp_path, database, clock, little_school()) as app:
        app.testing = False
        hours = itertools.count(step=3600.0)
        app.extensions["tally"] = Tally(lambda: next(hours))  # or most would be told to wait
        yield app


def test_no_request_brings_the_tool_down(app: Flask, database: Database) -> None:
    strangers = [Stranger(app, database, who) for who in ("nobody", "learner", "manager")]

    @settings(
        max_examples=2,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.integers(0, 2**32), st.lists(st.text(max_size=30), min_size=8, max_size=8))
    def send(seed: int, drawn: list[str]) -> None:
        for stranger in strangers:
            stranger.arrive()
            stranger.send_everything(Random(seed), WORDS + drawn)

    send()
