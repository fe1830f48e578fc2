"""``/metrics``: for what watches the installation, and nobody else."""

import hmac
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, request
from prometheus_client import CONTENT_TYPE_LATEST

from lti_tool.config import Config, is_loopback
from lti_tool.core.errors import ToolError
from lti_tool.core.limits import LAUNCHES
from lti_tool.operation.metrics.counting import exposition
from lti_tool.people import access

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@access.public(csrf=False, limit=LAUNCHES)
def page() -> Response:
    """Counts and figures for Prometheus. To anybody else there is no such page."""
    if not _may_read(current_app.extensions["config"]):
        raise ToolError("page-not-found")
    text = exposition(current_app.extensions["database"], now=g.now)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def _may_read(config: Config) -> bool:
    """With the token; where none is set, from this machine alone, and only where callers from it
    are told from those that a proxy on it lets through."""
    if config.metrics_token:
        given = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(given, f"Bearer {config.metrics_token}".encode())
    if config.proxies == 0 and not is_loopback(urlsplit(config.url).hostname or ""):
        return False
    return is_loopback(request.remote_addr or "")
