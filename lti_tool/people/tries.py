"""Who has tried too often at a door that says how often it may be tried."""

from flask import current_app, g, request

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import Limit, Tally, network
from lti_tool.people.models import Visit


def check(limit: Limit | None) -> None:
    """Raises ``ToolError`` too-many-requests where the door is closed to whoever knocks."""
    if limit and (seconds := _tally().wait(limit, _caller(), patience=limit.patience)):
        g.is_held_back = True
        raise _too_many(seconds)


def told(error: ToolError, limit: Limit | None, status: int) -> ToolError:
    """What to say of a refusal with this status: itself, or that there were too many before it."""
    if limit and 400 <= status < 500 and (seconds := _tally().wait(limit, _caller())):
        return _too_many(seconds)
    return error


def count(limit: Limit | None, status: int) -> None:
    """Count what was answered with this status, if it counts; faults of ours never do."""
    counts = 400 <= status < 500 or (limit is not None and not limit.failures_only)
    if limit and counts and not g.get("is_held_back"):
        _tally().count(limit, _caller())


def _too_many(seconds: int) -> ToolError:
    return ToolError("too-many-requests", retry_after=seconds)


def _caller() -> tuple[str, str]:
    """The door, and who knocks: a person, or else an address."""
    visit: Visit | None = g.get("visit")
    who = str(visit.person_id) if visit else network(request.remote_addr or "")
    return request.endpoint or "", who


def _tally() -> Tally:
    tally: Tally = current_app.extensions["tally"]
    return tally
