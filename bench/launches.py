"""What a launch costs: CPU of the tool per launch, as a ratio to the floor, in the same run.

``python -m bench.launches`` starts the floor under gunicorn and the tool under granian, as in
production (one worker, four threads, one core each), and lets many learners launch in turn: login,
launch, first page. Rounds alternate floor, tool, floor; a round whose two floors differ by more
than 15 % is dropped as noise. Server CPU is read from the kernel, so the load generator's own work
does not count. Only loopback is used.
"""

import argparse
import http.client
import http.server
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
AGS = "https://purl.imsglobal.org/spec/lti-ags/"
ROOT = Path(__file__).resolve().parents[1]
CLIENT_ID, DEPLOYMENT_ID = "bench", "1"
LAST_CORE = max(os.sched_getaffinity(0))  # one core for whichever server is asked
TICK = os.sysconf("SC_CLK_TCK")


class Platform:
    """The signing half of a platform, and its key set on a loopback port."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.key.public_key().public_numbers()
        self.n, self.e = numbers.n, numbers.e
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        body = json.dumps({"keys": [jwk | {"kid": "k1", "use": "sig", "alg": "RS256"}]}).encode()
        self.fetches = 0
        platform = self

        class Keys(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                platform.fetches += 1
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def token(self, user: int, nonce: str, tool: str) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": f"user-{user}",
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "name": f"Learner Number {user}",
            "given_name": "Learner",
            "family_name": f"Number {user}",
            CLAIM + "message_type": "LtiResourceLinkRequest",
            CLAIM + "version": "1.3.0",
            CLAIM + "deployment_id": DEPLOYMENT_ID,
            CLAIM + "target_link_uri": tool + "/lti/launch",
            CLAIM + "roles": ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"],
            CLAIM + "context": {"id": "2", "title": "Staff training", "type": ["CourseSection"]},
            CLAIM + "resource_link": {"id": "1", "title": "Social media policy"},
            CLAIM + "launch_presentation": {"locale": "en", "document_target": "iframe"},
            CLAIM + "custom": {"school": "hemswell-cliff", "module": "induction"},
            AGS + "claim/endpoint": {
                "scope": [AGS + "scope/score"],
                "lineitems": self.url + "/2/lineitems?type_id=1",
                "lineitem": self.url + "/2/lineitems/2/lineitem?type_id=1",
            },
        }
        return jwt.encode(claims, self.key, "RS256", headers={"kid": "k1"})


class Server:
    """A WSGI application under a server, and the CPU time it has used."""

    def __init__(
        self, application: str, port: int, environment: dict[str, str], command: list[str]
    ) -> None:
        self.url = f"http://localhost:{port}"
        self.host, self.port = "127.0.0.1", port
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, application, "--workers=1", "--log-level=warning"],
            cwd=ROOT,
            env=os.environ | environment,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, {LAST_CORE}),
        )
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex((self.host, port)) == 0:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{application} did not start")

    def cpu_seconds(self) -> float:
        """User and system time of the server's processes."""
        total = 0
        for pid in (self.process.pid, *_children(self.process.pid)):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / TICK

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def _children(pid: int) -> list[int]:
    return [int(item) for item in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Browser:
    """One learner: keeps cookies, follows our own redirects, not the platform's."""

    def __init__(self, server: Server) -> None:
        self.connection = http.client.HTTPConnection(server.host, server.port, timeout=20)
        self.host = urlsplit(server.url).netloc
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        headers = {"Host": self.host}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = urlencode(form) if form else None
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        response = self.connection.getresponse()
        response.read()
        for item in response.headers.get_all("Set-Cookie") or ():
            name, _, value = item.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response.status, response.headers.get("Location", "")


def launch(server: Server, platform: Platform, user: int) -> float:
    """One learner from login to first page; returns seconds spent waiting for the tool."""
    browser = Browser(server)
    login = {
        "iss": platform.url,
        "login_hint": f"user-{user}",
        "target_link_uri": server.url + "/lti/launch",
        "lti_message_hint": secrets.token_hex(8),
        "client_id": CLIENT_ID,
        "lti_deployment_id": DEPLOYMENT_ID,
    }
    begun = time.perf_counter()
    status, location = browser.ask("GET", "/lti/login?" + urlencode(login))
    waited = time.perf_counter() - begun
    asked = dict(parse_qsl(urlsplit(location).query))
    form = {"id_token": platform.token(user, asked["nonce"], server.url), "state": asked["state"]}
    begun = time.perf_counter()
    status, location = browser.ask("POST", "/lti/launch", form)
    while status in (302, 303):
        there = urlsplit(location)
        status, location = browser.ask(
            "GET", there.path + ("?" + there.query if there.query else "")
        )
    if status != 200:
        raise RuntimeError(f"the first page answered {status}")
    browser.connection.close()
    return waited + time.perf_counter() - begun


def measure(server: Server, platform: Platform, users: range) -> dict[str, float]:
    """CPU milliseconds a launch, launches a second, p50 and p99 in milliseconds."""
    before, begun = server.cpu_seconds(), time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        waits = sorted(pool.map(lambda user: launch(server, platform, user), users))
    lasted = time.perf_counter() - begun
    return {
        "cpu_ms": 1000 * (server.cpu_seconds() - before) / len(users),
        "per_second": len(users) / lasted,
        "p50_ms": 1000 * waits[len(waits) // 2],
        "p99_ms": 1000 * waits[int(len(waits) * 0.99)],
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_floor(platform: Platform, folder: Path) -> Server:
    port = free_port()
    settings = {
        "n": str(platform.n),
        "e": platform.e,
        "database": str(folder / "floor.sqlite3"),
        "auth_url": platform.url + "/auth",
        "url": f"http://localhost:{port}",
        "issuer": platform.url,
        "client_id": CLIENT_ID,
        "deployment_id": DEPLOYMENT_ID,
    }
    gunicorn = ["gunicorn", "--threads=4", f"--bind=127.0.0.1:{port}"]
    return Server("bench.floor:app", port, {"FLOOR_SETTINGS": json.dumps(settings)}, gunicorn)


def start_tool(platform: Platform, folder: Path) -> Server:
    port = free_port()
    environment = {
        "CLAUSEWAY_INSTANCE": str(folder / "instance"),
        "CLAUSEWAY_URL": f"http://localhost:{port}",
    }
    clauseway = str(Path(sys.executable).with_name("clauseway"))
    add = ["platforms", "add", "--name", "Bench", "--issuer", platform.url]
    add += ["--client-id", CLIENT_ID, "--auth-login-url", platform.url + "/auth"]
    add += ["--auth-token-url", platform.url + "/token", "--jwks-url", platform.url + "/jwks"]
    add += ["--deployment-id", DEPLOYMENT_ID, "--school", "hemswell-cliff"]
    for command in (["migrate"], add):
        subprocess.run(
            [clauseway, *command],
            cwd=ROOT,
            env=os.environ | environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    granian = ["granian", "--interface=wsgi", "--blocking-threads=4", "--no-ws"]
    granian += ["--host=127.0.0.1", f"--port={port}"]
    return Server("wsgi:app", port, environment, granian)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=400, help="launches a round")
    options = parser.parse_args()
    platform = Platform()
    with tempfile.TemporaryDirectory() as name:
        floor = start_floor(platform, Path(name))
        tool = start_tool(platform, Path(name))
        try:
            report(floor, tool, platform, options.rounds, options.count)
        finally:
            floor.stop()
            tool.stop()


def report(floor: Server, tool: Server, platform: Platform, rounds: int, count: int) -> None:
    for server in (floor, tool):
        measure(server, platform, range(100))  # warm up
    platform.fetches = 0
    ratios = []
    print("round  floor ms  tool ms  ratio  tool/s   p50 ms  p99 ms")
    for number in range(rounds):
        users = range(1000 + number * count, 1000 + (number + 1) * count)
        first = measure(floor, platform, users)
        measured = measure(tool, platform, users)
        second = measure(floor, platform, users)
        base = (first["cpu_ms"] + second["cpu_ms"]) / 2
        ratio = measured["cpu_ms"] / base
        steady = abs(first["cpu_ms"] - second["cpu_ms"]) / base <= 0.15
        if steady:
            ratios.append(ratio)
        print(
            f"{number + 1:5}  {base:8.2f}  {measured['cpu_ms']:7.2f}  {ratio:5.2f}"
            f"  {measured['per_second']:6.0f}  {measured['p50_ms']:7.1f}  {measured['p99_ms']:6.1f}"
            + ("" if steady else "  dropped: the floor itself moved")
        )
    if ratios:
        print(f"median ratio of CPU per launch: {statistics.median(ratios):.2f}")
    print(f"key set fetches once warm: {platform.fetches}")


if __name__ == "__main__":
    main()
