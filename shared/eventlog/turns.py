"""Commands of one process on the same stream go one after the other, so that they do not race among themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID


class Turns:
    """One queue per stream that somebody is at; streams nobody is at cost nothing."""

    def __init__(self) -> None:
        self._queues: dict[UUID, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        return len(self._queues)

    @asynccontextmanager
    async def on(self, streams: Iterable[UUID]) -> AsyncIterator[None]:
        """Wait for one's turn on all these streams at once.

        They are taken in one order by everybody, and nobody who holds one may ask for another: no two can wait for
        each other.
        """
        async with AsyncExitStack() as held:
            for stream_id in sorted(streams):
                await held.enter_async_context(self._one(stream_id))
            yield

    @asynccontextmanager
    async def _one(self, stream_id: UUID) -> AsyncIterator[None]:
        lock, users = self._queues.get(stream_id) or (asyncio.Lock(), 0)
        self._queues[stream_id] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            users = self._queues[stream_id][1] - 1
            if users:
                self._queues[stream_id] = (lock, users)
            else:
                del self._queues[stream_id]
