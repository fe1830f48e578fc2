"""What Prometheus reads: requests as this server's processes counted them, and figures of the
whole installation. No label names a school, a person or an address."""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from lti_tool.core.database import Database
from lti_tool.operation.metrics import figures
from lti_tool.operation.metrics.sharing import VARIABLE

PREFIX: Final = "clauseway_"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_own: Final = CollectorRegistry()
_requests: Final = Histogram(
    f"{PREFIX}request_seconds",
    "How long requests took, by the name of their route.",
    ("endpoint", "status"),
    buckets=SECONDS,
    registry=_own,
)
_kinds: Final[dict[tuple[str, int], Histogram]] = {}


def count(endpoint: str, status: int, seconds: float) -> None:
    """Count a request. ``endpoint`` is the name of a route of ours, empty where there was none."""
    kind = _kinds.get((endpoint, status))
    if kind is None:
        kind = _kinds[endpoint, status] = _requests.labels(endpoint, str(status))
    kind.observe(seconds)


def exposition(database: Database, *, now: datetime) -> bytes:
    """All there is, in Prometheus' text format."""
    registry = CollectorRegistry()
    if VARIABLE in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(_own)
    registry.register(_Figures(database, now))
    return generate_latest(registry)


class _Figures(Collector):
    """What the database says. Where it does not answer, just that."""

    def __init__(self, database: Database, now: datetime) -> None:
        self._database, self._now = database, now

    def collect(self) -> Iterator[Metric]:
        for figure in figures.read(self._database, now=self._now):
            label = [figure.label] if figure.label else None
            metric = GaugeMetricFamily(PREFIX + figure.name, figure.about, labels=label)
            for value, number in figure.numbers.items():
                metric.add_metric([value] if value else [], number)
            yield metric
