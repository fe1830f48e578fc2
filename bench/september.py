"""The first morning of term: everybody launches, does the whole training, and the platform fails.

``python -m bench.september`` lets 2 000 new people launch within ten minutes at the tool and its
worker, started as production does, over real HTTP, each with some seconds at every page, all the
way to the declaration. The platform is the sandbox: one call in twenty to its services fails, and
half-way it stalls for a minute. Then it is looked at from outside whether anybody was shown a
fault, whether every record is kept, in a chain that holds, and whether every score arrived. Ends
with 1 where one of these is not so. ``--people 200 --minutes 1 --stall 10`` is a short form.
"""

import argparse
import asyncio
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import seed
from bench.browsers import Connections, Expert, Fault, share
from bench.learners import Learner
from bench.serving import SCHOOL, Server, free_port, start_tool, start_worker
from lti_tool.curriculum.reading import ROOT, read_catalogue
from sandbox_lms.platform import CLIENT_ID, Platform
from sandbox_lms.schools import Person
from sandbox_lms.serve import running_platform

FIRST: Final = 100_000
"""The number of the first of them on the platform."""
LONGEST_WAIT: Final = 900.0
"""Seconds after the last declaration in which every score must have arrived."""


class Sandbox:
    """The sandbox platform, as people who launch know it."""

    client_id, deployment_id = CLIENT_ID, SCHOOL

    def __init__(self, platform: Platform) -> None:
        self.platform, self.url = platform, platform.issuer

    def enrol(self, number: int) -> list[str]:
        """So many new members of staff; their numbers."""
        names = [str(FIRST + one) for one in range(number)]
        for name in names:
            self.platform.people[name] = Person(
                name, SCHOOL, "starter", "Starter", name, f"{name}@example.org"
            )
        return names

    def token(self, user: str, nonce: str, tool: str) -> str:
        activity = self.platform.activity_at(SCHOOL)
        person = self.platform.people[user]
        return self.platform.sign(self.platform.id_token_claims(person, activity, nonce))

    def scored(self) -> int:
        """How many of those who were enrolled have full marks."""
        with self.platform.lock:
            grades = list(self.platform.gradebook.grades.items())
        return sum(int(user) >= FIRST and grade.score == 100 for (_item, user), grade in grades)


@dataclass
class Morning:
    """What happened."""

    finished: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    longest: float = 0
    """Seconds between the last declaration and the last score."""


async def come(learner: Learner, at: float, think: float, morning: Morning) -> None:
    await asyncio.sleep(at)
    try:
        await learner.walk(think)
        morning.finished += 1
    except (Fault, OSError) as fault:
        morning.faults[str(fault)] += 1


async def trouble(sandbox: Sandbox, failing: float, at: float, stall: float) -> None:
    """One call in so many fails; half-way none is answered for a while."""
    faults = sandbox.platform.faults
    faults.put("all", "503", share=failing)
    await asyncio.sleep(at)
    faults.put("all", "slow", seconds=stall)
    await asyncio.sleep(stall)
    faults.put("all", "503", share=failing)


async def spend(
    tool: Server, sandbox: Sandbox, asked: argparse.Namespace
) -> tuple[Morning, list[float]]:
    connections, expert = Connections(tool.port), Expert(read_catalogue(ROOT))
    morning, names = Morning(), sandbox.enrol(asked.people + 1)

    def somebody(name: str) -> Learner:
        return Learner(connections, sandbox, expert, name)  # type: ignore[arg-type]

    await somebody(names.pop()).walk()  # the day before, somebody tried it
    connections.waits.clear()
    apart = 60 * asked.minutes / asked.people
    async with asyncio.TaskGroup() as group:
        group.create_task(trouble(sandbox, asked.failing, 30 * asked.minutes, asked.stall))
        for number, name in enumerate(names):
            group.create_task(come(somebody(name), number * apart, asked.think, morning))
    ended = time.monotonic()
    while sandbox.scored() <= morning.finished and time.monotonic() < ended + LONGEST_WAIT:
        await asyncio.sleep(0.5)
    morning.longest = time.monotonic() - ended
    connections.close()
    return morning, sorted(connections.waits)


def records(instance: Path) -> dict[str, int]:
    """What the database holds, counted from outside."""
    path = instance / "clauseway.sqlite3"
    counts = {
        "completions": "SELECT count(DISTINCT person_id) FROM completion",
        "declarations": "SELECT count(DISTINCT person_id) FROM declaration",
        "entries of the ledger": "SELECT count(*) FROM ledger_entry WHERE kind = 'completion'",
        "scores noted as sent": "SELECT count(*) FROM ledger_entry WHERE kind = 'score-sent'",
        "scores owed still": "SELECT count(*) FROM score_outbox WHERE state <> 'sent'",
        "journeys left": "SELECT count(*) FROM journey WHERE completed_at IS NULL",
        "answers missing": "SELECT count(*) FROM question WHERE answered_at IS NULL",
    }
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {name: connection.execute(sql).fetchone()[0] for name, sql in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--think", type=float, default=3, help="seconds at each page")
    parser.add_argument("--failing", type=float, default=0.05)
    parser.add_argument("--stall", type=float, default=60, help="seconds")
    sys.exit(0 if play(parser.parse_args()) else 1)


def play(asked: argparse.Namespace) -> bool:
    """One morning. Prints what it was like; whether all went well."""
    port = free_port()
    url = f"http://localhost:{port}"
    with (
        tempfile.TemporaryDirectory(prefix="clauseway-september-") as name,
        running_platform(tool_url=url) as platform,
    ):
        instance, sandbox = Path(name) / "instance", Sandbox(platform)
        tool = start_tool(sandbox, instance, port=port)  # type: ignore[arg-type]
        worker = start_worker(instance, url, core=None)
        try:
            begun, cpu = time.monotonic(), (tool.cpu(), worker.cpu())
            morning, waits = asyncio.run(spend(tool, sandbox, asked))
            lasted = time.monotonic() - begun - morning.longest
            spent = [tool.cpu() - cpu[0], worker.cpu() - cpu[1]]
            memory = tool.memory()
        finally:
            tool.stop()
            worker.stop()
        found = records(instance)
        rate = f"{len(waits)} answers, {len(waits) / lasted:.0f} a second"
        print(f"{morning.finished} of {asked.people} finished, in {lasted:.0f} s: {rate}.")
        print(
            "Waits, ms: "
            + ", ".join(
                f"p{100 * part:g} {share(waits, part):.0f}" for part in (0.5, 0.95, 0.99, 1)
            )
        )
        print(f"CPU, s: tool {spent[0]:.0f}, worker {spent[1]:.0f}; tool's memory {memory:.0f} MiB")
        print(f"The last score arrived {morning.longest:.0f} s after the last declaration.")
        return judge(asked.people, morning, sandbox.scored(), found, seed.verify(instance))


def judge(people: int, morning: Morning, scored: int, found: dict[str, int], said: str) -> bool:
    """Everybody and whoever tried it the day before: nothing lost, nothing doubled."""
    print(said.strip())
    everybody = people + 1
    checks = {f"{fault} ({number})": False for fault, number in morning.faults.items()}
    checks["nobody was shown a fault, everybody finished"] = morning.finished == people
    checks[f"full marks on the platform: {scored}"] = scored == everybody
    for name, number in found.items():
        is_rest = name in ("scores owed still", "journeys left", "answers missing")
        checks[f"{name}: {number}"] = number == (0 if is_rest else everybody)
    for name, is_so in checks.items():
        print(f"{'ok  ' if is_so else 'FAIL'} {name}")
    return all(checks.values())


if __name__ == "__main__":
    main()
