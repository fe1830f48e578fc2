"""Schools with a cycle that is open, people in every state of it, and packs made of them."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, select

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.erasure import Disposal, digest
from lti_tool.core.ids import new_id
from lti_tool.core.ledger import Disclosure, LedgerEntry
from lti_tool.evidence.packs import asking
from lti_tool.evidence.packs.making import Maker, make
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof import container
from lti_tool.evidence.retention import disposing
from lti_tool.people.models import Absence, Membership
from lti_tool.training.cycles.models import Calendar, Cycle
from lti_tool.training.models import Completion, Declaration
from tests.conftest import SetClock
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    begin,
    make_manager,
    running,
)

CYCLE = "2026-27"
BEFORE = datetime(2026, 2, 2, 9, tzinfo=UTC)
SIGNED = datetime(2026, 9, 3, 14, 5, tzinfo=UTC)
REFRESH = "annual-refresh"

Change = Callable[[dict[str, bytes]], None]


def open_cycle(database: Database, *schools: str) -> None:
    """Schools that began in January, and whose refresh is open and closes after today."""
    with database.transaction() as session:
        for school_id in schools or (HEMSWELL,):
            session.add(Calendar(school_id=school_id, began_on=date(2026, 3, 1), changed_at=BEFORE))
            session.add(
                Cycle(
                    school_id=school_id,
                    name=CYCLE,
                    opens_on=date(2026, 9, 1),
                    closes_on=date(2026, 11, 30),
                    opened_at=NOW,
                )
            )


def member(database: Database, name: str, school_id: str = HEMSWELL, **given: Any) -> Guest:
    """Somebody who has counted since before the school began."""
    role_group = given.pop("role_group", "teaching")
    guest = arrive(database, name, school_id, counted=True, now=BEFORE, **given)
    with database.transaction() as session:
        session.get_one(Membership, guest.membership_id).role_group = role_group
    return guest


def declare(database: Database, guest: Guest, *, module: str = REFRESH, cycle: str = CYCLE) -> UUID:
    """A training done, with a record as the tool writes it; its id."""
    name = "Signed Name"
    with database.transaction() as session:
        journey = begin(session, guest, module=module, cycle=cycle)
        journey.completed_at = SIGNED
        declaration = Declaration(
            id=new_id(),
            school_id=guest.school_id,
            person_id=guest.person_id,
            journey_id=journey.id,
            printed_name=name,
            text="I have read it.",
            language="en",
            policy_number="2022-03",
            policy_sha256="0" * 64,
            document_sha256="",
            signed_at=SIGNED,
            method="online",
        )
        session.add(declaration)
        session.flush()
        facts: dict[str, ledger.Value] = {
            "module": module,
            "cycle": cycle,
            "role_group": "teaching",
            "site": "",
            "policy": {"number": "2022-03", "sha256": "0" * 64},
            "declaration": {"signed_at_local": "2026-09-03T15:05:00+01:00", "method": "online"},
        }
        record_id = ledger.append(
            session,
            school_id=guest.school_id,
            kind="completion",
            facts=facts,
            person_id=guest.person_id,
            personal={
                "person": str(guest.person_id),
                "printed_name": name,
                "score": 90,
                "choice-1": "c",
            },
            now=SIGNED,
        )
        session.add(
            Completion(
                school_id=guest.school_id,
                person_id=guest.person_id,
                journey_id=journey.id,
                declaration_id=declaration.id,
                record_id=record_id,
                module=module,
                cycle=cycle,
                score=90,
                first_score=60,
                pass_mark=80,
                policy_number="2022-03",
                completed_at=SIGNED,
            )
        )
    return record_id


def erase(database: Database, school_id: str, record_id: UUID) -> None:
    """What is personal about a completion goes, as by a retention period that ran out."""
    with database.transaction() as session:
        disposal = Disposal(
            id=new_id(), school_id=school_id, kind="training", months=1, before=NOW, began_at=NOW
        )
        session.add(disposal)
        session.flush()
        disposing._erase(session, disposal, Disclosure.record_id == record_id)
        session.execute(delete(Completion).where(Completion.record_id == record_id))
        count, said = digest(session, disposal.id)
        disposal.record_id = ledger.append(
            session,
            school_id=school_id,
            kind="disposed",
            facts={"disposal": str(disposal.id), "values": count, "values_sha256": said},
            now=NOW,
        )
        disposal.ended_at = NOW


def staffed(database: Database, school_id: str = HEMSWELL, number: int = 6) -> Guest:
    """A manager, so many people who are done, one who has begun, one away and one who left."""
    open_cycle(database, school_id)
    member(database, "Helen Head", school_id, subject=f"head of {school_id}")
    head = make_manager(
        database, arrive(database, "Helen Head", school_id, subject=f"head of {school_id}")
    )
    for index in range(number):
        declare(database, member(database, f"Person {index}", school_id))
    with database.transaction() as session:
        begin(session, member_of(database, "Ivy Inprogress", school_id), module=REFRESH)
    away = member(database, "=Away & Co <b>", school_id, role_group="support")
    with database.transaction() as session:
        session.add(
            Absence(
                school_id=school_id,
                person_id=away.person_id,
                starts_on=date(2026, 11, 1),
                entered_at=NOW,
            )
        )
    return head


def member_of(database: Database, name: str, school_id: str) -> Guest:
    return member(database, name, school_id, role_group="support")


def ask(
    app: Flask, head: Guest, *, audience: str = "managers", schools: Sequence[str] = ()
) -> UUID:
    """A manager asks; the pack's id."""
    database: Database = app.extensions["database"]
    with database.transaction() as session:
        pack = asking.ask(
            session,
            school_id=head.school_id,
            schools=schools or [head.school_id],
            audience=audience,
            cycle=CYCLE,
            by=head.person_id,
            now=app.extensions["clock"](),
        )
        return pack.id


def made(
    app: Flask, head: Guest, *, audience: str = "managers", schools: Sequence[str] = ()
) -> bytes:
    """A pack's bytes, asked for and made."""
    pack_id = ask(app, head, audience=audience, schools=schools)
    maker = maker_of(app)
    with app.app_context():
        assert make(maker, pack_id) == "ready", reason(maker, pack_id)
    return content_of(maker, pack_id)


def content_of(maker: Maker, pack_id: UUID) -> bytes:
    with maker.database.reading() as session:
        return asking.content_of(maker.drawer, session.get_one(Pack, pack_id))


def reason(maker: Maker, pack_id: UUID) -> str:
    with maker.database.reading() as session:
        return session.get_one(Pack, pack_id).reason


def files(data: bytes) -> dict[str, bytes]:
    return dict(container.read(data)[0])


def packed(folder: Path, given: dict[str, bytes]) -> bytes:
    """Files as a pack, with no more said about them than they say themselves."""
    folder.mkdir(exist_ok=True)
    for name, content in given.items():
        (folder / name).write_bytes(content)
    whole = folder / "whole"
    with whole.open("wb") as sink:
        container.write(sink, [folder / name for name in given])
    return whole.read_bytes()


def altered(folder: Path, data: bytes, change: Change, *, covers_up: bool = True) -> bytes:
    """A pack with some files changed; ``covers_up``: the manifest says what they are now."""
    found = files(data)
    change(found)
    if covers_up:
        manifest = json.loads(found["manifest.json"])
        for one in manifest["files"]:
            if one["name"] in found:
                one["sha256"] = hashlib.sha256(found[one["name"]]).hexdigest()
        found["manifest.json"] = ledger.canonical(manifest)
    return packed(folder, found)


def two_packs(migrated: Path, folder: Path) -> tuple[bytes, bytes]:
    """For managers, one pack each of two schools of one installation. ``migrated``: a database at
    the newest layout, to be copied."""
    path = folder / "clauseway.sqlite3"
    path.write_bytes(migrated.read_bytes())
    database = Database(f"sqlite:///{path}")
    try:
        with running(folder, database, SetClock()) as app:
            first, head = made(app, staffed(database)), staffed(database, GLENMERE, number=1)
            erase(database, GLENMERE, declare(database, member(database, "Gone", GLENMERE)))
            return first, made(app, head)
    finally:
        database.engine.dispose()


def facts_of(database: Database, kind: str, school_id: str = HEMSWELL) -> list[dict[str, Any]]:
    """What a school's ledger says in entries of this kind."""
    asked = select(LedgerEntry.body).where(
        LedgerEntry.kind == kind, LedgerEntry.school_id == school_id
    )
    with database.reading() as session:
        return [json.loads(body)["facts"] for body in session.scalars(asked)]


def pack_row(database: Database, pack_id: UUID) -> Pack:
    with database.reading() as session:
        return session.get_one(Pack, pack_id)
