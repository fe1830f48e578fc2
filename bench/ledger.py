"""Measures the ledger at a thousand entries and at a million: appending, verifying, proving.

Appends go to both ledgers in turn, each in a transaction of its own with its sync to the disk;
what is printed is the median of the rounds' ratios. Verifying is CPU time of one core.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import select, text

from lti_tool.core import ledger
from lti_tool.core.database import Database
from lti_tool.core.drawers import Folder
from lti_tool.core.ledger import LedgerEntry
from lti_tool.evidence.checkpoints import checking, making
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.tree import Tree
from lti_tool.evidence.proof.merkle import consistency_path, inclusion_path, leaf_hash, root_by
from lti_tool.migrations.run import upgrade

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SCHOOL = "hemswell-cliff"
FACTS = {
    "module": "annual-refresh",
    "cycle": "2026-27",
    "status": 200,
    "line_item": "https://moodle.example.org/mod/lti/services.php/1",
}
ROUNDS, APPENDS, PROOFS = 15, 60, 300


def append(database: Database, number: int, person: UUID | None = None) -> None:
    """This many entries in one transaction, with two personal values each where a person is given
    and none otherwise."""
    with database.transaction() as session:
        for index in range(number):
            ledger.append(
                session,
                school_id=SCHOOL,
                kind="score-sent",
                facts=FACTS | {"completion": str(uuid4()), "score": 80 + index % 20},
                person_id=person,
                personal={"person": str(person), "actor": str(person)} if person else None,
                now=NOW,
            )


def filled(folder: Path, entries: int) -> Database:
    """A ledger of so many entries; one in ten holds personal values."""
    folder.mkdir()
    database = Database(f"sqlite:///{folder / 'bench.sqlite3'}")
    upgrade(database.engine)
    done = 0
    while done < entries:
        batch = min(1000, entries - done)
        append(database, batch - batch // 10)
        append(database, batch // 10, uuid4())
        done += batch
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    return database


def timed(act: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    began = clock()
    act()
    return clock() - began


def appending(small: Database, large: Database) -> tuple[float, float, float]:
    """Entries a second at each size, and the median of the rounds' ratios."""

    def rate(database: Database) -> float:
        def some() -> None:
            for _ in range(APPENDS):
                append(database, 1)

        return APPENDS / timed(some)

    rounds = []
    for number in range(ROUNDS):
        order = (small, large) if number % 2 else (large, small)
        found = {id(one): rate(one) for one in order}
        rounds.append((found[id(small)], found[id(large)]))
    return (
        statistics.median(one for one, _ in rounds),
        statistics.median(one for _, one in rounds),
        statistics.median(large_rate / small_rate for small_rate, large_rate in rounds),
    )


def proving(
    database: Database, size: int, root: bytes, clock: Callable[[], float]
) -> tuple[float, float]:
    """Median and 99th percentile, in milliseconds, of proofs of entries drawn by chance, each read
    anew from the database."""
    took = []
    for index in random.Random(7).sample(range(size), PROOFS):
        with database.reading() as session:

            def prove(index: int = index) -> None:
                tree = Tree(session, school_id=SCHOOL, size=size)
                path = inclusion_path(index, size, tree.subtree)
                leaf = leaf_hash(
                    bytes.fromhex(
                        session.execute(
                            select(LedgerEntry.hash).where(
                                LedgerEntry.school_id == SCHOOL, LedgerEntry.sequence == index + 1
                            )
                        ).scalar_one()
                    )
                )
                assert root_by(path, leaf=leaf, index=index, size=size) == root

            took.append(timed(prove, clock) * 1000)
    took.sort()
    return statistics.median(took), took[int(len(took) * 0.99)]


def measure(folder: Path, entries: int) -> None:
    """Print every figure for a ledger of so many entries."""
    small = filled(folder / "small", 1000)
    began = time.perf_counter()
    large = filled(folder / "large", entries)
    path = folder / "large" / "bench.sqlite3"
    print(
        f"{entries} entries, {path.stat().st_size >> 20} MiB, {time.perf_counter() - began:.0f} s"
    )

    slow, fast, ratio = appending(small, large)
    print(f"append: {slow:.0f}/s at 1000, {fast:.0f}/s at {entries}: {ratio:.2f} (aim 0.8)")

    keys = EvidenceKeys(Folder(folder / "keys"))
    took = timed(lambda: making.make(large, keys, school_id=SCHOOL, why="asked", now=NOW))
    print(f"first checkpoint: {took:.2f} s")
    append(large, 1)
    took = timed(lambda: making.make(large, keys, school_id=SCHOOL, why="asked", now=NOW))
    print(f"checkpoint after one more entry: {took * 1000:.1f} ms")

    with large.reading() as session:
        made = making.latest(session, school_id=SCHOOL)
        assert made is not None
        size, root = made.size, bytes.fromhex(made.root)
        tree = Tree(session, school_id=SCHOOL, size=size)
        took = timed(lambda: consistency_path(size // 3, size, tree.subtree))
        print(f"consistency proof: {took * 1000:.2f} ms")
    for name, clock in (("CPU", time.process_time), ("by the clock", time.perf_counter)):
        middle, worst = proving(large, size, root, clock)
        print(f"inclusion proof, {name}: median {middle:.2f} ms, p99 {worst:.2f} ms (aim 5)")

    with large.reading() as session:
        took = timed(lambda: ledger.verify(session, school_id=SCHOOL), time.process_time)
        print(f"verify the chain: {size / took:.0f} entries a second of one core (aim 50000)")
        took = timed(lambda: checking.verify(session, keys, school_id=SCHOOL), time.process_time)
        print(f"verify chain, tree and checkpoints: {size / took:.0f} entries a second of one core")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    with tempfile.TemporaryDirectory(prefix="clauseway-ledger-") as folder:
        measure(Path(folder), parser.parse_args().entries)


if __name__ == "__main__":
    main()
