"""The platforms as a test sees them: where to click, and what stands in their own tables."""

import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import requests
from bs4 import BeautifulSoup

from interop.world import DECLARED, TEACHER, Activity, Person
from lti_tool.app import ROOT
from lti_tool.lti.connect import by_hand
from sandbox_lms.visitor import read_form


@dataclass(frozen=True)
class Score:
    """A score as the platform's table holds it."""

    subject: str
    given: float
    maximum: float
    comment: str


@dataclass(frozen=True)
class Platform(ABC):
    """One platform that runs at ``url`` and keeps its tables in ``data``."""

    url: str
    tool_url: str
    data: Path

    name: ClassVar[str]
    school: ClassVar[str]
    """The school that it is connected for."""

    @property
    def command(self) -> list[str]:
        """What starts it, in its own environment."""
        environment = {
            "INTEROP_URL": self.url,
            "INTEROP_TOOL_URL": self.tool_url,
            "INTEROP_DATA": str(self.data),
            "INTEROP_SCHOOL": self.school,
            "INTEROP_FORM": json.dumps(dict(self.words.fields) if self.words else {}),
        }
        python = ROOT / ".interop" / self.name / "bin" / "python"
        return [
            *("env", *(f"{key}={value}" for key, value in environment.items())),
            *(str(python), "-m", "interop.serve", self.name, self.url.rpartition(":")[2]),
        ]

    @property
    def words(self) -> by_hand.Product | None:
        """What our page for connecting by hand says of it."""
        known = {one.id: one for one in by_hand.products(self.tool_url)}
        return known.get(self.name)

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """What its database answers."""
        path = self.data / f"{self.name}.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return connection.execute(query, values).fetchall()

    def sign_in(self, http: requests.Session, person: Person) -> None:
        """Be somebody there."""
        http.get(f"{self.url}/sign-in/{person.username}", timeout=10).raise_for_status()

    def launch(
        self, http: requests.Session, activity: Activity, *, chooses: bool = False
    ) -> requests.Response:
        """Open the tool, as a learner does or to choose content: its first page, or the
        platform's refusal."""
        start = self.choosing_url(http, activity) if chooses else self.opening_url(http, activity)
        page = http.get(start, timeout=30)
        if page.status_code == 403:
            return page
        address, fields = read_form(page)
        assert address.startswith(self.tool_url), fields
        return http.post(address, data=fields, timeout=30)

    @abstractmethod
    def details(self) -> dict[str, str]:
        """What its administrator tells the tool: the options of ``clauseway platforms add``."""

    @abstractmethod
    def opening_url(self, http: requests.Session, activity: Activity) -> str:
        """Where a learner clicks."""

    @abstractmethod
    def choosing_url(self, http: requests.Session, activity: Activity) -> str:
        """Where an author clicks to choose content."""

    @abstractmethod
    def subject(self, person: Person) -> str:
        """What it calls somebody."""

    @abstractmethod
    def resource_link_id(self, activity: Activity) -> str:
        """What it calls a place."""

    @abstractmethod
    def content(self, activity: Activity) -> list[dict[str, Any]]:
        """What deep linking chose for a place, as its table holds it: ``url``, ``custom``, …"""

    @abstractmethod
    def line_items(self, activity: Activity) -> list[dict[str, Any]]:
        """The line items of a place, as its table holds them: ``id``, ``url``, ``tag``, …"""

    @abstractmethod
    def scores(self, line_item: int) -> list[Score]:
        """The scores of a line item, as its table holds them."""


class OpenEdx(Platform):
    """The Open edX component."""

    name, school = "openedx", "hemswell-cliff"

    def details(self) -> dict[str, str]:
        http = requests.Session()
        self.sign_in(http, TEACHER)
        page = http.get(f"{self.url}/studio/{DECLARED.id}", timeout=10)
        page.raise_for_status()
        lines = BeautifulSoup(page.text, "html.parser").get_text().splitlines()
        said = [line.strip() for line in lines if line.strip()]
        shown = {label.rstrip(": "): value for label, value in pairwise(said)}
        labels = dict(self.words.gives) if self.words else {}
        issuer = {"name": "Open edX", "issuer": self.url}
        return issuer | {
            option.removeprefix("--"): shown[label]
            for option, label in labels.items()
            if option != "--issuer"
        }

    def opening_url(self, http: requests.Session, activity: Activity) -> str:
        page = http.get(f"{self.url}/course/{activity.id}", timeout=10).text
        # Its ampersands are bare, which HTML's rules for attributes allow and many parsers mistake.
        button = re.search(r'data-target="(http[^"]+)"', page)
        assert button is not None, page
        return button[1]

    def choosing_url(self, http: requests.Session, activity: Activity) -> str:
        page = BeautifulSoup(http.get(f"{self.url}/studio/{activity.id}").text, "html.parser")
        link = page.select_one("a[target=_blank]")
        assert link is not None, page
        return str(link["href"])

    def subject(self, person: Person) -> str:
        query = """
            SELECT external_user_id FROM edx_platform_externalid AS external
            JOIN auth_user ON auth_user.id = external.user_id WHERE username = ?
        """
        (row,) = self.rows(query, person.username)
        bare = row[0]
        return "-".join((bare[:8], bare[8:12], bare[12:16], bare[16:20], bare[20:]))

    def resource_link_id(self, activity: Activity) -> str:
        return f"block-v1:Clauseway+Training+2026+type@lti_consumer+block@{activity.id}"

    def content(self, activity: Activity) -> list[dict[str, Any]]:
        query = """
            SELECT attributes FROM lti_consumer_ltidlcontentitem AS item
            JOIN lti_consumer_lticonfiguration AS held ON held.id = item.lti_configuration_id
            WHERE location = ? AND content_type = 'ltiResourceLink' ORDER BY item.id
        """
        return [json.loads(row[0]) for row in self.rows(query, self.resource_link_id(activity))]

    def line_items(self, activity: Activity) -> list[dict[str, Any]]:
        query = """
            SELECT id, lti_configuration_id, resource_id, tag, score_maximum, label
            FROM lti_consumer_ltiagslineitem WHERE resource_link_id = ? ORDER BY id
        """
        base = f"{self.url}/api/lti_consumer/v1/lti"
        return [
            {
                "id": row[0],
                "url": f"{base}/{row[1]}/lti-ags/{row[0]}",
                "resource_id": row[2],
                "tag": row[3],
                "maximum": row[4],
                "label": row[5],
            }
            for row in self.rows(query, self.resource_link_id(activity))
        ]

    def scores(self, line_item: int) -> list[Score]:
        query = """
            SELECT user_id, score_given, score_maximum, comment
            FROM lti_consumer_ltiagsscore WHERE line_item_id = ? ORDER BY id
        """
        return [Score(*row) for row in self.rows(query, str(line_item))]

    def grades(self, activity: Activity) -> Sequence[tuple[str, float, float]]:
        """What the component published to the gradebook: account, points earned and possible."""
        query = """
            SELECT username, earned, possible FROM edx_platform_grade AS grade
            JOIN auth_user ON auth_user.id = grade.user_id WHERE usage_key = ? ORDER BY grade.id
        """
        return self.rows(query, self.resource_link_id(activity))


class Lti1p3Platform(Platform):
    """The platform on OpenLearning's library."""

    name, school = "lti1p3platform", "wren-spinney"

    def details(self) -> dict[str, str]:
        return {
            "name": "lti1p3platform",
            "issuer": self.url,
            "client-id": "clauseway-beside-lti1p3platform",
            "deployment-id": "deployment-1",
            "jwks-url": f"{self.url}/jwks",
            "auth-token-url": f"{self.url}/token",
            "auth-login-url": f"{self.url}/authenticate",
        }

    def opening_url(self, http: requests.Session, activity: Activity) -> str:
        return f"{self.url}/open/{self.resource_link_id(activity)}"

    def choosing_url(self, http: requests.Session, activity: Activity) -> str:
        return f"{self.url}/open/{activity.id}/choose"

    def subject(self, person: Person) -> str:
        return person.username

    def resource_link_id(self, activity: Activity) -> str:
        chosen = self.content(activity)
        return f"{activity.id}/{chosen[0]['id']}" if chosen else activity.id

    def content(self, activity: Activity) -> list[dict[str, Any]]:
        query = """
            SELECT id, url, custom FROM lti1p3platform_contentitem WHERE activity = ? ORDER BY id
        """
        return [
            {"id": row[0], "url": row[1], "custom": json.loads(row[2])}
            for row in self.rows(query, activity.id)
        ]

    def line_items(self, activity: Activity) -> list[dict[str, Any]]:
        query = """
            SELECT id, resource_id, tag, score_maximum, label
            FROM lti1p3platform_lineitem WHERE resource_link_id = ? ORDER BY id
        """
        return [
            {
                "id": row[0],
                "url": f"{self.url}/line-items/{row[0]}",
                "resource_id": row[1],
                "tag": row[2],
                "maximum": row[3],
                "label": row[4],
            }
            for row in self.rows(query, self.resource_link_id(activity))
        ]

    def scores(self, line_item: int) -> list[Score]:
        query = """
            SELECT user_id, score_given, score_maximum, comment
            FROM lti1p3platform_score WHERE line_item_id = ? ORDER BY id
        """
        return [Score(*row) for row in self.rows(query, str(line_item))]
