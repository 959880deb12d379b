"""What every aggregate is: the fold of the events of one stream.

A decision guards and returns an event; the method that *evolves* the state by that event only assigns, so that a replay
of history never judges it again. An aggregate knows no clock and does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, Final, Generic, NamedTuple, Protocol, Self, TypeVar
from uuid import UUID

from shared.aggregate.redaction import EVERYBODY, Readers
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.record import EventUnreadable
from shared.events.retractions import Retraction
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


class Retracted(NamedTuple):
    """An event that is no longer believed, and the version of the retraction that says so."""

    entry: Entry[Any]
    by: int


_NONE_RETRACTED: Final[Mapping[int, Retracted]] = MappingProxyType({})


def retractions_in(history: Sequence[Recorded]) -> dict[int, int]:
    """The versions that a history retracts, each with the version of its retraction."""
    return {
        recorded.data.version: recorded.version
        for recorded in history
        if isinstance(recorded.data, Retraction)
    }


def believed(history: Sequence[Recorded]) -> list[Recorded]:
    """A history without what it retracts."""
    retracted = retractions_in(history)
    return [recorded for recorded in history if recorded.version not in retracted]


class Numbered(Protocol):
    """What has a number within one other thing."""

    @property
    def number(self) -> int:
        """It is never given again."""


def place_of(number: int, those: Sequence[Numbered]) -> int | None:
    """Where the one with that number stands; None where there is none, or it is retracted."""
    return next((place for place, one in enumerate(those) if one.number == number), None)


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

    __slots__ = (
        "began_at",
        "began_position",
        "id",
        "position",
        "quarantined",
        "recorded_at",
        "retracted",
        "version",
    )

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
        self.retracted = _NONE_RETRACTED
        """By version, the events that are not believed any more."""
        self.quarantined = 0
        """How many of its events were put aside because they cannot be read: it is what it is without them."""
        self._at(recorded)

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The aggregate that the first event of a stream begins; None when the stream is of another kind."""
        return cls(recorded) if isinstance(recorded.data, cls.BEGINS_WITH) else None

    @classmethod
    def fold(cls, history: Sequence[Recorded], retracted: Mapping[int, int] | None = None) -> Self | None:
        """The aggregate after a history; None when there is none, or no more, or it is of another kind.

        What the history itself retracts is passed over, or, where they are given, these versions.
        """
        retracted = retractions_in(history) if retracted is None else retracted
        aggregate = cls.begin(history[0]) if history and 1 not in retracted else None
        if aggregate is not None:
            for recorded in history[1:]:
                aggregate.take_in(recorded, retracted)
        return aggregate

    def take_in(self, recorded: Recorded, retracted: Mapping[int, int]) -> None:
        """Take in the next event of the stream, or pass over it: it is retracted, but its version was its own."""
        if recorded.version not in retracted:
            self.apply(recorded)
            return
        self._at(recorded)
        one = Retracted(entry_of(recorded), retracted[recorded.version])
        self.retracted = {**self.retracted, recorded.version: one}

    def next_number(self, event_type: type[Event], last: int, field: str = "number") -> int:
        """The number for one more such event, after the `last` there is: that of a retracted one is not given again."""
        taken_back = (entry.event for entry, _ in self.retracted.values())
        given: list[int] = [getattr(event, field) for event in taken_back if isinstance(event, event_type)]
        return 1 + max([last, *given])

    def must_take_retractions(self) -> None:
        """Raises where nothing of it is retracted any more."""

    def readers(self) -> Readers:
        """Who may read it: everybody, unless it says otherwise."""
        return EVERYBODY

    @classmethod
    def event_types(cls) -> tuple[type[Event], ...]:
        """The types of events that it begins with or that change it."""
        return tuple(dict.fromkeys((*cls.BEGINS_WITH, *cls._evolvers)))

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of the stream; one of an unknown type changes the version and nothing else.

        So does a retraction: whoever feeds events one by one folds the whole history anew when one comes.
        """
        self._at(recorded)
        if isinstance(recorded.data, EventUnreadable):
            self.quarantined += 1
        evolver = self._evolvers.get(type(recorded.data))
        if evolver is not None:
            evolver(self, entry_of(recorded))

    def _at(self, recorded: Recorded) -> None:
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
