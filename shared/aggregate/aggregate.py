"""What every aggregate is: the fold of the events of one stream.

A decision guards and returns an event; the method that *evolves* the state by that event only assigns, so that a replay
of history never judges it again. An aggregate knows no clock and does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar
from uuid import UUID

from shared.aggregate.redaction import EVERYBODY, Readers
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.identity.actor import Actor

E_co = TypeVar("E_co", covariant=True)
H = TypeVar("H", bound=Callable[..., None])

DayOf = Callable[[datetime], date]
"""The civil day of a moment."""


class Entry(NamedTuple, Generic[E_co]):
    """An event as an aggregate keeps it: what happened, who recorded it, where in the log, and when."""

    event: E_co
    recorded_by: Actor
    position: int
    recorded_at: datetime

    def day(self, day_of: DayOf) -> date:
        """The day from which it holds: the one it names, or, where it names none, the day it was recorded."""
        named: date | None = getattr(self.event, "effective_on", None)
        return named or day_of(self.recorded_at)

    def order(self, day_of: DayOf) -> tuple[date, int]:
        """Of two entries the one of the later day counts; of two of one day, the one recorded later."""
        return self.day(day_of), self.position


def entry_of(recorded: Recorded) -> Entry[Any]:
    """A recorded event as aggregates keep it."""
    return Entry(recorded.data, _shared(recorded.recorded_by), recorded.position, recorded.recorded_at)


@lru_cache(maxsize=4096)
def _shared(actor: Actor) -> Actor:
    """One object for equal actors: a few people record most of what tens of thousands of aggregates remember."""
    return actor


def evolves(*types: type[Event]) -> Callable[[H], H]:
    """Marks the method that assigns what an event of these types changes."""

    def mark(method: H) -> H:
        method.__dict__["evolves"] = types
        return method

    return mark


class Aggregate:
    """Something folded from the events of one stream, which begins with an event of the types `BEGINS_WITH`."""

    __slots__ = ("began_at", "began_position", "id", "position", "recorded_at", "version")

    BEGINS_WITH: ClassVar[tuple[type[Event], ...]]
    _evolvers: ClassVar[dict[type[Event], Callable[[Any, Entry[Any]], None]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        evolvers = dict(cls._evolvers)
        for member in vars(cls).values():
            for event_type in getattr(member, "evolves", ()):
                evolvers[event_type] = member
        cls._evolvers = evolvers

    def __init__(self, recorded: Recorded) -> None:
        self.id: UUID = recorded.stream_id
        self.began_at = recorded.recorded_at
        self.began_position = recorded.position
        self._at(recorded)

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The aggregate that the first event of a stream begins; None when the stream is of another kind."""
        return cls(recorded) if isinstance(recorded.data, cls.BEGINS_WITH) else None

    @classmethod
    def fold(cls, history: Sequence[Recorded]) -> Self | None:
        """The aggregate after a history; None when there is none, or it is of another kind."""
        aggregate = cls.begin(history[0]) if history else None
        if aggregate is not None:
            for recorded in history[1:]:
                aggregate.apply(recorded)
        return aggregate

    def readers(self) -> Readers:
        """Who may read it: everybody, unless it says otherwise."""
        return EVERYBODY

    @classmethod
    def event_types(cls) -> tuple[type[Event], ...]:
        """The types of events that it begins with or that change it."""
        return tuple(dict.fromkeys((*cls.BEGINS_WITH, *cls._evolvers)))

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of the stream; one of an unknown type changes the version and nothing else."""
        self._at(recorded)
        evolver = self._evolvers.get(type(recorded.data))
        if evolver is not None:
            evolver(self, entry_of(recorded))

    def _at(self, recorded: Recorded) -> None:
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
