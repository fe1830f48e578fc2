"""The tool starts and answers while its database is away, and works again when it is back."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.database import Database
from tests.conftest import SetClock
from tests.factories.registers import CATALOGUE, ORIGIN
from tests.factories.servers import answering

SECRET = "nobody-can-guess-this-and-it-is-long"


def to_postgresql(path: str, is_up: threading.Event) -> Callable[[socket.socket], None]:
    """What leads a connection to PostgreSQL's socket, and breaks it off while it is down."""

    def answer(connection: socket.socket) -> None:
        if not is_up.is_set():
            return
        with socket.socket(socket.AF_UNIX) as inner:
            inner.connect(path)
            back = threading.Thread(target=copy, args=(inner, connection))
            back.start()
            copy(connection, inner)
            back.join()

    return answer


def copy(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while part := one.recv(65536):
            other.sendall(part)
        other.shutdown(socket.SHUT_WR)


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_start_while_postgresql_is_down(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    there, is_up = make_url(database_url), threading.Event()
    (path,) = Path(str(there.query["host"])).glob(".s.PGSQL.[0-9]*[0-9]")
    with answering(to_postgresql(str(path), is_up)) as address:
        port = urlsplit(address).port
        url = there.set(host="127.0.0.1", port=port, query={})
        config = Config(
            instance=tmp_path,
            url=ORIGIN,
            database_url=url.render_as_string(hide_password=False),
            secret=SECRET,
        )
        app = create_app(config, clock=clock, catalogue=CATALOGUE)
        client = app.test_client()
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        away = client.get("/lti/jwks", base_url=ORIGIN)
        assert (away.status_code, b"database-unavailable" in away.data) == (503, True)

        is_up.set()
        assert client.get("/readyz").status_code == 200
        assert len(client.get("/lti/jwks", base_url=ORIGIN).get_json()["keys"]) == 1
        app.extensions["queue"].storage.close()
        app.extensions["database"].engine.dispose()


@pytest.mark.parametrize(("revision", "status"), [("0013", 503), ("9999", 200), ("", 503)])
def test_ready_is_who_can_serve(
    sqlite_url: str, tmp_path: Path, clock: SetClock, revision: str, status: int
) -> None:
    """The old version goes on while the new one's migration has been applied already."""
    config = Config(instance=tmp_path, url=ORIGIN, database_url=sqlite_url)
    app = create_app(config, clock=clock, catalogue=CATALOGUE)
    database: Database = app.extensions["database"]
    change = f"SET version_num = '{revision}'" if revision else ""
    with database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE alembic_version {change}" if change else "DELETE FROM alembic_version"
        )
    assert app.test_client().get("/readyz").status_code == status
    app.extensions["queue"].storage.close()
    database.engine.dispose()
