"""What records name is kept, and seen when it changes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from lti_tool.core.database import Database, Table
from lti_tool.curriculum.cli import content
from lti_tool.curriculum.content import changed_since_use, keep
from lti_tool.curriculum.models import Content
from lti_tool.curriculum.points.cli import points
from lti_tool.curriculum.reading import ROOT, read_catalogue

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)


@pytest.fixture
def tables(database: Database) -> Database:
    Table.metadata.create_all(database.engine)
    return database


def test_content_is_kept_once_by_its_hash(tables: Database) -> None:
    for body in (b"one", b"one", b"two"):
        with tables.transaction() as session:
            keep(session, kind="scenario", ref="follow-request", number="1", body=body, now=NOW)
    with tables.reading() as session:
        assert session.scalar(select(func.count()).select_from(Content)) == 2


def test_a_change_without_a_new_number_is_a_fault(tables: Database) -> None:
    catalogue = read_catalogue(ROOT)
    scenario = catalogue.scenarios["follow-request"]
    policy = catalogue.schools["hemswell-cliff"].policy
    with tables.transaction() as session:
        keep(session, kind="scenario", ref=scenario.id, number="1", body=scenario.body, now=NOW)
        keep(session, kind="policy", ref=policy.id, number=policy.number, body=b"before", now=NOW)
    with tables.reading() as session:
        (fault,) = changed_since_use(session, catalogue)
        assert fault.path == "modules/schools/hemswell-cliff/policy-2022-03.yaml"
        changed = replace(scenario, sha256="0" * 64)
        spoilt = replace(catalogue, scenarios={scenario.id: changed}, schools={})
        assert [one.path for one in changed_since_use(session, spoilt)] == [scenario.path]
        raised = replace(spoilt, scenarios={scenario.id: replace(changed, version=2)})
        assert changed_since_use(session, raised) == []


def test_check_prints_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUSEWAY_INSTANCE", str(tmp_path))
    found = CliRunner().invoke(content, ["check"])
    assert found.exit_code == 0, found.output
    assert "hemswell-cliff" in found.stdout


def test_check_prints_every_fault_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUSEWAY_INSTANCE", str(tmp_path))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/vocabulary.yaml").write_text("facts: 1\n")
    found = CliRunner().invoke(content, ["check", "--root", str(tmp_path)])
    assert found.exit_code == 1
    assert "modules/vocabulary.yaml:1: facts: " in found.stdout


def test_points_are_printed_with_their_clauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUSEWAY_INSTANCE", str(tmp_path))
    found = CliRunner().invoke(points, ["--school", "wren-spinney"])
    assert found.exit_code == 0, found.output
    assert " points to check" in found.stdout
    assert "Section 7, line 224: “The policy is to be reviewed every two years" in found.stdout
    found = CliRunner().invoke(points, ["--school", "wren-spinney", "--version", "2026-09"])
    assert "a demonstration, not adopted" in found.stdout
    for wrong in (["--school", "nowhere"], ["--school", "glenmere", "--version", "1999-01"]):
        assert CliRunner().invoke(points, wrong).exit_code == 1
