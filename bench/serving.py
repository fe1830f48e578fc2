"""Starts what is measured, as production does, and reads off the kernel what it used.

The floor runs under gunicorn and the tool under granian, each with one worker and four threads, on
one and the same core; whoever asks them has the others. Only loopback is used.
"""

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT: Final = Path(__file__).resolve().parents[1]
SCHOOL: Final = "hemswell-cliff"
CLIENT_ID, DEPLOYMENT_ID = "bench", "1"
HEAD: Final = "head"
"""Who manages the school, by the platform's number."""
SERVED_BY: Final = max(os.sched_getaffinity(0))
"""The core of whichever server is asked."""
CPU_CLOCK: Final = 2
"""Of ``clock_getcpuclockid``: what a process has spent, in nanoseconds."""
CLAIM: Final = "https://purl.imsglobal.org/spec/lti/claim/"
AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/"
CLAUSEWAY: Final = str(Path(sys.executable).with_name("clauseway"))


class Platform:
    """A platform on a loopback port: signs launches, grants tokens, takes scores.

    ``seconds`` is how long it takes over every call to its services.
    """

    client_id, deployment_id = CLIENT_ID, DEPLOYMENT_ID

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.key.public_key().public_numbers()
        self.n, self.e = numbers.n, numbers.e
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        self.keys = {"keys": [jwk | {"kid": "k1", "use": "sig", "alg": "RS256"}]}
        self.seconds = 0.0
        self.key_sets = self.tokens = self.scores = 0
        self.held: dict[str, set[tuple[str, float]]] = {}
        """What was sent for each person; the same sent twice is one."""
        platform = self

        class Services(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                platform.key_sets += 1
                self.say(platform.keys)

            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(platform.seconds)
                if self.path == "/token":
                    platform.tokens += 1
                    self.say({"access_token": "bench", "expires_in": 3600})
                else:
                    platform.scores += 1
                    score = json.loads(said)
                    held = platform.held.setdefault(score["userId"], set())
                    held.add((score["timestamp"], score["scoreGiven"]))
                    self.say({})

            def say(self, what: object) -> None:
                body = json.dumps(what).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                return

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Services)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{server.server_port}"

    def token(self, user: str, nonce: str, tool: str) -> str:
        """A launch of the activity of everybody's induction; the head is its instructor."""
        now = int(time.time())
        role = "Instructor" if user == HEAD else "Learner"
        claims = {
            "iss": self.url,
            "sub": user,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": nonce,
            "name": f"Learner {user}",
            "given_name": "Learner",
            "family_name": user,
            CLAIM + "message_type": "LtiResourceLinkRequest",
            CLAIM + "version": "1.3.0",
            CLAIM + "deployment_id": DEPLOYMENT_ID,
            CLAIM + "target_link_uri": tool + "/lti/launch",
            CLAIM + "roles": [f"http://purl.imsglobal.org/vocab/lis/v2/membership#{role}"],
            CLAIM + "context": {"id": "2", "title": "Staff training", "type": ["CourseSection"]},
            CLAIM + "resource_link": {"id": "1", "title": "Social media policy"},
            CLAIM + "launch_presentation": {"locale": "en", "document_target": "iframe"},
            CLAIM + "custom": {"school": SCHOOL, "module": "induction"},
            AGS + "claim/endpoint": {
                "scope": [AGS + "scope/score"],
                "lineitems": self.url + "/2/lineitems?type_id=1",
                "lineitem": self.url + "/2/lineitems/2/lineitem?type_id=1",
            },
        }
        return jwt.encode(claims, self.key, "RS256", headers={"kid": "k1"})


class Server:
    """A process and its children: what they use, and their address where they listen."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int = 0,
        environment: dict[str, str] | None = None,
        log: Path | None = None,
        core: int | None = SERVED_BY,
    ) -> None:
        self.url, self.port = f"http://localhost:{port}", port
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | (environment or {}),
            stdout=subprocess.DEVNULL,
            stderr=log.open("ab") if log else subprocess.DEVNULL,
            preexec_fn=lambda: core is None or os.sched_setaffinity(0, {core}),
        )
        for _ in range(400):
            with socket.socket() as probe:
                if not port or probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{command[0]} did not start")

    @property
    def pids(self) -> list[int]:
        """The process, and whatever it started."""
        found, ahead = [], [self.process.pid]
        while ahead:
            pid = ahead.pop()
            found.append(pid)
            kids = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            ahead += [int(one) for one in kids.split()]
        return found

    def cpu(self) -> float:
        """User and system time of all, in seconds: the clock that Linux has for each process."""
        return sum(time.clock_gettime(~pid << 3 | CPU_CLOCK) for pid in self.pids)

    def memory(self, kind: str = "Pss") -> float:
        """MiB of the process that works: the largest (``Pss`` shares out what several map)."""
        return max(
            int(re.search(rf"^{kind}:\s+(\d+)", _rollup(pid), re.MULTILINE)[1]) / 1024  # type: ignore[index]
            for pid in self.pids
        )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _rollup(pid: int) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text()


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
    return Server(
        [
            *(sys.executable, "-m", "gunicorn", "bench.floor:app", "--threads=4", "--workers=1"),
            *(f"--bind=127.0.0.1:{port}", "--log-level=warning"),
        ],
        port=port,
        environment={"FLOOR_SETTINGS": json.dumps(settings)},
    )


def settings(instance: Path, url: str, database: str = "") -> dict[str, str]:
    """The environment of the tool."""
    found = {"CLAUSEWAY_INSTANCE": str(instance), "CLAUSEWAY_URL": url}
    return found | ({"CLAUSEWAY_DATABASE_URL": database} if database else {})


def connect(platform: Platform, environment: dict[str, str]) -> str:
    """A migrated tool that knows the platform and its head; the registration's number."""
    run(environment, "migrate")
    add = ["platforms", "add", "--json", "--name=Bench", f"--issuer={platform.url}"]
    add += [f"--client-id={platform.client_id}", f"--auth-login-url={platform.url}/auth"]
    add += [f"--auth-token-url={platform.url}/token", f"--jwks-url={platform.url}/jwks"]
    add += [f"--deployment-id={platform.deployment_id}", f"--school={SCHOOL}"]
    realm: str = json.loads(run(environment, *add))["id"]
    run(
        environment,
        *("people", "grant", f"--school={SCHOOL}", f"--realm={realm}", f"--subject={HEAD}"),
    )
    return realm


def run(environment: dict[str, str], *arguments: str) -> str:
    """What a command of the tool says. Raises where it fails."""
    done = subprocess.run(
        [CLAUSEWAY, *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def start_tool(
    platform: Platform,
    instance: Path,
    *,
    database: str = "",
    log: Path | None = None,
    server: Sequence[str] = (),
    port: int = 0,
) -> Server:
    """The web process; ``server`` is another than granian."""
    port = port or free_port()
    environment = settings(instance, f"http://localhost:{port}", database)
    connect(platform, environment)
    command = list(server) or [
        *(sys.executable, "-m", "granian", "wsgi:app", "--interface=wsgi", "--workers=1"),
        *("--blocking-threads=4", "--no-ws", "--host=127.0.0.1", "--log-level=warning"),
    ]
    bind = f"--port={port}" if "granian" in command else f"--bind=127.0.0.1:{port}"
    return Server([*command, bind], port=port, environment=environment, log=log)


def start_worker(
    instance: Path, url: str, *, database: str = "", core: int | None = SERVED_BY
) -> Server:
    """What sends scores and does whatever else nobody waits for."""
    environment = settings(instance, url, database)
    return Server([CLAUSEWAY, "worker"], environment=environment, core=core)


def copied(folder: Path, to: Path) -> Path:
    """A copy of a prepared instance that may be written to."""
    shutil.copytree(folder, to)
    return to
