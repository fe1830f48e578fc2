"""The doctor says of each thing how it is; a fault is exit code 1."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from lti_tool.cli import clauseway
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.outside import Answer, HostRefused, Outage, Outside
from lti_tool.operation import beating
from lti_tool.operation.doctor import databases, examining, machine, outsiders
from lti_tool.operation.doctor.finding import FAULT, OK, WARNING, Finding
from tests.conftest import SetClock
from tests.factories.registers import HEMSWELL

PUBLIC = "https://training.example.org"


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation as its first start leaves it, but for the database."""
    (tmp_path / "keys").mkdir()
    for name in ("secret.key", "keys/1.pem"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("CLAUSEWAY_INSTANCE", str(tmp_path))
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(clauseway, ["doctor", *words])


def by_about(findings: list[Finding], about: str) -> list[Finding]:
    return [one for one in findings if one.about == about]


def worst(findings: list[Finding], about: str) -> str:
    order = (FAULT, WARNING, OK)
    return min((one.state for one in by_about(findings, about)), key=order.index)


def test_a_sound_installation_is_well(
    instance: Path, database_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUSEWAY_DATABASE_URL", database_url)
    monkeypatch.setenv("CLAUSEWAY_URL", PUBLIC)
    monkeypatch.setenv("CLAUSEWAY_PROXIES", "1")
    monkeypatch.setattr(Outside, "call", lambda *_, **given: Answer(200, b"ok\n", {}))
    with database.transaction() as session:
        beating.beat(session, now=datetime.now(UTC))
    reply = run("--json")
    findings = json.loads(reply.output)
    faulty = [one for one in findings if one["state"] != "ok"]
    # SQLite has no clock of its own, and no platform is there to ask.
    assert [one["about"] for one in faulty] == (["Clock"] if database.is_sqlite else [])
    assert reply.exit_code == 0
    assert {one["about"] for one in findings} >= {
        "Configuration", "Content", "Keys", "Database", "Worker", "Clock", "E-mail", "Disk",
        "Proxy",
    }  # fmt: skip


def test_a_bad_setting_is_said_and_ends_it(instance: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUSEWAY_PROXIES", "many")
    reply = run()
    assert reply.exit_code == 1
    assert "CLAUSEWAY_PROXIES" in reply.output
    assert reply.output.startswith("FAULT")


def test_nothing_is_made_by_looking(instance: Path) -> None:
    before = sorted(instance.rglob("*"))
    reply = run()
    assert reply.exit_code == 1
    assert "clauseway migrate" in reply.output
    assert sorted(instance.rglob("*")) == before


def test_keys_that_others_can_read_are_a_fault(instance: Path) -> None:
    assert [one.state for one in machine.keys(Config(instance=instance), None)] == [OK]
    (instance / "keys/1.pem").chmod(0o640)
    assert [one.state for one in machine.keys(Config(instance=instance), None)] == [FAULT]
    (instance / "secret.key").unlink()
    found = list(machine.keys(Config(instance=instance), None))
    assert [one.state for one in found] == [WARNING, FAULT]
    assert "secret.key" in found[0].says


@pytest.mark.parametrize(
    ("free", "state"), [(10 * machine.GIB, OK), (machine.GIB, WARNING), (1024, FAULT)]
)
def test_room_on_the_disk(
    instance: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str
) -> None:
    usage = SimpleNamespace(total=20 * machine.GIB, free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda place: usage)
    found = machine.disk(Config(instance=instance, database_url=f"sqlite:///{instance}/x.sqlite3"))
    assert [one.state for one in found] == [state]


def look(database: Database, clock: SetClock) -> list[Finding]:
    return list(databases.examine(Config(instance=Path()), database, clock))


def test_a_worker_that_ended_is_a_fault(database: Database, clock: SetClock) -> None:
    assert worst(look(database, clock), "Worker") == WARNING
    with database.transaction() as session:
        beating.beat(session, now=clock())
    assert worst(look(database, clock), "Worker") == OK
    clock.move(minutes=12)
    (found,) = by_about(look(database, clock), "Worker")
    assert (found.state, "12 minutes" in found.says) == (FAULT, True)


def test_a_worker_long_silent_is_forgotten(database: Database, clock: SetClock) -> None:
    with database.transaction() as session:
        beating.beat(session, now=clock() - timedelta(days=2))
        session.execute(text("UPDATE worker_beat SET name = 'gone:1'"))
        beating.beat(session, now=clock())
        beating.beat(session, now=clock())
        assert session.scalars(text("SELECT count(*) FROM worker_beat")).all() == [1]
        assert beating.alive(session, now=clock()) == 1


def test_a_clock_behind_the_last_record_is_a_fault(database: Database, clock: SetClock) -> None:
    with database.transaction() as session:
        ledger.append(session, school_id=HEMSWELL, kind="test", facts={}, now=clock())
    assert not by_about(look(database, clock), "Clock")
    clock.move(hours=-1)
    assert worst(look(database, clock), "Clock") == FAULT


def test_a_missing_guard_is_a_fault(database: Database, clock: SetClock) -> None:
    assert not by_about(look(database, clock), "Ledger")
    with database.engine.execution_options(writes=True).begin() as connection:
        on = "" if database.is_sqlite else " ON ledger_head"
        connection.exec_driver_sql(f"DROP TRIGGER ledger_head_forward{on}")
    (found,) = by_about(look(database, clock), "Ledger")
    assert (found.state, "ledger_head_forward" in found.says) == (FAULT, True)


@pytest.mark.parametrize("revision", ["0013", "9999"])
def test_another_layout_is_a_fault(sqlite_url: str, clock: SetClock, revision: str) -> None:
    database = Database(sqlite_url)
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    (found,) = [one for one in look(database, clock) if one.state == FAULT]
    assert ("newer" in found.does) is (revision == "9999")
    database.engine.dispose()


def test_a_database_that_is_away(clock: SetClock) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    (found,) = look(away, clock)
    assert found.state == FAULT


@pytest.mark.parametrize(("ahead", "state"), [(1, OK), (-10, WARNING), (60, FAULT)])
def test_the_clock_is_compared(
    database: Database, monkeypatch: pytest.MonkeyPatch, ahead: int, state: str
) -> None:
    there = ("a platform", timedelta(seconds=ahead))
    monkeypatch.setattr(outsiders, "_of_database", lambda *_: None)
    monkeypatch.setattr(outsiders, "_of_a_platform", lambda *_: there)
    config = Config(instance=Path())
    assert [one.state for one in outsiders.clock(config, database, SetClock())] == [state]


def test_a_mail_server_that_is_away(instance: Path) -> None:
    config = Config(
        instance=instance, smtp_url="smtp+plain://127.0.0.1:1", mail_from="t@example.org"
    )
    assert [one.state for one in outsiders.mail_server(config)] == [FAULT]


def test_an_address_of_this_machine_alone_and_instructors_are_warned_of(instance: Path) -> None:
    here = Config(instance=instance, managers="instructors")
    assert [one.state for one in examining._configuration(here)] == [OK, WARNING, WARNING]
    public = Config(instance=instance, url=PUBLIC)
    assert [one.state for one in examining._configuration(public)] == [OK]


@pytest.mark.parametrize(
    ("proxies", "answer", "state", "word"),
    [
        (0, Answer(200, b"ok, over plain http\n", {}), FAULT, "CLAUSEWAY_PROXIES=1"),
        (1, Answer(200, b"ok, over plain http\n", {}), FAULT, "X-Forwarded-Proto"),
        (0, Answer(200, b"ok\n", {}), OK, ""),
        (1, Answer(200, b"ok\n", {}), OK, ""),
        (0, Outage("no answer in time"), WARNING, "CLAUSEWAY_PROXIES=1"),
        (1, HostRefused("private"), OK, ""),
        (0, Answer(503, b"", {}), WARNING, "CLAUSEWAY_PROXIES=1"),
    ],
)
def test_a_proxy_that_is_not_counted_on_is_noticed(
    instance: Path,
    monkeypatch: pytest.MonkeyPatch,
    proxies: int,
    answer: Answer | Exception,
    state: str,
    word: str,
) -> None:
    """Everybody would have its address, and share one limit."""
    asked: list[str] = []

    def call(_: Outside, method: str, url: str, **given: object) -> Answer:
        asked.append(f"{method} {url}")
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(Outside, "call", call)
    (found,) = outsiders.front(Config(instance=instance, url=PUBLIC, proxies=proxies))
    assert asked == [f"GET {PUBLIC}/healthz"]
    assert found.state == state
    assert word in found.does


def test_nobody_stands_in_front_where_it_is_only_tried_out(instance: Path) -> None:
    assert list(outsiders.front(Config(instance=instance))) == []
