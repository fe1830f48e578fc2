"""A worker's log lines bear the number of the job that wrote them, as a request's do."""

import json
import logging
from collections.abc import Iterator

import pytest
from flask import Flask

from lti_tool.core import logs


class Lines(logging.Handler):
    """What was logged, as it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonLines())
        self.lines: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def said(app: Flask) -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger("lti_tool").addHandler(handler)
    yield handler
    logging.getLogger("lti_tool").removeHandler(handler)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fails", [False, True])
def test_each_job_has_a_number(app: Flask, said: Lines, fails: bool) -> None:
    queue = app.extensions["queue"]

    @queue.task(name="speak")  # type: ignore[untyped-decorator]
    def speak() -> None:
        logging.getLogger("lti_tool.test").info("at work")
        if fails:
            raise RuntimeError

    number = speak().id.replace("-", "")[:12]
    queue.execute(queue.dequeue())
    assert [line["message"] for line in said.lines] == ["at work", "job"]
    assert {line["request_id"] for line in said.lines} == {number}
    job = said.lines[1]
    assert (job["job"], job["went_well"]) == ("speak", not fails)
    assert logs.request_id.get() == ""
