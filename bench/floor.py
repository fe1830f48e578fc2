"""The floor: the least work a conforming tool does for one launch, as a bare WSGI callable.

Login answers a redirect with a signed state; launch verifies RS256 with a cached key, checks
the claims and the nonce, makes one durable SQLite commit (WAL, synchronous=FULL) holding nonce
and visit, and answers 303; the first page is one rendered page that finds its visit. No
framework, no roles, no people: what the tool needs beyond this is its own doing.
"""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

SECRET = secrets.token_bytes(32)
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
SETTINGS: dict[str, Any] = json.loads(os.environ["FLOOR_SETTINGS"])
KEY = rsa.RSAPublicNumbers(SETTINGS["e"], int(SETTINGS["n"])).public_key()
PAGE = "<!DOCTYPE html><html lang=en><title>Training</title><h1>{name}</h1><p>{words}</p>"
WORDS = "What this training is, how long it takes and who sees what. " * 40

_local = threading.local()
_write = threading.Lock()


def _database() -> sqlite3.Connection:
    if not hasattr(_local, "connection"):
        connection = sqlite3.connect(SETTINGS["database"], isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS nonce(nonce TEXT PRIMARY KEY, at REAL)")
        connection.execute("CREATE TABLE IF NOT EXISTS visit(token TEXT PRIMARY KEY, name TEXT)")
        _local.connection = connection
    found: sqlite3.Connection = _local.connection
    return found


def _signed(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def _decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def login(query: dict[str, str]) -> tuple[str, list[tuple[str, str]], bytes]:
    nonce = secrets.token_urlsafe(16)
    state = f"{nonce}.{int(time.time()) + 300}"
    state = f"{state}.{_signed(state)}"
    target = (
        SETTINGS["auth_url"]
        + "?"
        + urlencode(
            {
                "scope": "openid",
                "response_type": "id_token",
                "response_mode": "form_post",
                "prompt": "none",
                "client_id": SETTINGS["client_id"],
                "redirect_uri": SETTINGS["url"] + "/lti/launch",
                "login_hint": query["login_hint"],
                "lti_message_hint": query["lti_message_hint"],
                "state": state,
                "nonce": nonce,
            }
        )
    )
    return "302 Found", [("Location", target)], b""


def launch(form: dict[str, str]) -> tuple[str, list[tuple[str, str]], bytes]:
    nonce, expires, signature = form["state"].split(".")
    if not hmac.compare_digest(signature, _signed(f"{nonce}.{expires}")):
        return "401 Unauthorized", [], b"state"
    signed, _, sealed = form["id_token"].rpartition(".")
    KEY.verify(_decode(sealed), signed.encode(), padding.PKCS1v15(), SHA256())
    claims = json.loads(_decode(signed.split(".")[1]))
    now = time.time()
    sound = (
        claims["nonce"] == nonce
        and claims["iss"] == SETTINGS["issuer"]
        and claims["aud"] == SETTINGS["client_id"]
        and claims["iat"] - 30 < now < claims["exp"] + 30
        and claims[CLAIM + "version"] == "1.3.0"
        and claims[CLAIM + "message_type"] == "LtiResourceLinkRequest"
        and claims[CLAIM + "deployment_id"] == SETTINGS["deployment_id"]
    )
    if not sound:
        return "401 Unauthorized", [], b"claims"
    token, database = secrets.token_urlsafe(32), _database()
    with _write:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO nonce VALUES (?, ?)", (nonce, now))
        database.execute("INSERT INTO visit VALUES (?, ?)", (token, claims.get("name", "")))
        database.execute("COMMIT")
    cookie = f"visit={token}; Path=/; HttpOnly"
    return "303 See Other", [("Location", "/"), ("Set-Cookie", cookie)], b""


def page(cookies: str) -> tuple[str, list[tuple[str, str]], bytes]:
    token = cookies.partition("visit=")[2].partition(";")[0]
    row = _database().execute("SELECT name FROM visit WHERE token = ?", (token,)).fetchone()
    if row is None:
        return "401 Unauthorized", [], b"visit"
    body = PAGE.format(name=row[0], words=WORDS).encode()
    return "200 OK", [("Content-Type", "text/html; charset=utf-8")], body


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The floor as a WSGI application."""
    path = environ["PATH_INFO"]
    if path == "/lti/login":
        answer = login(dict(parse_qsl(environ["QUERY_STRING"])))
    elif path == "/lti/launch":
        length = int(environ["CONTENT_LENGTH"])
        answer = launch(dict(parse_qsl(environ["wsgi.input"].read(length).decode())))
    else:
        answer = page(environ.get("HTTP_COOKIE", ""))
    status, headers, body = answer
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
