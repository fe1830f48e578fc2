"""The worker's part: what is due at a school goes at night."""

import logging

from flask import Flask
from huey import crontab

from lti_tool.evidence.retention import disposing

log = logging.getLogger(__name__)


def register_tasks(app: Flask) -> None:
    """Give the queue its task."""

    @app.extensions["queue"].periodic_task(crontab(hour="2", minute="41"), name="dispose")  # type: ignore[untyped-decorator]
    def dispose() -> None:
        with app.app_context():
            dispose_all(app)


def dispose_all(app: Flask) -> None:
    """Carry out every school's periods. What fails at one is logged, and the others go on."""
    extensions = app.extensions
    catalogue = extensions["catalogue"]
    for school in catalogue.schools.values():
        try:
            disposing.dispose(
                extensions["database"],
                school=school,
                catalogue=catalogue,
                now=extensions["clock"](),
            )
        except Exception:
            log.exception("a school's data could not be disposed of", extra={"school": school.id})
