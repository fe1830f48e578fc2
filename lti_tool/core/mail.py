"""The line to the mail server: opened, spoken over and closed again.

One mail to one recipient at a time, so that each has an answer of its own. What the server says
in words is neither kept nor logged: it may name the recipient.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, Literal
from urllib.parse import urlsplit

from lti_tool.config import Config, is_mail_address

TIMEOUT: Final = 15.0
"""Seconds that the server may take for any one answer."""
NO_MORE: Final = 421
LOG_IN_FIRST: Final = frozenset((530, 534, 535))


class Down(Exception):
    """The server takes no mail of ours just now, whoever it is for. The mail in hand has not gone.

    ``reason`` is away, tls, login, sender or busy; ``status`` the server's number, 0 without one.
    """

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason: Final = reason
        self.status: Final = status


@dataclass(frozen=True)
class Reply:
    """What became of one mail: taken; not taken, for now or for good; or nobody knows, since the
    line broke after the mail had been handed over and before the answer."""

    outcome: Literal["sent", "later", "refused", "perhaps"]
    status: int


@contextmanager
def line(config: Config) -> Iterator["Line"]:
    """A line to the server that ``config.smtp_url`` names. Raises ``Down``."""
    smtp = _connect(config)
    try:
        yield Line(smtp, config.mail_from)
    finally:
        with suppress(OSError):
            smtp.quit()
        smtp.close()


class Line:
    """An open line."""

    def __init__(self, smtp: smtplib.SMTP, sender: str) -> None:
        self._smtp, self._sender = smtp, sender

    def send(self, message: EmailMessage, *, to: str) -> Reply:
        """Hand one mail over. Raises ``Down``, and ``ValueError`` for anything but an address."""
        if not is_mail_address(to):
            raise ValueError("a mail goes to one plain address")
        raw = message.as_bytes(policy=SMTP)
        try:
            status, _ = self._smtp.mail(self._sender)
            if status != 250:
                raise Down(_meant_for_all(status), status)
            status, _ = self._smtp.rcpt(to)
            if status not in (250, 251):
                return self._turned_away(status)
        except OSError as fault:
            raise Down("away") from fault
        try:
            status, _ = self._smtp.data(raw)
        except smtplib.SMTPDataError as fault:
            return self._turned_away(fault.smtp_code)
        except OSError:
            return Reply("perhaps", 0)
        return Reply("sent", status) if status == 250 else self._turned_away(status)

    def _turned_away(self, status: int) -> Reply:
        if status == NO_MORE or status in LOG_IN_FIRST:
            raise Down(_meant_for_all(status), status)
        with suppress(OSError):  # a line that is broken shows at the next mail
            self._smtp.rset()
        return Reply("later" if status < 500 else "refused", status)


def _meant_for_all(status: int) -> str:
    if status in LOG_IN_FIRST:
        return "login"
    return "busy" if status < 500 else "sender"


def _connect(config: Config) -> smtplib.SMTP:
    server = urlsplit(config.smtp_url)
    where = (server.hostname or "", server.port or 0, urlsplit(config.url).hostname)
    with _failing_as("away"):
        if server.scheme == "smtps":
            context = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT, context=context)
        else:
            smtp = smtplib.SMTP(*where, timeout=TIMEOUT)
    try:
        _greet(smtp, config, is_encrypted=server.scheme != "smtp")
    except Down:
        smtp.close()
        raise
    return smtp


def _greet(smtp: smtplib.SMTP, config: Config, *, is_encrypted: bool) -> None:
    with _failing_as("away"):
        smtp.ehlo_or_helo_if_needed()
    if not is_encrypted:
        with _failing_as("tls"):
            # A server that offers no STARTTLS may be somebody who took the offer out.
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
    if config.smtp_user:
        with _failing_as("login"):
            smtp.login(config.smtp_user, config.smtp_password)


@contextmanager
def _failing_as(reason: str) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        status = getattr(fault, "smtp_code", 0)
        if 400 <= status < 500:
            reason = "busy"
        elif isinstance(fault, ssl.SSLError):
            reason = "tls"
        elif isinstance(fault, TimeoutError | ConnectionError | smtplib.SMTPServerDisconnected):
            reason = "away"
        raise Down(reason, max(status, 0)) from fault
