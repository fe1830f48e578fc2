"""Every act of the tool beside the floor's, and at a million completions beside a thousand.

``python -m bench``, or ``make bench``, starts the floor and two tools as production does, one with
a thousand completions behind it and one with ``--completions`` (seeded once, and kept in the
machine's folder of temporary files), lets people do the same at all three in turn, and prints one
table. CPU is the server's own, read from the kernel: on a busy machine it is what stays comparable.
``--quick`` is a short form with a small database; ``--database URL`` measures an empty PostgreSQL,
which it fills, instead of the two.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import batches, seed
from bench.acts import (
    ANSWER,
    BEGIN,
    DECLARE,
    EXPORT,
    LAUNCH,
    PAGE,
    REGISTER,
    Peer,
    answers,
    at_the_floor,
    at_the_tool,
)
from bench.browsers import Expert, share, timed
from bench.launches import remember
from bench.serving import (
    SERVED_BY,
    Platform,
    start_floor,
    start_tool,
    start_worker,
)
from lti_tool.curriculum.reading import ROOT as CONTENT
from lti_tool.curriculum.reading import read_catalogue

ACTS: Final = (LAUNCH, PAGE, BEGIN, ANSWER, DECLARE, REGISTER, EXPORT)
KEPT: Final = Path(tempfile.gettempdir()) / "clauseway-bench"
SLOW: Final = 2.0


@dataclass(frozen=True)
class Size:
    """How much is measured: completions of the large database, rounds, people a round, launches
    over which memory is watched, people of the rows that are written in batches."""

    completions: int
    rounds: int
    people: int
    launches: int
    batch: int


USUAL: Final = Size(1_000_000, 5, 80, 20_000, 2_000)
QUICK: Final = Size(5_000, 2, 24, 1_000, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--completions", type=int, default=0)
    parser.add_argument("--database", default="", metavar="URL")
    asked = parser.parse_args()
    size = QUICK if asked.quick else USUAL
    completions = asked.completions or size.completions
    if len(os.sched_getaffinity(0)) > 1:  # leave the servers their core
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {SERVED_BY})
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clauseway-bench-")))
        instances = _instances(folder, completions, asked.database)
        begun = time.perf_counter()
        for line in _measured(folder, instances, size, asked.database, stack):
            print(line, flush=True)
    print(f"\nMeasured in {(time.perf_counter() - begun) / 60:.0f} minutes.")


def _instances(folder: Path, completions: int, database: str) -> dict[str, Path]:
    """What is measured, by its name in the table."""
    if database:
        seed.fill(folder / "postgresql", completions, database=database)
        return {f"{completions:,} in PostgreSQL": folder / "postgresql"}
    sizes = {f"{seed.A_SCHOOL:,}": seed.A_SCHOOL, f"{completions:,}": completions}
    for name, number in sizes.items():
        shutil.copytree(_seeded(number), folder / name)
    os.sync()  # else the first commits wait for the copies
    return {name: folder / name for name in sizes}


def _seeded(completions: int) -> Path:
    """An instance with so many completions, made once; a copy of it is migrated like any other."""
    place = KEPT / f"{completions}-completions-{seed.FORM}"
    if not place.exists():
        print(f"Seeding {completions:,} completions into {place} …", flush=True)
        draft = place.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        seed.fill(draft, completions)
        print(seed.verify(draft, seed.SCHOOL).strip(), flush=True)
        draft.rename(place)
    return place


def _measured(
    folder: Path, instances: dict[str, Path], size: Size, database: str, stack: ExitStack
) -> Iterator[str]:
    platform, expert = Platform(), Expert(read_catalogue(CONTENT))
    servers = [start_floor(platform, folder)]
    servers += [start_tool(platform, one, database=database) for one in instances.values()]
    for server in servers:
        stack.callback(server.stop)
    floor, *tools = (Peer(server, platform, expert, 1) for server in servers)
    asyncio.run(_rounds(floor, tools, 1, size.people // 2))
    for peer in (floor, *tools):
        peer.spent.clear()  # they are warm
    asyncio.run(_rounds(floor, tools, size.rounds, size.people))
    yield from _table(floor, dict(zip(instances, tools, strict=True)))
    yield ""
    owed = size.people // 2 + size.rounds * size.people
    yield from batches.table(instances, platform, size.batch, owed, database)
    yield ""
    first = next(iter(instances.values()))
    yield from asyncio.run(_patience(tools[0], first, size.people, database))
    before, after = asyncio.run(remember(tools[0], size.launches))
    yield (
        f"A worker holds {before:.1f} MiB (PSS) after 1,000 launches, {after - before:+.1f} over "
        f"{size.launches:,} more (at most 90, and +5)."
    )


async def _rounds(floor: Peer, tools: Sequence[Peer], rounds: int, people: int) -> None:
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}, {time.strftime('%X')}", file=sys.stderr, flush=True)
        await at_the_floor(floor, people)
        for tool in tools if number % 2 else reversed(tools):
            await at_the_tool(tool, people)
    for peer in (floor, *tools):
        peer.connections.close()


def _table(floor: Peer, tools: dict[str, Peer]) -> Iterator[str]:
    """CPU is the median of the rounds; waiting is everybody's at the first tool, eight at once."""
    few, *others = tools
    head = ["act", "floor, CPU ms", f"tool at {few}, CPU ms", "ratio", "p50, ms", "p95", "p99"]
    head += ["p99 / p50", "a second", "of the floor's"]
    for name in others:
        head += [f"at {name}, CPU ms", "p50, ms", "speed kept"]
    yield from _rows([head])
    for act in ACTS:
        yield from _rows([_line(act, floor, tools[few], [tools[name] for name in others])])


def _line(act: str, floor: Peer, tool: Peer, others: Sequence[Peer]) -> list[str]:
    cpu, waits = tool.cpu(act), tool.waits(act)
    middle = share(waits, 0.5)
    line = [act, "", f"{cpu:.2f}", ""]
    if act in floor.spent:
        line[1], line[3] = f"{floor.cpu(act):.2f}", f"**{cpu / floor.cpu(act):.2f}**"
    line += [f"{share(waits, part):.1f}" for part in (0.5, 0.95, 0.99)]
    line += [f"{share(waits, 0.99) / middle:.1f}", f"{tool.per_second(act):.0f}"]
    line += [f"{tool.per_second(act) / floor.per_second(act):.2f}" if act in floor.spent else ""]
    for one in others:
        line += [f"{one.cpu(act):.2f}", f"{share(one.waits(act), 0.5):.1f}"]
        line += [f"**{cpu / one.cpu(act):.2f}**"]
    return line


def _rows(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown; a line without a number is its head."""
    for line in lines:
        yield "| " + " | ".join(line) + " |"
        if line[0] == "act":
            yield "|---" * len(line) + "|"


async def _patience(tool: Peer, instance: Path, people: int, database: str) -> list[str]:
    """An answer while the worker sends scores to a platform that is quick, and to one that is
    slow."""
    found = {}
    for seconds in (0.0, SLOW):
        name = f"answer, the platform takes {seconds:.0f} s"
        tool.platform.seconds = seconds
        everybody = tool.people(people)
        await timed(everybody, lambda one: one.start())
        owed, asked = everybody[: people // 2], everybody[people // 2 :]
        await timed(owed, lambda one: one.finish())
        worker = start_worker(instance, tool.server.url, database=database)
        try:
            await answers(tool, asked, name)
        finally:
            worker.stop()
        found[name] = share(tool.waits(name), 0.95)
    tool.platform.seconds = 0
    tool.connections.close()
    quick, slow = found.values()
    return [
        f"An answer's p95 is {quick:.1f} ms, and {slow:.1f} ms where the platform takes {SLOW:.0f} "
        f"s over each call: {slow / quick:.2f} (at most 1.2)."
    ]


if __name__ == "__main__":
    main()
