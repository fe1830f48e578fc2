"""Logs: one JSON object a line, each with the request it belongs to.

A log line never holds a token, an answer, a name or an e-mail address; addresses of pages carry
none of them either.
"""

import logging
import sys
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter

from lti_tool.config import Config

request_id: ContextVar[str] = ContextVar("request_id", default="")


class _WithRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def set_up(config: Config) -> None:
    """Send this process's logs to standard error, as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequest())
    if config.log_json:
        names = "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s"
        handler.setFormatter(JsonFormatter(names, rename_fields={"levelname": "level"}))
    else:
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s")
        )
    logger = logging.getLogger("lti_tool")
    logger.handlers[:] = [handler]
    logger.setLevel(config.log_level)
    logger.propagate = False
