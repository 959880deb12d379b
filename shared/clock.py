"""Where time comes from: instants in UTC, and the civil day of the government's own time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


class Clock:
    """The present instant and the present civil day; tests hand in their own source of instants."""

    def __init__(self, timezone: str = "America/Santiago", now: Callable[[], datetime] = utc_now) -> None:
        self.zone = ZoneInfo(timezone)
        self._now = now

    def now(self) -> datetime:
        """The present instant in UTC."""
        return self._now()

    def today(self) -> date:
        """The civil day it is now where the government sits."""
        return self._now().astimezone(self.zone).date()

    def stopped_at(self, instant: datetime) -> Clock:
        """A clock of the same place on which it is always that instant."""
        return Clock(self.zone.key, lambda: instant)

    def day_of(self, instant: datetime) -> date:
        """The civil day on which an instant falls where the government sits."""
        try:
            return instant.astimezone(self.zone).date()
        except OverflowError:
            # In the first and the last hours that there are, another zone may be beyond them.
            return instant.date()
