"""``clauseway mail``: whether e-mail can be sent."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

import click
from flask import current_app
from flask.cli import AppGroup

from lti_tool.config import Config, is_mail_address
from lti_tool.core import mail
from lti_tool.core.ids import new_id

mail_commands = AppGroup("mail", help="The tool's e-mail.")
WRONG: Final = {
    "away": "the server does not answer, or broke off",
    "tls": "no safe connection: no STARTTLS, or a certificate that does not hold "
    "(SSL_CERT_FILE names a file of authorities to trust)",
    "login": "the server does not take CLAUSEWAY_SMTP_USER and CLAUSEWAY_SMTP_PASSWORD",
    "sender": "the server takes no mail from CLAUSEWAY_MAIL_FROM",
    "busy": "the server takes no more mail for the moment",
    "later": "the server puts mail to this address off",
    "refused": "the server refuses mail to this address",
    "perhaps": "the connection broke before the answer came: it may have arrived",
}


@mail_commands.command()
@click.option("--to", required=True, metavar="ADDRESS", help="Where to send it.")
def test(to: str) -> None:
    """Send one e-mail, and say what the server made of it. Exit code 1 where it was not taken."""
    config: Config = current_app.extensions["config"]
    if not config.smtp_url:
        raise click.ClickException("no server is set: CLAUSEWAY_SMTP_URL says which takes e-mail")
    if not is_mail_address(to):
        raise click.ClickException("give one plain e-mail address")
    message = EmailMessage()
    message["Subject"] = "Clauseway can send e-mail"
    message["From"] = Address("Clauseway", addr_spec=config.mail_from)
    message["To"] = Address(addr_spec=to)
    message["Date"] = format_datetime(current_app.extensions["clock"]())
    message["Message-ID"] = f"<{new_id()}@{config.mail_from.rpartition('@')[2]}>"
    message.set_content(f"Sent from {config.url} to try its mail server. Nothing has to be done.\n")
    try:
        with mail.line(config) as line:
            reply = line.send(message, to=to)
    except mail.Down as fault:
        raise _failure(fault.reason, fault.status) from fault
    if reply.outcome != "sent":
        raise _failure(reply.outcome, reply.status)
    click.echo(f"{config.smtp_url} took it")


def _failure(reason: str, status: int) -> click.ClickException:
    return click.ClickException(WRONG[reason] + (f" ({status})" if status else ""))
