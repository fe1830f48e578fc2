"""A school of many people for the benches of the register: nine in ten owe this year's refresh,
seven in ten have done it and had their score sent."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from lti_tool.core.ids import new_id
from lti_tool.lti.models import Deployment, Registration, ResourceLink, ScoreOutbox
from lti_tool.people.models import Membership, Person
from lti_tool.training.cycles.models import Calendar, Cycle, Obligation
from lti_tool.training.models import Completion, Declaration, Journey

SCHOOL = "hemswell-cliff"
OPENED = datetime(2026, 9, 1, 6, tzinfo=UTC)
OWED = {"module": "annual-refresh", "cycle": "2026-27"}
POLICY = {"policy_number": "2022-03", "policy_sha256": "0" * 64, "language": "en"}
GROUPS = ("teaching", "support", "governor", "volunteer", "supply")
REASON = {"code": "refresh", "closes": "2026-10-31"}
AT_ONCE = 5_000


def fill(session: Session, people: int) -> None:
    """So many people, with what hangs on them; in order, so that they are soon written."""
    link = _connect(session)
    session.add(Calendar(school_id=SCHOOL, began_on=date(2025, 8, 1), changed_at=OPENED))
    dates = {"opens_on": date(2026, 9, 1), "closes_on": date(2026, 10, 31)}
    session.add(Cycle(school_id=SCHOOL, name="2026-27", opened_at=OPENED, **dates))
    session.flush()
    for start in range(0, people, AT_ONCE):
        rows: dict[type, list[dict[str, Any]]] = {}
        for number in range(start, min(people, start + AT_ONCE)):
            for table, row in _somebody(number, link):
                rows.setdefault(table, []).append(row)
        for table, found in rows.items():
            session.execute(insert(table), found)


def _connect(session: Session) -> tuple[UUID, UUID]:
    urls = dict.fromkeys(("auth_login_url", "auth_token_url", "jwks_url"), "https://m.example.org")
    registration = Registration(
        id=new_id(), name="Moodle", issuer="https://m.example.org", client_id="c",
        created_at=OPENED, **urls,
    )  # fmt: skip
    deployment = Deployment(
        id=new_id(), registration_id=registration.id, deployment_id="1", created_at=OPENED
    )
    link = ResourceLink(
        id=new_id(), deployment_row_id=deployment.id, resource_link_id="1", seen_at=OPENED
    )
    for row in (registration, deployment, link):
        session.add(row)
        session.flush()
    return registration.id, link.id


def _somebody(number: int, link: tuple[UUID, UUID]) -> list[tuple[type, dict[str, Any]]]:
    person, done_at = new_id(), OPENED + timedelta(minutes=number % 80_000)
    here = {"school_id": SCHOOL, "person_id": person}
    name = f"{chr(65 + number * 7 % 26)}mara O’Neil-{number:06}"
    found: list[tuple[type, dict[str, Any]]] = [
        (Person, {"id": person, "name": name, "created_at": OPENED}),
        (
            Membership,
            {
                **here, "id": new_id(), "role_group": GROUPS[number % 5], "site": "",
                "created_at": OPENED, "confirmed_at": OPENED,
            },
        ),
    ]  # fmt: skip
    if number % 10 == 9:
        return found
    completion = None
    if number % 10 < 7:
        done, completion = _done(here, done_at)
        found += [*done, (ScoreOutbox, _sent(here, completion, number, link, done_at))]
    owed = {
        **here, **OWED, "id": new_id(), "opens_on": date(2026, 9, 1), "created_at": OPENED,
        "due_on": date(2026, 10, 31), "reason": REASON, "outcome": "done" if completion else "",
        "ended_on": done_at.date() if completion else None, "completion_id": completion,
    }  # fmt: skip
    return [*found, (Obligation, owed)]


def _done(
    here: dict[str, Any], done_at: datetime
) -> tuple[list[tuple[type, dict[str, Any]]], UUID]:
    journey, declaration, completion = new_id(), new_id(), new_id()
    rows: list[tuple[type, dict[str, Any]]] = [
        (
            Journey,
            {
                **here, **OWED, **POLICY, "id": journey, "role_group": "teaching",
                "started_at": OPENED, "completed_at": done_at,
            },
        ),
        (
            Declaration,
            {
                **here, **POLICY, "id": declaration, "journey_id": journey, "printed_name": "P",
                "text": "T", "document_sha256": "", "signed_at": done_at, "method": "online",
            },
        ),
        (
            Completion,
            {
                **here, **OWED, "id": completion, "journey_id": journey,
                "declaration_id": declaration, "record_id": new_id(), "score": 90,
                "first_score": 80, "pass_mark": 80, "policy_number": "2022-03",
                "completed_at": done_at,
            },
        ),
    ]  # fmt: skip
    return rows, completion


def _sent(
    here: dict[str, Any], completion: UUID, number: int, link: tuple[UUID, UUID], at: datetime
) -> dict[str, Any]:
    return {
        **here, **OWED, "id": new_id(), "completion_id": completion, "registration_id": link[0],
        "resource_link_row_id": link[1], "subject": str(number), "score": 90, "timestamp": at,
        "payload": "{}", "state": "sent", "owed_at": at, "next_at": at, "sent_at": at,
    }  # fmt: skip
