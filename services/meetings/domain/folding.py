"""What everything here is: the fold of its events, each handled by the method that says what it changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.identity.actor import Actor

E_co = TypeVar("E_co", covariant=True)
H = TypeVar("H", bound=Callable[..., None])


DayOf = Callable[[datetime], date]
"""The civil day of a moment."""


class Entry(NamedTuple, Generic[E_co]):
    """Something said: what, by whom, where in the log, and when the log learned it."""

    said: E_co
    by: Actor
    position: int
    recorded_at: datetime

    def day(self, day_of: DayOf) -> date:
        """The day from which it holds: the one it names, or, where it names none, the day it was recorded."""
        named: date | None = getattr(self.said, "effective_on", None)
        return named or day_of(self.recorded_at)

    def order(self, day_of: DayOf) -> tuple[date, int]:
        """Of two things said, the one of the later day speaks; of two of one day, the one recorded later."""
        return self.day(day_of), self.position


def entry_of(recorded: Recorded) -> Entry[Any]:
    """What an event says, as things keep it."""
    return Entry(recorded.data, recorded.recorded_by, recorded.position, recorded.recorded_at)


def changed_by(*types: type[Event]) -> Callable[[H], H]:
    """Marks the method that assigns what an event of these types changes."""

    def mark(handler: H) -> H:
        handler.__dict__["changed_by"] = types
        return handler

    return mark


class Folded:
    """Something folded from the events of one stream."""

    __slots__ = ("id", "position", "recorded_at", "version")

    _handlers: ClassVar[dict[type[Event], Callable[[Any, Entry[Any]], None]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        handlers = dict(cls._handlers)
        for member in vars(cls).values():
            for kind in getattr(member, "changed_by", ()):
                handlers[kind] = member
        cls._handlers = handlers

    def __init__(self, recorded: Recorded) -> None:
        self.id = recorded.stream_id
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at

    def apply(self, recorded: Recorded) -> None:
        """Takes in one more event of its stream; a type it does not know changes its version and nothing else."""
        self.version = recorded.version
        self.position = recorded.position
        self.recorded_at = recorded.recorded_at
        handler = self._handlers.get(type(recorded.data))
        if handler is not None:
            handler(self, entry_of(recorded))
