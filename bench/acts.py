"""What people do, as acts whose cost is measured: the same for the tool and for the floor."""

import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from bench.browsers import Connections, Expert, timed
from bench.learners import QUESTION, Learner
from bench.serving import HEAD, Platform, Server

LAUNCH: Final = "launch and first page"
PAGE: Final = "page of the training"
BEGIN: Final = "beginning, questions drawn"
ANSWER: Final = "answer and feedback"
DECLARE: Final = "declaration, completion"
REGISTER: Final = "register page"
EXPORT: Final = "register as CSV"
ANSWERS: Final = 10
SHOWN: Final = 20
TAKEN: Final = 8

Item = TypeVar("Item")


@dataclass(frozen=True)
class Spent:
    """What one round of an act took: CPU milliseconds of the server for each, and how long each
    waited, in seconds and sorted."""

    cpu: float
    waits: list[float]
    lasted: float

    @property
    def per_second(self) -> float:
        return len(self.waits) / self.lasted


class Peer:
    """A server that is measured, and what each act cost it, round by round."""

    def __init__(self, server: Server, platform: Platform, expert: Expert, first: int) -> None:
        self.server, self.platform, self.expert = server, platform, expert
        self.connections = Connections(server.port)
        self.next = first
        self.spent: dict[str, list[Spent]] = {}

    def people(self, number: int) -> list[Learner]:
        """So many that nobody has seen before."""
        self.next += number
        return [self.somebody(str(one)) for one in range(self.next - number, self.next)]

    def somebody(self, user: str) -> Learner:
        return Learner(self.connections, self.platform, self.expert, user)

    async def act(
        self, name: str, items: Iterable[Item], work: Callable[[Item], Awaitable[object]]
    ) -> None:
        """Let each be done, eight at once, and note what it took."""
        cpu, begun = self.server.cpu(), time.perf_counter()
        waits = await timed(items, work)
        lasted, cpu = time.perf_counter() - begun, self.server.cpu() - cpu
        self.spent.setdefault(name, []).append(Spent(1000 * cpu / len(waits), waits, lasted))

    async def launch(self, people: list[Learner]) -> None:
        """All of them, from login to first page. What the platform signs is off the clock."""
        cpu, begun = self.server.cpu(), time.perf_counter()
        await timed(people, lambda one: one.launch.log_in())
        paused = time.perf_counter()
        for one in people:
            one.launch.sign()
        begun += time.perf_counter() - paused
        await timed(people, lambda one: one.launch.arrive())
        lasted, cpu = time.perf_counter() - begun, self.server.cpu() - cpu
        waits = sorted(one.launch.waited for one in people)
        self.spent.setdefault(LAUNCH, []).append(Spent(1000 * cpu / len(people), waits, lasted))

    async def let_in(self, one: Learner) -> Learner:
        """A launch that is not measured."""
        await one.launch.log_in()
        one.launch.sign()
        await one.launch.arrive()
        return one

    def cpu(self, name: str) -> float:
        """CPU milliseconds of an act: the median of the rounds."""
        return statistics.median(one.cpu for one in self.spent[name])

    def per_second(self, name: str) -> float:
        """How many were done in a second: the median of the rounds."""
        return statistics.median(one.per_second for one in self.spent[name])

    def waits(self, name: str) -> list[float]:
        """How long everybody waited, of all rounds, sorted."""
        return sorted(wait for one in self.spent[name] for wait in one.waits)


async def at_the_floor(peer: Peer, number: int) -> None:
    """A round of every act at the floor."""
    people = peer.people(number)
    await peer.launch(people)
    await peer.act(PAGE, people * 3, lambda one: one.browser.see("GET", "/"))
    for position in range(1, ANSWERS + 1):
        said = {"position": str(position), "choice": "a"}
        await peer.act(ANSWER, people, lambda one, said=said: one.browser.send("/answer", **said))
    await peer.act(DECLARE, people, lambda one: one.browser.send("/declare", printed_name="Bench"))
    await peer.act(REGISTER, people[:SHOWN], lambda one: one.browser.see("GET", "/register"))
    await peer.act(EXPORT, people[:TAKEN], lambda one: one.browser.see("GET", "/register.csv"))


async def at_the_tool(peer: Peer, number: int) -> None:
    """A round of every act at the tool."""
    people = peer.people(number)
    await peer.launch(people)
    await peer.act(BEGIN, people, lambda one: one.begin())
    pages = [(one, path) for one in people for path in ("/training", one.sections[0])]
    await peer.act(PAGE, pages, lambda one: one[0].browser.see("GET", one[1]))
    await timed(people, lambda one: one.learn())
    await answers(peer, people)
    await timed(people, lambda one: one.browser.see("GET", "/training/declaration"))
    await peer.act(DECLARE, people, lambda one: one.sign())
    shown = [await peer.let_in(peer.somebody(HEAD))] * SHOWN
    await peer.act(REGISTER, shown, lambda one: one.browser.see("GET", "/register?people=counted"))
    await peer.act(EXPORT, shown[:TAKEN], lambda one: one.browser.see("GET", "/register.csv"))


async def answers(peer: Peer, people: list[Learner], name: str = ANSWER) -> None:
    """All questions of people who have read everything; the last page is how it went."""
    await timed(people, lambda one: one.browser.see("GET", QUESTION + "1"))
    for _ in range(ANSWERS):
        await peer.act(name, people, lambda one: one.answer())
        await timed(people, lambda one: one.browser.see("GET", one.onward))
