"""Starts the tool: ``granian --interface wsgi wsgi:app``."""

import gc

from lti_tool.config import instance_folder
from lti_tool.operation.metrics.sharing import share_counts

share_counts(instance_folder())

from lti_tool.app import create_app  # noqa: E402  (counting is set up by then)

app = create_app()

# What has been read stays for good, and the collector need not walk through it again and again:
# a tenth of what a launch costs.
gc.collect()
gc.freeze()
