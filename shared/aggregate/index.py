"""All aggregates of a kind in memory, for kinds of which there are few and to which everything refers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.aggregate.aggregate import Aggregate
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event

A = TypeVar("A", bound=Aggregate)


class EventSource(Protocol):
    """What hands on events in the order of the log: the live log, or an import that reads what it needs."""

    def subscribe(self, types: Iterable[type[Event]], callback: Callable[[Recorded], None]) -> None:
        """Call back for every event of these types, from the beginning of the log on."""


class Index(Generic[A]):
    """Follows a source of events: complete once that has started, and up to date with every acknowledged write.

    `changed` is called after each event with the aggregate that took it in.
    """

    def __init__(
        self,
        source: EventSource,
        aggregate: type[A],
        *,
        key: Callable[[A], str],
        changed: Callable[[A], None] = lambda _: None,
    ) -> None:
        self._aggregate = aggregate
        self._key = key
        self._changed = changed
        self._by_stream: dict[UUID, A] = {}
        self._by_key: dict[str, A] = {}
        source.subscribe(aggregate.event_types(), self.apply)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of one of them."""
        known = self._by_stream.get(recorded.stream_id)
        if known is not None:
            known.apply(recorded)
        elif (known := self._aggregate.begin(recorded)) is not None:
            self._by_stream[known.id] = self._by_key[self._key(known)] = known
        if known is not None:
            self._changed(known)

    def drop(self, one: A) -> None:
        """Let go of one of which nothing more is to be asked."""
        del self._by_stream[one.id]
        del self._by_key[self._key(one)]

    def get(self, key: str) -> A | None:
        """The one with that code, number or id."""
        return self._by_key.get(key)

    @property
    def keys(self) -> Collection[str]:
        """The codes, numbers or ids of all of them."""
        return self._by_key.keys()

    def all(self) -> Sequence[A]:
        """All of them, in the order in which they began."""
        return list(self._by_stream.values())
