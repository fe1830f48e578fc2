"""What Prometheus reads, and who else may not."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from lti_tool.core.database import Database
from lti_tool.evidence.packs.models import WAITING, Pack
from lti_tool.operation import beating
from lti_tool.operation.metrics import figures, sharing
from tests.conftest import SetClock
from tests.factories.registers import HEMSWELL, ORIGIN, arrive

TOKEN = "long-enough-to-be-guessed-by-nobody"


def set_(app: Flask, **values: object) -> None:
    app.extensions["config"] = replace(app.extensions["config"], **values)


def read(app: Flask) -> dict[tuple[str, str], float]:
    """Each sample by its name and its labels."""
    set_(app, metrics_token=TOKEN)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    reply = app.test_client().get("/metrics", headers=headers, base_url=ORIGIN)
    assert reply.status_code == 200
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_status(app: Flask) -> None:
    name, kind = "clauseway_request_seconds_count", "healthz 200"
    before = read(app).get((name, kind), 0)
    app.test_client().get("/healthz")
    app.test_client().get("/nowhere")
    after = read(app)
    assert after[name, kind] == before + 1
    assert after[name, " 404"] >= 1


def test_figures_of_the_installation(app: Flask, database: Database, clock: SetClock) -> None:
    guest = arrive(database, "Somebody Named")
    with database.transaction() as session:
        beating.beat(session, now=clock() - timedelta(seconds=90))
        session.add(
            Pack(
                school_id=HEMSWELL,
                schools=[HEMSWELL],
                audience="governors",
                cycle="2026-27",
                state=WAITING,
                asked_at=clock(),
                asked_by=guest.person_id,
            )
        )
    found = read(app)
    assert found["clauseway_database_up", ""] == 1
    assert found["clauseway_packs", "waiting"] == 1
    assert found["clauseway_scores", "dead"] == 0
    assert found["clauseway_workers", ""] == 1
    assert found["clauseway_worker_beat_age_seconds", ""] == 90
    assert found["clauseway_database_bytes", ""] > 10_000


def test_nobody_is_named(app: Flask, database: Database) -> None:
    arrive(database, "Somebody Named", counted=True)
    said = " ".join(f"{name} {labels}" for name, labels in read(app))
    assert "Somebody" not in said
    assert HEMSWELL not in said


def test_a_database_that_is_away_is_a_figure_too() -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    (found,) = figures.read(away, now=SetClock()())
    assert (found.name, found.numbers) == ("database_up", {"": 0})


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("settings", "caller", "authorization", "status"),
    [
        # A proxy on this machine that is not counted on: everybody comes from loopback.
        ({}, "127.0.0.1", "", 404),
        ({"proxies": 1}, "127.0.0.1", "", 200),
        ({"proxies": 1}, "203.0.113.9", "", 404),
        ({"url": "http://localhost:8000"}, "127.0.0.1", "", 200),
        ({"url": "http://localhost:8000"}, "203.0.113.9", "", 404),
        ({"metrics_token": TOKEN}, "203.0.113.9", f"Bearer {TOKEN}", 200),
        ({"metrics_token": TOKEN}, "127.0.0.1", "", 404),
        ({"metrics_token": TOKEN}, "127.0.0.1", f"Bearer {TOKEN}x", 404),
        ({"metrics_token": TOKEN}, "127.0.0.1", "Bearer \u00e9", 404),
    ],
)
def test_they_are_never_public(
    app: Flask, settings: dict[str, object], caller: str, authorization: str, status: int
) -> None:
    set_(app, **settings)
    reply = app.test_client().get(
        "/metrics",
        headers={"Authorization": authorization},
        environ_overrides={"REMOTE_ADDR": caller},
    )
    assert reply.status_code == status


COUNT = """
import sys
from pathlib import Path
from lti_tool.operation.metrics.sharing import share_counts
share_counts(Path(sys.argv[1]))
from lti_tool.core.database import Database
from lti_tool.operation.metrics import counting
from datetime import UTC, datetime
counting.count("healthz", 200, 0.02)
text = counting.exposition(Database("sqlite://"), now=datetime.now(UTC)).decode()
print(next(line for line in text.splitlines() if "request_seconds_count" in line))
"""


def test_processes_of_one_server_add_up(tmp_path: Path) -> None:
    gone = tmp_path / "metrics" / f"{socket.gethostname()}-999999999"
    gone.mkdir(parents=True)
    said = [
        subprocess.run(
            [sys.executable, "-c", COUNT, str(tmp_path)],
            capture_output=True,
            check=True,
            text=True,
            env={name: value for name, value in os.environ.items() if name != sharing.VARIABLE},
        ).stdout.split()[-1]
        for _ in range(2)
    ]
    assert said == ["1.0", "2.0"]
    assert [folder.name.rpartition("-")[2] for folder in gone.parent.iterdir()] == [
        str(os.getpid())
    ]
