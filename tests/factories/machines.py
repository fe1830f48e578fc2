"""Several machines that serve one installation: each a web server, and perhaps a worker, with a
folder of its own; between them one PostgreSQL database and one secret.

``make machines`` sets ``TEST_MACHINES=2``: then whatever journeys and browser tests go through is
served by two, and each request is answered by another than the one before.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import Final

from flask import Flask

from lti_tool.app import ROOT
from lti_tool.config import Config
from sandbox_lms.serve import running
from tests.factories.round_robin import RoundRobin

MACHINES: Final = int(os.environ.get("TEST_MACHINES", "1"))
SECRET = "the-same-on-every-machine-of-this-installation"
BIN = Path(sys.executable).parent
OWN: Final = {"log", "kept", "metrics"}
"""What a machine keeps for itself: its log, what was last good, what it counted for Prometheus."""
Second = Callable[[Config], AbstractContextManager[str]]


@contextmanager
def served(
    make: Callable[[Config], Flask],
    config: Config,
    *,
    port: int = 0,
    second: Second | None = None,
    number: int = MACHINES,
) -> Iterator[Flask]:
    """The app that ``make`` gives, served at the address that its settings then say.

    Where two are tried it serves every other request, and the rest is served by ``second``, usually
    a process of its own, from a folder beside its own.
    """
    if number == 1:
        with bound(make, config, port) as app:
            yield app
        return
    proxy = RoundRobin(port)
    ours = replace(config, url=proxy.url, secret=SECRET, proxies=1)
    theirs = replace(ours, instance=beside(ours.instance))
    with proxy.running(), (second or process)(theirs) as other:
        with closing(make(ours)) as app, running(app) as here:
            proxy.servers = [here, other]
            yield app
        look_at(proxy, theirs.instance)


@contextmanager
def bound(make: Callable[[Config], Flask], config: Config, port: int) -> Iterator[Flask]:
    """One app alone, which is told its address."""
    with ExitStack() as stack:
        made: list[Flask] = []

        def make_one(url: str) -> Flask:
            made.append(stack.enter_context(closing(make(replace(config, url=url)))))
            return made[0]

        stack.enter_context(running(make_one, port=port))
        yield made[0]


def thread(make: Callable[[Config], Flask]) -> Second:
    """A second machine in this process: where the time or the content is the test's own."""

    @contextmanager
    def started(config: Config) -> Iterator[str]:
        with closing(make(config)) as app, running(app) as url:
            yield url

    return started


@contextmanager
def process(config: Config) -> Iterator[str]:
    """A second machine in a process of its own."""
    with machine(environment(config)) as url:
        wait_for(url)
        yield url


@contextmanager
def closing(app: Flask) -> Iterator[Flask]:
    """Let go, at the end, of what an app holds open."""
    try:
        yield app
    finally:
        app.extensions["lti"].http.close()
        app.extensions["queue"].storage.close()
        app.extensions["database"].engine.dispose()


def beside(instance: Path) -> Path:
    """The second machine's folder."""
    return instance.with_name(f"{instance.name}-other")


def look_at(proxy: RoundRobin, instance: Path) -> None:
    """What must hold of a machine when all is done: it had its half, met no fault, kept nothing."""
    first, second = (proxy.served[server] for server in proxy.servers)
    assert abs(first - second) <= 1
    left = {path.relative_to(instance).parts[0] for path in instance.rglob("*") if path.is_file()}
    assert left <= OWN, f"{left - OWN} are on one machine alone"
    log = instance / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    assert [line for line in lines if '"level": "ERROR"' in line] == []


def environment(config: Config) -> dict[str, str]:
    """What a process is told so that it has these settings."""
    given = {one.name: getattr(config, one.name) for one in fields(Config)}
    return {
        f"CLAUSEWAY_{one.name.upper()}": str(given[one.name])
        for one in fields(Config)
        if given[one.name] != one.default
    }


@contextmanager
def machine(told: Mapping[str, str], *, worker: bool = False) -> Iterator[str]:
    """A web server with these settings until the block ends, and a worker; where it listens."""
    instance = Path(told["CLAUSEWAY_INSTANCE"])
    instance.mkdir(parents=True, exist_ok=True)
    port = free_port()
    web = ["granian", "wsgi:app", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"]
    commands = [[*web, "--blocking-threads=4", "--no-ws", "--log-level=warning"]]
    commands += [["clauseway", "worker"]] if worker else []
    with (instance / "log").open("ab") as log:
        processes = [
            subprocess.Popen(
                [str(BIN / name), *rest],
                cwd=ROOT,
                env=os.environ | told,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            for name, *rest in commands
        ]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for one in processes:
                os.killpg(one.pid, signal.SIGKILL)
                one.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(server: str) -> None:
    for _ in range(300):
        with suppress(OSError), urllib.request.urlopen(f"{server}/readyz", timeout=5):
            return
        time.sleep(0.1)
    raise AssertionError(f"{server} did not start within half a minute")
