"""How old the API keys are that are in force: one that nobody renews is one that nobody watches."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from services.commitments.key.model import ApiKey
from shared.aggregate.index import Index
from shared.eventlog.live import LiveLog


class KeyAges:
    """When each key was issued and until when it holds, for the metrics."""

    def __init__(self, live: LiveLog) -> None:
        self._now = live.clock.now
        self._keys: Index[ApiKey] = Index(live, ApiKey, key=lambda key: key.issued.key_id)

    def measure(self, registry: CollectorRegistry) -> None:
        """Show how many are in force, and how old the oldest of them is."""
        for name, what, value in (
            ("api_keys", "API keys in force.", lambda: len(self._ages())),
            (
                "api_key_oldest_age_seconds",
                "Age of the oldest API key in force.",
                lambda: max(self._ages(), default=0.0),
            ),
        ):
            Gauge(name, what, registry=registry).set_function(value)

    def _ages(self) -> list[float]:
        now = self._now()
        return [
            (now - key.began_at).total_seconds()
            for key in self._keys.all()
            if key.approved and key.revocation is None and now < key.issued.expires_at
        ]
