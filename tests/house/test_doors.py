"""Nothing of ours calls another computer but through the two doors that guard where it goes."""

import ast
from pathlib import Path

import lti_tool

PACKAGE = Path(lti_tool.__file__).parent
# What can open a connection.
CALLERS: tuple[str, ...] = (
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "httpx",
    "socket",
    "smtplib",
)
CALLERS += ("ssl", "ftplib", "telnetlib", "aiohttp", "xmlrpc", "asyncio")
DOORS = {"core/outside.py", "core/mail.py"}
# They ask for the name of this machine.
NO_DOORS = {"operation/beating.py": {"socket"}, "operation/metrics/sharing.py": {"socket"}}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return {name for name in CALLERS if any(f"{one}.".startswith(f"{name}.") for one in found)}


def test_whatever_we_call_is_called_through_a_door() -> None:
    found = {str(path.relative_to(PACKAGE)): imported(path) for path in PACKAGE.rglob("*.py")}
    assert found["core/outside.py"]
    calling = {name: what for name, what in found.items() if what and name not in DOORS}
    assert calling == NO_DOORS
