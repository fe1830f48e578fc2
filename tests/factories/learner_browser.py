"""A learner at the little school, in a browser: every page, and each step of a training."""

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.core.database import Database
from lti_tool.people.access import COOKIE
from lti_tool.people.arrive import Admission


class Browser:
    """Somebody's browser: follows redirects and carries each page's token into its forms."""

    def __init__(self, client: FlaskClient, admission: Admission) -> None:
        self.client = client
        self.visit_id = admission.visit_id
        self.headers = {"Cookie": f"{COOKIE}={admission.token}"}
        self.csrf = ""
        self.path = ""

    @property
    def database(self) -> Database:
        found: Database = self.client.application.extensions["database"]
        return found

    def get(self, path: str) -> str:
        return self._read(self.client.get(path, headers=self.headers, follow_redirects=True), 200)

    def post(self, path: str, *, status: int = 200, **form: str) -> str:
        sent = {"csrf_token": self.csrf, **form}
        answer = self.client.post(path, data=sent, headers=self.headers, follow_redirects=True)
        return self._read(answer, status)

    def _read(self, answer: TestResponse, status: int) -> str:
        page = answer.get_data(as_text=True)
        assert answer.status_code == status, page
        self.path = answer.request.path
        found = re.search(r'name="csrf_token" value="(\w+)"', page)
        self.csrf = found[1] if found else self.csrf
        return unescape(page)


def begin(browser: Browser, role_group: str = "teaching") -> str:
    return browser.post("/begin", asked="yes", role_group=role_group)


def finish(browser: Browser) -> str:
    """Everything right, and signed."""
    finish_reading(browser)
    return sign(browser)


def sign(browser: Browser) -> str:
    return browser.post("/training/declaration", printed_name="Sam Ostler", has_agreed="yes")


def finish_reading(browser: Browser) -> str:
    """Everything right; the declaration lies open."""
    for section in ("private", "work"):
        browser.post(f"/training/policy/{section}")
    browser.post("/training/who-to-tell")
    for position in range(1, 11):
        answer(browser, position, "b")
    return browser.get("/training/declaration")


def answer(browser: Browser, position: int, choice: str, sureness: str = "") -> str:
    return browser.post(f"/training/questions/{position}", choice=choice, sureness=sureness)


def title(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert found
    return found[1]


def headings(page: str) -> list[str]:
    return re.findall(r"<h1[^>]*>\s*(.*?)\s*</h1>", page, re.DOTALL)
