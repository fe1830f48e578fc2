"""Files of the installation: on this machine, or sealed in the database for all of them."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from lti_tool.config import Config, ConfigError, read_config
from lti_tool.core.database import Database
from lti_tool.core.drawers import Drawer, Folder, Rows, SealedError, open_drawer, reseal, share
from lti_tool.core.secret import derived_secret
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.lti.keys import open_tool_keys
from lti_tool.operation.doctor import machine
from tests.conftest import ON_POSTGRES, SetClock

SECRET = "nobody-can-guess-this-and-it-is-long"


@pytest.fixture
def config(database: Database, tmp_path: Path) -> Config:
    """With a secret where there is a database that machines can share."""
    url = database.engine.url.render_as_string(hide_password=False)
    secret = "" if database.is_sqlite else SECRET
    return Config(instance=tmp_path / "instance", database_url=url, secret=secret)


@pytest.fixture
def drawer(config: Config, database: Database) -> Drawer:
    return open_drawer(config, database, "keys")


def test_what_is_put_in_is_there_until_it_is_removed(drawer: Drawer, database: Database) -> None:
    assert isinstance(drawer, Folder if database.is_sqlite else Rows)
    assert (drawer.names(".pem"), drawer.read("a.pem")) == ([], None)
    drawer.put("b.pem", b"\x00b")
    drawer.put("a.pem", b"a")
    drawer.put("a.public", b"")
    drawer.put("a.pem", b"another")
    assert drawer.names(".pem") == ["a.pem", "b.pem"]
    assert [drawer.read(name) for name in ("a.pem", "b.pem", "a.public")] == [b"a", b"\x00b", b""]
    drawer.remove("a.pem")
    drawer.remove("a.pem")
    assert drawer.names("") == ["a.public", "b.pem"]


def test_a_folder_is_for_its_owner_alone(tmp_path: Path) -> None:
    Folder(tmp_path / "keys").put("a.pem", b"a")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "keys/a.pem").stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "keys").iterdir())) == 1


only_postgres = pytest.mark.parametrize("database_url", [ON_POSTGRES], indirect=True)


@only_postgres
def test_whoever_has_the_database_alone_reads_nothing(
    config: Config, database: Database, drawer: Drawer
) -> None:
    drawer.put("a.pem", b"private")
    drawer.put("b.pem", b"other")
    with database.engine.begin() as connection:
        sealed = connection.execute(text("SELECT sealed FROM drawer_item")).scalars().all()
        assert not any(b"private" in one for one in sealed)
        connection.execute(
            text(
                "UPDATE drawer_item SET sealed = (SELECT sealed FROM drawer_item "
                "WHERE name = 'b.pem') WHERE name = 'a.pem'"
            )
        )
    with pytest.raises(SealedError):
        drawer.read("a.pem")  # another file's content
    other = open_drawer(replace(config, secret=SECRET[::-1]), database, "keys")
    with pytest.raises(SealedError):
        other.read("b.pem")


@only_postgres
def test_machines_have_the_same_keys_and_secrets(
    config: Config, database: Database, clock: SetClock
) -> None:
    there = replace(config, instance=config.instance.with_name("elsewhere"))
    ours, theirs = (
        open_tool_keys(open_drawer(one, database, "keys"), clock) for one in (config, there)
    )
    assert ours.kids() == theirs.kids()
    ours.rotate()
    assert len(theirs.kids()) == 2
    first, second = (
        EvidenceKeys(open_drawer(one, database, "evidence-keys")) for one in (config, there)
    )
    assert first.fingerprint() == second.fingerprint()
    first.rotate(clock())
    assert first.fingerprint() == second.fingerprint()
    assert len(second.listed()) == 2
    assert derived_secret(config, "csrf") == derived_secret(there, "csrf")
    assert not config.instance.exists()
    assert not there.instance.exists()


@only_postgres
def test_one_machine_becomes_several(config: Config, database: Database, clock: SetClock) -> None:
    alone = replace(config, secret="")
    before = open_tool_keys(open_drawer(alone, database, "keys"), clock)
    assert [one.state for one in machine.keys(config, database)] == ["warning", "warning"]
    assert share(config, database, "keys") == 1
    assert share(config, database, "keys") == 1
    after = open_tool_keys(open_drawer(config, database, "keys"), clock)
    assert after.jwks() == before.jwks()
    (config.instance / "keys" / f"{after.kids()[0]}.pem").unlink()
    assert [one.state for one in machine.keys(config, database)] == ["ok"]
    other = replace(config, secret=SECRET[::-1])
    assert [one.state for one in machine.keys(other, database)] == ["fault"]


@only_postgres
def test_the_secret_is_changed(config: Config, database: Database, drawer: Drawer) -> None:
    drawer.put("a.pem", b"a")
    wrong, new = replace(config, secret=SECRET * 2), replace(config, secret=SECRET[::-1])
    with pytest.raises(SealedError):
        reseal(wrong, database, new.secret)
    assert reseal(config, database, new.secret) == 1
    assert open_drawer(new, database, "keys").read("a.pem") == b"a"
    with pytest.raises(SealedError):
        drawer.read("a.pem")


def test_a_secret_is_for_postgresql_alone(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CLAUSEWAY_SECRET: only with PostgreSQL"):
        read_config(tmp_path, {"CLAUSEWAY_SECRET": SECRET})
    with pytest.raises(ConfigError, match="CLAUSEWAY_SECRET: give at least"):
        read_config(tmp_path, {"CLAUSEWAY_SECRET": "short"})
    with pytest.raises(ConfigError, match="CLAUSEWAY_DATABASE_CONNECTIONS"):
        read_config(tmp_path, {"CLAUSEWAY_DATABASE_CONNECTIONS": "0"})
