"""The log as one process lives with it: it appends through one writer and follows what every other process appends.

All that follows happens on the event loop. Positions have no gaps, so the process knows exactly what it has seen: its
own events are taken in as they are acknowledged, and the log is read only where another process wrote.

The log may go back, or be replaced by another. Every append and every look of the tail proves that it still holds what
the process has read. Where it does not, all that was made of it is dropped at once, whoever asks is told to ask again,
and everything is built anew from the log as it is now.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Protocol
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Gauge

from shared.clock import Clock
from shared.errors import BitacoraError, CorruptEvent, NotReady, Unavailable, shutting_down
from shared.eventlog import codec
from shared.eventlog.appender import Appender, AppendMetrics
from shared.eventlog.envelope import BEGINNING, Bookmark, Recorded
from shared.eventlog.lag import BOUND, keeping_up, lag_of
from shared.eventlog.locks import StreamLocks
from shared.eventlog.store import Appended, Changes, LogNotReady, LogWentBack, Quarantined, Store
from shared.eventlog.subscription import BATCH, Subscription
from shared.events.facts import Event
from shared.events.record import EventQuarantined
from shared.telemetry import span

FOREIGN_POLL = 0.025
"""Seconds between two looks for what other processes wrote; our own events need none, and looking costs them time."""

PAUSE_AFTER_FAILURE = 0.2
"""Seconds before the tail asks an engine again that did not answer."""

PAUSE_WHILE_RESTARTING = 0.05
"""Seconds between two looks of the tail whether the log is taken up again."""

PATIENCE = 5.0
"""Seconds for which somebody is kept waiting for what other processes wrote."""

SHOWN = 5
"""How many events a sentence names by their positions."""

WRITABLE_FOR = 1.0
"""Seconds for which a try of the way that an append takes holds for whoever asks about readiness."""

REFUSED_FOR = 10.0
"""Seconds for which a write that a full disk refused keeps a process from being ready."""

PRUNE_EVERY = 60.0
"""Seconds between two looks of a process that writes for idempotency keys that are too old."""
PRUNE_AT_ONCE = 500
"""Keys that are forgotten in one transaction at most: an append that waits for it must not notice."""
log = structlog.get_logger(__name__)


class Cache(Protocol):
    """Something kept true by the log: a cache of aggregates."""

    def wants(self, stream_id: UUID) -> bool:
        """Whether an event of a stream, recorded by another process, would be of any use to it."""

    def follow(self, recorded: Recorded, *, own: bool) -> None:
        """Take in one event: each once, this process's `own` perhaps before earlier ones of others."""

    def forget(self, stream_id: UUID) -> None:
        """Drop what is held of a stream: it has turned out to be old."""

    def forget_all(self) -> None:
        """Drop everything: the log is another one."""


class LiveLog:
    """The event log of one process: append, follow, and wait until something has been seen."""

    def __init__(self, store: Store, clock: Clock, *, writes: bool = True, bound: timedelta = BOUND) -> None:
        """`writes`: whether this process appends; `bound`: for how long what it follows may be behind the log."""
        self.store = store
        self.clock = clock
        self.bound = bound
        self.position = 0
        """Every event up to this position has been taken in by every cache and every subscriber."""
        self.head = 0
        """The last position of the log, at the last look."""
        self.locks = StreamLocks()
        self.failure: Exception | None = None
        """Why the process does not follow: a defect, for good; or a corrupt event, until somebody puts it aside."""
        self.unreadable: dict[int, str] = {}
        """The corrupt events that were met and are not put aside, by position, and what is wrong with each."""
        self.restarts = 0
        """How often the log went back: what was read before the last time is of no use."""
        self._went_back: LogWentBack | None = None
        """That it has, while the process takes it up anew."""
        self._bookmark = BEGINNING
        """The event at `position`."""
        self._known = BEGINNING
        """The last event of which it knows: its own may be ahead of `position`."""
        self._caches: list[Cache] = []
        self._forgetting: list[Callable[[], None]] = []
        self._subscribers: list[tuple[frozenset[str], Callable[[Recorded], None], bool]] = []
        self._ordered_types: frozenset[str] = frozenset()
        self._replayed_types: frozenset[str] = frozenset()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._ahead: dict[int, Recorded] = {}
        """Events beyond `position` that the caches have taken in already: our own, acknowledged early."""
        self._stopping = threading.Event()
        self._leaving = False
        self._writes = writes
        self._writable_until = 0.0
        self._trying = asyncio.Lock()
        self._refusal: tuple[float, BitacoraError] | None = None
        self._prune_at = 0.0
        self._pruning: asyncio.Task[None] | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._appender: Appender | None = None
        self._metrics: AppendMetrics | None = None
        self._subscription: Subscription | None = None
        self._thread: threading.Thread | None = None

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics of a service where the log is, how far it has followed, and how it appends."""
        if self._writes:
            self._metrics = AppendMetrics(registry)
        for name, what, value in (
            ("log_head", "Position of the last event of the log, at the last look.", lambda: self.head),
            ("log_position", "Position up to which this process has followed.", lambda: self.position),
            (
                "log_quarantined_events",
                "Events that were put aside.",
                lambda: len(self.store.known_quarantined),
            ),
            (
                "log_unreadable_events",
                "Events that this process could not read and nobody has put aside.",
                lambda: len(self.unreadable.keys() - self.store.known_quarantined.keys()),
            ),
        ):
            Gauge(name, what, registry=registry).set_function(value)

    async def look(self) -> None:
        """Look where the log ends, for the metrics."""
        self.head = await asyncio.to_thread(self.store.head)

    @property
    def caches(self) -> Sequence[Cache]:
        """Every cache that follows."""
        return self._caches

    def add_cache(self, follower: Cache) -> None:
        """Let a cache follow everything from now on."""
        self._caches.append(follower)

    def forget(self, stream_ids: Iterable[UUID]) -> None:
        """Let every cache drop what it holds of these streams."""
        for stream_id in stream_ids:
            for cache in self._caches:
                cache.forget(stream_id)

    def subscribe(
        self,
        types: Iterable[type[Event]],
        callback: Callable[[Recorded], None],
        *,
        forget: Callable[[], None],
        replay: bool = True,
    ) -> None:
        """Call back for every event of these types, each once and in order: from the beginning of the log on.

        Without `replay` only for those that are yet to come. When the log went back, `forget` is called, and all begins
        again with what is there now. Call before `start`. The callback runs on the event loop and must not block.
        """
        self.on_restart(forget)
        names = frozenset(cls.TYPE for cls in types)
        self._subscribers.append((names, callback, replay))
        self._ordered_types |= names
        if replay:
            self._replayed_types |= names

    def on_restart(self, forget: Callable[[], None]) -> None:
        """Call when the log went back, before all there is in it now is replayed: what was made of it is to be dropped.

        They are called in the order in which they were given. Call before `start`.
        """
        self._forgetting.append(forget)

    async def start(self) -> None:
        """Replay to the subscribers what there is, then begin to append and to follow."""
        self._loop = asyncio.get_running_loop()
        await self._take_up()
        self._appender = Appender(
            self.store.writer(), self.clock.now, self._acknowledged, lambda: self._known, self._metrics
        )
        self._appender.start()
        self._subscription = Subscription(self.store, self._bookmark, poll=FOREIGN_POLL)
        self._thread = threading.Thread(
            target=self._tail, args=(self._subscription,), name="log-tail", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Write what is waiting and stop following; the store stays open. Harmless when nothing was started."""
        if self._restarting is not None:
            self._restarting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._restarting
        if self._appender is not None:
            await self._appender.close()
        if self._pruning is not None:
            self._pruning.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pruning
        if self._subscription is not None and self._thread is not None:
            self._stopping.set()
            self._subscription.wake()
            await asyncio.to_thread(self._thread.join)
            self._subscription.close()

    def check(self) -> None:
        """Raise LogWentBack while the log is being taken up anew: what is in memory is not whole."""
        if self._went_back is not None:
            raise self._went_back

    async def append(self, changes: Changes, restarts: int | None = None) -> Appended:
        """Write durably (see `Appender.append`); what subscribers follow in order, they have seen on return.

        Unless what other processes wrote before it takes too long to arrive: it is written nevertheless, and that is
        what the caller is told. LogWentBack when the log is another than it was, or was when `restarts` stood so.
        """
        assert self._appender is not None, "append before start"
        self.check()
        restarts = self.restarts if restarts is None else restarts
        if restarts != self.restarts:
            raise LogWentBack(self._bookmark)
        try:
            with span("append to the log", events=len(changes.events)):
                appended = await self._appender.append(changes)
        except Unavailable as error:
            self._refusal = time.monotonic(), error
            if isinstance(error, LogWentBack) and restarts == self.restarts:
                self._begin_anew(error)
            raise
        self._refusal = None
        if self._prune_at <= time.monotonic():
            self._prune_at = time.monotonic() + PRUNE_EVERY
            self._pruning = asyncio.create_task(self._prune_keys(), name="log-prune-keys")
        if (
            self.position < appended.last
            and self.failure is None
            and any(event.data.TYPE in self._replayed_types for event in changes.events)
        ):
            with contextlib.suppress(Unavailable):
                await self.wait_for(appended.last, PATIENCE)
        return appended

    async def wait_for(self, position: int, timeout: float) -> None:
        """Return once everything up to `position` has been taken in; Unavailable after `timeout` seconds."""
        self.check()
        if self.position >= position:
            return
        if self._leaving:
            raise shutting_down()
        future: asyncio.Future[None] = self._loop.create_future()
        entry = (position, future)
        self._waiting.append(entry)
        if self._subscription is not None:
            self._subscription.wake()
        try:
            await asyncio.wait_for(future, timeout if self.failure is None else 0)
        except TimeoutError:
            raise Unavailable(
                "position-not-reached", f"Position {position} was not reached within {timeout:g} seconds."
            ) from None
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def end_waits(self) -> None:
        """Let nobody wait for the log any more, now or later: the process is about to stop."""
        self._leaving = True
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(shutting_down())

    async def catch_up(self) -> None:
        """Return once everything that is in the log by now has been taken in; Unavailable if that takes too long."""
        await self.wait_for(await asyncio.to_thread(self.store.head), PATIENCE)

    async def readiness(self) -> str:
        """How far the process has followed, in a sentence; NotReady when it cannot write, or follows no more."""
        self.check()
        await asyncio.to_thread(self.store.check_ready)
        await asyncio.to_thread(self.store.check_room)
        if self._writes:
            await self._check_writable()
        quarantined = await asyncio.to_thread(self.store.quarantined)
        if isinstance(self.failure, CorruptEvent):
            raise NotReady("log-corrupt", _cannot_be_read([self.failure.position]))
        if self.failure is not None or self._thread is None or not self._thread.is_alive():
            raise NotReady("log-not-followed", f"the log is not followed beyond position {self.position}")
        position = self.position
        lag = await asyncio.to_thread(lag_of, self.store, position)
        said = [
            keeping_up("log-behind", f"followed up to position {position}", lag, self.clock.now(), self.bound)
        ]
        if unreadable := sorted(self.unreadable.keys() - quarantined.keys()):
            said.append(_cannot_be_read(unreadable))
        if quarantined:
            said.append(f"{_positions(quarantined)} put aside")
        return "; ".join(said)

    def met_unreadable(self, error: CorruptEvent) -> None:
        """Take note of a corrupt event that somebody met outside of what is followed."""
        if error.position not in self.unreadable:
            log.critical("log_corrupt", position=error.position, reason=error.reason)
        self.unreadable[error.position] = error.reason

    async def _check_writable(self) -> None:
        """Raise when an append would not lead through, or the disk has refused one lately; one try serves many who ask.

        What was refused counts for a while only: a process that is not sent requests any more would never find out that
        there is room again.
        """
        if self._refusal is not None:
            at, error = self._refusal
            if error.code == "log-disk-full" and time.monotonic() - at < REFUSED_FOR:
                raise error
        async with self._trying:
            if time.monotonic() >= self._writable_until:
                await asyncio.to_thread(self.store.check_writable)
                await asyncio.to_thread(self.store.check_clock, self.clock.now())
                self._writable_until = time.monotonic() + WRITABLE_FOR

    async def _prune_keys(self) -> None:
        """Forget idempotency keys whose time has passed, a few at a time, and give back room."""
        try:
            pruned = PRUNE_AT_ONCE
            while pruned == PRUNE_AT_ONCE:
                pruned = await asyncio.to_thread(self.store.prune_keys, self.clock.now(), PRUNE_AT_ONCE)
            await asyncio.to_thread(self.store.tidy)
        except BitacoraError as error:
            log.warning("log_keys_not_pruned", code=error.code)

    # --- a log that went back --------------------------------------------------------------------------------------

    def _begin_anew(self, error: LogWentBack) -> None:
        """Drop all that was made of a log that is no more, and take up the one that is there."""
        if self._went_back is not None:
            return
        log.critical("log_went_back", position=error.bookmark.position)
        self._went_back = error
        self.restarts += 1
        self.position, self._bookmark, self._known = 0, BEGINNING, BEGINNING
        self._forget_all()
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(error)
        assert self._appender is not None, "it was followed"
        self._appender.refuse(error)
        self._restarting = asyncio.create_task(self._restart(self._appender), name="log-restart")

    def _forget_all(self) -> None:
        self._ahead.clear()
        self.unreadable.clear()
        for cache in self._caches:
            cache.forget_all()
        for forget in self._forgetting:
            forget()

    async def _restart(self, appender: Appender) -> None:
        await appender.idle()
        while True:
            try:
                await self._take_up()
            except (Unavailable, LogNotReady) as error:
                log.warning("log_restart_waits", code=error.code)
                self._forget_all()
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            except CorruptEvent as error:
                self.met_unreadable(error)
                self.failure = error
                self._forget_all()
                await asyncio.sleep(PAUSE_AFTER_FAILURE)
            except Exception as error:  # noqa: BLE001 - the process must not end unnoticed
                self._stopped_by(error)
                return
            else:
                break
        self._went_back = self.failure = None
        log.info("log_taken_up_anew", position=self.position)

    async def _take_up(self) -> None:
        """Begin with what the log holds now, as a process does that has just started."""
        await asyncio.to_thread(self.store.check_ready)
        await asyncio.to_thread(self.store.quarantined)
        self._bookmark = self._known = await asyncio.to_thread(self.store.bookmark)
        if self._replayed_types:
            await self._replay(self._bookmark.position)
        await asyncio.to_thread(self.store.must_hold, self._bookmark)
        self.position = self._bookmark.position

    # --- taking in -------------------------------------------------------------------------------------------------

    def _acknowledged(self, changes: Changes, appended: Appended) -> None:
        """Take in our own events at once, without reading them back."""
        if self._went_back is not None:
            return  # it will be read with all the rest
        try:
            self._take_in_own(changes, appended)
        except Exception as error:  # noqa: BLE001 - the events are durable, and their writer must be told so
            self._stopped_by(error)

    def _take_in_own(self, changes: Changes, appended: Appended) -> None:
        in_order = appended.first == self.position + 1
        for position, event in enumerate(changes.events, appended.first):
            if position <= self.position:
                continue  # the tail was faster
            recorded = Recorded(
                position=position,
                recorded_at=appended.recorded_at,
                type=event.data.TYPE,
                stream_id=event.stream_id,
                version=event.version,
                recorded_by=event.recorded_by,
                correlation_id=event.correlation_id,
                causation_id=event.causation_id,
                data=event.data,
                nonce=event.nonce,
            )
            self._tell_caches(recorded, own=True)
            if in_order:
                self._tell_subscribers(recorded)
            else:
                self._ahead[position] = recorded
        if changes.events:
            last = Bookmark(appended.last, changes.events[-1].nonce or "")
            self._known = max(self._known, last)
            if in_order:
                self._reached(last)

    def _tell_caches(self, recorded: Recorded, *, own: bool) -> None:
        for cache in self._caches:
            cache.follow(recorded, own=own)

    def _tell_subscribers(self, recorded: Recorded) -> None:
        if recorded.type in self._ordered_types:
            for types, callback, _ in self._subscribers:
                if recorded.type in types:
                    callback(recorded)

    def _reached(self, bookmark: Bookmark) -> None:
        self._bookmark = bookmark
        self._known = max(self._known, bookmark)
        self.position = bookmark.position
        if self._waiting:
            for wanted, future in self._waiting:
                if wanted <= self.position and not future.done():
                    future.set_result(None)

    def _take_in_lines(self, lines: list[tuple[int, bytes]], seen: Bookmark) -> None:
        """Take in what the tail has read. Most of it concerns nobody here: its heading says so, the rest stays text."""
        known = self._bookmark
        for position, line in lines:
            if position == known.position and codec.identity_of(line) != known.identity:
                raise LogWentBack(known)  # it was read before our own was acknowledged, and is not ours
            if position > self.position:
                own = self._ahead.pop(position, None)
                if own is not None:
                    if own.nonce != codec.identity_of(line):
                        raise LogWentBack(Bookmark(position, own.nonce or ""))
                    self._tell_subscribers(own)
                else:
                    heading = codec.decode_heading(line, position)
                    if heading.type == EventQuarantined.TYPE:
                        self._go_on_without(codec.decode(line, position))
                    wanted = any(cache.wants(heading.stream_id) for cache in self._caches)
                    if wanted or heading.type in self._ordered_types:
                        recorded = codec.decode(line, position)
                        if wanted:
                            self._tell_caches(recorded, own=False)
                        self._tell_subscribers(recorded)
                self.position = position
        if seen.position > known.position:
            self._reached(seen)

    def _go_on_without(self, recorded: Recorded) -> None:
        """Another process put an event aside: what was folded with it is folded anew."""
        assert isinstance(recorded.data, EventQuarantined)
        self.store.note_quarantined(Quarantined(recorded.data, recorded.position))
        self.unreadable.pop(recorded.data.position, None)
        self.forget([recorded.data.stream_id])

    async def _replay(self, head: int) -> None:
        after = 0
        types = sorted(self._replayed_types)
        while True:
            lines = await asyncio.to_thread(self.store.read, after, BATCH, upto=head, types=types)
            for position, line in lines:
                recorded = codec.decode(line, position)
                for types_wanted, callback, replayed in self._subscribers:
                    if replayed and recorded.type in types_wanted:
                        callback(recorded)
            if len(lines) < BATCH:
                return
            after = lines[-1][0]

    # --- the tail, in its own thread -------------------------------------------------------------------------------

    def _tail(self, subscription: Subscription) -> None:
        try:
            while not self._stopping.is_set():
                restarts = self.restarts
                if self._went_back is not None:
                    self._stopping.wait(PAUSE_WHILE_RESTARTING)
                    continue
                # Our own acknowledged events need not be read: begin where the loop already is.
                subscription.bookmark = self._bookmark
                try:
                    lines = subscription.wait(1.0)
                    self._on_loop(restarts, partial(self._take_in_lines, lines, subscription.bookmark))
                except LogWentBack as error:
                    self._on_loop(restarts, partial(self._begin_anew, error))
                except BitacoraError as error:
                    log.warning("log_tail_interrupted", code=error.code, position=self.position)
                    self._stopping.wait(PAUSE_AFTER_FAILURE)
                except CorruptEvent as error:
                    self._wait_at(error)
                else:
                    if isinstance(self.failure, CorruptEvent):
                        self.failure = None
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the tail unnoticed
            self._stopped_by(error)

    def _wait_at(self, error: CorruptEvent) -> None:
        """Stand before an event that cannot be read, until the log says that it was put aside."""
        self.met_unreadable(error)
        self.failure = error
        self._stopping.wait(PAUSE_AFTER_FAILURE)
        with contextlib.suppress(BitacoraError):
            self.store.quarantined()

    def _stopped_by(self, error: Exception) -> None:
        """Following on would pass over events or repeat them: stop, loudly."""
        self.failure = error
        self._stopping.set()
        log.critical("log_tail_broken", position=self.position + 1, exc_info=error)

    def _on_loop(self, restarts: int, take_in: Callable[[], None]) -> None:
        """Let the loop take in what was read, and wait for it: a slow loop slows the tail, not memory.

        Not if the log went back since it was read.
        """
        done = threading.Event()
        failure: list[Exception] = []

        def take() -> None:
            try:
                if self.restarts == restarts:
                    take_in()
            except Exception as error:  # noqa: BLE001 - carried over to the tail's thread and raised there
                failure.append(error)
            finally:
                done.set()

        self._loop.call_soon_threadsafe(take)
        while not done.wait(0.5):
            if self._stopping.is_set():
                return
        if failure:
            raise failure[0]


def _cannot_be_read(positions: Iterable[int]) -> str:
    return f"{_positions(positions)} cannot be read: see `bitacora verify` and `bitacora quarantine`"


def _positions(positions: Iterable[int]) -> str:
    """Events by their positions, the first of them where there are many."""
    numbers = sorted(positions)
    shown = ", ".join(map(str, numbers[:SHOWN])) + (" and others" if len(numbers) > SHOWN else "")
    return f"the event{'s' if len(numbers) > 1 else ''} at position{'s' if len(numbers) > 1 else ''} {shown}"
