"""The tool and a sandbox learning platform on this machine, for trying out: ``make run``.

Migrates the database in ``instance/``, connects the sandbox, starts the tool, its worker and the
sandbox, says where they are, and stops all of them when one ends or Ctrl-C is pressed.
"""

import argparse
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from flask.cli import ScriptInfo

from lti_tool.app import create_app
from lti_tool.cli import clauseway
from lti_tool.config import ConfigError
from lti_tool.curriculum.reading import ContentFaults
from lti_tool.ui.assets import AssetsMissingError
from sandbox_lms.platform import describe
from sandbox_lms.teams import issuer as entra

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0  # seconds a part may take until it answers
GRACE = 8.0  # seconds the parts have to end by themselves

WHAT_TO_CLICK = """
  Sandbox learning platform   {sandbox}   <- open this
  Clauseway, the tool         {tool}

On the sandbox's page, at Hemswell Cliff:
  1. Launch as a new member of staff. Read, answer, declare; the score is then in the gradebook.
  2. Launch as headteacher. The record is in the register, and can be downloaded as CSV.
  3. There, choose Connect a platform, make an invitation, and paste it under External tools.
  4. Open as a tab in Teams (sandbox): the same training with a sign-in by Entra, and its themes.

Ctrl-C stops everything. Logs are in {logs}.
"""


class StartError(Exception):
    """Why nothing runs, or no longer runs, in a sentence."""


@dataclass(frozen=True)
class Part:
    """One running part: what it is called, its process, its log."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def epitaph(self) -> str:
        """How it ended, with the last lines it wrote."""
        last = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        return f"{last}\nThe {self.name} ended with exit code {self.process.returncode}."


def require_free(port: int, option: str) -> None:
    """Raises ``StartError`` where something else listens on ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StartError(
                f"Port {port} is in use: stop what listens there, "
                f"or choose another with make run {option}={port + 100}."
            ) from None


def prepare(sandbox_url: str) -> None:
    """Migrate, connect the sandbox with a deployment for each school, grant the headteachers.

    Each command may be given again: what is there already is left as it is.
    """
    info = ScriptInfo(create_app=create_app)  # makes the app once for all commands
    command(info, "migrate")
    platform = describe(sandbox_url)
    for deployment in platform["deployments"]:
        realm = connect_school(info, platform, deployment)
        grant(info, realm, deployment["headteacher"]["sub"], deployment["school"])
    organisation = entra.describe(sandbox_url)
    let_in(info, organisation)
    for school, subject in organisation["headteachers"].items():
        grant(info, f"teams:{organisation['tenant']}", subject, school)


def connect_school(info: ScriptInfo, platform: dict[str, Any], deployment: dict[str, Any]) -> str:
    """Register the sandbox's deployment of one school; the registration's number."""
    known = ("name", "issuer", "client_id", "auth_login_url", "auth_token_url", "jwks_url")
    options = [f"--{key.replace('_', '-')}={platform[key]}" for key in known]
    options += [
        f"--deployment-id={deployment['deployment_id']}",
        f"--school={deployment['school']}",
    ]
    registration = json.loads(command(info, "platforms", "add", *options, "--json"))
    return str(registration["id"])


def let_in(info: ScriptInfo, organisation: dict[str, Any]) -> None:
    """Let the sandbox's Microsoft 365 organisation in, for all its schools. It does not run yet,
    so nobody can ask it."""
    options = [
        f"--name={organisation['name']}",
        f"--tenant={organisation['tenant']}",
        f"--client-id={organisation['client_id']}",
        *(f"--school={school}" for school in organisation["headteachers"]),
    ]
    command(info, "teams", "add", "--unchecked", *options)


def grant(info: ScriptInfo, realm: str, subject: str, school: str) -> None:
    """Let somebody of the sandbox manage their school, even before they first come."""
    who = [f"--realm={realm}", f"--subject={subject}"]
    command(info, "people", "grant", *who, f"--school={school}")


def command(info: ScriptInfo, *arguments: str) -> str:
    """Run one ``clauseway`` command within this process; what it said. Raises ``StartError``."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            clauseway.main(list(arguments), prog_name="clauseway", obj=info, standalone_mode=False)
    except click.ClickException as fault:
        name = " ".join(arguments[:2])
        raise StartError(f"{said.getvalue()}clauseway {name}: {fault.format_message()}") from fault
    return said.getvalue()


@contextlib.contextmanager
def running(commands: Mapping[str, Sequence[str]], logs: Path) -> Iterator[list[Part]]:
    """Start the parts, each in a session of its own, and end them all on the way out.

    A session of its own keeps the terminal's Ctrl-C to this process, which then tells them.
    """
    logs.mkdir(parents=True, exist_ok=True)
    parts: list[Part] = []
    try:
        for name, arguments in commands.items():
            log = logs / f"{name}.log"
            with log.open("wb") as out:
                process = subprocess.Popen(
                    arguments, cwd=ROOT, stdout=out, stderr=out, start_new_session=True
                )
            parts.append(Part(name, process, log))
        yield parts
    finally:
        end(parts)


def end(parts: Sequence[Part]) -> None:
    """Ask every part to end, and after ``GRACE`` seconds insist."""
    for part in parts:
        if part.process.poll() is None:
            part.process.terminate()
    deadline = time.monotonic() + GRACE
    for part in parts:
        try:
            part.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(part.process.pid, signal.SIGKILL)
            part.process.wait()


def require_alive(parts: Sequence[Part]) -> None:
    """Raises ``StartError`` with its last words when a part has ended."""
    for part in parts:
        if part.process.poll() is not None:
            raise StartError(part.epitaph())


def wait_for(url: str, parts: Sequence[Part], patience: float = PATIENCE) -> None:
    """Wait until ``url`` answers. Raises ``StartError`` when it does not, or a part has ended."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        require_alive(parts)
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310  (our own http address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise StartError(f"{url} did not answer within {patience:.0f} seconds; see instance/logs/.")


def run(port: int, sandbox_port: int, certificate: str = "", url: str = "") -> None:
    """Run until one part ends or somebody interrupts. Raises ``StartError``.

    With ``certificate``, a file of a certificate and its key, everything speaks https, and each
    part trusts it. With ``url`` people reach the tool there, at a proxy that ends TLS.
    """
    require_free(port, "PORT")
    require_free(sandbox_port, "SANDBOX_PORT")
    scheme = "https" if certificate else "http"
    own_scheme = "http" if url else scheme
    tool, sandbox = url or f"{scheme}://localhost:{port}", f"{scheme}://127.0.0.1:{sandbox_port}"
    if certificate:
        os.environ |= {"REQUESTS_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate}
    tls = [f"--ssl-certificate={certificate}", f"--ssl-keyfile={certificate}"]
    instance = Path(os.environ.setdefault("CLAUSEWAY_INSTANCE", str(ROOT / "instance")))
    os.environ["CLAUSEWAY_URL"] = tool
    os.environ |= {"CLAUSEWAY_ENTRA_AUTHORITY": sandbox, "CLAUSEWAY_TEAMS_SANDBOX": sandbox}
    prepare(sandbox)
    here = Path(sys.executable).parent
    platform = [sys.executable, "-m", "sandbox_lms", "--host=127.0.0.1", f"--port={sandbox_port}"]
    commands = {
        "sandbox": [
            *platform,
            f"--tool={tool}",
            f"--data={instance / 'sandbox'}",
            f"--certificate={certificate}",
        ],
        "tool": [
            *(str(here / "granian"), "wsgi:app", "--interface=wsgi", "--log-level=warning"),
            *("--host=127.0.0.1", f"--port={port}", "--blocking-threads=4", "--no-ws"),
            *(tls if own_scheme == "https" else ()),
        ],
        "worker": [str(here / "clauseway"), "worker"],
    }
    with running(commands, instance / "logs") as parts:
        wait_for(f"{own_scheme}://127.0.0.1:{port}/healthz", parts)
        wait_for(sandbox, parts)
        print(WHAT_TO_CLICK.format(tool=tool, sandbox=sandbox, logs=instance / "logs"), flush=True)
        while True:
            require_alive(parts)
            time.sleep(0.5)


def interrupt(*_: object) -> NoReturn:
    """A polite kill ends like Ctrl-C."""
    raise KeyboardInterrupt


def main() -> int:
    """Exit code 0 after Ctrl-C, 1 with a sentence after anything else."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sandbox-port", type=int, default=8001)
    parser.add_argument("--certificate", default="", help="a file with certificate and key: https")
    parser.add_argument("--url", default="", help="the address of a proxy in front of the tool")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, interrupt)
    try:
        run(options.port, options.sandbox_port, options.certificate, options.url)
    except (KeyboardInterrupt, click.Abort):
        print("\nStopped.")
    except (StartError, ConfigError, ContentFaults, AssetsMissingError) as fault:
        print(f"make run: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
