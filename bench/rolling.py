"""From one version to the next without a pause: ``python -m bench.rolling --old REF``, with
``--database URL`` of an empty PostgreSQL database.

Checks the old version out beside this one, lets people go through the training behind a proxy
without a stop, and meanwhile migrates with this version's code, adds a server of this version, and
takes the old one away. Prints how many finished in each stage, what they met, and whether the
ledger holds. The assets built here are lent to the old version.
"""

import argparse
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lti_tool.app import ROOT, create_app
from lti_tool.config import Config
from lti_tool.core import ledger
from lti_tool.core.clock import utc_now
from lti_tool.core.database import Database
from sandbox_lms.schools import SCHOOLS
from sandbox_lms.serve import running_platform
from tests.factories.round_robin import RoundRobin
from tests.journeys.conftest import Product, Visitor, connect

BIN = Path(sys.executable).parent
SCHOOL = "glenmere"
PEOPLE_AT_ONCE = 3


@contextmanager
def checked_out(ref: str) -> Iterator[Path]:
    """The old version in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "old"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), ref], check=True)
        try:
            (tree / "lti_tool/ui/static").symlink_to(ROOT / "lti_tool/ui/static")
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


@contextmanager
def server(tree: Path, port: int, environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    """A web server of one version, until the block ends or it is told to stop."""
    command = ["granian", "wsgi:app", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"]
    process = subprocess.Popen(
        [BIN / command[0], *command[1:], "--blocking-threads=4", "--no-ws", "--log-level=error"],
        cwd=tree,
        env=environment | {"PYTHONPATH": str(tree)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(300):
            with suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
                break
            time.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def clauseway(tree: Path, environment: dict[str, str], *words: str) -> None:
    path = {"PYTHONPATH": str(tree)}
    subprocess.run([BIN / "clauseway", *words], cwd=tree, env=environment | path, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", required=True, help="a commit, tag or branch")
    parser.add_argument("--database", required=True, metavar="URL", help="an empty PostgreSQL one")
    parser.add_argument("--seconds", type=int, default=10, help="for each stage")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    proxy = RoundRobin()
    with ExitStack() as stack:
        old = stack.enter_context(checked_out(given.old))
        instance = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = os.environ | {
            "CLAUSEWAY_INSTANCE": str(instance),
            "CLAUSEWAY_DATABASE_URL": given.database,
            "CLAUSEWAY_URL": proxy.url,
            "CLAUSEWAY_PROXIES": "1",
        }
        clauseway(old, environment, "migrate")
        stack.enter_context(proxy.running())
        first = stack.enter_context(server(old, 8131, environment))
        proxy.servers = ["http://127.0.0.1:8131"]
        database = Database(given.database)
        config = Config(instance=instance, url=proxy.url, database_url=given.database)
        app = create_app(config, clock=utc_now)
        platform = stack.enter_context(running_platform(tool_url=proxy.url))
        connect(app, platform)
        product = Product(app, platform)
        stage, stop = ["old alone"], threading.Event()
        finished: Counter[str] = Counter()
        met: Counter[str] = Counter()

        def work() -> None:
            while not stop.is_set():
                try:
                    person = platform.enrol_starter(SCHOOLS[SCHOOL])
                    Visitor(product, person, platform.activity_at(SCHOOL)).learn()
                    finished[stage[0]] += 1
                except Exception as fault:
                    met[f"{stage[0]}: {type(fault).__name__}"] += 1

        people = [threading.Thread(target=work) for _ in range(PEOPLE_AT_ONCE)]
        for one in people:
            one.start()
        time.sleep(given.seconds)
        stage[0] = "while it is migrated"
        clauseway(ROOT, environment, "migrate")
        stage[0] = "old, with the new layout"
        time.sleep(given.seconds)
        stack.enter_context(server(ROOT, 8132, environment))
        stage[0] = "old and new in turn"
        proxy.servers = ["http://127.0.0.1:8131", "http://127.0.0.1:8132"]
        time.sleep(given.seconds)
        stage[0] = "new alone"
        proxy.servers = ["http://127.0.0.1:8132"]
        time.sleep(1)  # what the old one has begun it ends
        first.send_signal(signal.SIGTERM)
        time.sleep(given.seconds)
        stop.set()
        for one in people:
            one.join()
        for name, number in finished.items():
            print(f"{name}: {number} finished")
        print("met:", dict(met) or "nothing but what they asked for")
        with database.reading() as session:
            count, fault = ledger.verify(session, school_id=SCHOOL)
        print(f"ledger: {count} entries hold" if fault is None else f"ledger: {fault}")


if __name__ == "__main__":
    main()
