"""What the protocol of a body asks for on which days: the rule `expected_meetings_2`.

Of so many meetings expected in a month, a quarter or a year, the n-th is due on the day by which that part of the
period's days has passed: the only one on the last day, the first of two by the middle. So every expected meeting falls
on one day, the counts of neighbouring stretches of days add up, and a protocol that changes counts on the days on which
it is in force.

A week is never cut in two. It is asked for by the terms in force on its Monday, and it belongs, with all that is
expected and held in it, to the month of its Thursday (ISO 8601): so a body that met every Monday is never short. By
`expected_meetings_1`, the rule before it, a meeting expected in a week counted on the day it was due, and one held on
its own.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Final, Generic, NamedTuple, TypeVar

from shared.events.meeting_vocabulary import ProtocolPeriod

T = TypeVar("T")

CURRENT_EXPECTATION_RULE: Final = "expected_meetings_2"

_MONTHS = {ProtocolPeriod.MONTH: 1, ProtocolPeriod.QUARTER: 3, ProtocolPeriod.YEAR: 12}
_LAST_DAY: Final = date.max.toordinal()


class Told(NamedTuple, Generic[T]):
    """What a body was described by, the day from which that is said to hold, if any, and the day it was told."""

    named_on: date | None
    recorded_on: date
    terms: T


class InForce(Generic[T]):
    """What a body goes by, and from which days on.

    Told anew from a day on, it replaces what had been told for that day and later ones; what was before stays. What
    names no day holds from that on which it was told, and the first of it for earlier days too, because meetings held
    before may be entered. Before the first day that was named, nothing is asked.
    """

    __slots__ = ("first_is_named", "terms")

    def __init__(self, told: Iterable[Told[T]]) -> None:
        self.terms: list[tuple[date, T]] = []
        """In the order of the days from which they hold."""
        self.first_is_named = False
        for named_on, recorded_on, terms in told:
            day = named_on or recorded_on
            while self.terms and self.terms[-1][0] >= day:
                self.terms.pop()
            if not self.terms:
                self.first_is_named = named_on is not None
            self.terms.append((day, terms))

    @property
    def since(self) -> date:
        """The day from which the first of it holds."""
        return self.terms[0][0]

    def on(self, day: date) -> T | None:
        """What holds on a day; None where nothing is asked yet."""
        if day < self.since:
            return None if self.first_is_named else self.terms[0][1]
        return next(terms for since, terms in reversed(self.terms) if since <= day)


class Terms(NamedTuple):
    """What is asked of a body; what is None is not asked of it."""

    expected_meetings: int | None = None
    expected_period: ProtocolPeriod | None = None
    days_to_minutes: int | None = None
    agenda_size: int | None = None


class Expected(NamedTuple):
    """A meeting that is expected: the day on which it counts, and the one by which it is due."""

    counts_on: date
    due_on: date


def counts_on(protocols: InForce[Terms], day: date) -> date:
    """The day on which a meeting of a day counts against what is expected: the Thursday where weeks are asked for."""
    monday = date.fromordinal(_monday(day.toordinal()))
    terms = protocols.on(monday)
    weekly = terms is not None and terms.expected_period is ProtocolPeriod.WEEK
    return monday + timedelta(days=3) if weekly else day


def expected_between(
    protocols: InForce[Terms], first: date, last: date, *, met_on: date = date.max
) -> list[Expected]:
    """The meetings expected on the days from `first` to `last`, both included, in the order in which they count.

    A body whose first protocol names no day is expected to meet from the day it was told of, or met first (`met_on`).
    """
    since = protocols.since if protocols.first_is_named else min(protocols.since, met_on)
    # Thursdays count that have their Monday up to three days before the first.
    begin, end = max(since.toordinal(), first.toordinal() - 3), last.toordinal()
    days = [begin, *(day for one, _ in protocols.terms if begin < (day := one.toordinal()) <= end)]
    found: list[Expected] = []
    for start, stop in zip(days, [*(day - 1 for day in days[1:]), end], strict=True):
        terms = protocols.on(date.fromordinal(start)) if start <= stop else None
        if terms is None or not terms.expected_meetings or terms.expected_period is None:
            continue
        if terms.expected_period is ProtocolPeriod.WEEK:
            found += _weekly(terms.expected_meetings, start, stop, first.toordinal(), end)
        else:
            start = max(start, first.toordinal())
            found += _due(terms.expected_meetings, _MONTHS[terms.expected_period], start, stop)
    # A week may count beyond the day on which another protocol came into force.
    return sorted(found)


def _weekly(count: int, start: int, stop: int, first: int, last: int) -> Iterator[Expected]:
    """What is expected in the weeks that have their Monday from `start` to `stop` and count from `first` to `last`."""
    for monday in range(_monday(start + 6), stop + 1, 7):
        if first <= (thursday := monday + 3) <= last:
            for number in range(1, count + 1):
                due = min(monday - 1 + -(-number * 7 // count), _LAST_DAY)
                yield Expected(date.fromordinal(thursday), date.fromordinal(due))


def _monday(day: int) -> int:
    """The Monday of a week by one of its days, as numbers."""
    return day - (day - 1) % 7


def _due(count: int, months: int, start: int, stop: int) -> Iterator[Expected]:
    if start > stop:
        return
    first, last = date.fromordinal(start), date.fromordinal(stop)
    number = (first.year * 12 + first.month - 1) // months
    while number * months <= last.year * 12 + last.month - 1:
        begins, ends = whole_months(number * months, months)
        length = (ends - begins).days + 1
        for place in range(1, count + 1):
            day = begins.toordinal() - 1 + -(-place * length // count)
            if start <= day <= stop:
                yield Expected(date.fromordinal(day), date.fromordinal(day))
        number += 1


def whole_months(number: int, months: int) -> tuple[date, date]:
    """The first and the last day of so many months from a month on, which is counted from January of year 0."""
    year, month = divmod(number, 12)
    last_year, last_month = divmod(number + months - 1, 12)
    last_day = monthrange(last_year, last_month + 1)[1]
    return date(year, month + 1, 1), date(last_year, last_month + 1, last_day)
