"""``python -m lti_tool.evidence.proof pack.zip --key FINGERPRINT|--code CODE``."""

import argparse
import sys
from pathlib import Path

from lti_tool.evidence.proof.report import said


def main() -> None:
    """Print what the check found; exit code 0 only where the pack is intact and of known origin."""
    parser = argparse.ArgumentParser(prog="python -m lti_tool.evidence.proof")
    parser.add_argument("pack", type=Path)
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--key", default="", help="the fingerprint you know")
    known.add_argument("--code", default="", help="the code from the minutes")
    given = parser.parse_args()
    try:
        lines, status = said(given.pack.read_bytes(), key=given.key, code=given.code)
    except ValueError as fault:
        parser.error(str(fault))
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.exit(status)


if __name__ == "__main__":
    main()
