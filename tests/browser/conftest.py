"""The whole product as ``make run`` starts it, and a real Chromium to go through it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Frame,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from lti_tool.app import ROOT
from lti_tool.core.database import Database
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.reading import read_catalogue
from lti_tool.policies.resolve import State
from tests.factories.answers import Expert
from tests.factories.looking import look
from tests.factories.machines import MACHINES, SECRET, beside, free_port, look_at, machine
from tests.factories.machines import wait_for as machine_answers
from tests.factories.round_robin import RoundRobin

NewDatabase = Callable[[Path], AbstractContextManager[str]]

FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]


def chromium_path() -> str:
    """The machine's Chromium; the tests say so where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.fail("no Chromium on this machine: make test says how to get one")


@dataclass(frozen=True)
class Running:
    """Where the tool and the platform are. Different hosts, so that a frame is cross-site."""

    tool: str
    platform: str
    settings: Mapping[str, str]
    """What the environment of a command says that is to concern this installation."""

    def database(self) -> Database:
        """The tool's own, for whoever lets it go again."""
        return Database(self.settings["CLAUSEWAY_DATABASE_URL"])


@pytest.fixture(scope="session")
def product(
    new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("instance")
    with new_database(folder) as url, start_product(folder, url) as running:
        yield running


@contextmanager
def start_product(
    instance: Path, database_url: str = "", *, certificate: str = ""
) -> Iterator[Running]:
    """The product until the block ends; over https with the certificate in that file.

    Where two machines are tried, a proxy in front gives each request to the other than the one
    before, and each has a worker.
    """
    port, platform_port = free_port(), free_port()
    scheme = "https" if certificate else "http"
    platform = f"{scheme}://127.0.0.1:{platform_port}"
    settings = {
        "CLAUSEWAY_INSTANCE": str(instance),
        "CLAUSEWAY_DATABASE_URL": database_url or f"sqlite:///{instance / 'clauseway.sqlite3'}",
        "CLAUSEWAY_URL": f"{scheme}://localhost:{port}",
    }
    launcher = [sys.executable, "-m", "tools.run", f"--port={port}", f"--certificate={certificate}"]
    launcher += [f"--sandbox-port={platform_port}"]
    with ExitStack() as stack:
        if MACHINES > 1:
            proxy = RoundRobin(certificate=certificate)
            stack.enter_context(proxy.running())
            settings |= {"CLAUSEWAY_SECRET": SECRET, "CLAUSEWAY_PROXIES": "1"}
            settings["CLAUSEWAY_URL"] = proxy.url
            launcher += [f"--url={proxy.url}"]
        log = instance / "run.log"
        process = stack.enter_context(launched(launcher, settings, log))
        wait_for(platform, process, log, certificate)
        if MACHINES > 1:
            second = stack.enter_context(second_machine(settings, platform, certificate))
            proxy.servers = [f"http://127.0.0.1:{port}", second]
            stack.callback(look_at, proxy, beside(instance))
        tool = settings["CLAUSEWAY_URL"]
        wait_for(tool.replace("localhost", "127.0.0.1") + "/readyz", process, log, certificate)
        yield Running(tool, platform, settings)


@contextmanager
def second_machine(settings: Mapping[str, str], platform: str, certificate: str) -> Iterator[str]:
    """As the launcher makes the first, without a platform; where it listens."""
    told = {
        **settings,
        "CLAUSEWAY_INSTANCE": str(beside(Path(settings["CLAUSEWAY_INSTANCE"]))),
        "CLAUSEWAY_ENTRA_AUTHORITY": platform,
        "CLAUSEWAY_TEAMS_SANDBOX": platform,
    }
    if certificate:
        told |= {"REQUESTS_CA_BUNDLE": certificate, "SSL_CERT_FILE": certificate}
    with machine(told, worker=True) as server:
        machine_answers(server)
        yield server


@contextmanager
def launched(
    command: list[str], settings: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | settings, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path, certificate: str) -> None:
    for _ in range(600):
        if process.poll() is not None:
            pytest.fail(log.read_text())
        with suppress(requests.RequestException):
            requests.get(url, timeout=5, verify=certificate or True)
            return
        time.sleep(0.1)
    pytest.fail("the product did not start within a minute")


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_catalogue(ROOT, None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def open_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """A fresh profile: ``open_context(java_script_enabled=False, viewport=…)``."""
    opened: list[BrowserContext] = []

    def open_one(**options: object) -> BrowserContext:
        context = browser.new_context(locale="en-GB", **options)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


class Learner:
    """Somebody in a real browser who does the training, and looks at each page on the way."""

    def __init__(self, product: Running, catalogue: Catalogue, school: str, page: Page) -> None:
        self.product, self.page = product, page
        self.expert = Expert(catalogue, school, "teaching")
        self.school = school
        self.looked_at: set[str] = set()
        self.faults: list[str] = []
        self.foreign: list[str] = []
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.context.on("request", self._requested)

    def _console(self, kind: str, text: str) -> None:
        if kind == "error":
            self.faults.append(text)

    def _requested(self, request: Request) -> None:
        if not request.url.startswith((self.product.tool, self.product.platform, "data:")):
            self.foreign.append(request.url)

    def launch(
        self, button: str, *, in_window: bool = False, storage: str = "none", module: str = ""
    ) -> Frame:
        """Launch from the platform's page; gives the frame the tool is in.

        ``storage`` is how the platform offers one of its own, or what is wrong with it.
        """
        self.begin_launch(button, in_window=in_window, storage=storage, module=module)
        self.tool.wait_for_url(self._is_first_page)
        self.tool.wait_for_selector("h1")
        return self.tool

    def _is_first_page(self, url: str) -> bool:
        return url.startswith(self.product.tool) and "/lti/" not in url

    def begin_launch(self, button: str, *, in_window: bool, storage: str, module: str = "") -> None:
        """Press the button; ``self.tool`` is then the frame the tool will be in."""
        self.page.goto(self.product.platform)
        card = self.page.locator(f"section#{self.school}")
        card.get_by_label("The platform offers storage").select_option(storage)
        if module:
            card.get_by_label("Activity").select_option(module)
        start = card.get_by_role("button", name=button).first
        if not in_window:
            start.click()
            self.tool = self._tool_frame()
        else:
            with self.page.expect_popup() as opened:
                card.get_by_role("button", name="in a new window " + button[7:]).first.click()
            opened.value.on("console", lambda said: self._console(said.type, said.text))
            self.tool = opened.value.main_frame

    def _tool_frame(self) -> Frame:
        element = self.page.wait_for_selector("iframe:not([hidden])")
        frame = element.content_frame() if element else None
        assert frame is not None
        return frame

    @property
    def path(self) -> str:
        return self.tool.url.removeprefix(self.product.tool).partition("?")[0]

    @property
    def heading(self) -> str:
        return " ".join(self.tool.inner_text("h1").split())

    def press(self, name: str) -> None:
        """Click a button or a link that looks like one, and wait for the next page."""
        with self.tool.expect_navigation():
            self.tool.get_by_role("button", name=name).or_(
                self.tool.locator("main").get_by_role("link", name=name)
            ).first.click()

    def look(self) -> None:
        """What must hold on every page: nothing for axe to say, nothing that sticks out."""
        kind = re.sub(r"\d+|(?<=policy/).*", "*", self.path) + " " + self.heading
        if kind in self.looked_at:
            return
        self.looked_at.add(kind)
        look(self.tool, kind)

    def learn(self, name: str, *, looks: bool = False) -> None:
        """The whole training to its confirmation."""
        for _ in range(90):
            if looks:
                self.look()
            if self.path == "/training/finished":
                return
            self.step(name)
        raise AssertionError(f"no end after 90 pages: {self.path}")

    def step(self, name: str) -> None:
        if self.path == "/":
            self.begin()
        elif self.path == "/training":
            self.open_next_task()
        elif self.path.startswith("/training/questions/"):
            self.answer()
        elif self.path == "/training/declaration":
            self.tool.get_by_label("Your full name").fill(name)
            self.tool.get_by_label("I declare this").check()
            self.press("Sign")
        elif self.path == "/training/results":
            self.press("Continue")
        else:
            self.press("continue")

    def begin(self) -> None:
        role = self.tool.locator("input[name=role_group][value=teaching]")
        if role.count():
            role.check()
        site = self.tool.locator("input[name=site]")
        if site.count():
            site.first.check()
        self.press("Start")

    def open_next_task(self) -> None:
        tasks = self.tool.locator(".govuk-task-list__item--with-link")
        todo = tasks.filter(has_not_text="Done").first
        with self.tool.expect_navigation():
            todo.get_by_role("link").click()

    def answer(self, *, right: bool = True) -> None:
        if not self.tool.locator("input[name=choice]").count():
            with self.tool.expect_navigation():
                self.tool.locator("main a.govuk-button").first.click()
            return
        text = self.tool.inner_text("main")
        scenario = self.expert.scenario_on(text)
        choice = self.expert.choose(text, right=right)
        self.tool.get_by_label(self.expert.words(scenario, choice), exact=True).check()
        if self.expert.resolution(scenario).state is State.SETTLED:
            self.tool.get_by_label("Fairly sure").check()
        self.press("Continue")


@pytest.fixture
def learner_at(
    product: Running, catalogue: Catalogue, open_context: Callable[..., BrowserContext]
) -> Callable[..., Learner]:
    """Somebody at a school, in a profile of their own: ``learner_at("glenmere", viewport=…)``."""

    def at(school: str, **options: object) -> Learner:
        return Learner(product, catalogue, school, open_context(**options).new_page())

    return at
