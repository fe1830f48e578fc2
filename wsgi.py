"""Starts the tool: ``granian --interface wsgi wsgi:app``."""

import gc
import sys

from lti_tool.config import instance_folder, read_config
from lti_tool.operation.metrics.sharing import share_counts

share_counts(instance_folder())
if read_config(instance_folder()).database_url.startswith("sqlite"):
    # The queue's library takes it wherever it is found: nine megabytes that SQLite has no use for.
    sys.modules.setdefault("psycopg", None)  # type: ignore[arg-type]

from lti_tool.app import create_app  # noqa: E402  (counting is set up by then)

app = create_app()

# What has been read stays for good, and the collector need not walk through it again and again:
# a tenth of what a launch costs.
gc.collect()
gc.freeze()
