"""The log as one process lives with it: it appends through one writer and follows what every other process appends.

All that follows happens on the event loop. Positions have no gaps, so the process knows exactly what it has seen: its
own events are taken in as they are acknowledged, and the log is read only where another process wrote.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from typing import Protocol
from uuid import UUID

import structlog

from shared.clock import Clock
from shared.errors import BitacoraError, CorruptEvent, Unavailable
from shared.eventlog import codec
from shared.eventlog.appender import Appender
from shared.eventlog.envelope import Recorded
from shared.eventlog.locks import StreamLocks
from shared.eventlog.store import Appended, Changes, Store
from shared.eventlog.subscription import BATCH, Subscription
from shared.events.facts import Event

FOREIGN_POLL = 0.025
"""Seconds between two looks for what other processes wrote; our own events need none, and looking costs them time."""

PAUSE_AFTER_FAILURE = 0.2
"""Seconds before the tail asks an engine again that did not answer."""

log = structlog.get_logger(__name__)


class Follower(Protocol):
    """Something kept true by the log: a cache of aggregates."""

    def follow(self, recorded: Recorded, *, own: bool) -> None:
        """Take in one event: each once, this process's `own` perhaps before earlier ones of others."""

    def forget(self, stream_id: UUID) -> None:
        """Drop what is held of a stream: it has turned out to be old."""


class LiveLog:
    """The event log of one process: append, follow, and wait until something has been seen."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.position = 0
        """Every event up to this position has been taken in by every follower."""
        self.locks = StreamLocks()
        self.failure: Exception | None = None
        """Why the process stopped following for good (a corrupt event, a defect); readiness reports it."""
        self._followers: list[Follower] = []
        self._subscribers: list[tuple[frozenset[str], Callable[[Recorded], None]]] = []
        self._ordered_types: frozenset[str] = frozenset()
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._ahead: set[int] = set()
        """Positions beyond `position` that the followers have taken in already: our own, acknowledged early."""
        self._stopping = threading.Event()
        self._appender: Appender | None = None
        self._subscription: Subscription | None = None
        self._thread: threading.Thread | None = None

    def add_follower(self, follower: Follower) -> None:
        """Let a cache follow everything from now on."""
        self._followers.append(follower)

    def forget(self, stream_ids: Iterable[UUID]) -> None:
        """Let every follower drop what it holds of these streams."""
        for stream_id in stream_ids:
            for follower in self._followers:
                follower.forget(stream_id)

    def subscribe(self, types: Iterable[type[Event]], callback: Callable[[Recorded], None]) -> None:
        """Call back for every event of these types from the beginning of the log on, each once and in order.

        Call before `start`. The callback runs on the event loop and must not block.
        """
        names = frozenset(cls.TYPE for cls in types)
        self._subscribers.append((names, callback))
        self._ordered_types |= names

    async def start(self) -> None:
        """Replay to the subscribers what there is, then begin to append and to follow."""
        self._loop = asyncio.get_running_loop()
        self.position = await asyncio.to_thread(self.store.head)
        if self._ordered_types:
            await self._replay(self.position)
        self._appender = Appender(self.store.writer(), self.clock.now, self._acknowledged)
        self._appender.start()
        self._subscription = Subscription(self.store, self.position, poll=FOREIGN_POLL)
        self._thread = threading.Thread(
            target=self._tail, args=(self._subscription,), name="log-tail", daemon=True
        )
        self._thread.start()

    async def stop(self) -> None:
        """Write what is waiting and stop following; the store stays open. Harmless when nothing was started."""
        if self._appender is not None:
            await self._appender.close()
        if self._subscription is not None and self._thread is not None:
            self._stopping.set()
            self._subscription.wake()
            await asyncio.to_thread(self._thread.join)
            self._subscription.close()

    async def append(self, changes: Changes) -> Appended:
        """Write durably (see `Appender.append`); what subscribers follow in order, they have seen on return."""
        assert self._appender is not None, "append before start"
        appended = await self._appender.append(changes)
        if (
            self.position < appended.last
            and self.failure is None
            and any(e.data.TYPE in self._ordered_types for e in changes.events)
        ):
            await self.wait_for(appended.last, 5.0)
        return appended

    async def wait_for(self, position: int, timeout: float) -> None:
        """Return once everything up to `position` has been taken in; Unavailable after `timeout` seconds."""
        if self.position >= position:
            return
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

    async def catch_up(self) -> None:
        """Return once everything that is in the log by now has been taken in; Unavailable if that takes too long."""
        await self.wait_for(await asyncio.to_thread(self.store.head), 5.0)

    # --- taking in -------------------------------------------------------------------------------------------------

    def _acknowledged(self, changes: Changes, appended: Appended) -> None:
        """Take in our own events at once, without reading them back."""
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
            )
            self._tell_followers(recorded, own=True)
            if in_order:
                self._tell_subscribers(recorded)
            else:
                self._ahead.add(position)
        if in_order:
            self._reached(appended.last)

    def _tell_followers(self, recorded: Recorded, *, own: bool) -> None:
        for follower in self._followers:
            follower.follow(recorded, own=own)

    def _tell_subscribers(self, recorded: Recorded) -> None:
        if recorded.type in self._ordered_types:
            for types, callback in self._subscribers:
                if recorded.type in types:
                    callback(recorded)

    def _reached(self, position: int) -> None:
        self.position = position
        if self._waiting:
            for wanted, future in self._waiting:
                if wanted <= position and not future.done():
                    future.set_result(None)

    def _take_in_lines(self, lines: list[tuple[int, bytes]], seen: int) -> None:
        for position, line in lines:
            if position > self.position:
                recorded = codec.decode(line, position)
                if position in self._ahead:
                    self._ahead.remove(position)
                else:
                    self._tell_followers(recorded, own=False)
                self._tell_subscribers(recorded)
                self.position = position
        self._reached(max(seen, self.position))

    async def _replay(self, head: int) -> None:
        after = 0
        types = sorted(self._ordered_types)
        while True:
            lines = await asyncio.to_thread(self.store.read, after, BATCH, upto=head, types=types)
            for position, line in lines:
                recorded = codec.decode(line, position)
                for names, callback in self._subscribers:
                    if recorded.type in names:
                        callback(recorded)
            if len(lines) < BATCH:
                return
            after = lines[-1][0]

    # --- the tail, in its own thread -------------------------------------------------------------------------------

    def _tail(self, subscription: Subscription) -> None:
        try:
            while not self._stopping.is_set():
                # Our own acknowledged events need not be read: begin where the loop already is.
                subscription.position = self.position
                try:
                    lines = subscription.wait(1.0)
                except BitacoraError as error:
                    log.warning("log_tail_interrupted", code=error.code, position=self.position)
                    self._stopping.wait(PAUSE_AFTER_FAILURE)
                else:
                    self._hand_over(lines, subscription.position)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the tail unnoticed
            self._stopped_by(error)

    def _stopped_by(self, error: Exception) -> None:
        """Following on would pass over events or repeat them: stop, loudly."""
        self.failure = error
        self._stopping.set()
        if isinstance(error, CorruptEvent):
            log.critical("log_corrupt", position=error.position, reason=error.reason)
        else:
            log.critical("log_tail_broken", position=self.position + 1, exc_info=error)

    def _hand_over(self, lines: list[tuple[int, bytes]], seen: int) -> None:
        """Let the loop take the lines in, and wait for it: a slow loop slows the tail, not memory."""
        done = threading.Event()
        failure: list[Exception] = []

        def take() -> None:
            try:
                self._take_in_lines(lines, seen)
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
