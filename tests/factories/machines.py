"""Several machines that serve one installation: each a web server, and perhaps a worker, with a
folder of its own; between them one PostgreSQL database and one secret."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lti_tool.app import ROOT
from tests.factories.round_robin import RoundRobin

SECRET = "the-same-on-every-machine-of-this-installation"
BIN = Path(sys.executable).parent


@contextmanager
def machines(
    database_url: str, folder: Path, *, number: int = 2, workers: bool = False
) -> Iterator[RoundRobin]:
    """Machines behind a proxy that gives each request to the next."""
    proxy = RoundRobin()
    with ExitStack() as stack:
        stack.enter_context(proxy.running())
        servers = [
            stack.enter_context(_machine(database_url, folder / str(one), proxy.url, workers))
            for one in range(number)
        ]
        for server in servers:
            _wait_for(server)
        proxy.servers = servers
        yield proxy


@contextmanager
def _machine(database_url: str, instance: Path, url: str, worker: bool) -> Iterator[str]:
    instance.mkdir(parents=True)
    port = _free_port()
    environment = os.environ | {
        "CLAUSEWAY_INSTANCE": str(instance),
        "CLAUSEWAY_DATABASE_URL": database_url,
        "CLAUSEWAY_SECRET": SECRET,
        "CLAUSEWAY_URL": url,
        "CLAUSEWAY_PROXIES": "1",
    }
    web = ["granian", "wsgi:app", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"]
    commands = [[*web, "--blocking-threads=4", "--no-ws", "--log-level=warning"]]
    commands += [["clauseway", "worker"]] if worker else []
    with (instance / "log").open("wb") as log:
        processes = [
            subprocess.Popen(
                [str(BIN / name), *rest],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for name, *rest in commands
        ]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for process in processes:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: str) -> None:
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(f"{server}/readyz", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{server} did not start within half a minute")
