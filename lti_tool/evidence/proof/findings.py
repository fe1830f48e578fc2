"""What a check finds, gathered as it goes on."""

import json
from dataclasses import dataclass, field
from typing import Any

from lti_tool.evidence.proof.words import FINDINGS


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was exported: a key of ``words.FINDINGS``, and where."""

    code: str
    where: dict[str, str | int]

    def words(self) -> str:
        return FINDINGS[self.code].format(**self.where)


@dataclass
class Findings:
    """A pack's files, and everything that is wrong with them."""

    files: dict[str, bytes] = field(default_factory=dict)
    found: list[Finding] = field(default_factory=list)

    def add(self, code: str, **where: str | int) -> None:
        self.found.append(Finding(code, where))

    def json_of(self, name: str) -> Any:
        """A file's JSON; None, and a finding, where it has none."""
        if name not in self.files:
            return None
        try:
            return json.loads(self.files[name])
        except (ValueError, RecursionError):
            self.add("unreadable", file=name)
            return None
