"""``docs/conformance.md``, made from the tests: ``make conformance``.

Pytest collects every test; a test's name or its mark says which cases it shows. The cases and
what they ask stand in ``tests/conformance/cases.yaml``. ``--check`` writes nothing and fails
where the page is not what the tests say, or a case has neither a test nor a reason.
"""

import argparse
import io
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
CASES: Final = ROOT / "tests" / "conformance" / "cases.yaml"
PAGE: Final = ROOT / "docs" / "conformance.md"

NAME: Final = r"(?:c_bad|c_ok_[ts]|dl|nr?|a|ags|oidc|sec|ps|dr|sr|dp|cg|pns)_?\d+"
NAMES: Final = re.compile(rf"test_({NAME}(?:_and_{NAME})*)(?:_|$)")

HEAD: Final = """# What platforms may ask of us, and the tests that show it

Made by `make conformance` from the tests and `tests/conformance/cases.yaml`: do not edit it here.
The cases are those of 1EdTech's certification of LTI Advantage tools, and further ones from its
specifications. We run them ourselves; this is no certificate.

{sum}.
"""


@dataclass(frozen=True)
class Case:
    """One thing to show; ``reason`` says why it does not apply, and is empty where it does."""

    id: str
    asks: str
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """Cases that belong together."""

    title: str
    about: str
    cases: tuple[Case, ...]


@dataclass(eq=False)
class Collector:
    """A pytest plugin: for each case its tests, as file and name."""

    tests: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        marked = [case for mark in item.iter_markers("conformance") for case in mark.args]
        name: str = getattr(item, "originalname", None) or item.name
        for case in (*ids_in(name), *marked):
            file = item.path.relative_to(ROOT).as_posix()
            self.tests.setdefault(case, set()).add((file, name))


def ids_in(name: str) -> list[str]:
    """The cases that a test's name begins with: ``test_ags_4_and_ags_5_…``, ``test_c_ok_t1_…``."""
    found = NAMES.match(name)
    parts = found[1].split("_and_") if found else []
    return [re.sub(r"(?<=C-OK-[TS])-", "", part.upper().replace("_", "-")) for part in parts]


def read_cases(raw: Mapping[str, Any]) -> list[Part]:
    """The file's parts and cases."""
    return [
        Part(part["title"], part.get("about", ""), tuple(map(_case, part["cases"].items())))
        for part in raw["parts"]
    ]


def _case(entry: tuple[str, Any]) -> Case:
    name, said = entry
    return Case(name, said) if isinstance(said, str) else Case(name, said["asks"], said["reason"])


def collect() -> dict[str, set[tuple[str, str]]]:
    """For each case its tests, of all there are. Raises ``SystemExit`` where pytest cannot."""
    collector, said = Collector(), io.StringIO()
    with redirect_stdout(said):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / "tests")], [collector]
        )
    if code != pytest.ExitCode.OK:
        raise SystemExit(said.getvalue())
    return collector.tests


def faults(parts: Iterable[Part], tests: Mapping[str, set[tuple[str, str]]]) -> list[str]:
    """What does not fit together, a sentence each."""
    known = {case.id: case for part in parts for case in part.cases}
    found = [
        f"{name} is no case of {CASES.name}: {', '.join(sorted(test for _, test in tests[name]))}"
        for name in sorted(tests.keys() - known.keys())
    ]
    for case in known.values():
        if case.reason and case.id in tests:
            found.append(f"{case.id} has a reason not to apply, and a test")
        elif not case.reason and case.id not in tests:
            found.append(f"{case.id} has neither a test nor a reason not to apply")
    return found


def write_page(parts: Iterable[Part], tests: Mapping[str, set[tuple[str, str]]]) -> str:
    """The page's text."""
    parts = list(parts)
    cases = [case for part in parts for case in part.cases]
    shown = sum(case.id in tests for case in cases)
    aside = sum(bool(case.reason) for case in cases)
    said = f"{len(cases)} cases: {shown} shown by tests, {aside} that do not apply"
    missing = len(cases) - shown - aside
    lines = [HEAD.format(sum=f"{said}, {missing} not tested yet" if missing else said)]
    for part in parts:
        lines += [f"## {part.title}\n"] + ([f"{part.about}\n"] if part.about else [])
        lines += ["| case | what it asks | shown by |", "|---|---|---|"]
        lines += [f"| {case.id} | {case.asks} | {_shown_by(case, tests)} |" for case in part.cases]
        lines.append("")
    return "\n".join(lines)


def _shown_by(case: Case, tests: Mapping[str, set[tuple[str, str]]]) -> str:
    if case.reason:
        return f"does not apply. {case.reason}"
    found = sorted(tests.get(case.id, ()))
    return "<br>".join(f"[`{name}`](../{file})" for file, name in found) or "not tested yet"


def main() -> None:
    """Write the page, or with ``--check`` say what is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    is_check = parser.parse_args().check
    raw = yaml.safe_load(CASES.read_text())
    parts, tests = read_cases(raw), collect()
    page, found = write_page(parts, tests), faults(parts, tests)
    if not is_check:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        found.append("docs/conformance.md is not what the tests say: run make conformance")
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
