"""Lets people learn while processes are killed, the disk fills up and the clock is set back.

Web, worker and, on PostgreSQL, the database are killed with SIGKILL at random moments and started
again a moment later, as a service manager does. A full disk is a limit on how far any file of a
process may grow: a write beyond it fails as one to a full disk does. People do what people do at a
page that does not come: they try again.

What must hold is looked for from outside: at the pages, the platform, the command line and the
tables. ``--seed`` repeats the same blows in the same order.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from bench.blows import Postgres, Struck
from bench.browsers import SECTION, Browser, Connections, Expert, Fault, Reply
from bench.learners import MOST_PAGES, QUESTION, Learner
from bench.serving import ROOT, Platform, connect, free_port, run, settings
from lti_tool.core.database import Database
from lti_tool.core.ledger import LedgerEntry
from lti_tool.curriculum.reading import read_catalogue
from lti_tool.lti.models import ScoreOutbox
from lti_tool.people.models import Identity
from lti_tool.training.models import Completion, Declaration, Journey, Question

THINK: Final = 0.4
"""Seconds at a page: enough for blows to fall between and within."""
A_BLOW: Final = 3.0
"""Seconds that one takes with its pause: people arrive for as long as blows fall."""
DELIVERY_SECONDS: Final = 300
LEASES_OVER: Final = 900
"""A score that was just being sent as its worker was killed is taken up after ten minutes: so far
the clock is set forward, once everybody is done."""
TASKS, FINISHED = "/training", "/training/finished"


class Way(Connections):
    """Through a proxy to several web processes: whichever takes the connection."""

    def __init__(self, ports: list[int], chance: random.Random) -> None:
        super().__init__(ports[0])
        self._ports, self._chance = ports, chance

    async def exchange(self, request: bytes) -> tuple[int, list[str], bytes]:
        for port in self._chance.sample(self._ports, len(self._ports)):
            one = Connections(port)
            try:
                return await one.exchange(request)
            except ConnectionRefusedError:
                continue
            finally:
                one.close()
        raise Fault("nothing listens")


class Watched(Browser):
    """Notes every page of the kind that tells of a fault, and what such a page lacks."""

    def __init__(
        self, connections: Connections, user: str, seen: Counter[str], wrong: list[str]
    ) -> None:
        super().__init__(connections, user)
        self.seen, self.wrong = seen, wrong

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Reply:
        reply = await super().ask(method, path, form)
        if reply.status >= 500:
            self.seen[f"a page with status {reply.status}"] += 1
            if reply.status != 503 or "<h1" not in reply.body:
                self.wrong.append(f"{method} {path.partition('?')[0]}: {reply.status}")
        return reply


class Stubborn(Learner):
    """Begins again at whatever stopped them, until it is done. Remembers what they were told."""

    def __init__(self, way: Way, platform: Platform, expert: Expert, user: str) -> None:
        super().__init__(way, platform, expert, user)
        self.seen, self.wrong = Counter[str](), list[str]()
        self.browser = Watched(way, user, self.seen, self.wrong)
        self.launch.browser = self.browser
        self.saved: dict[int, str] = {}
        """The choice at each question whose answer they saw."""

    async def persevere(self) -> None:
        while True:
            try:
                await self._go()
                return
            except Fault as fault:
                self.seen[str(fault)] += 1
                await asyncio.sleep(1)

    async def _go(self) -> None:
        self.browser.cookies.clear()
        await self.launch.log_in()
        self.launch.sign()
        await self.launch.arrive()
        if (await self.browser.ask("GET", FINISHED)).status == 200:
            return
        if 'name="role_group"' in self.browser.page:
            await self.begin()
        self.sections = list(dict.fromkeys(SECTION.findall(await self.browser.see("GET", TASKS))))
        await self.learn(THINK)
        await self.browser.see("GET", QUESTION + "1")
        for _ in range(MOST_PAGES):
            await asyncio.sleep(THINK)
            if not self.browser.path.startswith(QUESTION):
                break
            await self._question()
        await self.browser.see("GET", "/training/declaration")
        await asyncio.sleep(THINK)
        await self.sign()
        if self.browser.path != FINISHED:
            raise Fault(f"the training ended at {self.browser.path}")

    async def _question(self) -> None:
        here = self.browser.path.partition("?")[0]
        if 'name="choice"' in self.browser.page:
            choice = self.expert.choose(self.browser.page)
            await self.browser.send(here, choice=choice, sureness="sure")
            if 'name="choice"' not in self.browser.page:
                self.saved[int(here.removeprefix(QUESTION))] = choice
        else:
            await self.browser.see("GET", self.onward)


def look_for_harm(
    people: list[Stubborn], platform: Platform, database: Database, environment: dict[str, str]
) -> list[str]:
    """Whatever does not hold, in words."""
    found = [f"{one.browser.user}: {what}" for one in people for what in one.wrong]
    run(environment, "evidence", "verify")  # which fails where an entry does not hold
    with database.reading() as session:
        number = {
            table.__name__: session.scalar(select(func.count()).select_from(table))
            for table in (Journey, Declaration, Completion, ScoreOutbox)
        }
        number["completed entries"] = session.scalar(
            select(func.count()).where(LedgerEntry.kind == "completion")
        )
        found += [
            f"{what}: {n} for {len(people)}" for what, n in number.items() if n != len(people)
        ]
        kept = {
            (subject, position): choice
            for subject, position, choice in session.execute(
                select(Identity.subject, Question.position, Question.choice)
                .join(Journey, Journey.person_id == Identity.person_id)
                .join(Question, Question.journey_id == Journey.id)
            )
        }
    for one in people:
        user = one.browser.user
        lost = [at for at, choice in one.saved.items() if kept.get((user, at)) != choice]
        found += [f"{user}: the answer at {at} was shown as saved" for at in lost]
        if len(platform.held.get(user, ())) != 1:
            found.append(f"{user}: the platform was sent {len(platform.held.get(user, ()))} scores")
    return found


async def wait_for_delivery(platform: Platform, number: int) -> float:
    begun = time.monotonic()
    while len(platform.held) < number and time.monotonic() - begun < DELIVERY_SECONDS:
        await asyncio.sleep(0.5)
    return time.monotonic() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=40)
    parser.add_argument("--blows", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="two of each, on PostgreSQL")
    asked = parser.parse_args()
    return asyncio.run(chaos(asked.people, asked.blows, asked.seed, asked.postgres))


async def chaos(number: int, blows: int, seed: int, on_postgres: bool) -> int:
    chance, platform = random.Random(seed), Platform()
    expert = Expert(read_catalogue(ROOT, None))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="clauseway-chaos-")))
        folder.chmod(0o755)
        postgres = stack.enter_context(Postgres(folder / "postgres")) if on_postgres else None
        ports = [free_port() for _ in range(2 if on_postgres else 1)]
        url = f"http://localhost:{ports[0]}"
        clock = folder / "clock"
        clock.write_text("0")
        environment = settings(folder / "instance", url, postgres.url if postgres else "")
        connect(platform, environment)
        struck = stack.enter_context(
            Struck(environment | {"CHAOS_CLOCK": str(clock)}, ports, postgres, clock, chance)
        )
        people = [Stubborn(Way(ports, chance), platform, expert, f"p{n}") for n in range(number)]
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            striking = group.create_task(struck.strike(blows))
            for one in people:
                group.create_task(one.persevere())
                await asyncio.sleep(A_BLOW * blows / number)
            await striking
        learned = time.monotonic() - begun
        clock.write_text(str(LEASES_OVER))
        late = await wait_for_delivery(platform, number)
        database = Database(environment.get("CLAUSEWAY_DATABASE_URL") or _sqlite(folder))
        harm = look_for_harm(people, platform, database, environment)
        database.engine.dispose()
    seen = sum((one.seen for one in people), Counter[str]())
    print(f"{number} people done in {learned:.0f} s, all scores there {late:.0f} s later")
    print("blows: " + ", ".join(f"{n} {what}" for what, n in struck.given.most_common()))
    for what, times in seen.most_common():
        print(f"  {times:4} times somebody met: {what}")
    print("\n".join(["HARM:", *harm]) if harm else "nothing lost, nothing doubled")
    return 1 if harm else 0


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'instance' / 'clauseway.sqlite3'}"


if __name__ == "__main__":
    sys.exit(main())
