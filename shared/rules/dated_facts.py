"""From events to what held when: the dated facts of one commitment, as far as they are known.

Feeding the events of a stream up to a position gives what was known at that position; asking for a day then gives what
held on that day. Two facts of the same kind on the same day: the one recorded later speaks. What was said at
registration holds until a dated fact replaces it, even one dated earlier, because it was recorded knowing better.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from shared.events.commitments import (
    Assessed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    LeadReassigned,
    Merged,
    Registered,
    Reopened,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, Judgement
from shared.rules.traffic_light import Closure, Standing

T = TypeVar("T")

_LAST = 2**63


class Span(NamedTuple):
    """The days `valid_from` ≤ day < `valid_to` on which one standing held; None means without end."""

    valid_from: date
    valid_to: date | None
    standing: Standing


class History(Generic[T]):
    """The dated values of one attribute, in the order in which they took effect, over an initial value."""

    __slots__ = ("_entries", "initial")

    def __init__(self, value: T, position: int) -> None:
        self.initial: tuple[T, int] = (value, position)
        self._entries: list[tuple[date, int, T]] = []

    def add(self, day: date, position: int, value: T) -> None:
        """A new value from `day` on, learned at `position`."""
        entries = self._entries
        if not entries or entries[-1][:2] < (day, position):
            entries.append((day, position, value))
        else:
            insort(entries, (day, position, value), key=lambda entry: entry[:2])

    def on(self, day: date) -> tuple[T, int]:
        """The value that held on `day`, and the position of the event that said so."""
        entries = self._entries
        if not entries or entries[0][0] > day:
            return self.initial
        if entries[-1][0] <= day:
            found = entries[-1]
        else:
            found = entries[bisect_right(entries, (day, _LAST), key=lambda entry: entry[:2]) - 1]
        return found[2], found[1]

    def days(self) -> list[date]:
        """The days on which a value took effect."""
        return [entry[0] for entry in self._entries]

    def days_after(self, day: date) -> list[date]:
        """The days after `day` on which a value took effect."""
        entries = self._entries
        if not entries or entries[-1][0] <= day:
            return []
        return [
            entry[0] for entry in entries[bisect_right(entries, (day, _LAST), key=lambda entry: entry[:2]) :]
        ]


class DatedFacts:
    """Everything the status rule needs to know of one commitment, with the day and the position of each fact."""

    __slots__ = (
        "_last_day",
        "closures",
        "internal_deadlines",
        "judgements",
        "leads",
        "public_deadlines",
        "registered_at",
        "registered_on",
    )

    def __init__(self, event: Registered, position: int) -> None:
        self.registered_at = position
        self.registered_on = event.effective_on
        self._last_day = date.min
        self.leads: History[str] = History(event.lead_organization, position)
        public = event.public_deadline.on if event.public_deadline else None
        internal = event.internal_deadline.on if event.internal_deadline else None
        self.public_deadlines: History[date | None] = History(public, position)
        self.internal_deadlines: History[date | None] = History(internal, position)
        self.judgements: History[Judgement | None] = History(None, position)
        self.closures: History[Closure | None] = History(None, position)

    def apply(self, event: Event, position: int) -> date | None:
        """Take in one more event; returns the first day whose standing may have changed, or None if none has."""
        day = self._take_in(event, position)
        if day is not None and day > self._last_day:
            self._last_day = day
        return day

    def _take_in(self, event: Event, position: int) -> date | None:
        match event:
            case Assessed():
                self.judgements.add(event.effective_on, position, event.judgement)
                return event.effective_on
            case DeadlineRevised():
                self._deadlines(event.deadline).add(event.effective_on, position, event.on)
                return event.effective_on
            case LeadReassigned():
                self.leads.add(event.effective_on, position, event.lead_organization)
                return event.effective_on
            case Completed():
                self.closures.add(event.completed_on, position, Closure.ACHIEVED)
                return event.completed_on
            case Discarded():
                self.closures.add(event.effective_on, position, Closure.DISCARDED)
                return event.effective_on
            case Merged():
                self.closures.add(event.effective_on, position, Closure.MERGED)
                return event.effective_on
            case Reopened():
                self.closures.add(event.effective_on, position, None)
                return event.effective_on
            case Corrected():
                return self._correct(event, position)
            case _:
                return None

    def standing_on(self, day: date) -> Standing | None:
        """What held on a day; None before the commitment existed."""
        if day < self.registered_on:
            return None
        lead, lead_at = self.leads.on(day)
        closure, closure_at = self.closures.on(day)
        judgement, judgement_at = self.judgements.on(day)
        public, public_at = self.public_deadlines.on(day)
        internal, internal_at = self.internal_deadlines.on(day)
        # By place and not by name: a rebuild of the read model passes here millions of times.
        return Standing(
            self.registered_at,
            lead,
            lead_at,
            closure,
            None if closure is None else closure_at,
            judgement,
            None if judgement is None else judgement_at,
            public,
            None if public is None else public_at,
            internal,
            None if internal is None else internal_at,
        )

    def spans(self, since: date | None = None) -> list[Span]:
        """The standings in order of days, without gaps; with `since`, only those that last beyond that day's eve.

        The first span of a `since` answer begins on the later of `since` and the first day, cut there if need be.
        """
        start = self.registered_on if since is None else max(since, self.registered_on)
        if start >= self._last_day:
            only = self.standing_on(start)
            assert only is not None
            return [Span(start, None, only)]
        days = {start}
        for history in (
            self.leads,
            self.closures,
            self.judgements,
            self.public_deadlines,
            self.internal_deadlines,
        ):
            days.update(history.days_after(start))
        found: list[Span] = []
        ordered = sorted(days)
        for index, day in enumerate(ordered):
            standing = self.standing_on(day)
            assert standing is not None
            end = ordered[index + 1] if index + 1 < len(ordered) else None
            if found and found[-1].standing == standing:
                found[-1] = Span(found[-1].valid_from, end, standing)
            else:
                found.append(Span(day, end, standing))
        return found

    def _deadlines(self, kind: DeadlineKind) -> History[date | None]:
        return self.public_deadlines if kind is DeadlineKind.PUBLIC else self.internal_deadlines

    def _correct(self, event: Corrected, position: int) -> date | None:
        """A correction holds from the first day, because the registration was wrong from the first day."""
        before = self.registered_on
        match event.field:
            case "lead_organization":
                self.leads.initial = (str(event.value), position)
            case "public_deadline":
                self.public_deadlines.initial = (_day_in(event.value), position)
            case "internal_deadline":
                self.internal_deadlines.initial = (_day_in(event.value), position)
            case "effective_on":
                self.registered_on = date.fromisoformat(event.value)
            case _:
                return None
        return min(before, self.registered_on)


def _day_in(value: Any) -> date | None:
    """The day inside a corrected deadline, which has the shape of the field in `commitments.registered`."""
    return None if value is None else date.fromisoformat(value["on"])
