"""When a report is due, and what became of each day on which it was.

It is due on days of every year (of a month that is too short, on its last day), or some days after the end of every
third, fourth or sixth month, while it is in force on the due day:

    published    an edition was published on the due day or before
    late         one was published after it
    missing      none was published, and the due day has passed
    due          none was published, and it has not
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple


class Publication(StrEnum):
    """What became of a due day."""

    PUBLISHED = "published"
    LATE = "late"
    MISSING = "missing"
    DUE = "due"


class Schedule(NamedTuple):
    """On which days a report is due."""

    days: Sequence[str]
    """Months and days, as in `05-21`."""
    every_months: int | None = None
    days_after: int = 0
    in_force_from: date | None = None
    ended_on: date | None = None

    def between(self, first: date, last: date) -> Iterator[date]:
        """The due days between two days, in order."""
        first = max(first, self.in_force_from or date.min)
        last = min(last, self.ended_on or date.max)
        # A period of the year before may be due in this one, and two at most.
        for year in range(max(first.year - 2, date.min.year), last.year + 1):
            for day in sorted({*self._in(year)}):
                if first <= day <= last:
                    yield day

    def nearest(self, day: date) -> date | None:
        """The due day nearest to a day, the earlier of two; None where there is none within a year of it."""
        year = timedelta(days=366)
        first = date.min if day - date.min < year else day - year
        last = date.max if date.max - day < year else day + year
        return min(self.between(first, last), key=lambda one: (abs(one - day), one), default=None)

    def _in(self, year: int) -> Iterator[date]:
        for text in self.days:
            month, day = map(int, text.split("-"))
            yield date(year, month, min(day, monthrange(year, month)[1]))
        if self.every_months is not None:
            for month in range(self.every_months, 13, self.every_months):
                end = date(year, month, monthrange(year, month)[1])
                yield end + timedelta(days=min(self.days_after, (date.max - end).days))


def publication(published_on: date | None, due_on: date, on: date) -> Publication:
    """What became of a due day by a day."""
    if published_on is not None:
        return Publication.PUBLISHED if published_on <= due_on else Publication.LATE
    return Publication.MISSING if on > due_on else Publication.DUE
