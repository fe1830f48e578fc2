"""Logs: one JSON object a line, each with the request it belongs to.

A log line never holds a token, an answer, a name or an e-mail address; addresses of pages carry
none of them either.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final, TextIO

from lti_tool.config import Config

request_id: ContextVar[str] = ContextVar("request_id", default="")

# What logging itself puts on a record; anything else came by ``extra`` and is part of the line.
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
_encode = json.JSONEncoder(default=str).encode
_tool = logging.getLogger("lti_tool")
_log = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """A record as a line of JSON."""

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


class _Json(logging.StreamHandler[TextIO]):
    """Standard error, in lines of JSON."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(JsonLines())

    def put(self, line: dict[str, object]) -> None:
        self.acquire()
        try:
            self.stream.write(_encode(line) + self.terminator)
            self.flush()
        except (OSError, ValueError):
            pass  # nobody takes it
        finally:
            self.release()


def note_request(**facts: str | float) -> None:
    """The line of a request that has been answered.

    There is one for each, so where it goes out as JSON and nowhere else, it does without a record
    of ``logging``, which takes half as long again.
    """
    match _tool.handlers:
        case [_Json() as handler] if _tool.isEnabledFor(logging.INFO):
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = {"at": at, "level": "INFO", "logger": __name__, "message": "request"}
            handler.put({**line, "request_id": request_id.get(), **facts})
        case _:
            _log.info("request", extra=facts)


class _WithRequest(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


def _plain() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_WithRequest())
    handler.setFormatter(
        logging.Formatter("%(asctime)s %(levelname)-7s %(name)s [%(request_id)s] %(message)s")
    )
    return handler


def set_up(config: Config) -> None:
    """Send this process's logs to standard error, as the settings say."""
    _tool.handlers[:] = [_Json() if config.log_json else _plain()]
    _tool.setLevel(config.log_level)
    _tool.propagate = False
    # Lines name no thread, process or place in the code, so nobody has to find them out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # the logging how-to's own advice
