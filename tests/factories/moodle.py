"""Moodle's services as they were recorded: each call gets the answer that Moodle gave to it.

``tests/recorded/moodle_scores_and_tokens.json`` holds exchanges of Moodle 4.5.6 by a name that
says what is special about them. A call that was not recorded, by address or by media type, gets
418 and fails the test.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, request

from sandbox_lms.serve import running
from tests.conformance.world import AGS, SCHOOL, World

RECORDED: Final[dict[str, dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "recorded" / "moodle_scores_and_tokens.json").read_text()
)
SERVICES: Final = "/mod/lti/services.php/2/lineitems"


@dataclass(frozen=True)
class Asked:
    """One call that we made."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Moodle:
    """``answers`` are played in turn by method and path; the last of each goes on for ever."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    unknown: list[Asked] = field(default_factory=list)
    answers: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def plays(self, *names: str, **changes: Any) -> None:
        """From now on answer so; ``changes`` replace parts of the exchange."""
        found = [deepcopy(RECORDED[name]) | changes for name in names]
        for exchange in found:
            self.answers[exchange["method"], exchange["path"]] = []
        for exchange in found:
            self.answers[exchange["method"], exchange["path"]].append(exchange)

    def claim(self, **changes: str) -> dict[str, Any]:
        """The AGS claim of an activity whose own line item is number 7."""
        own = {
            "lineitem": f"{self.url}{SERVICES}/7/lineitem?type_id=1",
            "lineitems": f"{self.url}{SERVICES}?type_id=1",
            "scope": [
                f"https://purl.imsglobal.org/spec/lti-ags/scope/{name}"
                for name in ("lineitem", "lineitem.readonly", "result.readonly", "score")
            ],
        }
        return {AGS: {name: value for name, value in (own | changes).items() if value}}

    def scores(self) -> list[Asked]:
        return [asked for asked in self.asked if "/scores" in asked.path]

    def answer(self) -> Response:
        path = request.full_path.removesuffix("?")
        asked = Asked(request.method, path, dict(request.headers), request.get_data())
        self.asked.append(asked)
        user = request.args.get("user_id")
        bare = path.replace(f"&user_id={user}", "") if user else path
        answers = self.answers.get((request.method, path)) or self.answers.get(
            (request.method, bare), []
        )
        kind = "accept" if request.method == "GET" else "content-type"
        if not answers or asked.headers.get(kind.title(), "") != answers[0].get(kind, "*/*"):
            self.unknown.append(asked)
            return Response("unknown", 418)
        exchange = answers.pop(0) if len(answers) > 1 else answers[0]
        return self._response(exchange, user if path != exchange["path"] else None)

    def _response(self, exchange: dict[str, Any], user: str | None) -> Response:
        body = exchange.get("json")
        if user and isinstance(body, list):
            body = [entry for entry in body if entry.get("userId") == user]
        text = exchange.get("body", "") if body is None else json.dumps(body)
        response = Response(text.replace("{platform}", self.url))
        for name, value in exchange["headers"].items():
            response.headers[name] = (
                value.replace("{platform}", self.url).encode().decode("latin-1")
            )
        response.status = f"{exchange['status']} {exchange['reason']}"
        return response


@contextmanager
def moodle(tool: World) -> Iterator[Moodle]:
    """The recorded services, as those of the platform that the tool knows."""
    app, recorded = Flask("moodle"), Moodle()
    for rule in ("/<path:_>", "/"):
        app.add_url_rule(
            rule, rule, lambda _="": recorded.answer(), methods=["GET", "POST", "PUT", "DELETE"]
        )
    with running(app) as url:
        recorded.url = url
        recorded.plays("a token", "a score")
        tool.register(SCHOOL, SCHOOL, auth_token_url=f"{url}/mod/lti/token.php")
        yield recorded
    assert recorded.unknown == []
