"""A real mail server on loopback, which can be told to misbehave."""

import ssl
from asyncio import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "clauseway", "correct horse"


@dataclass
class MailServer:
    """What it has taken, and what it answers where it does not take a mail.

    ``to`` holds answers to RCPT by recipient, ``data`` to the mail itself; ``before_answer`` is
    called when a mail has been taken and not yet answered.
    """

    url: str = ""
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    mail_from: str = ""
    to: dict[str, str] = field(default_factory=dict)
    data: str = ""
    before_answer: Callable[[], None] = lambda: None
    lines: int = 0
    """How often somebody called."""

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.taken]

    async def handle_EHLO(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        self.lines += 1
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mail_from:
            return self.mail_from
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.to.get(address, ""):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.data:
            return self.data
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.taken += [(to, message) for to in envelope.rcpt_tos]
        self.before_answer()
        return "250 OK"


@contextmanager
def mail_server(
    *, security: str = "plain", certificate: Path | None = None, asks_to_log_in: bool = False
) -> Iterator[MailServer]:
    """Running until the end. ``security`` is plain, starttls or tls; the last two need a
    ``certificate``."""
    server = MailServer()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    options: dict[str, Any] = {}
    if security == "starttls":
        options |= {"tls_context": context, "require_starttls": True}
    if asks_to_log_in:
        options |= {
            "authenticator": _check,
            "auth_required": True,
            "auth_require_tls": security == "starttls",
        }
    controller = OnAnyPort(
        server,
        hostname="127.0.0.1",
        port=0,
        ssl_context=context if security == "tls" else None,
        **options,
    )
    controller.start()
    scheme = {"plain": "smtp+plain", "starttls": "smtp", "tls": "smtps"}[security]
    server.url = f"{scheme}://localhost:{controller.port}"
    server.lines = 0
    try:
        yield server
    finally:
        controller.stop()


class OnAnyPort(Controller):
    """It looks whether it can be reached, which it cannot at the port it was given: 0."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


def _check(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: Any
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    fits = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=fits, handled=False)
