"""A tool that is no more than its three LTI addresses and a key, and its calls to services."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from flask import Flask, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox_lms import claims
from sandbox_lms.platform import CLIENT_ID, Platform
from sandbox_lms.services import SCORE
from sandbox_lms.tokens import Key, sign_jwt

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass
class FakeTool:
    """Asks for an id_token as a tool must; `asks` are changes to that request (None: left out)."""

    url: str = ""
    issuer: str = ""
    keys: list[Key] = field(default_factory=lambda: [Key.generate()])
    asks: dict[str, str | None] = field(default_factory=dict)
    keyset_fetches: int = 0

    def app(self) -> Flask:
        app = Flask("fake_tool")
        app.add_url_rule("/lti/login", "login", self.login, methods=["GET", "POST"])
        app.add_url_rule("/lti/launch", "launch", self.launch, methods=["POST"])
        app.add_url_rule("/lti/jwks", "jwks", self.jwks)
        return app

    def login(self) -> AnyResponse:
        asked: dict[str, str | None] = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": request.values["client_id"],
            "redirect_uri": f"{self.url}/lti/launch",
            "login_hint": request.values["login_hint"],
            "lti_message_hint": request.values["lti_message_hint"],
            "state": "the state",
            "nonce": "the nonce",
            **self.asks,
        }
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return redirect(f"{self.issuer}/auth?{query}")

    def launch(self) -> Response:
        return jsonify(request.form)

    def jwks(self) -> Response:
        self.keyset_fetches += 1
        return jsonify({"keys": [key.to_jwk() for key in self.keys]})

    def assertion(
        self, now: int, *, kid: str | None = "", key: Key | None = None, **changes: object
    ) -> str:
        """A client assertion; a change of None leaves the claim out, so does `kid` None."""
        key = key or self.keys[0]
        said = {
            "iss": CLIENT_ID,
            "sub": CLIENT_ID,
            "aud": f"{self.issuer}/token",
            "iat": now - 5,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            **changes,
        }
        header: dict[str, object] = {"alg": "RS256", "typ": "JWT"}
        if kid is not None:
            header["kid"] = kid or key.kid
        payload = {name: value for name, value in said.items() if value is not None}
        return sign_jwt(header, payload, key.private)


@dataclass
class Services:
    """Calls to the platform's services with a token of every scope."""

    platform: Platform
    session: requests.Session

    def __post_init__(self) -> None:
        self.use_token(self.platform.issue_token(list(claims.SCOPES)))

    def use_token(self, token: str) -> None:
        self.session.headers["Authorization"] = f"Bearer {token}"

    def url(self, path: str) -> str:
        return f"{self.platform.issuer}/mod/lti/services.php{path}"

    def call(self, method: str, path: str, media_type: str = "", **more: Any) -> requests.Response:
        """`media_type` is the Accept of a GET, the Content-Type of anything else."""
        name = "Accept" if method == "GET" else "Content-Type"
        headers = {name: media_type} if media_type else {}
        return self.session.request(method, self.url(path), headers=headers, timeout=10, **more)

    def score(self, media_type: str = SCORE, /, **changes: object) -> requests.Response:
        """Send a score for the starter of Hemswell Cliff; a change of None leaves a field out."""
        sent: dict[str, object] = {
            "userId": "1000",
            "timestamp": self.platform.clock().isoformat(),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            "scoreGiven": 85,
            "scoreMaximum": 100,
            **changes,
        }
        body = {name: value for name, value in sent.items() if value is not None}
        return self.call(
            "POST", "/2/lineitems/111/lineitem/scores?type_id=1", media_type, json=body
        )

    def results(self, query: str = "type_id=1") -> Any:
        return self.call("GET", f"/2/lineitems/111/lineitem/results?{query}").json()
