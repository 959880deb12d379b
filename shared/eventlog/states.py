"""The live state of the things the log tells of: what is in memory follows the log, the rest is read when asked for."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from shared.errors import InvalidInput, NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.store import position_at

NOWHERE: Final = UUID(int=0)
"""A stream that is not there: ids are made from codes, or at random."""


class Folded(Protocol):
    """Something whose state is the fold of its events."""

    id: UUID
    version: int

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event: assign only; the past is not judged again."""


A = TypeVar("A", bound=Folded)


class View(NamedTuple, Generic[A]):
    """Something as it was: its state, the moment that state is of, and the position up to which it is told."""

    state: A
    moment: datetime
    position: int


class States(Generic[A]):
    """The aggregates of one kind: a bounded cache that follows the log, over the streams themselves.

    `begin` makes an aggregate from the first event of a stream, or says None when the stream is of another kind.
    """

    def __init__(
        self, live: LiveLog, begin: Callable[[Recorded], A | None], *, name: str, capacity: int = 50_000
    ) -> None:
        self._live = live
        self._begin = begin
        self._name = name
        self._capacity = capacity
        self._cache: OrderedDict[UUID, A] = OrderedDict()
        self._loading: dict[UUID, tuple[asyncio.Task[A | None], list[Recorded]]] = {}
        live.add_follower(self)

    # --- reading ---------------------------------------------------------------------------------------------------

    def peek(self, stream_id: UUID) -> A | None:
        """The state now if it is in memory."""
        return self._cache.get(stream_id)

    async def get(self, stream_id: UUID) -> A | None:
        """The state now; None when there is no such stream of this kind. It is shared: read it, do not change it."""
        aggregate = self._cache.get(stream_id)
        if aggregate is not None:
            self._cache.move_to_end(stream_id)
            return aggregate
        return await self._load(stream_id)

    async def as_of(
        self, stream_id: UUID, *, version: int | None = None, position: int | None = None
    ) -> A | None:
        """The state at a version or as known at a position, folded afresh; None when it did not exist then."""
        return self._fold(await self._past(stream_id, version, position))

    async def as_it_was(
        self, stream_id: UUID, *, version: int | None = None, known_at: datetime | None = None
    ) -> View[A]:
        """The state at a version, or as it was known at a moment (now, if that is yet to come).

        NotFound when there was no such version, or nothing at that moment.
        """
        if version is not None and known_at is not None:
            raise InvalidInput(
                "two-past-views",
                "Ask for a version or for a moment, not for both.",
                pointer="/query/known_at",
            )
        position = None
        if known_at is not None:
            known_at = min(known_at, self._live.clock.now())
            position = await asyncio.to_thread(position_at, self._live.store, known_at)
        history = await self._past(stream_id, version, position)
        state = self._fold(history)
        if state is None:
            raise NotFound(
                "version-not-found", "The record held no such version, or nothing of it at that moment."
            )
        last = history[-1]
        return View(state, known_at or last.recorded_at, last.position if position is None else position)

    def unknown(self) -> NotFound:
        """The error for a stream that is not there, or that the actor may not know of."""
        return NotFound(f"unknown-{self._name}", f"There is no such {self._name}.")

    async def hidden(self) -> NotFound:
        """The error for a stream that the actor may not know of, after such a look as for one that is not there."""
        await self.get(NOWHERE)
        return self.unknown()

    async def history(self, stream_id: UUID, upto_position: int | None = None) -> list[Recorded]:
        """The events of a stream, in order; empty when there is none."""
        lines = await asyncio.to_thread(self._live.store.read_stream, stream_id, 0, upto_position)
        return [codec.decode(line, position) for position, line in lines]

    async def _past(self, stream_id: UUID, version: int | None, position: int | None) -> list[Recorded]:
        """The events up to a version and to a position; none when the stream never reached that version."""
        history = await self.history(stream_id, upto_position=position)
        if version is not None:
            return history[:version] if version <= len(history) else []
        return history

    # --- the cache -------------------------------------------------------------------------------------------------

    def holds(self, stream_id: UUID) -> bool:
        """Whether a stream is in memory, or on its way there."""
        return stream_id in self._cache or stream_id in self._loading

    def follow(self, recorded: Recorded, *, own: bool) -> None:
        """Take in one event of any stream, from this process or another."""
        stream_id = recorded.stream_id
        if (loading := self._loading.get(stream_id)) is not None:
            loading[1].append(recorded)
            return
        aggregate = self._cache.get(stream_id)
        if aggregate is not None:
            if recorded.version == aggregate.version + 1:
                aggregate.apply(recorded)
            elif recorded.version > aggregate.version:
                del self._cache[stream_id]
        elif own and recorded.version == 1:
            # A new stream is likely to be asked for next, and its whole state is at hand. Not so when another process
            # wrote it: we may have read further in it already, and dropped it again.
            begun = self._begin(recorded)
            if begun is not None:
                self._keep(begun)

    def forget(self, stream_id: UUID) -> None:
        """Drop a state that has turned out to be old; it is read anew when it is asked for."""
        self._cache.pop(stream_id, None)

    async def _load(self, stream_id: UUID) -> A | None:
        """The state of a stream that is not in memory; all who ask for it at once share one reading."""
        loading = self._loading.get(stream_id)
        if loading is None:
            arrived: list[Recorded] = []
            loading = (asyncio.create_task(self._read(stream_id, arrived), name="log-load"), arrived)
            self._loading[stream_id] = loading
        # Shielded: who gives up waiting must not take the others with them.
        return await asyncio.shield(loading[0])

    async def _read(self, stream_id: UUID, arrived: list[Recorded]) -> A | None:
        """Fold the stream off the loop. What arrives meanwhile is applied after, so that nothing falls between."""
        try:
            lines = await asyncio.to_thread(self._live.store.read_stream, stream_id)
            aggregate = self._fold([codec.decode(line, position) for position, line in lines])
            for recorded in arrived:
                if aggregate is None and recorded.version == 1:
                    aggregate = self._begin(recorded)
                elif aggregate is not None and recorded.version == aggregate.version + 1:
                    aggregate.apply(recorded)
            if aggregate is not None:
                self._keep(aggregate)
            return aggregate
        finally:
            del self._loading[stream_id]

    def _fold(self, history: Sequence[Recorded]) -> A | None:
        aggregate = self._begin(history[0]) if history else None
        if aggregate is not None:
            for recorded in history[1:]:
                aggregate.apply(recorded)
        return aggregate

    def _keep(self, aggregate: A) -> None:
        self._cache[aggregate.id] = aggregate
        self._cache.move_to_end(aggregate.id)
        if len(self._cache) > self._capacity:
            self._cache.popitem(last=False)
