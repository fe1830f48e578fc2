"""What a launch costs: CPU of the tool per launch, as a ratio to the floor, in the same run.

``python -m bench.launches`` lets many learners launch at both in turn: login, launch, first page.
Rounds alternate floor, tool, floor; a round whose two floors differ by more than 15 % is dropped as
noise. Server CPU is read from the kernel, so the load generator's own work does not count.
``--server gunicorn`` measures another server for the tool, ``--people 20000`` what a worker's
memory does over so many launches, and over whole trainings, registers and exports after them.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from bench.acts import LAUNCH, Peer, Spent, at_the_tool
from bench.browsers import Expert, share
from bench.serving import Platform, Server, start_floor, start_tool
from lti_tool.curriculum.reading import ROOT, read_catalogue

NOISE = 0.15
GUNICORN = (sys.executable, "-m", "gunicorn", "wsgi:app", "--threads=4", "--workers=1")
BATCH = 500
TRAININGS = 100


async def compare(floor: Peer, tool: Peer, rounds: int, count: int) -> None:
    for peer in (floor, tool):
        await peer.launch(peer.people(200))  # warm up
        peer.spent.clear()
    tool.platform.key_sets = 0
    ratios = []
    print("round  floor ms  tool ms  ratio  tool/s   p50 ms  p99 ms")
    for number in range(rounds):
        first, measured, second = [await _one(peer, count) for peer in (floor, tool, floor)]
        base = (first.cpu + second.cpu) / 2
        steady = abs(first.cpu - second.cpu) / base <= NOISE
        if steady:
            ratios.append(measured.cpu / base)
        print(
            f"{number + 1:5}  {base:8.2f}  {measured.cpu:7.2f}  {measured.cpu / base:5.2f}"
            f"  {measured.per_second:6.0f}  {share(measured.waits, 0.5):7.1f}"
            f"  {share(measured.waits, 0.99):6.1f}"
            + ("" if steady else "  dropped: the floor itself moved")
        )
    if ratios:
        print(f"median ratio of CPU per launch: {statistics.median(ratios):.2f}")
    print(f"key set fetches once warm: {tool.platform.key_sets}")


async def _one(peer: Peer, count: int) -> Spent:
    await peer.launch(peer.people(count))
    return peer.spent[LAUNCH][-1]


async def remember(tool: Peer, launches: int) -> tuple[float, float]:
    """MiB of the worker after a thousand launches, and after so many more."""
    for _ in range(1000 // BATCH):
        await tool.launch(tool.people(BATCH))
    before = tool.server.memory()
    for _ in range(launches // BATCH):
        await tool.launch(tool.people(BATCH))
    return before, tool.server.memory()


async def fill(tool: Peer, launches: int) -> None:
    """Print MiB of the worker: of launches, and of whatever else it is asked for."""
    before, after = await remember(tool, launches)
    print(f"worker: {before:.1f} MiB, {after:.1f} after {launches} launches")
    for _ in range(2):
        await at_the_tool(tool, TRAININGS)
        print(f"{tool.server.memory():.1f} after {TRAININGS} trainings, registers and exports")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=400, help="launches a round")
    parser.add_argument("--server", choices=("granian", "gunicorn"), default="granian")
    parser.add_argument("--people", type=int, default=0, help="how memory grows over so many")
    options = parser.parse_args()
    platform, expert = Platform(), Expert(read_catalogue(ROOT))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = GUNICORN if options.server == "gunicorn" else ()
        servers: list[Server] = []
        try:
            servers.append(start_tool(platform, folder / "instance", server=command))
            tool = Peer(servers[0], platform, expert, 1)
            if options.people:
                asyncio.run(fill(tool, options.people))
                return
            servers.append(start_floor(platform, folder))
            floor = Peer(servers[1], platform, expert, 1)
            asyncio.run(compare(floor, tool, options.rounds, options.count))
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    main()
