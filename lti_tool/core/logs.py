"""Logs: one JSON object a line, each with the request it belongs to.

A log line never holds a token, an answer, a name or an e-mail address; addresses of pages carry
none of them either.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

from lti_tool.config import Config

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What logging itself puts on a record; anything else came by ``extra`` and is part of the line.
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
_encode = json.JSONEncoder(default=str).encode


class JsonLines(logging.Formatter):
    """A record as a line of JSON. Every request logs one, so it does no more than it must."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id.get(),
        }
        line |= {name: said for name, said in record.__dict__.items() if name not in _OWN}
        if record.exc_info:
            line["fault"] = self.formatException(record.exc_info)
        return _encode(line)


class _WithRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def set_up(config: Config) -> None:
    """Send this process's logs to standard error, as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    if config.log_json:
        handler.setFormatter(JsonLines())
    else:
        handler.addFilter(_WithRequest())
        handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s")
        )
    logger = logging.getLogger("lti_tool")
    logger.handlers[:] = [handler]
    logger.setLevel(config.log_level)
    logger.propagate = False
    # Lines name no thread, process or place in the code, so nobody has to find them out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the logging how-to's own advice
