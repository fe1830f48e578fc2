"""A browser without JavaScript, for going through the tool over HTTP."""

from collections.abc import Mapping
from http.cookiejar import Cookie
from typing import Any

import requests
from bs4 import BeautifulSoup
from requests.cookies import RequestsCookieJar

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.resolve import State
from tests.factories.answers import Expert


class LoopbackCookies(RequestsCookieJar):
    """Sends Secure cookies over plain http too, as browsers do on this machine's own addresses."""

    def set_cookie(self, cookie: Cookie, *args: Any, **kwargs: Any) -> None:
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)


class PlainBrowser:
    """A browser without JavaScript, and somebody at it who knows their school's policy: follows
    links, fills forms in, does the whole training."""

    def __init__(self, tool_url: str, catalogue: Catalogue, school: str, name: str) -> None:
        self.tool_url, self.catalogue, self.school, self.name = tool_url, catalogue, school, name
        self.http = requests.Session()
        self.http.cookies = LoopbackCookies()

    def see(self, reply: requests.Response, status: int = 200) -> BeautifulSoup:
        assert reply.status_code == status, reply.text
        self.url, self.page = reply.url, BeautifulSoup(reply.text, "html.parser")
        return self.page

    @property
    def path(self) -> str:
        return "/" + self.url.split("/", 3)[3].partition("?")[0]

    @property
    def heading(self) -> str:
        found = self.page.h1
        assert found is not None
        return " ".join(found.get_text().split())

    def get(self, path: str, status: int = 200) -> BeautifulSoup:
        return self.see(self.http.get(self.tool_url + path, timeout=30), status)

    def send(self, fields: Mapping[str, str] | None = None) -> BeautifulSoup:
        """Fill in and send the main form of this page."""
        form = self.page.select_one("main form[method=post]")
        assert form is not None, self.page
        held = {
            str(one["name"]): str(one.get("value", "")) for one in form.select("input[type=hidden]")
        }
        address = self.tool_url + str(form.get("action") or self.path)
        return self.see(self.http.post(address, data={**held, **(fields or {})}, timeout=30))

    def learn(self, role_group: str = "teaching", *, wrong: int = 0, name: str = "") -> None:
        """The whole training to its confirmation; the first ``wrong`` scored answers are not
        right."""
        expert = Expert(self.catalogue, self.school, role_group)
        self.get("/")
        if self.path == "/":
            self.begin(role_group)
        for _ in range(120):
            if self.path == "/training/finished":
                return
            wrong = self.step(expert, wrong, name or self.name)
        raise AssertionError(f"no end after 120 pages: {self.path}")

    def begin(self, role_group: str) -> None:
        """The start page: says what one is, where that is not known yet."""
        fields: dict[str, str] = {}
        if self.page.select_one("input[name=role_group]"):
            fields["role_group"] = role_group
        site = self.page.select_one("input[name=site]")
        if site is not None:
            fields["site"] = str(site["value"])
        self.send(fields)

    def step(self, expert: Expert, wrong: int, name: str) -> int:
        """One page further; returns how many answers are still to be wrong."""
        if self.path.startswith("/training/questions/") and self.page.select("input[name=choice]"):
            text = self.page.get_text(" ")
            is_scored = expert.resolution(expert.scenario_on(text)).state is State.SETTLED
            self.send({"choice": expert.choose(text, right=not (wrong and is_scored))})
            return wrong - bool(wrong and is_scored)
        if self.path == "/training/declaration":
            self.send({"printed_name": name, "has_agreed": "yes"})
        elif self.path == "/training":
            self.get(self.next_task())
        elif self.page.select_one("main form[method=post]"):
            self.send()
        else:
            onward = self.page.select_one("main a.govuk-button")
            assert onward is not None, self.page
            self.get(str(onward["href"]))
        return wrong

    def next_task(self) -> str:
        """The first thing on the task list that is not done."""
        for task in self.page.select(".govuk-task-list__item"):
            link, status = task.a, task.select_one(".govuk-task-list__status")
            if link is not None and status is not None and "Done" not in status.get_text():
                return str(link["href"])
        raise AssertionError("nothing is left to do")
