"""Tells a thing its events one by one, each through the bytes the log would keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID, uuid4

from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.events.facts import Event
from shared.identity.actor import Actor, Role

TODAY = date(2013, 4, 30)
DCI = Actor(subject="ana", organization="DCI", role=Role.DCI)


class Thing(Protocol):
    """Something folded from events."""

    @property
    def version(self) -> int: ...

    def apply(self, recorded: Recorded) -> None: ...


T = TypeVar("T", bound=Thing)
E = TypeVar("E", bound=Event)


class Story(Generic[T]):
    """One stream, and what it tells of; positions are numbered as if it were the whole log."""

    def __init__(self, begin: Callable[[Recorded], T | None], first: Sequence[Event], start: int = 0) -> None:
        self.begin = begin
        self.stream_id: UUID = uuid4()
        self.events: list[Recorded] = []
        self.position = start
        self.thing: T
        for event in first:
            self.tell([event])

    def tell(self, events: Sequence[Event]) -> list[Event]:
        """Record what was decided, and let the thing take it in."""
        for event in events:
            recorded = self._recorded(event)
            self.events.append(recorded)
            if recorded.version == 1:
                begun = self.begin(recorded)
                assert begun is not None
                self.thing = begun
            else:
                self.thing.apply(recorded)
        return list(events)

    def record(self, event: E) -> E:
        """Record the one event that was decided, and let the thing take it in."""
        self.tell([event])
        return event

    def replayed(self) -> T:
        """The thing folded again from the stored bytes."""
        first, *rest = [self._stored(recorded) for recorded in self.events]
        thing = self.begin(first)
        assert thing is not None
        for recorded in rest:
            thing.apply(recorded)
        return thing

    def _recorded(self, event: Event) -> Recorded:
        self.position += 1
        return Recorded(
            position=self.position,
            recorded_at=datetime(2013, 5, 1, tzinfo=UTC) + timedelta(seconds=self.position),
            type=event.TYPE,
            stream_id=self.stream_id,
            version=len(self.events) + 1,
            recorded_by=DCI,
            correlation_id="test",
            data=event,
        )

    @staticmethod
    def _stored(recorded: Recorded) -> Recorded:
        body = codec.encode(
            NewEvent(
                stream_id=recorded.stream_id,
                version=recorded.version,
                recorded_by=recorded.recorded_by,
                correlation_id=recorded.correlation_id,
                data=recorded.data,
            )
        )
        line = codec.stamp(body, recorded.position, recorded.recorded_at)
        return codec.decode(line, recorded.position)
