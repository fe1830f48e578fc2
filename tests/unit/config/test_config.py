"""Settings: read from two places, typed, and refused with a sentence each."""

from pathlib import Path

import pytest

from lti_tool.config import ConfigError, is_loopback, read_config


def test_defaults_need_nothing(tmp_path: Path) -> None:
    config = read_config(tmp_path, {})
    assert config.database_url == f"sqlite:///{tmp_path / 'clauseway.sqlite3'}"
    assert config.url == "http://localhost:8000"


def test_the_environment_outranks_the_file(tmp_path: Path) -> None:
    (tmp_path / "clauseway.toml").write_text('url = "https://a.example"\nproxies = 1\n')
    config = read_config(tmp_path, {"CLAUSEWAY_URL": "https://b.example/", "HOME": "/root"})
    assert (config.url, config.proxies) == ("https://b.example", 1)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_address_as_hosts_give_it(tmp_path: Path, scheme: str) -> None:
    given = {"CLAUSEWAY_DATABASE_URL": f"{scheme}://user@host/name"}
    assert read_config(tmp_path, given).database_url == "postgresql+psycopg://user@host/name"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "http://training.example.org"),
        ("URL", "https://training.example.org/path"),
        ("URL", "training"),
        ("DATABASE_URL", "mysql://host/name"),
        ("CONTENT", "no-such-folder"),
        ("LOG_LEVEL", "loud"),
        ("LOG_JSON", "maybe"),
        ("PROXIES", "one"),
        ("MANAGERS", "everybody"),
        ("PRIVATE_HOSTS", "http://lms.internal"),
        ("PRIVATE_HOSTS", "10.0.0.1/8"),
        ("NO_SUCH", "x"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^CLAUSEWAY_{name}: "):
        read_config(tmp_path, {f"CLAUSEWAY_{name}": value})


def test_private_hosts_are_named_in_either_place(tmp_path: Path) -> None:
    expected = ("lms.internal", "10.1.0.0/16")
    given = {"CLAUSEWAY_PRIVATE_HOSTS": "LMS.internal, 10.1.0.0/16"}
    assert read_config(tmp_path, given).private_hosts == expected
    (tmp_path / "clauseway.toml").write_text('private_hosts = ["lms.internal", "10.1.0.0/16"]')
    assert read_config(tmp_path, {}).private_hosts == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.9", True), ("::1", True), ("127.evil.example", False)],
)
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_every_fault_is_said_at_once(tmp_path: Path) -> None:
    given = {"CLAUSEWAY_URL": "x", "CLAUSEWAY_LOG_LEVEL": "x", "CLAUSEWAY_ODD": "x"}
    with pytest.raises(ConfigError) as caught:
        read_config(tmp_path, given)
    assert len(str(caught.value).splitlines()) == 3


def test_a_spoilt_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "clauseway.toml").write_text("url = ")
    with pytest.raises(ConfigError, match=r"clauseway\.toml"):
        read_config(tmp_path, {})
