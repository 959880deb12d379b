"""What the protocol of a body asked for on which days, and on which days its meetings were due.

Of so many meetings expected in a period, the n-th is due on the day by which that part of the period's days has passed:
the only one on the last day, the first of two by the middle. So every expected meeting falls on one day, the counts of
neighbouring stretches of days add up, and a protocol that changes counts on the days on which it is in force.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from shared.events.meeting_vocabulary import ProtocolPeriod

_MONTHS = {ProtocolPeriod.MONTH: 1, ProtocolPeriod.QUARTER: 3, ProtocolPeriod.YEAR: 12}


class Terms(NamedTuple):
    """What is asked of a body; what is None is not asked of it."""

    expected_meetings: int | None = None
    expected_period: ProtocolPeriod | None = None
    days_to_minutes: int | None = None
    agenda_size: int | None = None


class Protocols(NamedTuple):
    """The terms of one body in the order of the days from which they were in force.

    Those of the day on which it was registered hold for earlier days too: meetings held before may be entered.
    """

    terms: list[tuple[date, Terms]]

    def on(self, day: date) -> Terms:
        """The terms in force on a day."""
        day = max(day, self.terms[0][0])
        return next(terms for since, terms in reversed(self.terms) if since <= day)

    def due_days(self, first: date, last: date) -> list[date]:
        """The days from `first` to `last`, both included, on which a meeting was due, once for each meeting."""
        found: list[date] = []
        changes = sorted({since for since, _ in self.terms if first < since <= last})
        starts = [first, *changes]
        ends = [*(change - timedelta(days=1) for change in changes), last]
        for start, end in zip(starts, ends, strict=True):
            if start <= end:
                terms = self.on(start)
                if terms.expected_meetings and terms.expected_period:
                    found += _due(terms.expected_meetings, terms.expected_period, start, end)
        return found


def _due(count: int, period: ProtocolPeriod, first: date, last: date) -> Iterator[date]:
    for begins, length in _periods(period, first, last):
        for number in range(1, count + 1):
            day = begins - 1 + -(-number * length // count)
            if first.toordinal() <= day <= last.toordinal():
                yield date.fromordinal(day)


def _periods(period: ProtocolPeriod, first: date, last: date) -> Iterator[tuple[int, int]]:
    """The periods that overlap the days, each by the number of its first day and how many days it has."""
    if period is ProtocolPeriod.WEEK:
        monday = first.toordinal() - first.weekday()
        yield from ((begins, 7) for begins in range(monday, last.toordinal() + 1, 7))
        return
    months = _MONTHS[period]
    number = (first.year * 12 + first.month - 1) // months
    while number * months <= last.year * 12 + last.month - 1:
        begins, ends = whole_months(number * months, months)
        yield begins.toordinal(), (ends - begins).days + 1
        number += 1


def whole_months(number: int, months: int) -> tuple[date, date]:
    """The first and the last day of so many months from a month on, which is counted from January of year 0."""
    year, month = divmod(number, 12)
    last_year, last_month = divmod(number + months - 1, 12)
    last_day = monthrange(last_year, last_month + 1)[1]
    return date(year, month + 1, 1), date(last_year, last_month + 1, last_day)
