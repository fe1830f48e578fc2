"""A platform that says whatever a test wants when a tool registers with it."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

from lti_tool.lti.connect.offers import PLATFORM
from sandbox_lms.serve import running

RECORDED = json.loads((Path(__file__).parents[1] / "recorded/moodle-registration.json").read_text())


@dataclass
class Said:
    """One answer."""

    body: object
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0


class Pretender:
    """Answers as Moodle did when it was recorded, until a test changes what it says."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.configuration = Said(self.moodle("configuration"))
        self.answer = Said(self.moodle("answer"))
        self.asked: list[tuple[str, str, Any]] = []
        """Method, ``Authorization`` and body of each request."""

    def moodle(self, name: str) -> dict[str, Any]:
        """A recorded body, with this platform's address in it."""
        raw = json.dumps(RECORDED[name]).replace(RECORDED["issuer"], self.url)
        found: dict[str, Any] = json.loads(raw)
        return found

    @property
    def config_url(self) -> str:
        return f"{self.url}/mod/lti/openid-configuration.php"

    def say(self, **changes: object) -> None:
        """Change top-level entries of the configuration; ``None`` leaves one out."""
        said = {**self.moodle("configuration"), **changes}
        body = {name: value for name, value in said.items() if value is not None}
        self.configuration = Said(body)

    def say_of_itself(self, **changes: object) -> None:
        """Change entries of the platform's own part of the configuration."""
        said = self.moodle("configuration")
        self.configuration = Said({**said, PLATFORM: {**said[PLATFORM], **changes}})

    def registrations(self) -> list[Any]:
        return [body for method, _, body in self.asked if method == "POST"]


def _respond(said: Said) -> Response:
    time.sleep(said.seconds)
    body = said.body if isinstance(said.body, str | bytes) else json.dumps(said.body)
    return Response(body, said.status, dict(said.headers), content_type=said.content_type)


@contextmanager
def pretending() -> Iterator[Pretender]:
    """A pretender that listens until the block ends."""
    made: list[Pretender] = []

    def make(url: str) -> Flask:
        app, pretender = Flask(__name__), Pretender(url)
        made.append(pretender)

        def note() -> None:
            bearer = request.headers.get("Authorization", "")
            pretender.asked.append((request.method, bearer, request.get_json(silent=True)))

        app.before_request(note)
        app.add_url_rule(
            "/mod/lti/openid-configuration.php",
            "configuration",
            lambda: _respond(pretender.configuration),
        )
        app.add_url_rule(
            "/mod/lti/openid-registration.php",
            "registration",
            lambda: _respond(pretender.answer),
            methods=["POST"],
        )
        return app

    with running(make):
        yield made[0]
