"""How old the API keys are that are in force: one that nobody renews is one that nobody watches."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.identity import KeyIssued, KeyRevoked


class KeyAges:
    """When each key was issued and until when it holds, for the metrics."""

    def __init__(self, live: LiveLog) -> None:
        self._now = live.clock.now
        self._keys: dict[str, tuple[datetime, datetime]] = {}
        live.subscribe((KeyIssued, KeyRevoked), self._take_in)

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
        return [(now - issued).total_seconds() for issued, expires in self._keys.values() if now < expires]

    def _take_in(self, recorded: Recorded) -> None:
        match recorded.data:
            case KeyIssued() as event:
                self._keys[event.key_id] = recorded.recorded_at, event.expires_at
            case KeyRevoked() as event:
                self._keys.pop(event.key_id, None)
            case _:
                pass
