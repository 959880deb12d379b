"""The live state of the things the log tells of, and the one way in which a command changes them.

A command is carried out in memory: the current state is at hand, the domain decides, the events are appended durably,
and the state follows. The unique (stream, version) key makes sure that nobody decided on the same version elsewhere;
who loses reads the newer state and decides again, or is told so if the caller had stated a version.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.errors import BitacoraError, KeyReused, NotFound, RuleBroken, StaleVersion, Unavailable
from shared.eventlog import codec
from shared.eventlog.commands import Beside, Command, Decided, KeyUse, Outcome
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.store import (
    Changes,
    DuplicateKey,
    IdempotencyRecord,
    Outdated,
    Seen,
    VersionConflict,
)
from shared.events.facts import Event

ATTEMPTS = 50
"""Decisions at most on one command before it gives up as unavailable; each lost one means that another was won."""


class Folded(Protocol):
    """Something whose state is the fold of its events."""

    id: UUID
    version: int

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event: assign only; the past is not judged again."""


A = TypeVar("A", bound=Folded)


Prepare = Callable[[], Awaitable[object]]


class Records(Generic[A]):
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
        history = await self.history(stream_id, upto_position=position)
        if version is not None:
            if version > len(history):
                return None
            history = history[:version]
        return self._fold(history)

    async def history(self, stream_id: UUID, upto_position: int | None = None) -> list[Recorded]:
        """The events of a stream, in order; empty when there is none."""
        lines = await asyncio.to_thread(self._live.store.read_stream, stream_id, 0, upto_position)
        return [codec.decode(line, position) for position, line in lines]

    # --- writing ---------------------------------------------------------------------------------------------------

    async def create(self, stream_id: UUID, decide: Callable[[], Decided], command: Command) -> Outcome:
        """Begin a stream. RuleBroken("code-taken") when there is one already."""

        def decide_on(present: A | None) -> Decided:
            if present is not None:
                raise RuleBroken("code-taken", f"There is already a {self._name} with this code.")
            return decide()

        return await self.write(stream_id, decide_on, command)

    async def change(
        self,
        stream_id: UUID,
        decide: Callable[[A], Decided],
        command: Command,
        *,
        prepare: Prepare | None = None,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Continue a stream. NotFound when there is none; StaleVersion when it is not at an expected version."""

        def decide_on(present: A | None) -> Decided:
            if present is None:
                raise self.unknown()
            return decide(present)

        return await self.write(stream_id, decide_on, command, prepare=prepare, considering=considering)

    async def write(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        *,
        prepare: Prepare | None = None,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Carry out a command on a stream that may or may not exist yet.

        A decision that also looks at other streams loads them in `prepare`, which runs again before every new attempt:
        when it lost a race, whatever it had looked at is read anew. Where it must not be written beside a fact of
        another stream that would have forbidden it, `considering` names the types of such facts: it is decided again
        if any process has recorded one that this one had not taken in before it looked.
        """
        if (earlier := await self._earlier(command.key)) is not None:
            return earlier
        try:
            outcome = await self._carry_out(stream_id, decide, command, prepare, considering)
        except (BitacoraError, DuplicateKey):
            # Perhaps it was this same request, sent twice, that got there first: then its answer is ours too.
            if (earlier := await self._earlier(command.key)) is not None:
                return earlier
            raise
        if not outcome.changed and (earlier := await self._earlier(command.key)) is not None:
            return earlier
        return outcome

    async def _carry_out(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        prepare: Prepare | None,
        considering: Sequence[type[Event]],
    ) -> Outcome:
        mine = {stream_id}
        attempts = 0
        while attempts < ATTEMPTS:
            async with self._live.turns.on(mine):
                while attempts < ATTEMPTS:
                    attempts += 1
                    tried = await self._attempt(stream_id, decide, command, prepare, considering)
                    if isinstance(tried, Outcome):
                        return tried
                    if not tried <= mine:
                        # Among many who write there, one who only writes beside would lose for ever: queue up too.
                        mine |= tried
                        break
        raise Unavailable("too-many-conflicts", f"This {self._name} is being changed too often; try again.")

    async def _attempt(
        self,
        stream_id: UUID,
        decide: Callable[[A | None], Decided],
        command: Command,
        prepare: Prepare | None,
        considering: Sequence[type[Event]],
    ) -> Outcome | set[UUID]:
        """Decide on the newest state we know and append; the streams that are to be queued for when it lost a race."""
        # Before it looks at anything: what is taken in while it looks, it may have looked past.
        seen = Seen(tuple(cls.TYPE for cls in considering), self._live.position) if considering else None
        if prepare is not None:
            await prepare()
        present = await self.get(stream_id)
        version = 0 if present is None else present.version
        if command.expected is not None and present is not None and version not in command.expected:
            raise self._stale(version)
        decided = decide(present)
        if not decided and command.follower is None:
            return Outcome(stream_id, version, self._live.position, changed=False)
        changes, reached = self._changes(stream_id, version, decided, command, seen)
        try:
            appended = await self._live.append(changes)
        except VersionConflict:
            streams = {event.stream_id for event in changes.events}
            self._live.forget(streams)
            return streams
        except Outdated:
            await self._live.catch_up()
            return set()
        return Outcome(stream_id, reached, appended.last, changed=bool(decided))

    def unknown(self) -> NotFound:
        """The error for a stream that is not there, or that the actor may not know of."""
        return NotFound(f"unknown-{self._name}", f"There is no such {self._name}.")

    def _stale(self, version: int) -> StaleVersion:
        return StaleVersion(
            "stale-version",
            f"The {self._name} is now at version {version}; read it and decide again.",
            current=version,
        )

    @staticmethod
    def _changes(
        stream_id: UUID, version: int, decided: Decided, command: Command, seen: Seen | None
    ) -> tuple[Changes, int]:
        new = []
        for item in decided:
            if isinstance(item, Beside):
                place, event = (item.stream_id, item.version), item.event
            else:
                version += 1
                place, event = (stream_id, version), item
            new.append(
                NewEvent(
                    stream_id=place[0],
                    version=place[1],
                    recorded_by=command.actor,
                    correlation_id=command.correlation_id,
                    causation_id=command.causation_id,
                    data=event,
                )
            )
        key = None
        if command.key is not None:
            key = IdempotencyRecord(command.key.hash, command.key.fingerprint, stream_id, version)
        return Changes(new, key, command.follower, seen), version

    async def _earlier(self, key: KeyUse | None) -> Outcome | None:
        """What an earlier request with this key led to. KeyReused when that was another request."""
        if key is None:
            return None
        found = await asyncio.to_thread(self._live.store.find_key, key.hash)
        if found is None:
            return None
        if found.fingerprint != key.fingerprint:
            raise KeyReused(
                "idempotency-key-reused", "This Idempotency-Key was used before for a different request."
            )
        position = await asyncio.to_thread(self._live.store.position_of, found.stream_id, found.version)
        return Outcome(found.stream_id, found.version, position or 0, replayed=True)

    # --- the cache -------------------------------------------------------------------------------------------------

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
