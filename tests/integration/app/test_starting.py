"""The file that production starts, imported as a server does: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HEAVY = (
    "psycopg.pq",
    "charset_normalizer.api",
    "typst",
    "alembic",
    "lti_tool.evidence.dashboard.plots",
)
START = f"""
import sys, wsgi
from babel import core, localedata
print(wsgi.app.name, [name for name in {HEAVY} if name in sys.modules])
print(list(localedata._cache), core._global_data)
"""


def test_a_server_can_start_the_tool_and_holds_little_that_few_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START],
        cwd=ROOT,
        env=os.environ | {"CLAUSEWAY_INSTANCE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "lti_tool.app []\n['en_GB'] None\n", done.stderr
