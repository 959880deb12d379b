"""Commands of one process on the same stream go one after the other, so that they do not race among themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from uuid import UUID


class StreamLocks:
    """One lock for each stream that a command is at; streams nobody is at cost nothing."""

    def __init__(self) -> None:
        self._queues: dict[UUID, tuple[asyncio.Lock, int]] = {}

    def __len__(self) -> int:
        return len(self._queues)

    def on(self, streams: Iterable[UUID]) -> _Locked:
        """All these streams at once, to be entered with `async with`.

        They are taken in one order by everybody, and nobody who holds one may ask for another: no two can wait for
        each other.
        """
        return _Locked(self._queues, sorted(streams))


class _Locked:
    """Waiting for the locks, and having them; written out by hand, because every command passes through here."""

    __slots__ = ("_held", "_queues", "_streams")

    def __init__(self, queues: dict[UUID, tuple[asyncio.Lock, int]], streams: Sequence[UUID]) -> None:
        self._queues = queues
        self._streams = streams
        self._held: list[tuple[UUID, asyncio.Lock]] = []

    async def __aenter__(self) -> None:
        for stream_id in self._streams:
            lock, users = self._queues.get(stream_id) or (asyncio.Lock(), 0)
            self._queues[stream_id] = (lock, users + 1)
            try:
                await lock.acquire()
            except BaseException:
                self._leave(stream_id, lock)
                self._release()
                raise
            self._held.append((stream_id, lock))

    async def __aexit__(self, *_: object) -> None:
        self._release()

    def _release(self) -> None:
        while self._held:
            stream_id, lock = self._held.pop()
            lock.release()
            self._leave(stream_id, lock)

    def _leave(self, stream_id: UUID, lock: asyncio.Lock) -> None:
        users = self._queues[stream_id][1] - 1
        if users:
            self._queues[stream_id] = (lock, users)
        else:
            del self._queues[stream_id]
