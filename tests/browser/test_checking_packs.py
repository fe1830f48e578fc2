"""The page that checks a pack, in real Chromium from a file and without a network: it finds the
same as the check on the command line, and says it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lti_tool.evidence.proof.check import check
from tests.factories.attacks import ATTACKS, attacked
from tests.factories.forgeries import cases
from tests.factories.looking import look
from tests.factories.packs import files, two_packs
from tests.factories.registers import HEMSWELL

pytestmark = [
    pytest.mark.browser,
    pytest.mark.one_machine("a page that is opened from a file, with no server at all"),
]

CHECK = """async ([packed, known]) => {
  const data = Uint8Array.from(atob(packed), (one) => one.charCodeAt(0))
  const { verdict, findings, fingerprint, codes, erased } = await clausewayCheck(data, known)
  const named = findings.map((one) => [one.code, one.where])
  return { verdict, findings: named, fingerprint, codes, erased }
}"""


@pytest.fixture(scope="module")
def packs(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    return two_packs(migrated_sqlite, tmp_path_factory.mktemp("packs"))


@pytest.fixture
def page(browser: Browser, packs: tuple[bytes, bytes], tmp_path: Path) -> Iterator[Page]:
    """The page of the pack itself, opened as a file by a browser that is offline."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    (tmp_path / "verify.html").write_bytes(files(packs[0])["verify.html"])
    page.goto((tmp_path / "verify.html").as_uri())
    yield page
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert said == []
    context.close()


def found(page: Page, data: bytes, **known: str) -> dict[str, Any]:
    said: dict[str, Any] = page.evaluate(CHECK, [base64.b64encode(data).decode(), known])
    return said


def expected(data: bytes, **known: str) -> dict[str, Any]:
    report = check(data, **known)
    return {
        "verdict": report.verdict,
        "findings": [[one.code, one.where] for one in report.findings],
        "fingerprint": report.fingerprint,
        "codes": report.codes,
    }


def test_both_checks_find_the_same(page: Page, packs: tuple[bytes, bytes], tmp_path: Path) -> None:
    pack, other = packs
    for name, data, known in cases(tmp_path, pack, other):
        said, wanted = found(page, data, **known), expected(data, **known)
        assert said["findings"] == wanted["findings"], name
        assert said["verdict"] == wanted["verdict"], name
        if said.get("fingerprint"):
            assert (said["fingerprint"], said["codes"]) == (wanted["fingerprint"], wanted["codes"])
    assert found(page, pack[:-1])["findings"] == [["no-pack", {}]]
    assert [found(page, one)["erased"] for one in (pack, other)] == [0, 1]


def test_a_person_checks_a_pack(page: Page, packs: tuple[bytes, bytes], tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(packs[0])
    page.get_by_label("The pack").set_input_files(path)
    page.get_by_role("button", name="Check").click()
    result = page.locator("#result")
    expect(result.get_by_role("heading")).to_have_text("Intact, origin not shown.")

    code = check(packs[0]).codes[HEMSWELL]
    page.get_by_label("Record check code").fill(code)
    page.get_by_role("button", name="Check").click()
    expect(result.get_by_role("heading")).to_have_text("Intact, and of the origin you know.")
    expect(result).to_contain_text("Hemswell Cliff Primary School")

    path.write_bytes(attacked(ATTACKS[1], tmp_path / "attacked", packs[0]))
    page.get_by_label("The pack").set_input_files(path)
    page.get_by_role("button", name="Check").click()
    expect(result.get_by_role("heading")).to_have_text("This pack is not what was exported.")
    expect(result).to_contain_text("the row of entry 2 of hemswell-cliff is missing")
    page.set_viewport_size({"width": 320, "height": 700})
    look(page, "a pack that was altered")
