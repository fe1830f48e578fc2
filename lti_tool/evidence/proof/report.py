"""A check in words, for the command line."""

from typing import Final

from lti_tool.evidence.proof.check import check
from lti_tool.evidence.proof.statements import shown_fingerprint
from lti_tool.evidence.proof.words import ERASED, EXPLAINED, VERDICTS

STATUS: Final = {"genuine": 0, "altered": 1, "origin-not-shown": 3}


def said(data: bytes, *, key: str = "", code: str = "") -> tuple[list[str], int]:
    """The lines to print and the exit code: 0 intact and of known origin, 1 altered, 3 intact but
    of unknown origin. Raises ``ValueError`` for a fingerprint that is none."""
    report = check(data, key=key, code=code)
    lines = [VERDICTS[report.verdict], EXPLAINED[report.verdict]]
    lines += [f"  - {finding.words()}" for finding in report.findings]
    if report.erased:
        lines.append(ERASED.format(number=report.erased))
    if report.manifest:
        schools = ", ".join(one["name"] for one in report.manifest["schools"])
        lines += [
            f"For {report.manifest['audience']}, {report.manifest['cycle']}: {schools}",
            f"Made at {report.manifest['made_at']}",
        ]
    lines += [f"Record check code of {school}: {one}" for school, one in report.codes.items()]
    if report.fingerprint:
        lines.append(f"Signed with {shown_fingerprint(report.fingerprint)}")
    return lines, STATUS[report.verdict]
