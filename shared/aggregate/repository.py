"""The aggregates of one kind: a cache that follows the log, over the streams themselves, and the one way they change.

A command is carried out in memory: the current state is at hand, the domain decides, the events are appended durably,
and the state follows. The unique (stream, version) key makes sure that nobody decided on the same version elsewhere;
who loses reads the newer state and decides again, or is told so if the caller had stated a version.
"""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.aggregate.aggregate import Aggregate, retractions_in
from shared.aggregate.command import Command, Context, Decided, KeyUse, OnStream, Outcome
from shared.aggregate.description import Described
from shared.aggregate.redaction import Readers
from shared.aggregate.retraction import Judge, retracting
from shared.aggregate.telling import AsTold, as_told
from shared.errors import (
    BitacoraError,
    CorruptEvent,
    Forbidden,
    InvalidInput,
    KeyReused,
    NotFound,
    RuleBroken,
    StaleVersion,
    Unavailable,
    version_unstated,
)
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.live import PATIENCE, LiveLog
from shared.eventlog.store import (
    Changes,
    CodeTaken,
    DuplicateKey,
    IdempotencyRecord,
    Outdated,
    Seen,
    VersionConflict,
    position_at,
)
from shared.events.facts import COMPUTED, Event
from shared.events.retractions import Retraction
from shared.events.streams import looks_like_uuid, resolve, stream_of
from shared.identity.actor import Actor

ATTEMPTS: Final = 50
"""Decisions at most on one command before it gives up as unavailable; each lost one means that another was won."""

NOBODY: Final = UUID(int=0)
"""An id that nothing has (they are made from codes, or at random); nor does any code begin with a hyphen."""

CACHE: Final = 64 * 1024 * 1024
"""Bytes that the aggregates of one kind may take in memory, by estimate."""

BASE_WEIGHT: Final = 4_000
EVENT_WEIGHT: Final = 900
"""Bytes that an aggregate takes, and that each of its events adds: measured by `bench`, rounded up."""

A = TypeVar("A", bound=Aggregate)

Decide = Callable[[A], Decided | Awaitable[Decided]]
"""Decides on the present state; where it must look at other streams first, it is asked again after a lost race."""

DecideAnew = Callable[[A | None], Decided | Awaitable[Decided]]
"""Likewise, on a stream that may not exist yet."""

Refusal = (InvalidInput, NotFound, RuleBroken, Forbidden)


class CacheFigures(Collector):
    """What the caches of a process hold, by the kind of aggregate, for its metrics."""

    def __init__(self, live: LiveLog) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        held = GaugeMetricFamily("cached_aggregates", "Aggregates in memory.", labels=["kind"])
        size = GaugeMetricFamily("cached_bytes", "What they take in memory, by estimate.", labels=["kind"])
        for cache in self._live.caches:
            if isinstance(cache, Repository):
                count, weight = cache.held()
                held.add_metric([cache.kind], count)
                size.add_metric([cache.kind], weight)
        yield held
        yield size


class Past(NamedTuple, Generic[A]):
    """An aggregate as it was: its state, the moment that state is of, and the position up to which it was known."""

    state: A
    moment: datetime
    position: int


class Repository(Generic[A]):
    """The aggregates of one kind, for whoever asks and within what they may read."""

    def __init__(self, live: LiveLog, aggregate: type[A], kind: str, *, cache: int = CACHE) -> None:
        self.live = live
        self.clock = live.clock
        self.kind = kind
        self._aggregate = aggregate
        self._capacity = cache
        self._weight = 0
        self._cache: OrderedDict[UUID, A] = OrderedDict()
        self._loading: dict[UUID, tuple[asyncio.Task[A | None], list[Recorded]]] = {}
        # What considers other streams is decided again when anything of theirs was recorded meanwhile. Those of this
        # process go one after the other all the same, so that they do not overtake each other again and again.
        self._considering = asyncio.Lock()
        live.add_cache(self)

    # --- reading ---------------------------------------------------------------------------------------------------

    async def get(self, stream_id: UUID) -> A | None:
        """The state now; None when there is no such stream of this kind. It is shared: read it, do not change it."""
        aggregate = self._cache.get(stream_id)
        if aggregate is not None:
            self._cache.move_to_end(stream_id)
            return aggregate
        return await self._load(stream_id)

    async def by_code(self, code: str) -> A | None:
        """The state now of the one with this code."""
        return await self.named(code)

    async def named(self, identifier: str) -> A | None:
        """The state now of the one with this id, or with this code in any spelling of it."""
        found = await self.get(resolve(self.kind, identifier))
        if found is None and not looks_like_uuid(identifier):
            code = await asyncio.to_thread(self.live.store.spelling, self.kind, identifier)
            if code is not None and code != identifier:
                found = await self.get(stream_of(self.kind, code))
        return found

    async def ever(self, identifier: str) -> A | None:
        """The state now; of one whose beginning was retracted, that of before, for its past is still told."""
        found = await self.named(identifier)
        if found is not None:
            return found
        history = await self.history(resolve(self.kind, identifier))
        if not history and not looks_like_uuid(identifier):
            code = await asyncio.to_thread(self.live.store.spelling, self.kind, identifier)
            history = [] if code is None else await self.history(stream_of(self.kind, code))
        retracted = retractions_in(history)
        if 1 not in retracted:
            return None
        before = {version: by for version, by in retracted.items() if version != 1}
        gone = self._aggregate.fold(history[:-1], before)
        if gone is not None:
            # With its beginning taken back it ends: nothing more can be recorded of it.
            gone.take_in(history[0], retracted)
            gone.apply(history[-1])
        return gone

    async def find(self, identifier: str, actor: Actor, *, ever: bool = False) -> A:
        """The one with this id or code as it is now, or as it `ever` was (see there).

        NotFound when there is none that the actor may know of.
        """
        look = self.ever if ever else self.named
        aggregate = await look(identifier)
        if aggregate is None:
            raise self.unknown()
        if not await self.may_read(actor, aggregate):
            # Looked for just as one that is not there: the time it takes must not tell them apart.
            await look(str(NOBODY) if looks_like_uuid(identifier) else f"-{identifier}")
            raise self.unknown()
        return aggregate

    async def may_read(self, actor: Actor, aggregate: A) -> bool:
        """Whether an actor may know of it."""
        return aggregate.readers().include(actor)

    async def readers_of(self, identifier: str) -> Readers | None:
        """Who may read the one with this id, code or number; None when there is none."""
        found = await self.ever(identifier)
        return None if found is None else found.readers()

    def unknown(self) -> NotFound:
        """The error for one that is not there, or that the actor may not know of."""
        return NotFound(f"unknown-{self.kind}", f"There is no such {self.kind.replace('-', ' ')}.")

    def reflected(self, aggregate: A) -> int:
        """The position up to which the state of an aggregate tells everything there is.

        One that the cache has let go of follows the log no more: something of it was retracted, perhaps.
        """
        if self._cache.get(aggregate.id) is not aggregate:
            return aggregate.position
        return max(self.live.position, aggregate.position)

    async def as_it_was(
        self,
        stream_id: UUID,
        *,
        version: int | None = None,
        known_at: datetime | None = None,
        told: AsTold | None = None,
    ) -> Past[A]:
        """The state at a version, or as it was known at a moment (now, if that is yet to come).

        With `told`, which says what an event is to a reader, it is as if nothing else had happened to it, and versions
        are counted so.

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
            known_at = min(known_at, self.clock.now())
            position = await asyncio.to_thread(position_at, self.live.store, known_at)
        state, last = await asyncio.to_thread(self._fold_upto, stream_id, version, position, told)
        if state is None or last is None or (version is not None and last.version != version):
            raise NotFound(
                "version-not-found", "The record held no such version, or nothing of it at that moment."
            )
        return Past(state, known_at or last.recorded_at, last.position if position is None else position)

    async def lines(
        self,
        stream_id: UUID,
        *,
        after_version: int = 0,
        upto_version: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[int, bytes]]:
        """Events of a stream as stored, with their positions, in order."""
        return await asyncio.to_thread(
            self.live.store.read_stream,
            stream_id,
            after_version,
            None,
            upto_version=upto_version,
            limit=limit,
        )

    async def history(self, stream_id: UUID, upto_version: int | None = None) -> list[Recorded]:
        """All events of a stream, in order, up to a version; empty when there is none."""
        lines = await self.lines(stream_id, upto_version=upto_version)
        return self.decoded(lines)

    async def last_event(self, outcome: Outcome) -> Event:
        """The event with which a command ended, read back from the log where it was an earlier one."""
        if outcome.events:
            return outcome.events[-1]
        lines = await self.lines(
            outcome.stream_id, after_version=outcome.version - 1, upto_version=outcome.version
        )
        return self.decoded(lines)[0].data

    # --- writing ---------------------------------------------------------------------------------------------------

    def context(self, command: Command) -> Context:
        """The circumstances in which a command is decided."""
        return Context(command.actor, self.clock)

    async def create(
        self,
        stream_id: UUID,
        decide: Callable[[], Decided | Awaitable[Decided]],
        command: Command,
        *,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Begin a stream. RuleBroken("code-taken") when there is one already."""

        def decide_anew(present: A | None) -> Decided | Awaitable[Decided]:
            if present is not None:
                raise self._code_taken()
            return decide()

        return await self.write(stream_id, decide_anew, command, considering=considering)

    def _code_taken(self) -> RuleBroken:
        return RuleBroken("code-taken", f"Another {self.kind} has this code already.")

    async def is_taken(self, stream_id: UUID) -> bool:
        """Whether there is such a stream, or was one whose beginning was retracted: no code is given twice."""
        return await self.get(stream_id) is not None or bool(await self.lines(stream_id, limit=1))

    async def change(
        self,
        stream_id: UUID,
        decide: Decide[A],
        command: Command,
        *,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Continue a stream. NotFound when there is none; StaleVersion when it is not at an expected version."""

        def decide_anew(present: A | None) -> Decided | Awaitable[Decided]:
            if present is None:
                raise self.unknown()
            return decide(present)

        return await self.write(stream_id, decide_anew, command, considering=considering)

    async def retract(
        self, current: A, proposed: Retraction, context: Context, judges: Mapping[type[Event], Judge]
    ) -> Decided:
        """Takes back what was recorded by mistake: it stays in the history, and is not believed from now on.

        Refused, naming the version in the way, where what came later would not make sense without it.
        """
        current.must_take_retractions()
        history = await self.history(current.id, current.version)
        retraction, without = await retracting(self._aggregate, history, proposed, context, judges)
        return await self.settle_retraction(current, without, retraction)

    async def settle_retraction(self, current: A, without: A, retraction: Retraction) -> Decided:  # noqa: ARG002
        """What a retraction comes to, by what others have on record; `without` is the thing as it then is."""
        return retraction

    async def write(
        self,
        stream_id: UUID,
        decide: DecideAnew[A],
        command: Command,
        *,
        considering: Sequence[type[Event]] = (),
    ) -> Outcome:
        """Carry out a command on a stream that may or may not exist yet.

        Where it must not be written beside a fact of another stream that would have forbidden it, `considering` names
        the types of such facts: it is decided again if any process has recorded one that this one had not taken in
        before it looked. What is refused is decided once more on all that is in the log by then: another process may
        have recorded just what was missing here.
        """
        if (earlier := await self._earlier(command.key)) is not None:
            return earlier
        try:
            outcome = await self._decide_and_append(stream_id, decide, command, considering)
        except (BitacoraError, DuplicateKey):
            # Perhaps it was this same request, sent twice, that got there first: then its answer is ours too.
            if (earlier := await self._earlier(command.key)) is not None:
                return earlier
            raise
        if not outcome.changed and (earlier := await self._earlier(command.key)) is not None:
            return earlier
        return outcome

    async def _decide_and_append(
        self,
        stream_id: UUID,
        decide: DecideAnew[A],
        command: Command,
        considering: Sequence[type[Event]],
    ) -> Outcome:
        async def attempts() -> Outcome:
            position = self.live.position
            try:
                return await self._attempts(stream_id, decide, command, considering)
            except Refusal:
                if await asyncio.to_thread(self.live.store.head) <= position:
                    raise
            await self.live.catch_up()
            return await self._attempts(stream_id, decide, command, considering)

        if not considering:
            return await attempts()
        async with self._considering:
            return await attempts()

    async def _attempts(
        self,
        stream_id: UUID,
        decide: DecideAnew[A],
        command: Command,
        considering: Sequence[type[Event]],
    ) -> Outcome:
        mine = {stream_id}
        attempts = 0
        while attempts < ATTEMPTS:
            async with self.live.locks.on(mine):
                while attempts < ATTEMPTS:
                    attempts += 1
                    tried = await self._attempt(stream_id, decide, command, considering)
                    if isinstance(tried, Outcome):
                        return tried
                    if not tried <= mine:
                        # Among many who write there, one who only writes beside would lose for ever: queue up too.
                        mine |= tried
                        break
        raise Unavailable("too-many-conflicts", f"This {self.kind} is being changed too often; try again.")

    async def _attempt(
        self,
        stream_id: UUID,
        decide: DecideAnew[A],
        command: Command,
        considering: Sequence[type[Event]],
    ) -> Outcome | set[UUID]:
        """Decide on the newest state we know and append; the streams that are to be queued for when it lost a race."""
        restarts = self.live.restarts
        # Before it looks at anything: what is taken in while it looks, it may have looked past.
        seen = Seen(tuple(cls.TYPE for cls in considering), self.live.position) if considering else None
        present = await self.get(stream_id)
        version = 0 if present is None else present.version
        if command.expected is not None and present is not None and version not in command.expected:
            raise StaleVersion(
                "stale-version",
                f"The {self.kind} is now at version {version}; read it and decide again.",
                current=version,
            )
        decided = decide(present)
        if inspect.isawaitable(decided):
            decided = await decided
        events = [decided] if isinstance(decided, Event) else decided
        if not events and command.follower is None:
            return Outcome(stream_id, version, self.live.position, changed=False)
        changes, own = _changes(stream_id, version, events, command, seen)
        try:
            appended = await self.live.append(changes, restarts)
        except CodeTaken as error:
            raise RuleBroken(
                "code-taken",
                "There is already one with this code, or with one that differs in capitals only.",
            ) from error
        except VersionConflict:
            streams = {event.stream_id for event in changes.events}
            self.live.forget(streams)
            if present is None and await self.is_taken(stream_id) and await self.get(stream_id) is None:
                raise self._code_taken() from None
            return streams
        except Outdated:
            await self.live.catch_up()
            return set()
        return Outcome(stream_id, version + len(own), appended.last, own, changed=bool(events))

    async def _earlier(self, key: KeyUse | None) -> Outcome | None:
        """What an earlier request with this key led to. KeyReused when that was another request."""
        if key is None:
            return None
        found = await asyncio.to_thread(self.live.store.find_key, key.hash)
        if found is None:
            return None
        if found.fingerprint != key.fingerprint:
            raise KeyReused(
                "idempotency-key-reused", "This Idempotency-Key was used before for a different request."
            )
        position = await asyncio.to_thread(self.live.store.position_of, found.stream_id, found.version)
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
            if isinstance(recorded.data, Retraction):
                self.forget(stream_id)
            elif recorded.version == aggregate.version + 1:
                aggregate.apply(recorded)
                self._make_room(EVENT_WEIGHT)
            elif recorded.version > aggregate.version:
                self.forget(stream_id)
        elif own and recorded.version == 1:
            # A new stream is likely to be asked for next, and its whole state is at hand. Not so when another process
            # wrote it: we may have read further in it already, and dropped it again.
            begun = self._aggregate.begin(recorded)
            if begun is not None:
                self._keep(begun)

    def held(self) -> tuple[int, int]:
        """How many aggregates are in memory, and the bytes they take by estimate."""
        return len(self._cache), self._weight

    def wants(self, stream_id: UUID) -> bool:
        """Whether an event of a stream, recorded by another process, would be of any use here."""
        return stream_id in self._cache or stream_id in self._loading

    def forget(self, stream_id: UUID) -> None:
        """Drop a state that has turned out to be old; it is read anew when it is asked for."""
        gone = self._cache.pop(stream_id, None)
        if gone is not None:
            self._weight -= _weight(gone)

    def forget_all(self) -> None:
        """Drop every state, and what arrived for those that are being read: the log is another one."""
        self._cache.clear()
        self._weight = 0
        for _, arrived in self._loading.values():
            arrived.clear()

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
            while True:
                restarts = self.live.restarts
                aggregate, last = await asyncio.to_thread(self._fold_upto, stream_id, None, None)
                if aggregate is not None:
                    # What is read here is durable, and may be ahead of what this process has heard: an answer must not
                    # tell of it beside others that do not know it yet. A process that no longer hears says so itself.
                    with suppress(Unavailable):
                        await self.live.wait_for(aggregate.position, PATIENCE)
                read = 0 if last is None else last.version
                if restarts == self.live.restarts and not any(
                    isinstance(one.data, Retraction) and one.version > read for one in arrived
                ):
                    break
            for recorded in arrived:
                if read == 0 and recorded.version == 1:
                    aggregate = self._aggregate.begin(recorded)
                elif aggregate is not None and recorded.version == aggregate.version + 1:
                    aggregate.apply(recorded)
            if aggregate is not None:
                self._keep(aggregate)
            return aggregate
        finally:
            del self._loading[stream_id]

    def _fold_upto(
        self, stream_id: UUID, version: int | None, position: int | None, told: AsTold | None = None
    ) -> tuple[A | None, Recorded | None]:
        """The state after the events up to a version and to a position, and the last of these. Blocks."""
        upto = version if told is None else None
        lines = self.live.store.read_stream(stream_id, 0, position, upto_version=upto)
        history = self.decoded(lines)
        if told is not None:
            history = as_told(history, told)[:version]
        return self._aggregate.fold(history), history[-1] if history else None

    def decoded(self, lines: Sequence[tuple[int, bytes]]) -> list[Recorded]:
        """The events in stored lines; CorruptEvent, which readiness then names, where one cannot be read."""
        try:
            return [codec.decode(line, position) for position, line in lines]
        except CorruptEvent as error:
            self.live.met_unreadable(error)
            raise

    def _keep(self, aggregate: A) -> None:
        self.forget(aggregate.id)
        self._cache[aggregate.id] = aggregate
        self._make_room(_weight(aggregate))

    def _make_room(self, added: int) -> None:
        self._weight += added
        while self._weight > self._capacity and len(self._cache) > 1:
            _, gone = self._cache.popitem(last=False)
            self._weight -= _weight(gone)


D = TypeVar("D", bound=Described[Any])


class DescribedRepository(Repository[D]):
    """The described things of one kind, by their codes."""

    CONSIDERING: ClassVar[Sequence[type[Event]]] = ()
    """What of others may not be recorded while one is described."""

    def spelled(self, code: str) -> str:
        """A code as it is on record, for kinds of which the log does not know the codes; any other as it is."""
        return code

    def fit(self, present: D | None, description: Any) -> Any:
        """The description as it is meant for what is there now: from today on, where it has a day and names none."""
        if present is not None and getattr(description, "effective_on", "") is None:
            return msgspec.structs.replace(description, effective_on=self.clock.today())
        return description

    def check(self, code: str, description: Any, command: Command) -> None:
        """Hold a description that is to be recorded to the rules."""

    async def describe(
        self, code: str, description: Event, command: Command, *, only_new: bool = False, blind: bool = False
    ) -> Outcome:
        """Register one, or describe a known one anew; the same description again records nothing.

        StaleVersion when it is not at a version that the command expects, or there while it has to be new;
        PreconditionRequired when it would become another for a caller who is `blind`, and never said on which version
        that was decided: the last to write would take back what others wrote before.
        """

        def decide(present: D | None) -> Sequence[Event]:
            if present is None and command.expected is not None:
                raise StaleVersion("stale-version", "There is nothing by this code yet, so no version of it.")
            if present is not None and only_new:
                raise StaleVersion(
                    "stale-version", "There already is one by this code.", current=present.version
                )
            wanted = self.fit(present, description)
            if present is not None and present.reads(wanted):
                return []
            if present is not None and blind:
                raise version_unstated()
            self.check(code, wanted, command)
            return self._aggregate.register(code, wanted) if present is None else [wanted]

        return await self.write(stream_of(self.kind, code), decide, command, considering=self.CONSIDERING)


def _weight(aggregate: Aggregate) -> int:
    return BASE_WEIGHT + EVENT_WEIGHT * aggregate.version


def _changes(
    stream_id: UUID, version: int, decided: Sequence[Event | OnStream], command: Command, seen: Seen | None
) -> tuple[Changes, list[Event]]:
    """What is to be appended, and which of it goes on the command's own stream."""
    new: list[NewEvent] = []
    own: list[Event] = []
    for item in decided:
        if isinstance(item, OnStream):
            place, event = (item.stream_id, item.version), item.event
        else:
            own.append(item)
            place, event = (stream_id, version + len(own)), item
        assert all(getattr(event, name) is not COMPUTED for name in _computed(type(event))), event
        new.append(
            NewEvent(
                stream_id=place[0],
                version=place[1],
                recorded_by=command.actor.as_recorded(),
                correlation_id=command.correlation_id,
                causation_id=command.causation_id,
                data=event,
            )
        )
    key = None
    if command.key is not None:
        key = IdempotencyRecord(command.key.hash, command.key.fingerprint, stream_id, version + len(own))
    return Changes(new, key, command.follower, seen), own


def _computed(event_type: type[Event]) -> tuple[str, ...]:
    """The fields of a type that the service fills in."""
    found = _COMPUTED.get(event_type)
    if found is None:
        found = tuple(one.name for one in msgspec.structs.fields(event_type) if one.default is COMPUTED)
        _COMPUTED[event_type] = found
    return found


_COMPUTED: dict[type[Event], tuple[str, ...]] = {}
