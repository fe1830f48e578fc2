"""What it costs to read a course of ten thousand: CPU, memory, and how long others wait to write.

``python -m bench.rosters`` starts a platform on loopback that lists as many members, once on one
page as Moodle does and once in pages of a hundred, and reads it in a process of its own as the
worker does, into a new SQLite file: everybody new, then nothing changed, then all but one gone.
CPU and memory are that process's alone (``getrusage``, ``/proc``): memory is its peak above what
it held before the reading. Meanwhile somebody else begins a write every 20 ms, as launches do.
"""

import argparse
import http.server
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from sqlalchemy import insert, select

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.clock import utc_now
from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import verify
from lti_tool.lti.models import Deployment, ResourceLink
from lti_tool.lti.platforms import Details, add_platform
from lti_tool.lti.rosters import reading
from lti_tool.lti.rosters.models import Roster
from lti_tool.migrations.run import upgrade
from lti_tool.people.arrive import expect

SCHOOL = "hemswell-cliff"
PATH = "/members"
PAGE = 100


class Platform:
    """Tokens, and a course whose list is as long and as paged as wanted."""

    def __init__(self) -> None:
        self.members: list[dict[str, Any]] = []
        self.is_paged = False
        platform = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.say(*platform.page(self.path))

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.say({"access_token": "bench", "expires_in": 3600}, "")

            def say(self, what: object, link: str) -> None:
                body = json.dumps(what).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                if link:
                    self.send_header("Link", link)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def page(self, path: str) -> tuple[object, str]:
        start = int(parse_qs(urlsplit(path).query).get("from", ["0"])[0])
        end = start + PAGE if self.is_paged else len(self.members)
        link = f'<{self.url}{PATH}?from={end}>; rel="next"' if end < len(self.members) else ""
        context = {"id": "2", "label": "STAFF", "title": "Staff training"}
        return {"id": self.url, "context": context, "members": self.members[start:end]}, link


def member(number: int) -> dict[str, Any]:
    """Somebody as Moodle 4.5 lists them."""
    return {
        "status": "Active",
        "roles": ["Learner"],
        "user_id": str(number),
        "lis_person_sourcedid": f"EMP-{number:06}",
        "name": f"Siân Number {number}",
        "given_name": "Siân",
        "family_name": f"Number {number}",
        "email": f"sian.number.{number}@staff.example.org",
        "ext_user_username": f"sian.number.{number}",
    }


def prepare(url: str, platform: Platform) -> UUID:
    """A migrated database with the course linked; returns the roster's number."""
    database = Database(url)
    upgrade(database.engine)
    now, details = utc_now(), {"deployment_id": "1", "schools": (SCHOOL,)}
    urls = {name: platform.url for name in ("issuer", "auth_login_url", "auth_token_url")}
    with database.transaction() as session:
        row = add_platform(
            session,
            Details(name="B", client_id="b", jwks_url=platform.url, **urls, **details),  # type: ignore[arg-type]
            now=now,
        )
        head = expect(session, realm=str(row.id), subject="head", now=now)
        place = session.scalars(
            select(Deployment.id).where(Deployment.registration_id == row.id)
        ).one()
        course = {"deployment_row_id": place, "context_id": "2"}
        session.execute(
            insert(ResourceLink).values(
                resource_link_id="1",
                context_memberships_url=platform.url + PATH,
                seen_at=now,
                **course,
            )
        )
        roster_id = new_id()
        session.add(
            Roster(
                id=roster_id, school_id=SCHOOL, linked_at=now, linked_by=head, next_at=now, **course
            )
        )
    database.engine.dispose()
    return roster_id


def read_here(folder: Path, url: str, roster_id: UUID) -> None:
    """In a process of its own: one reading, and what it took, as JSON on standard output."""
    config = Config(
        instance=folder, url="http://localhost:8000", database_url=url, log_level="ERROR"
    )
    lti = create_app(config).extensions["lti"]
    held = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    state = reading.read(lti, roster_id)
    after = resource.getrusage(resource.RUSAGE_SELF)
    with lti.database.reading() as session:
        row = session.get_one(Roster, roster_id)
        assert verify(session, school_id=SCHOOL)[1] is None
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        json.dumps(
            {
                "state": state,
                "found": row.found,
                "joined": row.joined,
                "left": row.left,
                "cpu_seconds": round(cpu, 2),
                "seconds": round(time.perf_counter() - begun, 2),
                "grew_mib": round((after.ru_maxrss * 1024 - held) / 2**20, 1),
                "peak_mib": round(after.ru_maxrss / 1024, 1),
            }
        )
    )


class Others:
    """Somebody who begins a write every 20 ms, and how long each waited, in seconds."""

    def __init__(self, path: Path) -> None:
        self.path, self.waits, self.is_over = path, list[float](), threading.Event()
        self.thread = threading.Thread(target=self.write)
        self.thread.start()

    def write(self) -> None:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        while not self.is_over.wait(0.02):
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            self.waits.append(time.perf_counter() - begun)
            connection.execute("ROLLBACK")
        connection.close()

    def stop(self) -> dict[str, float]:
        self.is_over.set()
        self.thread.join()
        ranked = sorted(self.waits)
        return {
            "wait_median_ms": round(1000 * statistics.median(ranked), 1),
            "wait_p99_ms": round(1000 * ranked[int(len(ranked) * 0.99)], 1),
            "wait_most_ms": round(1000 * ranked[-1], 1),
        }


def measure(folder: Path, url: str, roster_id: UUID) -> dict[str, Any]:
    """One reading in a process of its own."""
    here = ["--here", str(folder), url, str(roster_id)]
    command = [sys.executable, "-m", "bench.rosters", *here]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def newcomers(folder: Path, url: str, people: int) -> float:
    """CPU seconds to read a list of so many that nobody knows yet."""
    platform = Platform()
    platform.is_paged = True
    platform.members = [member(number) for number in range(people)]
    found: float = measure(folder, url, prepare(url, platform))["cpu_seconds"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--here", nargs=3)
    asked = parser.parse_args()
    if asked.here:
        read_here(Path(asked.here[0]), asked.here[1], UUID(asked.here[2]))
        return
    platform = Platform()
    everybody = [member(number) for number in range(asked.members)]
    for is_paged in (False, True):
        platform.is_paged = is_paged
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            url = f"sqlite:///{folder / 'clauseway.sqlite3'}"
            roster_id = prepare(url, platform)
            for case, members in (
                ("all new", everybody),
                ("again", everybody),
                ("gone", everybody[:1]),
            ):
                platform.members = members
                way = f"pages of {PAGE}" if is_paged else "one page"
                others = Others(folder / "clauseway.sqlite3")  # at the door meanwhile
                found = measure(folder, url, roster_id)
                print(way, case, json.dumps(found | others.stop()))


if __name__ == "__main__":
    main()
