"""A launch walked without a browser: for tests over HTTP and for benchmarks."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from sandbox_lms.course.asked import SIGNED_IN_COOKIE
from sandbox_lms.platform import Platform
from sandbox_lms.schools import Activity, Person


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = held.get("action", "")
        elif tag == "input" and "name" in held:
            self.fields[held["name"]] = held.get("value", "")


def read_form(page: requests.Response) -> tuple[str, dict[str, str]]:
    """Where the one form of a page posts to, and its fields. Raises ValueError without one."""
    form = _Form()
    form.feed(page.text)
    if not form.action:
        raise ValueError(f"no form in the answer {page.status_code} of {page.url}")
    return urljoin(page.url, form.action), form.fields


def sign_in(session: requests.Session, person: Person) -> None:
    """Be somebody at every host of this session's cookies."""
    session.cookies.set(SIGNED_IN_COOKIE, person.id)


def begin(
    session: requests.Session, platform: Platform, person: Person, activity: Activity
) -> tuple[str, dict[str, str]]:
    """Login at the tool and authentication at the platform; gives what would be posted to the
    tool next: the address, and `id_token` (or `error`) and `state`."""
    sign_in(session, person)
    login = platform.login_parameters(person, activity)
    return read_form(session.post(f"{platform.tool_url}/lti/login", data=login))


def launch(
    session: requests.Session, platform: Platform, person: Person, activity: Activity
) -> requests.Response:
    """A whole launch; gives the tool's answer with its redirects followed."""
    address, fields = begin(session, platform, person, activity)
    return session.post(address, data=fields)
