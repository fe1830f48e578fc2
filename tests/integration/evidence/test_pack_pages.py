"""The page where a manager asks for packs, and the one where anybody checks them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from lti_tool.core.database import Database
from lti_tool.evidence.packs import making
from lti_tool.evidence.packs.models import Pack
from lti_tool.evidence.packs.tasks import maker_of
from lti_tool.evidence.proof.check import check
from lti_tool.people import memberships
from tests.factories.packs import ask, made, staffed
from tests.factories.registers import (
    GLENMERE,
    HEMSWELL,
    NOW,
    Guest,
    arrive,
    browser,
    csrf,
    make_manager,
)


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


def page_of(app: Flask, head: Guest) -> str:
    return browser(app, head).get("/packs").text


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


def test_anybody_gets_the_page_that_checks_and_the_keys(app: Flask) -> None:
    client = browser(app)
    answer = client.get("/packs/check")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'")
    assert answer.text.count("<script") == 2
    assert app.extensions["evidence_keys"].fingerprint()[:4] in client.get("/packs/keys").text
