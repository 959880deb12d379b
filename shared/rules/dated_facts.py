"""From events to what held when: the dated facts of one thing, as far as they are known.

Feeding the events of a stream up to a position gives what was known at that position; asking for a day then gives what
held on that day. Two facts of the same kind on the same day: the one recorded later counts. What was registered holds
until a dated fact replaces it, even one dated earlier, because it was recorded knowing better.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from shared.errors import RuleBroken
from shared.events.commitments import (
    Assessed,
    Changed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    LeadReassigned,
    Merged,
    Registered,
    Reopened,
    Split,
)
from shared.events.facts import Event
from shared.events.vocabulary import DeadlineKind, Judgement, Visibility
from shared.rules.traffic_light import Closure, CommitmentOnDay
from shared.rules.visibility import narrower

T = TypeVar("T")

FIELD_TYPES: Final[dict[str, Any]] = {field.name: field.type for field in msgspec.structs.fields(Registered)}
RESTATED: Final = frozenset(FIELD_TYPES) - {"code", "visibility"}
"""The fields of which a correction gives another value."""

CORRECTABLE: Final = RESTATED - {"split_from"}
"""A code is what everything else refers to; the visibility is changed by a publication, and a split is retracted."""

RESTATING: Final = (Corrected, Changed)
"""The events that give a field of the registration another value: from the first day on, or from a day of their own."""

_LAST = 2**63


class Span(NamedTuple, Generic[T]):
    """From the day `valid_from` on it is so, until the first day of the next span, or without end."""

    valid_from: date
    facts: T


class History(Generic[T]):
    """The dated values of one attribute, in the order in which they took effect, over an initial value."""

    __slots__ = ("_entries", "_last", "_last_day", "initial")

    def __init__(self, value: T, position: int) -> None:
        self.initial: tuple[T, int] = (value, position)
        self._entries: list[tuple[date, int, T]] = []
        # What is asked for most, and at hand therefore: what holds in the end, and from which day on it does.
        self._last, self._last_day = self.initial, date.min

    def begin_with(self, value: T, position: int) -> None:
        """Another initial value."""
        self.initial = (value, position)
        if not self._entries:
            self._last = self.initial

    def add(self, day: date, position: int, value: T) -> date:
        """A new value from `day` on, learned at `position`; returns the day."""
        entries = self._entries
        if not entries or entries[-1][:2] < (day, position):
            entries.append((day, position, value))
        else:
            insort(entries, (day, position, value), key=lambda entry: entry[:2])
        self._last_day, last_position, last = entries[-1]
        self._last = last, last_position
        return day

    def on(self, day: date) -> tuple[T, int]:
        """The value that held on `day`, and the position of the event that said so."""
        if day >= self._last_day:
            return self._last
        entries = self._entries
        if entries[0][0] > day:
            return self.initial
        found = entries[bisect_right(entries, (day, _LAST), key=lambda entry: entry[:2]) - 1]
        return found[2], found[1]

    def until(self, day: date) -> list[T]:
        """The values that took effect up to `day`, the first first."""
        return [value for valid_from, _position, value in self._entries if valid_from <= day]

    def values(self, day: date) -> list[T]:
        """The initial value, and those that took effect up to `day`."""
        return [self.initial[0], *self.until(day)]

    def entries(self) -> Sequence[tuple[date, int, T]]:
        """The day on which each value took effect, the position of the event that said so, and the value."""
        return self._entries

    def days(self) -> list[date]:
        """The days on which a value took effect."""
        return [entry[0] for entry in self._entries]

    def days_after(self, day: date) -> list[date]:
        """The days after `day` on which a value took effect."""
        if day >= self._last_day:
            return []
        entries = self._entries
        return [
            entry[0] for entry in entries[bisect_right(entries, (day, _LAST), key=lambda entry: entry[:2]) :]
        ]


class Publication(Protocol):
    """What changes who may read a thing, on all its days or from one on."""

    @property
    def visibility(self) -> Visibility:
        """Who may read it."""

    @property
    def effective_on(self) -> date | None:
        """Since when; None: on all days."""


class VisibilityByDay:
    """Who may read a thing, by day: what names no day holds on every day.

    A board of a past day shows no more than what may be read now: of the two, the narrower.
    """

    __slots__ = ("_history", "dated", "now")

    def __init__(self, visibility: Visibility, position: int) -> None:
        self._history: History[Visibility] = History(visibility, position)
        self.now = visibility
        """Who may read it."""
        self.dated = False
        """Whether it is not the same on all days."""

    def before(self, event: Publication) -> Visibility:
        """Who might read it without a publication; RuleBroken where that would change nothing."""
        previous = self.on(event.effective_on or date.max)
        if event.visibility is previous and (event.effective_on is not None or not self.dated):
            raise RuleBroken("visibility-unchanged", f"It is {event.visibility} already.")
        return previous

    def take_in(self, event: Publication, position: int) -> None:
        """Take in one more publication."""
        self.dated = event.effective_on is not None
        if event.effective_on is None:
            self._history = History(event.visibility, position)
        else:
            self._history.add(event.effective_on, position, event.visibility)
        self.now = self.on(date.max)

    def on(self, day: date) -> Visibility:
        """Who might read it on a day."""
        return self._history.on(day)[0]

    def said_on(self, day: date) -> set[int]:
        """The positions of the events from which it follows who may read what is told of a day."""
        return {self._history.on(day)[1], self._history.on(date.max)[1]}

    def said_for(self, day: date) -> int:
        """The position of the event that says who might read it on a day."""
        return self._history.on(day)[1]

    def shown_on(self, day: date) -> Visibility:
        """Who may read what is told of it for a day."""
        then, now = self.on(day), self.now
        return then if narrower(then, now) else now

    def days(self) -> list[date]:
        """The days from which it is another."""
        return self._history.days()


class FactsByDay(Generic[T]):
    """What held of one thing on any day from its first one on, put together from the histories of its attributes."""

    __slots__ = ("_last_day", "first_day")

    def __init__(self, first_day: date) -> None:
        self.first_day = first_day
        self._last_day = date.min

    def histories(self) -> tuple[History[Any], ...]:
        """The histories of all attributes."""
        raise NotImplementedError

    def facts_on(self, day: date) -> T:
        """What held on a day that is not before the first."""
        raise NotImplementedError

    def take_in(self, event: Event, position: int) -> date | None:
        """Take in one more event; returns the first day of which something else may hold now, or None if none."""
        raise NotImplementedError

    def apply(self, event: Event, position: int) -> date | None:
        """See `take_in`; to be called by whoever feeds events."""
        day = self.take_in(event, position)
        if day is not None and day > self._last_day:
            self._last_day = day
        return day

    def on_day(self, day: date) -> T | None:
        """What held on a day; None before there was such a thing."""
        return None if day < self.first_day else self.facts_on(day)

    def spans(self, since: date | None = None) -> list[Span[T]]:
        """What held in order of days, without gaps; with `since`, only what lasts beyond that day's eve.

        The first span of a `since` answer begins on the later of `since` and the first day, cut there if need be.
        """
        start = self.first_day if since is None or since < self.first_day else since
        if start >= self._last_day:
            return [Span(start, self.facts_on(start))]
        days = {start}
        for history in self.histories():
            days.update(history.days_after(start))
        found: list[Span[T]] = []
        for day in sorted(days):
            facts = self.facts_on(day)
            if not found or found[-1].facts != facts:
                found.append(Span(day, facts))
        return found


class DatedFacts(FactsByDay[CommitmentOnDay]):
    """What is known of one commitment by day, with the position of each fact; what is only on record is not here."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (
            Assessed,
            DeadlineRevised,
            LeadReassigned,
            Completed,
            Discarded,
            Merged,
            Split,
            Reopened,
            Corrected,
            Changed,
        )
    )
    """The events that `apply` takes something from."""

    __slots__ = (
        "changes",
        "closures",
        "internal_deadlines",
        "judgements",
        "leads",
        "public_deadlines",
        "registered_at",
        "registration",
        "stage_at",
    )

    def __init__(self, event: Registered, position: int) -> None:
        super().__init__(event.effective_on)
        self.registered_at = position
        self.registration = event
        """What was recorded on the first day, as corrected since."""
        self.stage_at = position
        """The position of what said last which stage that was."""
        self.changes: History[tuple[str, Any] | None] = History(None, position)
        self.leads: History[str] = History(event.lead_organization, position)
        public = event.public_deadline.on if event.public_deadline else None
        internal = event.internal_deadline.on if event.internal_deadline else None
        self.public_deadlines: History[date | None] = History(public, position)
        self.internal_deadlines: History[date | None] = History(internal, position)
        self.judgements: History[Judgement | None] = History(None, position)
        self.closures: History[Closure | None] = History(None, position)

    def histories(self) -> tuple[History[Any], ...]:
        """See `FactsByDay.histories`."""
        return (
            self.leads,
            self.closures,
            self.judgements,
            self.public_deadlines,
            self.internal_deadlines,
            self.changes,
        )

    def registration_on(self, day: date) -> Registered:
        """The registration as it reads on a day: as corrected, with what had changed in the world by then."""
        registered = self.registration
        for change in self.changes.until(day):
            if change is not None:
                registered = with_field(registered, *change)
        return registered

    def change_of(self, field: str, day: date) -> tuple[date, int]:
        """On which day up to one, and by the event at which position, a field last became another."""
        return max(
            (
                (since, position)
                for since, position, change in self.changes.entries()
                if since <= day and change is not None and change[0] == field
            ),
            default=(date.min, 0),
        )

    def organizations_on(self, day: date) -> tuple[str, ...]:
        """The organisations it is their own for: the lead, the responsible service and those that collaborate."""
        reads = self.registration_on(day)
        service = () if reads.responsible_service is None else (reads.responsible_service,)
        return (self.leads.on(day)[0], *service, *reads.collaborating_organizations)

    def take_in(self, event: Event, position: int) -> date | None:
        """See `FactsByDay.take_in`."""
        match event:
            case Assessed():
                return self.judgements.add(event.effective_on, position, event.judgement)
            case DeadlineRevised():
                return self._deadlines(event.deadline).add(event.effective_on, position, event.on)
            case LeadReassigned():
                return self.leads.add(event.effective_on, position, event.lead_organization)
            case Completed():
                return self.closures.add(event.completed_on, position, Closure.ACHIEVED)
            case Discarded():
                return self.closures.add(event.effective_on, position, Closure.DISCARDED)
            case Merged():
                return self.closures.add(event.effective_on, position, Closure.MERGED)
            case Split():
                return self.closures.add(event.effective_on, position, Closure.SPLIT)
            case Reopened():
                return self.closures.add(event.effective_on, position, None)
            case Corrected():
                return self._correct(event, position)
            case Changed():
                return self.changes.add(event.effective_on, position, (event.field, event.value))
            case _:
                return None

    def facts_on(self, day: date) -> CommitmentOnDay:
        """See `FactsByDay.facts_on`."""
        lead, lead_at = self.leads.on(day)
        closure, closure_at = self.closures.on(day)
        judgement, judgement_at = self.judgements.on(day)
        public, public_at = self.public_deadlines.on(day)
        internal, internal_at = self.internal_deadlines.on(day)
        # By place and not by name: a rebuild of the read model passes here millions of times.
        return CommitmentOnDay(
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
            self.registration_on(day),
        )

    def _deadlines(self, kind: DeadlineKind) -> History[date | None]:
        return self.public_deadlines if kind is DeadlineKind.PUBLIC else self.internal_deadlines

    def _correct(self, event: Corrected, position: int) -> date | None:
        """A correction holds from the first day, because the registration was wrong from the first day."""
        before = self.first_day
        if event.field not in RESTATED:
            return None
        self.registration = with_field(self.registration, event.field, event.value)
        match event.field:
            case "lead_organization":
                self.leads.begin_with(str(event.value), position)
            case "public_deadline":
                self.public_deadlines.begin_with(_day_in(event.value), position)
            case "internal_deadline":
                self.internal_deadlines.begin_with(_day_in(event.value), position)
            case "stage":
                self.stage_at = position
            case "effective_on":
                self.first_day = date.fromisoformat(event.value)
        return min(before, self.first_day)


def with_field(registered: Registered, field: str, value: Any) -> Registered:
    """A registration with one field replaced by a JSON value; msgspec.ValidationError for one that does not fit."""
    return msgspec.structs.replace(registered, **{field: msgspec.convert(value, FIELD_TYPES[field])})


def _day_in(value: Any) -> date | None:
    """The day inside a corrected deadline, which has the shape of the field in `commitments.registered`."""
    return None if value is None else date.fromisoformat(value["on"])
