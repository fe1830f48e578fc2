"""Somebody who does the whole training, a step at a time or from end to end."""

import asyncio
from typing import Final

from bench.browsers import BUTTON, SECTION, Browser, Connections, Expert, Fault, Launch
from bench.browsers import ROLE_GROUP as ROLE
from bench.serving import Platform

MOST_PAGES: Final = 120
QUESTION: Final = "/training/questions/"


class Learner:
    """At a browser of their own. Each method is what one press of a button causes."""

    def __init__(
        self, connections: Connections, platform: Platform, expert: Expert, user: str
    ) -> None:
        self.browser, self.expert = Browser(connections, user), expert
        self.launch = Launch(self.browser, platform)
        self.sections: list[str] = []

    async def begin(self) -> None:
        """From the start page to the list of what there is to do."""
        page = await self.browser.send("/begin", asked="yes", role_group=ROLE)
        self.sections = list(dict.fromkeys(SECTION.findall(page)))

    async def read(self, section: str) -> None:
        """A section, to its end."""
        await self.browser.see("GET", section)
        await self.browser.send(section)

    async def tell(self) -> None:
        await self.browser.see("GET", "/training/who-to-tell")
        await self.browser.send("/training/who-to-tell")

    async def learn(self, think: float = 0) -> None:
        """All there is to read."""
        for section in self.sections:
            await asyncio.sleep(think)
            await self.read(section)
        await asyncio.sleep(think)
        await self.tell()

    async def answer(self) -> None:
        """The question that is shown, rightly; then what the policy says is shown."""
        choice = self.expert.choose(self.browser.page)
        await self.browser.send(self.browser.path.partition("?")[0], choice=choice, sureness="sure")

    @property
    def onward(self) -> str:
        """Where the page's button leads."""
        found = BUTTON.search(self.browser.page)
        if found is None:
            raise Fault(f"no way on from {self.browser.path}")
        return found[1]

    async def sign(self) -> None:
        await self.browser.send(
            "/training/declaration", printed_name=f"Learner {self.browser.user}", has_agreed="yes"
        )

    async def walk(self, think: float = 0) -> None:
        """Launch and do everything, with so many seconds at each page."""
        await self.start(think)
        await self.finish(think)

    async def start(self, think: float = 0) -> None:
        """Launch, and read all there is to read."""
        await self.launch.log_in()
        self.launch.sign()
        await self.launch.arrive()
        await asyncio.sleep(think)
        await self.begin()
        await self.learn(think)

    async def finish(self, think: float = 0) -> None:
        """Answer, sign, and see that it is done."""
        await self.browser.see("GET", QUESTION + "1")
        for _ in range(MOST_PAGES):
            await asyncio.sleep(think)
            if not self.browser.path.startswith(QUESTION):
                break
            await self.answer()
            await asyncio.sleep(think)
            await self.browser.see("GET", self.onward)
        await self.browser.see("GET", "/training/declaration")
        await asyncio.sleep(think)
        await self.sign()
        if self.browser.path != "/training/finished":
            raise Fault(f"the training ended at {self.browser.path}")
