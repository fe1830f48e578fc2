"""Starts the tool: ``granian --interface wsgi wsgi:app``."""

import ctypes
import gc
from importlib.metadata import version

from lti_tool.config import instance_folder
from lti_tool.core.lazily import put_off
from lti_tool.operation.metrics.sharing import share_counts

# What libraries import for cases that may never come: 10 MiB where the database is SQLite, and 4.
put_off("psycopg")
put_off("charset_normalizer", __version__=version("charset_normalizer"), __path__=[])
share_counts(instance_folder())

from lti_tool.app import create_app  # noqa: E402  (counting is set up by then)
from lti_tool.ui.format import read_months  # noqa: E402

# Each thread would keep a heap of its own and leave a third of it free: 3 MiB of four threads,
# which wait for one another in Python anyhow. Only glibc has such heaps.
M_ARENA_MAX = -8
if hasattr(libc := ctypes.CDLL(None), "mallopt"):
    libc.mallopt(M_ARENA_MAX, 1)

read_months()
app = create_app()

# What has been read stays for good, and the collector need not walk through it again and again:
# a tenth of what a launch costs.
gc.collect()
gc.freeze()
