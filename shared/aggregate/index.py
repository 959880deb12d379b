"""All aggregates of a kind in memory, for kinds of which there are few and to which everything refers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.aggregate.aggregate import Aggregate
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.events.facts import Event
from shared.events.retractions import Retraction

A = TypeVar("A", bound=Aggregate)


class EventSource(Protocol):
    """What hands on events in the order of the log: the live log, or an import that reads what it needs."""

    def subscribe(
        self,
        types: Iterable[type[Event]],
        callback: Callable[[Recorded], None],
        *,
        forget: Callable[[], None],
    ) -> None:
        """Call back for every event of these types, from the beginning of the log on.

        `forget` is called before all begins again, which it does when the log is another one.
        """

    def on_restart(self, forget: Callable[[], None]) -> None:
        """Call, too, before all begins again; in the order in which they were given."""


class Index(Generic[A]):
    """Follows a source of events: complete once that has started, and up to date with every acknowledged write.

    `changed` is called after each event with the aggregate that took it in. For kinds of which something can be
    retracted, `retracting` is the type of event that does, and the `store` to fold the thing anew from: rare enough to
    be read at once.
    """

    def __init__(
        self,
        source: EventSource,
        aggregate: type[A],
        *,
        key: Callable[[A], str],
        changed: Callable[[A], None] = lambda _: None,
        retracting: type[Retraction] | None = None,
        store: Store | None = None,
    ) -> None:
        self._aggregate = aggregate
        self._key = key
        self._changed = changed
        self._by_stream: dict[UUID, A] = {}
        self._by_key: dict[str, A] = {}
        self._store = store
        types = aggregate.event_types() if retracting is None else (*aggregate.event_types(), retracting)
        source.subscribe(types, self.apply, forget=self.clear)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event of one of them."""
        known = self._by_stream.get(recorded.stream_id)
        if isinstance(recorded.data, Retraction):
            assert self._store is not None, "what can be retracted is folded anew from the log"
            lines = self._store.read_stream(recorded.stream_id, 0, recorded.position)
            folded = self._aggregate.fold([codec.decode(line, position) for position, line in lines])
            if folded is not None:
                self._by_stream[folded.id] = self._by_key[self._key(folded)] = folded
            elif known is not None:
                self.drop(known)
            known = folded
        elif known is not None:
            known.apply(recorded)
        elif (known := self._aggregate.begin(recorded)) is not None:
            self._by_stream[known.id] = self._by_key[self._key(known)] = known
        if known is not None:
            self._changed(known)

    def clear(self) -> None:
        """Let go of all of them."""
        self._by_stream.clear()
        self._by_key.clear()

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
