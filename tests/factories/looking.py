"""What must hold on each page in a real browser: nothing for axe to say, nothing sticks out."""

from pathlib import Path
from typing import Final

import axe_playwright_python
from playwright.sync_api import Frame, Page

_AXE: Final = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def look(page: Page | Frame, what: str) -> None:
    """At a page as it is now. ``what`` names it where something does not hold."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE)
    found = page.evaluate("rules => axe.run(document, {runOnly: rules})", _RULES)
    said = [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]]
    assert not said, (what, said)
    width, room = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= room, (what, width, room)
