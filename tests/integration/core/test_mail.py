"""The line to a real mail server: encrypted, logged in, answered, refused, broken."""

import socket
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from lti_tool.config import Config
from lti_tool.core import mail
from lti_tool.core.mail import Down, Reply
from tests.factories.certificates import certificate_for
from tests.factories.post import PASSWORD, USER, mail_server
from tests.factories.servers import answering

TO = "sam@example.org"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate_for(tmp_path_factory.mktemp("certificate"), "localhost")


def config(url: str, **given: str) -> Config:
    values = {"smtp_url": url, "mail_from": "training@example.org"} | given
    return Config(instance=Path(), url="https://training.example.org", **values)  # type: ignore[arg-type]


def message() -> EmailMessage:
    made = EmailMessage()
    made["Subject"] = "A subject"
    made.set_content("A text.\n")
    return made


def send(url: str, **given: str) -> Reply:
    with mail.line(config(url, **given)) as line:
        return line.send(message(), to=TO)


def test_a_mail_is_taken() -> None:
    with mail_server() as server:
        assert send(server.url) == Reply("sent", 250)
    ((to, taken),) = server.taken
    assert (to, taken["Subject"]) == (TO, "A subject")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_is_encrypted_and_logged_in(
    security: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(
        security=security, certificate=certificate, asks_to_log_in=security == "starttls"
    ) as server:
        given = {"smtp_user": USER, "smtp_password": PASSWORD} if security == "starttls" else {}
        assert send(server.url, **given) == Reply("sent", 250)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_does_not_hold_stops_it(security: str, certificate: Path) -> None:
    with (
        mail_server(security=security, certificate=certificate) as server,
        pytest.raises(Down, match="tls"),
    ):
        send(server.url)
    assert server.taken == []


def test_a_server_without_starttls_gets_nothing() -> None:
    with mail_server() as server, pytest.raises(Down, match="tls"):
        send(server.url.replace("smtp+plain", "smtp"))
    assert server.taken == []


def test_a_wrong_password_is_told_from_a_server_that_is_away(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(security="starttls", certificate=certificate, asks_to_log_in=True) as server:
        with pytest.raises(Down) as caught:
            send(server.url, smtp_user=USER, smtp_password="wrong")
        assert (caught.value.reason, caught.value.status) == ("login", 535)
        with pytest.raises(Down) as caught:
            send(server.url)
        assert (caught.value.reason, caught.value.status) == ("login", 530)


def test_a_server_that_wants_no_login_is_not_given_a_password() -> None:
    with mail_server() as server, pytest.raises(Down, match="login"):
        send(server.url, smtp_user=USER, smtp_password=PASSWORD)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [("450 Later", Reply("later", 450)), ("550 No such user", Reply("refused", 550))],
)
def test_each_recipient_has_an_answer_of_their_own(answer: str, reply: Reply) -> None:
    with mail_server() as server, mail.line(config(server.url)) as line:
        server.to["nobody@example.org"] = answer
        assert line.send(message(), to="nobody@example.org") == reply
        assert line.send(message(), to=TO) == Reply("sent", 250)
        server.data = answer
        assert line.send(message(), to=TO) == reply
        assert line.send(message(), to=TO) == reply
    assert server.recipients == [TO]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("550 We do not know you", "sender"),
        ("451 Not now", "busy"),
        ("421 Enough for today", "busy"),
    ],
)
def test_a_refused_sender_is_no_fault_of_the_recipient(answer: str, reason: str) -> None:
    with mail_server() as server:
        server.mail_from = answer
        with pytest.raises(Down, match=reason):
            send(server.url)


@pytest.mark.parametrize(("answer", "reason"), [("421 Enough", "busy"), ("530 Log in", "login")])
def test_some_answers_to_a_recipient_are_meant_for_everybody(answer: str, reason: str) -> None:
    with mail_server() as server:
        server.to[TO] = answer
        with pytest.raises(Down, match=reason):
            send(server.url)


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Down, match="away"):
        send(f"smtp+plain://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("greeting", "reason"), [(b"554 Go away\r\n", "away"), (b"421 Busy\r\n", "busy")]
)
def test_a_server_that_turns_everybody_away(greeting: bytes, reason: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(greeting)
        connection.recv(100)

    with answering(answer, "smtp+plain") as url, pytest.raises(Down, match=reason):
        send(url)


def test_a_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.2)

    def answer(connection: socket.socket) -> None:
        connection.recv(100)

    began = time.monotonic()
    with answering(answer, "smtp+plain") as url, pytest.raises(Down, match="away"):
        send(url)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("breaks_at", "outcome"), [("RCPT", "away"), ("DATA", "perhaps"), (".", "perhaps")]
)
def test_what_breaks_after_the_mail_was_handed_over_is_left_open(
    breaks_at: str, outcome: str
) -> None:
    """Before it nothing can have gone, afterwards nobody knows."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(b"220 Hello\r\n")
        with connection.makefile("rb") as said:
            for line in said:
                command = line.decode().strip()[:4].upper()
                if command == breaks_at:
                    return
                if command in ("EHLO", "MAIL", "RCPT"):
                    connection.sendall(b"250 OK\r\n")
                elif command == "DATA":
                    connection.sendall(b"354 Go on\r\n")

    with answering(answer, "smtp+plain") as url:
        if outcome == "away":
            with pytest.raises(Down, match="away"):
                send(url)
        else:
            assert send(url) == Reply("perhaps", 0)


def test_nothing_but_an_address_reaches_the_line() -> None:
    with mail_server() as server, mail.line(config(server.url)) as line:
        with pytest.raises(ValueError, match="one plain address"):
            line.send(message(), to="a@example.org>\r\nRCPT TO:<b@example.org")
        assert server.taken == []
