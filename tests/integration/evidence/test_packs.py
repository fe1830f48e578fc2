"""Packs made from real records: whole, true to them, for their audience, and never half."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import date, timedelta
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import select, text

from lti_tool.app import ROOT
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.errors import ToolError
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints import checking
from lti_tool.evidence.packs import asking, contents, making
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof.check import check
from lti_tool.evidence.proof.report import said
from lti_tool.evidence.proof.statements import shown_fingerprint
from lti_tool.people import memberships
from lti_tool.people.models import Membership
from tests.conftest import SetClock
from tests.factories.packs import (
    ask,
    content_of,
    declare,
    erase,
    files,
    made,
    member,
    open_cycle,
    staffed,
)
from tests.factories.registers import GLENMERE, HEMSWELL, NOW, arrive, browser, csrf, make_manager
from tests.integration.core.test_ledger import disarm

REFRESH = "annual-refresh 2026-27"


def facts_of(database: Database, kind: str, school_id: str = HEMSWELL) -> list[dict[str, Any]]:
    asked = select(LedgerEntry.body).where(
        LedgerEntry.kind == kind, LedgerEntry.school_id == school_id
    )
    with database.reading() as session:
        return [json.loads(body)["facts"] for body in session.scalars(asked)]


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def pack_row(database: Database, pack_id: UUID) -> Pack:
    with database.reading() as session:
        return session.get_one(Pack, pack_id)


def test_managers_see_names_states_and_what_binds_them_to_the_ledger(
    app: Flask, database: Database
) -> None:
    head = staffed(database)
    declare(database, arrive(database, "Not Counted"))
    data = made(app, head)
    found, report = files(data), check(data)
    assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
    assert list(found) == [
        *("report.pdf", "counts.csv", "people.csv", "workbook.xlsx", "entries.jsonl"),
        *("checkpoints.json", "how-to-check.txt", "verify.html", "manifest.json"),
        "signature.json",
    ]
    heads, *people = rows(found["people.csv"])
    by_name = {row[2]: dict(zip(heads, row, strict=True)) for row in people}
    assert {name: row["State"] for name, row in by_name.items()} == {
        "'=Away & Co <b>": "Paused",
        "Helen Head": "Due",
        "Ivy Inprogress": "In progress",
        **{f"Person {number}": "Done" for number in range(6)},
        "Not Counted": "Done",
    }
    assert by_name["Not Counted"]["Asked"] == "No"
    assert by_name["Person 0"]["Declared on"] == "2026-09-03"
    heads, row = rows(found["counts.csv"])
    counted = dict(zip(heads, row, strict=True))
    assert (counted["People asked"], counted["Done"], counted["Paused"]) == ("9", "6", "1")
    assert counted["Records in the ledger"] == "7"
    assert b"choice" not in b"".join(
        json.dumps(json.loads(line).get("disclosed", {})).encode()
        for line in found["entries.jsonl"].splitlines()
    )


def test_the_workbook_has_types_a_fixed_head_and_definitions(
    app: Flask, database: Database
) -> None:
    data = files(made(app, staffed(database)))["workbook.xlsx"]
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Counts", "People", "Definitions"]
    people: Any = book["People"]
    assert people.freeze_panes == "A2"
    heads = [cell.value for cell in people[1]]
    done = next(row for row in people.iter_rows(min_row=2) if row[2].value == "Person 0")
    value = {head: cell.value for head, cell in zip(heads, done, strict=True)}
    assert (value["Row"], value["Score in per cent"]) == (4, 90)
    assert value["Due on"].date() == date(2026, 11, 30)
    away = next(row for row in people.iter_rows(min_row=2) if row[2].value == "=Away & Co <b>")
    assert away[2].data_type == "s"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_guide_names_every_file_and_the_key(app: Flask, database: Database) -> None:
    data = made(app, staffed(database, number=1))
    found, said = files(data), files(data)["how-to-check.txt"].decode()
    listed = said.partition("What each file is:\n")[2].split("\n\n")[0].splitlines()
    names = [one.split(":")[0].strip() for one in listed]
    assert all(any(fnmatch(name, one) for one in names) for name in {*found} - {"how-to-check.txt"})
    assert all(any(fnmatch(name, one) for name in found) for one in names)
    assert shown_fingerprint(check(data).fingerprint) in said
    for words in (
        "How to check this pack",
        "a pack never vouches for itself",
        "Compare it with where the school publishes it, not with this file.",
        "clauseway evidence verify pack.zip --code CODE",
        "python -m lti_tool.evidence.proof pack.zip --key FINGERPRINT",
        "SHA-256(0x00 ‖ SHA-256(its text))",
    ):
        assert words in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_page_says_how_far_it_is_while_it_is_made(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = staffed(database, number=1)
    pack_id, maker = ask(app, head), maker_of(app)
    whole, seen = making._progress, []

    def looked_at(*given: Any) -> None:
        whole(*given)
        page = page_of(app, head)
        assert 'data-refresh="2"' in page
        seen.append(int(page.partition('<progress max="100" value="')[2].partition('"')[0]))

    monkeypatch.setattr(making, "_progress", looked_at)
    with app.app_context():
        assert making.make(maker, pack_id) == "ready"
    assert len(seen) >= 4
    assert seen == sorted(set(seen))
    assert 0 < seen[0] < seen[-1] < 100


def test_governors_get_counts_and_sealed_records(app: Flask, database: Database) -> None:
    found = files(made(app, staffed(database), audience="governors"))
    assert "people.csv" not in found
    whole = b"".join(content for name, content in found.items() if name != "report.pdf")
    for name in (b"Person 0", b"Helen", b"Signed Name", b"printed_name", b"role_group"):
        assert name not in whole.replace(found["verify.html"], b"")
    lines = [json.loads(line) for line in found["entries.jsonl"].splitlines()]
    assert [sorted(line) for line in lines[:6]] == [["hash", "path", "school", "sequence"]] * 6
    assert "pack-asked" in lines[6]["entry"]
    book = openpyxl.load_workbook(io.BytesIO(found["workbook.xlsx"]))
    assert book.sheetnames == ["Counts", "Definitions"]


def test_an_inspector_gets_dates_and_versions_without_names(app: Flask, database: Database) -> None:
    found = files(made(app, staffed(database), audience="inspector"))
    heads, *records = rows(found["records.csv"])
    assert heads == [
        *("Row", "School", "Training", "State", "Declared on", "Method", "Policy version"),
        *("Record of", "Entry", "Record"),
    ]
    assert len(records) == 6
    whole = b"".join(content for name, content in found.items() if name != "report.pdf")
    for name in (b"Person 0", b"Helen", b"Signed Name"):
        assert name not in whole
    assert not any("disclosed" in json.loads(line) for line in found["entries.jsonl"].splitlines())


def test_a_trust_has_one_pack_and_a_checkpoint_for_each_school(
    app: Flask, database: Database
) -> None:
    head = staffed(database)
    staffed(database, GLENMERE, number=2)
    data = made(app, head, audience="managers", schools=[HEMSWELL, GLENMERE])
    report = check(data)
    assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
    for code in report.codes.values():
        assert check(data, code=code).verdict == "genuine"
    assert set(report.codes) == {HEMSWELL, GLENMERE}
    assert len(rows(files(data)["counts.csv"])) == 3
    for school_id in (HEMSWELL, GLENMERE):
        assert facts_of(database, "pack-asked", school_id)[0]["schools"] == [GLENMERE, HEMSWELL]


def test_the_export_is_in_the_ledger_before_and_after(app: Flask, database: Database) -> None:
    head = staffed(database)
    pack_id = ask(app, head)
    assert [one["pack"] for one in facts_of(database, "pack-asked")] == [str(pack_id)]
    assert facts_of(database, "pack-made") == []
    maker = maker_of(app)
    with app.app_context():
        assert making.make(maker, pack_id) == "ready"
        assert making.make(maker, pack_id) == ""
    data = content_of(maker, pack_id)
    (made_,) = facts_of(database, "pack-made")
    row = pack_row(database, pack_id)
    assert made_["sha256"] == row.sha256 == sha256(data).hexdigest()
    assert made_["code"] == check(data).codes[HEMSWELL]
    assert (row.state, row.progress, row.size) == ("ready", 100, len(data))
    with database.reading() as session:
        entries, signed, fault = checking.verify(session, maker.keys, school_id=HEMSWELL)
    assert (signed, fault) == (1, None)
    assert entries == check(data).manifest["entries"] + 2  # the grant before, the pack after


def test_people_who_left_and_people_who_were_erased(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    left = member(database, "Left Early")
    maker = maker_of(app)
    with app.app_context():
        making._read(maker, maker.catalogue.schools[HEMSWELL], "2026-27")
    with database.transaction() as session:
        session.get_one(Membership, left.membership_id).ends_on = date(2026, 10, 1)
    erased = declare(database, arrive(database, "To Be Erased"))
    erase(database, HEMSWELL, erased)
    data = made(app, head)
    heads, *people = rows(files(data)["people.csv"])
    by_record = {row[-1]: dict(zip(heads, row, strict=True)) for row in people}
    assert by_record[str(erased)]["Name"] == ""
    assert by_record[str(erased)]["Declared on"] == "2026-09-03"
    report = check(data)
    assert (report.findings, report.erased) == ([], 1)
    assert "Erased under retention: the names of 1 records." in "\n".join(said(data)[0])
    by_name = {row[2]: dict(zip(heads, row, strict=True)) for row in people}
    assert by_name["Left Early"]["State"] == "Left incomplete"
    counted = dict(zip(*rows(files(data)["counts.csv"]), strict=True))
    assert (counted["People asked"], counted["Left incomplete"]) == ("4", "1")


def test_a_record_that_counts_for_another_cycle_comes_along(app: Flask, database: Database) -> None:
    open_cycle(database)
    head = make_manager(database, member(database, "Helen Head"))
    new = arrive(database, "New Starter", counted=True)
    with database.transaction() as session:
        row = session.get_one(Membership, new.membership_id)
        row.role_group, row.starts_on = "supply", date(2026, 9, 1)
    record = declare(database, new, module="induction")
    data = made(app, head)
    heads, *people = rows(files(data)["people.csv"])
    owed = {row[heads.index("Training")] + row[-1] for row in people if row[2] == "New Starter"}
    assert owed == {f"New starter training{record}", f"before-you-start{record}"}
    assert check(data).findings == []


STAGES = {
    "reading": "making.contents.write",
    "laying out": "making.container.write",
    "checking": "making._must_hold",
    "saying so": "making._finish",
    "the entry": "making.ledger.append",
}
CHILD = """
import os, signal, sys
from pathlib import Path
from uuid import UUID
from lti_tool.core.database import Database
from lti_tool.evidence.packs import making
from lti_tool.evidence.packs.tasks import maker_of
from tests.conftest import SetClock
from tests.factories.registers import running

folder, url, pack_id, stage = sys.argv[1:]
owner, _, name = stage.rpartition(".")
holder = making
for part in owner.split(".")[1:]:
    holder = getattr(holder, part)
setattr(holder, name, lambda *given, **named: os.kill(os.getpid(), signal.SIGKILL))
with running(Path(folder), Database(url), SetClock()) as app, app.app_context():
    making.make(maker_of(app), UUID(pack_id))
"""


@pytest.mark.parametrize(
    ("database_url", "stage"),
    [
        *(("sqlite", one) for one in STAGES),
        *(
            pytest.param("postgres", one, marks=pytest.mark.postgres)
            for one in ("checking", "the entry")
        ),
    ],
    indirect=["database_url"],
)
def test_a_worker_that_is_killed_leaves_no_half_pack_and_no_false_entry(
    app: Flask, database: Database, clock: SetClock, tmp_path: Path, stage: str
) -> None:
    head = staffed(database, number=2)
    pack_id, maker = ask(app, head), maker_of(app)
    url = database.engine.url.render_as_string(hide_password=False)
    died = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), url, str(pack_id), STAGES[stage]],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    row = pack_row(database, pack_id)
    assert row.state == "making"
    with pytest.raises(ToolError, match="pack-gone"):
        asking.content_of(maker.drawer, row)
    assert facts_of(database, "pack-made") == []
    assert len(facts_of(database, "pack-asked")) == 1
    with database.reading() as session:
        assert checking.verify(session, maker.keys, school_id=HEMSWELL)[2] is None

    with app.app_context():
        assert making.make_due(maker) == 0
        clock.now += making.LEASE + timedelta(seconds=1)
        assert making.make_due(maker) == 1
    asking.remove_old(database, maker.drawer, maker.folder, now=clock.now)
    assert [path.name for path in maker.folder.iterdir()] == [f"{pack_id}-2.zip"]
    assert check(content_of(maker, pack_id)).findings == []
    assert len(facts_of(database, "pack-made")) == 1


def test_whoever_was_overtaken_gives_way(
    app: Flask, database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id, maker = ask(app, staffed(database, number=1)), maker_of(app)
    whole, overtaken = making._must_hold, []

    def slow(maker: making.Maker, data: bytes) -> None:
        monkeypatch.setattr(making, "_must_hold", whole)
        clock.now += making.LEASE + timedelta(seconds=1)
        overtaken.append(making.make(maker, pack_id))

    monkeypatch.setattr(making, "_must_hold", slow)
    with app.app_context():
        assert making.make(maker, pack_id) == "failed"
    assert overtaken == ["ready"]
    assert pack_row(database, pack_id).state == "ready"
    assert maker.drawer.names("") == [f"{pack_id}-2.zip"]
    assert len(facts_of(database, "pack-made")) == 1


def test_a_broken_ledger_and_a_dying_worker_end_in_a_failure_that_is_said(
    app: Flask, database: Database, clock: SetClock
) -> None:
    head = staffed(database, number=1)
    pack_id, maker = ask(app, head), maker_of(app)
    with database.transaction() as session:
        session.get_one(Pack, pack_id).attempts = making.MOST_ATTEMPTS
    with app.app_context():
        assert making.make_due(maker) == 0
    assert pack_row(database, pack_id).reason == "pack-failed"

    other = ask(app, head)
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(text("UPDATE ledger_entry SET hash = 'x' WHERE sequence = 1"))
    with app.app_context():
        assert making.make(maker, other) == "failed"
    assert pack_row(database, other).reason == "ledger-broken"
    assert "was altered or lost outside the tool" in page_of(app, head)


def page_of(app: Flask, head: Any) -> str:
    return str(browser(app, head).get("/packs").get_data(as_text=True))


def test_a_pack_that_would_not_pass_is_not_handed_out(
    app: Flask, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id, maker = ask(app, staffed(database, number=1)), maker_of(app)
    monkeypatch.setattr(contents, "_counted", lambda checkpoint, parts: {REFRESH: 7})
    with app.app_context():
        assert making.make(maker, pack_id) == "failed"
    assert pack_row(database, pack_id).reason == "pack-unsound"
    assert list(maker.folder.iterdir()) == []


def test_old_packs_go(app: Flask, database: Database, clock: SetClock) -> None:
    head = staffed(database, number=1)
    made(app, head)
    maker = maker_of(app)
    assert asking.remove_old(database, maker.drawer, maker.folder, now=clock.now) == 0
    assert len(list(maker.folder.iterdir())) == 1
    clock.now += asking.KEPT + timedelta(hours=1)
    assert asking.remove_old(database, maker.drawer, maker.folder, now=clock.now) == 1
    assert list(maker.folder.iterdir()) == []
    with database.reading() as session:
        assert [one.state for one in session.scalars(select(Pack))] == ["removed"]


def test_a_manager_asks_watches_and_fetches(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    client = browser(app, head)
    form = {"csrf_token": csrf(app, head.admission.visit_id)}
    for unfit in ({"audience": "pupils", "cycle": "2026-27"}, {"cycle": "2026-27"}):
        assert client.post("/packs", data=form | unfit).status_code == 400
    assert (
        client.post("/packs", data=form | {"audience": "managers", "cycle": "x"}).status_code == 400
    )
    answer = client.post("/packs", data=form | {"audience": "governors", "cycle": "2026-27"})
    assert (answer.status_code, answer.location) == (303, "/packs")
    page = page_of(app, head)
    assert "<progress" in page
    assert 'data-refresh="2"' in page
    with database.reading() as session:
        pack = session.scalars(select(Pack)).one()
    assert client.get(f"/packs/{pack.id}.zip").status_code == 404
    task = app.extensions["queue"].dequeue()
    app.extensions["queue"].execute(task)
    page = page_of(app, head)
    assert f"/packs/{pack.id}.zip" in page
    assert "data-refresh" not in page
    answer = client.get(f"/packs/{pack.id}.zip")
    assert answer.mimetype == "application/zip"
    assert "evidence-hemswell-cliff-governors-2026-27" in answer.headers["Content-Disposition"]
    assert check(answer.get_data()).findings == []
    answer.close()
    other = make_manager(database, arrive(database, "Other Head", GLENMERE))
    assert browser(app, other).get(f"/packs/{pack.id}.zip").status_code == 404


def test_a_pack_of_a_trust_is_for_those_who_manage_each_of_its_schools(
    app: Flask, database: Database
) -> None:
    head = staffed(database, number=1)
    staffed(database, GLENMERE, number=1)
    made(app, head, schools=[HEMSWELL, GLENMERE])
    own = ask(app, head)
    with database.reading() as session:
        both = session.scalars(select(Pack.id).where(Pack.id != own)).one()
    page, client = page_of(app, head), browser(app, head)
    assert (page.count("Being made"), page.count("2 schools")) == (1, 0)
    assert client.get(f"/packs/{both}.zip").status_code == 404
    with database.transaction() as session:
        memberships.grant(session, person_id=head.person_id, school_id=GLENMERE, now=NOW)
    assert "2 schools" in page_of(app, head)
    answer = client.get(f"/packs/{both}.zip")
    assert answer.status_code == 200
    answer.close()


def test_no_more_than_three_are_made_at_once(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    for _ in range(3):
        ask(app, head)
    with pytest.raises(ToolError, match="packs-under-way"):
        ask(app, head)


def test_anybody_gets_the_page_that_checks_and_the_keys(app: Flask) -> None:
    client = browser(app)
    answer = client.get("/packs/check")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
    assert answer.text.count("<script") == 2
    assert app.extensions["evidence_keys"].fingerprint()[:4] in client.get("/packs/keys").text


def test_no_personal_value_is_in_the_open(app: Flask, database: Database) -> None:
    head = staffed(database, number=1)
    made(app, head)
    with database.reading() as session:
        for body in session.scalars(select(LedgerEntry.body)):
            assert str(head.person_id).encode() not in body
        assert ledger.verify(session, school_id=HEMSWELL)[1] is None
