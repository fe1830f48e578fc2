"""The tool as in production and the platforms, all really listening."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from interop.platforms import Lti1p3Platform, OpenEdx, Platform
from interop.world import Activity, Person
from lti_tool.app import ROOT, create_app
from lti_tool.config import read_config
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.reading import read_catalogue
from tests.factories.plain_browser import PlainBrowser
from tools.run import running, wait_for

PATIENCE = 120.0  # seconds any part may take to start, or the worker for what it does by itself
HERE = Path(sys.executable).parent


@dataclass(frozen=True)
class Tool:
    """The running tool; ``realms`` are its registrations' numbers, by the platforms' names."""

    url: str
    instance: Path
    realms: dict[str, str]


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tool, list[Platform]]]:
    instance = tmp_path_factory.mktemp("instance")
    port, *others = free_ports(3)
    url = f"http://localhost:{port}"
    platforms: list[Platform] = [
        kind(f"http://127.0.0.1:{other}", url, instance)
        for kind, other in zip((OpenEdx, Lti1p3Platform), others, strict=True)
    ]
    commands = {
        "tool": [
            *(str(HERE / "granian"), "wsgi:app", "--interface=wsgi", "--log-level=warning"),
            *("--host=127.0.0.1", f"--port={port}", "--blocking-threads=4", "--no-ws"),
        ],
        "worker": [str(HERE / "clauseway"), "worker"],
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CLAUSEWAY_INSTANCE", str(instance))
        environment.setenv("CLAUSEWAY_URL", url)
        clauseway("migrate")
        with running({one.name: one.command for one in platforms}, instance / "logs") as servers:
            for one in platforms:
                wait_for(f"{one.url}/sign-in/ada", servers, PATIENCE)
            realms = {one.name: connect(one) for one in platforms}
            with running(commands, instance / "logs") as parts:
                wait_for(f"http://127.0.0.1:{port}/readyz", parts, PATIENCE)
                yield Tool(url, instance, realms), platforms


def connect(platform: Platform) -> str:
    """Register a platform as an administrator does; the registration's number."""
    options = [f"--{name}={value}" for name, value in platform.details().items()]
    said = clauseway("platforms", "add", *options, f"--school={platform.school}", "--json")
    return str(json.loads(said)["id"])


def clauseway(*arguments: str) -> str:
    """Run a command as an administrator does; what it said."""
    done = subprocess.run(
        [str(HERE / "clauseway"), *arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


@pytest.fixture(scope="session")
def tool(world: tuple[Tool, list[Platform]]) -> Tool:
    return world[0]


@pytest.fixture(params=["openedx", "lti1p3platform"])
def platform(request: pytest.FixtureRequest, world: tuple[Tool, list[Platform]]) -> Platform:
    return next(one for one in world[1] if one.name == request.param)


@pytest.fixture(scope="session")
def app(tool: Tool) -> Flask:
    """The tool's own code on the running tool's database, to ask platforms what it asks them."""
    environment = {**os.environ, "CLAUSEWAY_URL": tool.url}
    return create_app(read_config(tool.instance, environment))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return read_catalogue(ROOT, None)


@pytest.fixture
def arrive(
    tool: Tool, platform: Platform, catalogue: Catalogue
) -> Callable[[Person, Activity], PlainBrowser]:
    """Sign in at the platform and open an activity."""

    def at(person: Person, activity: Activity) -> PlainBrowser:
        browser = PlainBrowser(tool.url, catalogue, platform.school, person.name)
        platform.sign_in(browser.http, person)
        browser.see(platform.launch(browser.http, activity))
        return browser

    return at


def eventually(browser: PlainBrowser, path: str, words: str) -> None:
    """Look at a page until it says so. Fails with the page when it does not in time."""
    deadline = time.monotonic() + PATIENCE
    while words not in browser.get(path).get_text(" "):
        assert time.monotonic() < deadline, browser.page.get_text(" ", strip=True)
        time.sleep(0.2)
