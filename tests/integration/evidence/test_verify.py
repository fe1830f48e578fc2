"""``clauseway evidence verify``."""

import pytest
from flask import Flask
from sqlalchemy import text

from lti_tool.core.database import Database
from lti_tool.evidence.cli import evidence
from tests.factories.registers import GLENMERE, arrive, complete
from tests.integration.core.test_ledger import disarm


@pytest.fixture
def commands(app: Flask) -> Flask:
    app.cli.add_command(evidence)
    return app


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["evidence", "verify", *words])
    return result.exit_code, result.output


def test_nothing_recorded(commands: Flask) -> None:
    assert run(commands) == (0, "nothing has been recorded yet\n")


def test_chains_that_hold(commands: Flask, database: Database) -> None:
    complete(database, arrive(database, "Amara Osei"))
    complete(database, arrive(database, "Bethan Pugh"))
    complete(database, arrive(database, "Colin Marsh", GLENMERE))
    assert run(commands) == (
        0,
        "glenmere: 1 entries hold\nhemswell-cliff: 2 entries hold\n",
    )
    assert run(commands, "--school", GLENMERE) == (0, "glenmere: 1 entries hold\n")
    assert run(commands, "--school", "nowhere")[0] == 2


def test_the_first_broken_entry_is_named(commands: Flask, database: Database) -> None:
    records = [complete(database, arrive(database, "Amara Osei")) for _ in range(3)]
    complete(database, arrive(database, "Colin Marsh", GLENMERE))
    with database.engine.execution_options(writes=True).begin() as connection:
        disarm(connection)
        connection.execute(
            text("UPDATE ledger_entry SET hash = 'x' WHERE school_id = :school AND sequence = 2"),
            {"school": "hemswell-cliff"},
        )
    status, output = run(commands)
    assert status == 1
    assert "glenmere: 1 entries hold" in output
    assert f"entry 2 ({records[1]}) is broken: its bytes do not give its hash" in output
