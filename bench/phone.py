"""How long a phone's main thread works until a tab in Teams shows its first page.

``python -m bench.phone`` starts the product as ``make run`` does, opens the personal tab in the
page that plays Teams, in Chromium with a phone's screen, a processor a quarter as fast as this
machine's and a slow mobile network, and adds up what the main thread of the tab's process does
from the tab's opening, through TeamsJS and the sign-in, to the first page of the training at rest.
The process is fresh and nothing is cached.
"""

import argparse
import json
import statistics
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Frame, Page, Route, sync_playwright

from tests.browser.conftest import FLAGS, Running, chromium_path, start_product

SLOWER: Final = 4
"""As Lighthouse takes a phone of the middle range to be against a desktop."""
NETWORK: Final = {
    "offline": False,
    "latency": 150,  # milliseconds
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 0.75e6 / 8,
}
PHONE: Final[dict[str, Any]] = {
    "viewport": {"width": 375, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
TRACED: Final = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
OPEN: Final = (
    "() => { const tab = document.querySelector('#tab-frame'); tab.src = tab.dataset.src }"
)
SCHOOL: Final = "hemswell-cliff"


@dataclass(frozen=True)
class Opening:
    """One opening of the tab."""

    busy: float
    """Seconds in which the main thread had something to do, what else the machine did meanwhile
    included."""
    worked: float
    """Seconds of the processor's that it took for it."""
    longest: float
    """Of it, the longest piece in one."""
    waited: float
    """Seconds by the clock."""


def open_tab(browser: Browser, product: Running, *, slower: float = SLOWER) -> Opening:
    """Open the tab as somebody new on a phone."""
    context = browser.new_context(locale="en-GB", **PHONE)
    page = context.new_page()
    tab = _before_the_tab(page, product)
    session = context.new_cdp_session(tab)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", NETWORK)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
    browser.start_tracing(categories=TRACED)
    begun = time.perf_counter()
    page.evaluate(OPEN)
    tab.wait_for_url(lambda url: url.startswith(product.tool) and "/teams/" not in url)
    tab.wait_for_load_state("networkidle")
    waited = time.perf_counter() - begun - 0.5  # the half second in which nothing came
    pieces = _pieces(json.loads(browser.stop_tracing())["traceEvents"], product.tool)
    context.close()
    busy, worked = (sum(piece[place] for piece in pieces) for place in (0, 1))
    return Opening(busy, worked, max(pieces)[0], waited)


def _before_the_tab(page: Page, product: Running) -> Frame:
    """The host with an empty page of the tool's in its frame: so the process is there, and can be
    slowed down, and has seen nothing of ours."""

    def blank(route: Route) -> None:
        route.fulfill(body="<!doctype html><title>Blank</title>", content_type="text/html")

    def host(route: Route) -> None:
        script = route.fetch().text().replace("frame.src = dataset.src", "frame.src = BLANK")
        begin = f"const BLANK = {json.dumps(f'{product.tool}/teams/blank')};"
        route.fulfill(body=begin + script, content_type="text/javascript")

    page.route(f"{product.tool}/teams/blank", blank)
    page.route("**/teams_host.js", host)
    page.goto(f"{product.platform}/teams/{SCHOOL}")
    frame = page.frame(url=f"{product.tool}/teams/blank")
    if frame is None:
        raise RuntimeError("the page that plays Teams has changed")
    return frame


def _pieces(events: list[dict[str, Any]], tool: str) -> list[tuple[float, float]]:
    """What each task took on the main thread of the process that speaks to the tool: seconds by
    the clock, and of the processor."""
    ours = {one["pid"] for one in events if tool in str(one["args"].get("data", {}).get("url"))}
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    return [
        (one["dur"] / 1e6, one.get("tdur", one["dur"]) / 1e6)
        for one in events
        if one["name"] == "RunTask"
        and one["ph"] == "X"
        and one["pid"] in ours
        and (one["pid"], one["tid"]) in mains
    ]


def main() -> None:
    """Open the tab a few times, and print what the median opening took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    with (
        tempfile.TemporaryDirectory() as folder,
        start_product(Path(folder)) as product,
        sync_playwright() as playwright,
    ):
        print("slower  busy, s  (least to most)  worked, s  longest piece, s  waited, s")
        for slower in (1, SLOWER, 6):
            seen = []
            for _ in range(rounds):
                browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
                seen.append(open_tab(browser, product, slower=slower))
                browser.close()
            busy, worked, longest, waited = (
                sorted(values) for values in zip(*map(astuple, seen), strict=True)
            )
            print(
                f"{slower:>6}{statistics.median(busy):>9.2f}  ({busy[0]:.2f} to {busy[-1]:.2f})"
                f"{statistics.median(worked):>15.2f}{statistics.median(longest):>18.2f}"
                f"{statistics.median(waited):>11.1f}"
            )


if __name__ == "__main__":
    main()
