"""What `/metrics` tells of a service: its requests and how long they took, the log, and what is kept in memory."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, GCCollector, Histogram, ProcessCollector

from shared.aggregate.repository import CacheFigures
from shared.eventlog.live import LiveLog

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def new_registry() -> CollectorRegistry:
    """A registry for one app, with the process's own figures already in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def measure(live: LiveLog, registry: CollectorRegistry) -> None:
    """Show what a service holds of the log, and how it writes to it."""
    live.measure(registry)
    registry.register(CacheFigures(live))


class HttpMetrics:
    """Counts requests by method, route template and status; times them by method and route, in seconds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "http_request_duration_seconds",
            "Time from the request's head to the answer's end.",
            ("method", "route"),
            buckets=BUCKETS,
            registry=registry,
        )
        # Finding a labelled child costs more than using it; routes and statuses are few.
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Takes note of one answered request."""
        key = (method, route, status)
        children = self._children.get(key)
        if children is None:
            named = method if method in METHODS else "other"
            children = (self._requests.labels(named, route, status), self._seconds.labels(named, route))
            if method in METHODS:
                self._children[key] = children
        children[0].inc()
        children[1].observe(seconds)
