"""Every setting, once: name, type, default, meaning. A bad value stops the start.

Values come from ``CLAUSEWAY_*`` environment variables, else from ``instance/clauseway.toml``,
else from the default.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class ConfigError(Exception):
    """One line for each setting that cannot be used."""


# The ports on which a server takes mail, by how it is spoken to.
SMTP_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
LONGEST_ADDRESS = 254
SHORTEST_TOKEN = 20


def _setting(
    default: Any, meaning: str, read: Callable[[str], Any] = str, *, is_secret: bool = False
) -> Any:
    return field(default=default, repr=not is_secret, metadata={"meaning": meaning, "read": read})


def _flag(value: str) -> bool:
    if value.lower() not in {"1", "0", "true", "false", "yes", "no"}:
        raise ValueError("say yes or no")
    return value.lower() in {"1", "true", "yes"}


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("give an address such as https://training.example.org, without a path")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("plain http is for this machine alone: use https")
    return f"{parts.scheme}://{parts.netloc}"


def _database(value: str) -> str:
    if value.startswith("postgres://"):
        value = "postgresql://" + value.removeprefix("postgres://")
    if value.startswith("postgresql://"):
        return "postgresql+psycopg://" + value.removeprefix("postgresql://")
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("give sqlite:///FILE or postgresql://…")
    return value


def _mail_server(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in SMTP_PORTS or not parts.hostname or parts.path.strip("/"):
        raise ValueError("give smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT (TLS at once)")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("user and password have settings of their own")
    if parts.scheme == "smtp+plain" and not is_loopback(parts.hostname):
        raise ValueError("mail without TLS is for this machine alone: use smtp:// or smtps://")
    return f"{parts.scheme}://{_bracketed(parts.hostname)}:{parts.port or SMTP_PORTS[parts.scheme]}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _mail_address(value: str) -> str:
    if not is_mail_address(value):
        raise ValueError("give one e-mail address, without a name")
    return value


def _count(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("give a number from 1")
    return int(value)


def _token(value: str) -> str:
    if len(value) < SHORTEST_TOKEN or not value.isascii() or not value.isprintable():
        raise ValueError(f"give at least {SHORTEST_TOKEN} plain letters that nobody can guess")
    return value


def _folder(value: str) -> str:
    if not Path(value).is_dir():
        raise ValueError(f"there is no folder {value}")
    return value


def _level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("say DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def _hosts(value: str) -> tuple[str, ...]:
    """Host names, addresses and networks, parted by spaces or commas."""
    given = tuple(value.lower().replace(",", " ").split())
    for one in given:
        if "/" in one:
            ip_network(one)
        elif not re.fullmatch(r"[a-z0-9.:_-]+", one):
            raise ValueError(f"{one} is no host name, address or network")
    return given


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_mail_address(text: str) -> bool:
    """Whether mail can be sent there: one plain address, of letters that every server takes."""
    return len(text) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True)
class Config:
    """The settings of one process."""

    instance: Path
    url: str = _setting(
        "http://localhost:8000", "The address people and platforms reach the tool at", _origin
    )
    database_url: str = _setting("", "Empty for SQLite in instance/, or postgresql://…", _database)
    secret: str = _setting(
        "",
        "With PostgreSQL: the same on every machine, so that none keeps anything of its own",
        _token,
        is_secret=True,
    )
    database_connections: int = _setting(
        8, "The most that a process opens to PostgreSQL: two for each of its threads", _count
    )
    content: str = _setting("", "A folder of schools' own modules/schools/", _folder)
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR", _level)
    log_json: bool = _setting(True, "Logs as JSON lines rather than plain text", _flag)
    proxies: int = _setting(0, "How many reverse proxies stand in front", int)
    private_hosts: tuple[str, ...] = _setting(
        (),
        "Hosts and networks on private addresses where platforms may be: lms.internal 10.1.0.0/16",
        _hosts,
    )
    entra_authority: str = _setting(
        "https://login.microsoftonline.com", "Who signs people in to Microsoft Teams", _origin
    )
    teams_sandbox: str = _setting(
        "", "An origin that plays Microsoft Teams; for trying out on this machine only", _origin
    )
    managers: str = _setting(
        "grants", "Who manages: grants, or instructors (a deployment that serves one school)"
    )
    metrics_token: str = _setting(
        "",
        "What Prometheus shows to read /metrics; else loopback alone",
        _token,
        is_secret=True,
    )
    smtp_url: str = _setting(
        "",
        "The server that takes our e-mail, smtp://HOST:587 (STARTTLS) or smtps://HOST:465; empty "
        "for no e-mail",
        _mail_server,
    )
    smtp_user: str = _setting("", "Whom we log in as there, if it asks")
    smtp_password: str = _setting("", "With which password", is_secret=True)
    mail_from: str = _setting("", "The address our e-mail comes from", _mail_address)


def instance_folder() -> Path:
    """Where this machine's settings and keys are: ``CLAUSEWAY_INSTANCE``, or ``instance/``."""
    return Path(os.environ.get("CLAUSEWAY_INSTANCE", "instance"))


def read_config(instance: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Settings from the environment and ``instance/clauseway.toml``.

    Raises ``ConfigError`` that names every setting at fault, and every unknown one.
    """
    environ = os.environ if environ is None else environ
    settings = [item for item in fields(Config) if item.default is not MISSING]
    known = {f"CLAUSEWAY_{item.name.upper()}" for item in settings} | {"CLAUSEWAY_INSTANCE"}
    given, faults = _file_values(instance / "clauseway.toml")
    given |= {name: value for name, value in environ.items() if name.startswith("CLAUSEWAY_")}
    faults += [f"{name}: no such setting" for name in sorted(set(given) - known)]
    values: dict[str, Any] = {}
    for item in settings:
        name = f"CLAUSEWAY_{item.name.upper()}"
        if given.get(name, "") == "":
            continue
        try:
            values[item.name] = item.metadata["read"](given[name])
        except ValueError as fault:
            faults.append(f"{name}: {fault}")
    if values.get("managers", "grants") not in {"grants", "instructors"}:
        faults.append("CLAUSEWAY_MANAGERS: say grants or instructors")
    faults += _unfit_together(values)
    if faults:
        raise ConfigError("\n".join(faults))
    values.setdefault("database_url", f"sqlite:///{instance.resolve() / 'clauseway.sqlite3'}")
    return Config(instance=instance, **values)


def _unfit_together(values: Mapping[str, Any]) -> list[str]:
    has = {
        name for name in ("smtp_url", "smtp_user", "smtp_password", "mail_from") if name in values
    }
    faults = []
    if "smtp_url" in has and "mail_from" not in has:
        faults.append("CLAUSEWAY_MAIL_FROM: say which address our e-mail comes from")
    if has and "smtp_url" not in has:
        faults.append("CLAUSEWAY_SMTP_URL: say which server takes our e-mail")
    if len(has & {"smtp_user", "smtp_password"}) == 1:
        faults.append("CLAUSEWAY_SMTP_PASSWORD: give user and password, or neither")
    if "secret" in values and not values.get("database_url", "").startswith("postgresql"):
        faults.append("CLAUSEWAY_SECRET: only with PostgreSQL, which several machines can share")
    tool = urlsplit(values.get("url", "http://localhost:8000")).hostname or ""
    if "teams_sandbox" in values and not is_loopback(tool):
        faults.append("CLAUSEWAY_TEAMS_SANDBOX: only where CLAUSEWAY_URL is on this machine")
    return faults


def _file_values(path: Path) -> tuple[dict[str, str], list[str]]:
    if not path.exists():
        return {}, []
    try:
        table = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as fault:
        return {}, [f"{path.name}: {fault}"]
    return {f"CLAUSEWAY_{name.upper()}": _text(value) for name, value in table.items()}, []


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
