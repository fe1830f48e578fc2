"""The floor: the least work a conforming tool does for one act, as a bare WSGI callable.

Login answers a redirect with a signed state; launch verifies RS256 with a cached key, checks
the claims and the nonce, makes one durable SQLite commit (WAL, synchronous=FULL) holding nonce
and visit, and answers 303; a page is one rendered page that finds its visit. An answer and a
declaration come in a form whose token is checked, are one durable commit each, and lead to a page;
a declaration holds an entry of a hash chain, and the score that is owed. The register is a page of
fifty rows with counts, the export all rows through ``csv``. No framework, no roles, no policy: what
the tool needs beyond this is its own doing.
"""

import csv
import hashlib
import hmac
import html
import io
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

Answer = tuple[str, list[tuple[str, str]], bytes]
HTML = ("Content-Type", "text/html; charset=utf-8")
SECRET = secrets.token_bytes(32)
CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
SETTINGS: dict[str, Any] = json.loads(os.environ["FLOOR_SETTINGS"])
KEY = rsa.RSAPublicNumbers(SETTINGS["e"], int(SETTINGS["n"])).public_key()
PAGE = (
    "<!DOCTYPE html><html lang=en><title>Training</title><h1>{name}</h1><p>{words}</p>"
    '<form method=post><input type="hidden" name="csrf_token" value="{csrf}"></form>'
)
WORDS = "What this training is, how long it takes and who sees what. " * 40
LINE = "<tr><td>{}<td>{}<td>{}<td>{}<td>{}"
PEOPLE = """SELECT name, role_group, state, score, done_at FROM completion ORDER BY name"""
TABLES = (
    "nonce(nonce TEXT PRIMARY KEY, at REAL)",
    "visit(token TEXT PRIMARY KEY, name TEXT)",
    "answer(token TEXT, position INTEGER, choice TEXT, at REAL, PRIMARY KEY(token, position))",
    "completion(token TEXT PRIMARY KEY, name TEXT, role_group TEXT, state TEXT, score INTEGER, "
    "done_at TEXT)",
    "ledger(number INTEGER PRIMARY KEY, body BLOB, hash TEXT)",
    "owed(token TEXT PRIMARY KEY, score INTEGER, state TEXT)",
)

_local = threading.local()
_write = threading.Lock()


def _database() -> sqlite3.Connection:
    if not hasattr(_local, "connection"):
        connection = sqlite3.connect(SETTINGS["database"], isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        for table in TABLES:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        _local.connection = connection
    found: sqlite3.Connection = _local.connection
    return found


def _signed(text: str) -> str:
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def _decode(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def login(query: dict[str, str]) -> Answer:
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


def launch(form: dict[str, str]) -> Answer:
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


def page(cookies: str) -> Answer:
    token, name = _visit(cookies)
    body = PAGE.format(name=name, words=WORDS, csrf=_signed(token)).encode()
    return "200 OK", [HTML], body


def answer(cookies: str, form: dict[str, str]) -> Answer:
    token, _name = _visit(cookies, form)
    database = _database()
    with _write:
        database.execute("BEGIN IMMEDIATE")
        row = (token, int(form["position"]), form["choice"], time.time())
        database.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?)", row)
        database.execute("COMMIT")
    return "303 See Other", [("Location", "/")], b""


def declare(cookies: str, form: dict[str, str]) -> Answer:
    token, _name = _visit(cookies, form)
    database, name = _database(), form["printed_name"]
    with _write:
        database.execute("BEGIN IMMEDIATE")
        given = "SELECT position, choice FROM answer WHERE token = ?"
        answers = database.execute(given, (token,)).fetchall()
        last = "SELECT hash FROM ledger ORDER BY number DESC LIMIT 1"
        previous = (database.execute(last).fetchone() or ("",))[0]
        entry = {"previous": previous, "name": name, "answers": answers, "at": time.time()}
        body = json.dumps(entry, sort_keys=True).encode()
        digest = hashlib.sha256(body).hexdigest()
        database.execute("INSERT INTO ledger(body, hash) VALUES (?, ?)", (body, digest))
        row = (token, name, "teaching", "done", 100, time.strftime("%Y-%m-%d"))
        database.execute("INSERT OR IGNORE INTO completion VALUES (?, ?, ?, ?, ?, ?)", row)
        database.execute("INSERT OR IGNORE INTO owed VALUES (?, 100, 'pending')", (token,))
        database.execute("COMMIT")
    return "303 See Other", [("Location", "/")], b""


def register(cookies: str) -> Answer:
    _visit(cookies)
    counts = "SELECT state, count(*) FROM completion GROUP BY state"
    counted = _database().execute(counts).fetchall()
    rows = _database().execute(PEOPLE + " LIMIT 50").fetchall()
    body = f"<!DOCTYPE html><title>Register</title>{counted}<table>" + "".join(
        LINE.format(*map(html.escape, map(str, row))) for row in rows
    )
    return "200 OK", [HTML], body.encode()


def export(cookies: str) -> Answer:
    _visit(cookies)
    out = io.StringIO()
    csv.writer(out).writerows(_database().execute(PEOPLE))
    return "200 OK", [("Content-Type", "text/csv")], out.getvalue().encode()


def _visit(cookies: str, form: dict[str, str] | None = None) -> tuple[str, str]:
    """Token and name of the visit, where it is known and its form brings its token."""
    token = cookies.partition("visit=")[2].partition(";")[0]
    row = _database().execute("SELECT name FROM visit WHERE token = ?", (token,)).fetchone()
    if row is None or (form and not hmac.compare_digest(form["csrf_token"], _signed(token))):
        raise PermissionError
    return token, row[0]


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The floor as a WSGI application."""
    path, cookies = environ["PATH_INFO"], environ.get("HTTP_COOKIE", "")
    form: dict[str, str] = {}
    if environ["REQUEST_METHOD"] == "POST":
        length = int(environ["CONTENT_LENGTH"])
        form = dict(parse_qsl(environ["wsgi.input"].read(length).decode()))
    match path:
        case "/lti/login":
            said = login(dict(parse_qsl(environ["QUERY_STRING"])))
        case "/lti/launch":
            said = launch(form)
        case "/answer":
            said = answer(cookies, form)
        case "/declare":
            said = declare(cookies, form)
        case "/register":
            said = register(cookies)
        case "/register.csv":
            said = export(cookies)
        case _:
            said = page(cookies)
    status, headers, body = said
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [body]
