"""Group commit: requests hand in what they write, and one writer commits whatever is waiting in one transaction.

A durable commit costs a disk sync; sixteen requests that wait together share one. A conflict inside a batch harms no
other request of the batch: the loser is taken out where the engine says who it is, else the batch is written in halves,
and what comes of it is always that of the order in which the requests came.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.errors import BitacoraError, shutting_down
from shared.eventlog.envelope import Bookmark
from shared.eventlog.store import Appended, Changes, VersionConflict, Writer

LARGEST_BATCH = 512
"""Requests in one transaction at most; also bounds how long a small write waits behind large ones."""

GATHERING = 6
"""Rounds of the event loop for which a batch waits for company at most; an idle loop goes round at once."""

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Acknowledged = Callable[[Changes, Appended], None]
_Request = tuple[Changes, asyncio.Future[Appended]]


class AppendMetrics:
    """How large the batches are that a process appends, how long the first of one waited, and how long it took."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.batch = Histogram(
            "log_append_batch_requests", "Requests in a batch.", buckets=BATCHES, registry=registry
        )
        self.wait = Histogram(
            "log_append_wait_seconds",
            "Time from a request's turn to the beginning of its batch, of the first in each batch.",
            buckets=SECONDS,
            registry=registry,
        )
        self.seconds = Histogram(
            "log_append_duration_seconds",
            "Time the engine took for a batch.",
            buckets=SECONDS,
            registry=registry,
        )
        self.failures = Counter(
            "log_append_failures", "Batches that the engine did not take.", registry=registry
        )


class Appender:
    """The one writer of a process; `acknowledged` is called, in order of positions, for all that was committed.

    `known` is the last event that the process knows to be in the log: nothing is written to a log without it.
    """

    def __init__(
        self,
        writer: Writer,
        now: Callable[[], datetime],
        acknowledged: Acknowledged,
        known: Callable[[], Bookmark | None] = lambda: None,
        metrics: AppendMetrics | None = None,
    ) -> None:
        self._metrics = metrics or AppendMetrics()
        self._since = 0.0
        """When the first of those who wait came."""
        self._writer = writer
        self._now = now
        self._acknowledged = acknowledged
        self._known = known
        self._waiting: deque[_Request] = deque()
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def start(self) -> None:
        """Begin to write; call on the event loop that will append."""
        self._task = asyncio.create_task(self._run(), name="log-appender")

    async def append(self, changes: Changes) -> Appended:
        """Write all of `changes` or nothing; returns once it is durable.

        Raises VersionConflict, CodeTaken, DuplicateKey, FollowerOvertaken, Outdated, LogWentBack, or Unavailable (the
        outcome is then unknown to the caller; an idempotency key makes asking again safe).
        """
        if self._closed:
            raise shutting_down()
        future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting.append((changes, future))
        self._work.set()
        return await future

    def refuse(self, error: BitacoraError) -> None:
        """Write nothing of what is waiting: it was decided on what is no more."""
        while self._waiting:
            _fail(self._waiting.popleft()[1], error)

    async def idle(self) -> None:
        """Return once nothing is being written."""
        await self._idle.wait()

    async def close(self) -> None:
        """Write what is waiting, then stop."""
        self._closed = True
        self._work.set()
        if self._task is not None:
            await self._task
        await self._writer.close()

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            self._idle.clear()
            while self._waiting:
                await self._gather()
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
                begun = time.monotonic()
                self._metrics.batch.observe(len(batch))
                self._metrics.wait.observe(begun - self._since)
                self._since = begun
                await self._write(batch)
                self._metrics.seconds.observe(time.monotonic() - begun)
            self._idle.set()
            if self._closed:
                return

    async def _gather(self) -> None:
        """Let the requests that are on their way in join the batch: the loop goes round while more keep coming."""
        waiting = 0
        for _ in range(GATHERING):
            if waiting == len(self._waiting):
                return
            waiting = len(self._waiting)
            await asyncio.sleep(0)

    async def _write(self, batch: list[_Request]) -> None:
        waiting = [batch]
        while waiting:
            part = waiting.pop()
            try:
                appended = await self._writer.write(
                    [changes for changes, _ in part], self._now(), self._known()
                )
            except BitacoraError as error:
                # The engine did not answer, and would not for one of them alone either.
                self._metrics.failures.inc()
                for _, future in part:
                    _fail(future, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it or wait for ever
                # A lost race, or something that cannot be written at all: the others must not pay for it.
                loser = 0 if len(part) == 1 else _loser(part, error)
                if loser is None:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]
                else:
                    _fail(part.pop(loser)[1], error)
                    waiting += [part] if part else []
            else:
                self._answer(part, appended)

    def _answer(self, part: list[_Request], appended: Sequence[Appended]) -> None:
        for (changes, future), answer in zip(part, appended, strict=True):
            try:
                self._acknowledged(changes, answer)
            except Exception as error:  # noqa: BLE001 - nor may a broken cache leave anybody waiting
                _fail(future, error)
            if not future.done():
                future.set_result(answer)


def _loser(batch: Sequence[_Request], error: Exception) -> int | None:
    """Which request of a batch it was that lost a race, where that is certain."""
    if not isinstance(error, VersionConflict) or error.stream_id is None:
        return None
    at = (error.stream_id, error.version)
    found = [
        number
        for number, (changes, _) in enumerate(batch)
        if any((event.stream_id, event.version) == at for event in changes.events)
    ]
    # Two of one batch that write the same version: the first of them may be the one that wins.
    return found[0] if len(found) == 1 else None


def _fail(future: asyncio.Future[Appended], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
