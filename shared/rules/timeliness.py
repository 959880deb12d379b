"""Which reports a cycle expects, and when each is due; what came is held against that.

A period is expected once it has ended, while the cycle is in force on its last day. Its report is due so many days
after that day; the first report that was not sent back counts, by the day on which it was received, and one of no
change as well:

    on_time    received on the due day or before
    late       received after it
    missing    not received, and the due day has passed
    awaited    not received, and it has not
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.events.cycles import CycleFrequency
from shared.rules.periods import Period, stored_period

RULE: Final = "timeliness_1"

_PARTS: Final[dict[CycleFrequency, tuple[str, int]]] = {
    CycleFrequency.MONTHLY: ("-{:02}", 12),
    CycleFrequency.QUARTERLY: ("-Q{}", 4),
    CycleFrequency.FOUR_MONTHLY: ("-C{}", 3),
    CycleFrequency.HALF_YEARLY: ("-H{}", 2),
}


class Timeliness(StrEnum):
    """What became of an expected report."""

    ON_TIME = "on_time"
    LATE = "late"
    MISSING = "missing"
    AWAITED = "awaited"


class Cycle(NamedTuple):
    """How often is reported, until when, and on which days."""

    frequency: CycleFrequency
    days_to_report: int
    in_force_from: date | None = None
    ended_on: date | None = None

    def due_on(self, period: Period) -> date:
        """The last day on which the report of a period is on time."""
        return period.ends_on + timedelta(days=min(self.days_to_report, (date.max - period.ends_on).days))

    def expected(self, first: date, last: date) -> Iterator[Period]:
        """The periods that end between two days and are reported, in order."""
        first = max(first, self.in_force_from or date.min)
        last = min(last, self.ended_on or date.max)
        name, many = _PARTS[self.frequency]
        # Periods have years of four digits that begin with 1 or 2.
        for year in range(max(first.year, 1000), min(last.year, 2999) + 1):
            for part in range(1, many + 1):
                period = stored_period(f"{year}{name.format(part)}")
                if first <= period.ends_on <= last:
                    yield period


def timeliness(received_on: date | None, due_on: date, on: date) -> Timeliness:
    """What became of an expected report by a day."""
    if received_on is not None:
        return Timeliness.ON_TIME if received_on <= due_on else Timeliness.LATE
    return Timeliness.MISSING if on > due_on else Timeliness.AWAITED
