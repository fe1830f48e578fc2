"""A server that gives lists of members as it is told to, and a course of it linked by a head."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask import Flask, Response, request
from sqlalchemy import func, select

from lti_tool.core.ledger import LedgerEntry, verify
from lti_tool.lti.rosters import courses, reading
from lti_tool.lti.rosters.models import Roster
from lti_tool.people import memberships
from lti_tool.people.models import Identity, Membership, Person
from sandbox_lms.serve import running
from tests.conformance.world import CORE, MEMBERSHIP, NRPS, SCHOOL, World, set_cookies

RECORDED = Path(__file__).parents[1] / "recorded"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
PATH = "/mod/lti/services.php/CourseSection/2/bindings/1/memberships"
HEAD = {f"{CORE}roles": [f"{MEMBERSHIP}#Instructor"]}


def member(number: int | str, **changes: Any) -> dict[str, Any]:
    """Somebody as Moodle lists them; a change to ``None`` leaves a key out."""
    said = {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": str(number),
        "name": f"Member {number}",
        "email": f"member{number}@example.org",
    } | changes
    return {name: value for name, value in said.items() if value is not None}


def container(*members: Any, title: str = "Staff training") -> dict[str, Any]:
    return {"id": "x", "context": {"id": "2", "title": title}, "members": list(members)}


@dataclass
class Lists:
    """What the server says, by path and query to the letter; and what it was asked."""

    url: str = ""
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    asked: deque[tuple[str, Mapping[str, str]]] = field(default_factory=deque)

    def says(
        self,
        body: object,
        *,
        path: str = PATH,
        status: int = 200,
        link: str = "",
        retry_after: str = "",
        content_type: str = MEMBERS,
    ) -> None:
        """Answer ``path`` with this from now on; text and bytes go out as they are."""
        raw = body if isinstance(body, str | bytes) else json.dumps(body)
        said = {"Link": link.replace("{platform}", self.url), "Retry-After": retry_after}
        headers = {name: value for name, value in said.items() if value}
        self.answers[path] = lambda: Response(raw, status, headers, content_type=content_type)

    def plays(self, name: str) -> None:
        """What Moodle answered, from ``tests/recorded``; its exact media type is asked for."""
        for exchange in json.loads(self.recorded(name)):
            headers = exchange["headers"]
            self.says(
                exchange["json"],
                path=exchange["path"],
                status=exchange["status"],
                link=headers.get("Link", ""),
                content_type=headers["Content-Type"],
            )

    def recorded(self, name: str) -> str:
        """A recording as if it had been made here."""
        return (RECORDED / f"{name}.json").read_text().replace("{platform}", self.url)

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def answer(self) -> Response:
        path = request.environ["REQUEST_URI"]
        self.asked.append((path, dict(request.headers)))
        found = self.answers.get(path)
        return found() if found else Response("no such list", 404)


@contextmanager
def lists() -> Iterator[Lists]:
    """A listening server of lists."""
    told = Lists()
    app = Flask("lists", static_folder=None)
    app.before_request(told.answer)
    with running(app) as url:
        told.url = url
        yield told


@dataclass
class Course:
    """A course that the head of the school has linked."""

    tool: World
    id: UUID
    head: UUID
    service: dict[str, Any]
    """What launches from the course say of it."""
    cookies: Mapping[str, str]
    """What the head's browser holds."""

    def page(self, path: str = "/staff-lists") -> str:
        """What the head sees there."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        reply = self.tool.http.get(
            self.tool.url + path, headers={"Cookie": cookie}, timeout=30, allow_redirects=False
        )
        assert reply.status_code == 200, reply.text
        return " ".join(unescape(re.sub("<[^>]*>", " ", reply.text)).split())

    def launch(self, **changes: object) -> None:
        """Somebody arrives from the course."""
        assert self.tool.launch(**self.service | changes).status_code == 303

    def read(self) -> Roster:
        """Read it now; returns the row afterwards."""
        reading.read(self.tool.lti, self.id)
        return self.row()

    def row(self) -> Roster:
        with self.tool.database.reading() as session:
            return session.get_one(Roster, self.id)

    def members(self) -> dict[str, tuple[Person, Membership]]:
        """The school's people by the platform's number for them, checked against the ledger."""
        with self.tool.database.reading() as session:
            assert verify(session, school_id=SCHOOL)[1] is None
            rows = session.execute(
                select(Identity.subject, Person, Membership)
                .join(Person, Person.id == Identity.person_id)
                .join(Membership, Membership.person_id == Person.id)
                .where(Membership.school_id == SCHOOL)
            )
            return {subject: (person, membership) for subject, person, membership in rows}

    def kinds(self) -> list[str]:
        """Of entries in the ledger, with how many there are of each."""
        with self.tool.database.reading() as session:
            found = session.execute(
                select(LedgerEntry.kind, func.count()).group_by(LedgerEntry.kind).order_by("kind")
            )
            return [f"{kind} {number}" for kind, number in found]

    def counted(self) -> set[str]:
        """The platform's numbers for those who are counted now."""
        return {
            subject
            for subject, (_, found) in self.members().items()
            if found.confirmed_at is not None and found.left_at is None
        }


def link(tool: World, url: str = "") -> Course:
    """A head arrives from a new course, which may have its list at ``url``, and links it."""
    claim = {"context_memberships_url": url, "service_versions": ["2.0"]}
    service: dict[str, Any] = {
        f"{CORE}context": {"id": uuid4().hex, "title": "Staff training"},
        f"{CORE}resource_link": {"id": uuid4().hex},
        **({NRPS: claim} if url else {}),
    }
    head = tool.platform.person(SCHOOL, "head")
    reply = tool.launch(**HEAD, **service, sub=head.id, name=head.name)
    assert reply.status_code == 303
    visit, now = tool.visits()[-1], tool.lti.clock()
    assert visit.place_id is not None
    with tool.database.transaction() as session:
        memberships.grant(session, person_id=visit.person_id, school_id=SCHOOL, now=now)
        row = courses.link(
            session,
            school_id=SCHOOL,
            place_id=visit.place_id,
            linked_by=visit.person_id,
            now=now,
        )
    return Course(tool, row.id, visit.person_id, service, set_cookies(reply))
