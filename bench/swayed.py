"""The tool with a clock that is set while it runs: ``wsgi:app``, and as a program the worker.

The file that ``CHAOS_CLOCK`` names holds by how many seconds the clock is off.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from flask.cli import ScriptInfo

from lti_tool.app import create_app
from lti_tool.core.clock import utc_now
from lti_tool.lti.cli import worker

SWAY = Path(os.environ["CHAOS_CLOCK"])


def clock() -> datetime:
    return utc_now() + timedelta(seconds=float(SWAY.read_text()))


app = create_app(clock=clock)

if __name__ == "__main__":
    worker.main(args=[], obj=ScriptInfo(create_app=lambda: app))
