"""`python -m sandbox_lms`: serve the sandbox on this machine, or describe it."""

import argparse
import json
import sys
from pathlib import Path

from sandbox_lms.platform import describe
from sandbox_lms.serve import bind, check_loopback
from sandbox_lms.views import create_platform


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox_lms", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address or localhost")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--tool", default="http://localhost:8000", help="the tool's base URL")
    parser.add_argument("--data", type=Path, help="folder that keeps keys and gradebook")
    parser.add_argument("--certificate", default="", help="a file with certificate and key: https")
    parser.add_argument("--describe", action="store_true", help="print what a tool registers")
    asked = parser.parse_args()
    issuer = f"{'https' if asked.certificate else 'http'}://{asked.host}:{asked.port}"
    try:
        check_loopback(asked.host)
        if asked.describe:
            print(json.dumps(describe(issuer), ensure_ascii=False, indent=2))
            return
        _serve(issuer, asked)
    except ValueError as problem:
        sys.exit(str(problem))


def _serve(issuer: str, asked: argparse.Namespace) -> None:
    try:
        app = create_platform(tool_url=asked.tool.rstrip("/"), issuer=issuer, state=asked.data)
    except (ValueError, KeyError, TypeError, OSError) as problem:
        sys.exit(f"The sandbox cannot use what is in {asked.data}: {problem!r}. Move it away.")
    try:
        server = bind(asked.host, asked.port, certificate=asked.certificate)
    except OSError as problem:
        sys.exit(f"The sandbox cannot listen on {issuer}: {problem.strerror}.")
    server.app = app
    print(f"Sandbox learning platform: {issuer}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
