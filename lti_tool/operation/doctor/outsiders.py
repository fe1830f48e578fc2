"""What the doctor finds elsewhere: the time as others have it, what stands in front of us, and the
mail server."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.config import Config
from lti_tool.core import mail
from lti_tool.core.clock import Clock
from lti_tool.core.database import Database
from lti_tool.core.keysets import ask_for_keys
from lti_tool.core.outside import HostRefused, Outage, Outside
from lti_tool.lti.models import Registration
from lti_tool.operation.doctor.finding import Finding, fault, ok, warning
from lti_tool.training.reminders.cli import WRONG

MAY_DIFFER: Final = timedelta(seconds=5)
MUST_NOT_DIFFER: Final = timedelta(seconds=30)
SECONDS: Final = 4
MOST_ASKED: Final = 3
PLAINLY: Final = b"plain http"


def clock(config: Config, database: Database | None, clock: Clock) -> Iterator[Finding]:
    """How this machine's clock compares with the database's, or a platform's."""
    found = None
    if database is not None:
        found = _of_database(database, clock) or _of_a_platform(config, database, clock)
    if found is None:
        yield warning(
            "Clock",
            "nobody to compare it with",
            "See that the machine sets it by a time server (timedatectl).",
        )
        return
    whose, apart = found
    says = f"{apart.total_seconds():+.0f} s from that of {whose}"
    does = "Set it by a time server (NTP): launches carry times that must be right."
    if abs(apart) > MUST_NOT_DIFFER:
        yield fault("Clock", says, does)
    elif abs(apart) > MAY_DIFFER:
        yield warning("Clock", says, does)
    else:
        yield ok("Clock", says)


def _of_database(database: Database, clock: Clock) -> tuple[str, timedelta] | None:
    if database.is_sqlite:
        return None  # has no clock of its own
    try:
        with database.engine.connect() as connection:
            theirs: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    except SQLAlchemyError:
        return None
    return "the database", clock() - theirs


def _of_a_platform(
    config: Config, database: Database, clock: Clock
) -> tuple[str, timedelta] | None:
    enabled = select(Registration.name, Registration.jwks_url).where(
        Registration.disabled_at.is_(None)
    )
    try:
        with database.reading() as session:
            known = session.execute(enabled.limit(MOST_ASKED)).all()
    except SQLAlchemyError:
        return None
    outside = Outside(config)
    for name, url in known:
        try:
            said = ask_for_keys(outside, url, seconds=SECONDS).headers.get("Date", "")
            return name, clock() - parsedate_to_datetime(said)
        except (HostRefused, Outage, ValueError):
            continue
    return None


def front(config: Config) -> Iterator[Finding]:
    """Whether the proxies in front are counted on, as the tool says when it is asked where people
    reach it. Where they are not, everybody has their address and shares one limit."""
    if not config.url.startswith("https:"):
        return
    about, counted = "Proxy", config.proxies
    count_it = "Where a proxy ends TLS, set CLAUSEWAY_PROXIES=1 (or how many), and restart."
    try:
        said = Outside(config).call("GET", f"{config.url}/healthz", headers={}, seconds=SECONDS)
        is_known = said.is_ok
    except (HostRefused, Outage):
        is_known = False
    if is_known and PLAINLY in said.body and not counted:
        says = "one ends TLS and is not counted on: everybody has its address, and shares a limit"
        yield fault(about, says, count_it)
    elif is_known and PLAINLY in said.body:
        does = "Let it set X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host, as all do."
        yield fault(about, f"{counted} counted on, and the request came without their word", does)
    elif is_known:
        yield ok(about, f"{counted} counted on; {config.url} is known to be https")
    elif counted:
        yield ok(about, f"{counted} counted on; {config.url} could not be asked from here")
    else:
        yield warning(about, f"none is counted on, and {config.url} could not be asked", count_it)


def mail_server(config: Config) -> Iterator[Finding]:
    """Whether it would take our mail; none is sent."""
    if not config.smtp_url:
        yield ok("E-mail", "none is sent: CLAUSEWAY_SMTP_URL is not set")
        return
    try:
        with mail.line(config):
            yield ok("E-mail", f"{config.smtp_url} takes it")
    except mail.Down as down:
        yield fault(
            "E-mail",
            f"{config.smtp_url}: {WRONG[down.reason]}",
            "Mend it, then clauseway mail test --to you@example.org.",
        )
