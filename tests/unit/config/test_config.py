"""Settings: read from two places, typed, and refused with a sentence each."""

from pathlib import Path

import pytest

from lti_tool.config import ConfigError, is_loopback, is_mail_address, read_config


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
        ("SMTP_URL", "mail.example.org"),
        ("SMTP_URL", "http://mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org/path"),
        ("SMTP_URL", "smtp://user:secret@mail.example.org"),
        ("SMTP_URL", "smtp://mail.example.org:port"),
        ("SMTP_URL", "smtp+plain://mail.example.org"),
        ("MAIL_FROM", "School <office@example.org>"),
        ("MAIL_FROM", "office"),
        ("NO_SUCH", "x"),
    ],
)
def test_a_bad_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^CLAUSEWAY_{name}: "):
        read_config(tmp_path, {f"CLAUSEWAY_{name}": value})


MAIL = {"CLAUSEWAY_SMTP_URL": "smtp://mail.example.org", "CLAUSEWAY_MAIL_FROM": "a@example.org"}


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("smtp://mail.example.org", "smtp://mail.example.org:587"),
        ("smtps://mail.example.org", "smtps://mail.example.org:465"),
        ("smtps://mail.example.org:4650/", "smtps://mail.example.org:4650"),
        ("smtp+plain://localhost", "smtp+plain://localhost:25"),
        ("smtp+plain://[::1]:2525", "smtp+plain://[::1]:2525"),
    ],
)
def test_a_mail_server_by_how_it_is_spoken_to(tmp_path: Path, given: str, url: str) -> None:
    assert read_config(tmp_path, MAIL | {"CLAUSEWAY_SMTP_URL": given}).smtp_url == url


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"CLAUSEWAY_MAIL_FROM": ""}, "MAIL_FROM"),
        ({"CLAUSEWAY_SMTP_URL": ""}, "SMTP_URL"),
        ({"CLAUSEWAY_SMTP_USER": "x"}, "SMTP_PASSWORD"),
        ({"CLAUSEWAY_SMTP_PASSWORD": "x"}, "SMTP_PASSWORD"),
    ],
)
def test_what_mail_needs_besides(tmp_path: Path, change: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigError, match=f"^CLAUSEWAY_{missing}: "):
        read_config(tmp_path, MAIL | change)


def test_the_password_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    given = {"CLAUSEWAY_SMTP_USER": "us", "CLAUSEWAY_SMTP_PASSWORD": "correct horse"}
    config = read_config(tmp_path, MAIL | given)
    assert config.smtp_password == "correct horse"
    assert "correct horse" not in repr(config)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sam.o'stler+x@mail.example.org", True),
        ("sam@localhost", True),
        ("sam", False),
        ("sam@", False),
        ("@example.org", False),
        ("a@b@example.org", False),
        ("sam..o@example.org", False),
        ("sam @example.org", False),
        ("sam@example.org\n", False),
        ("sam@example.org,ada@example.org", False),
        ("säm@example.org", False),
        ("sam@-example.org", False),
        ("s" * 250 + "@example.org", False),
    ],
)
def test_a_plain_mail_address(text: str, expected: bool) -> None:
    assert is_mail_address(text) is expected


def test_private_hosts_are_named_in_either_place(tmp_path: Path) -> None:
    expected = ("lms.internal", "10.1.0.0/16")
    given = {"CLAUSEWAY_PRIVATE_HOSTS": "LMS.internal, 10.1.0.0/16"}
    assert read_config(tmp_path, given).private_hosts == expected
    (tmp_path / "clauseway.toml").write_text('private_hosts = ["lms.internal", "10.1.0.0/16"]')
    assert read_config(tmp_path, {}).private_hosts == expected


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [("http://localhost:8000", True), ("https://training.example.org", False)],
)
def test_a_sandbox_plays_teams_on_this_machine_alone(
    tmp_path: Path, url: str, is_taken: bool
) -> None:
    """Else somebody’s page could speak to ours as Teams does."""
    given = {"CLAUSEWAY_URL": url, "CLAUSEWAY_TEAMS_SANDBOX": "http://127.0.0.1:8001"}
    if is_taken:
        assert read_config(tmp_path, given).teams_sandbox == "http://127.0.0.1:8001"
        return
    with pytest.raises(ConfigError, match="CLAUSEWAY_TEAMS_SANDBOX"):
        read_config(tmp_path, given)


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
