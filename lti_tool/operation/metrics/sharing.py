"""Where the processes of one server share their counts. Must be called before anything counts:
``prometheus_client`` looks at its environment when it is first imported.
"""

import os
import shutil
import socket
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_counts(instance: Path) -> None:
    """Let every worker process of this server add to the same counts, in a folder named for the
    server's main process, so that another start begins anew; those of dead servers go."""
    if VARIABLE in os.environ:
        return
    host = socket.gethostname()
    for folder in (instance / "metrics").glob(f"{host}-*"):
        if not _is_alive(folder.name.rpartition("-")[2]):
            shutil.rmtree(folder, ignore_errors=True)
    folder = instance / "metrics" / f"{host}-{os.getppid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[VARIABLE] = str(folder)


def _is_alive(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        pass  # somebody else's, and so alive
    return True
