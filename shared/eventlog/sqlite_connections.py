"""What the SQLite log does beside the store: append for an event loop, and wait for the log to grow."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

from shared.errors import Unavailable
from shared.eventlog.store import Appended, Changes


class _Store(Protocol):
    """As much of the store as is needed here."""

    path: str

    def append(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]: ...

    def head(self) -> int: ...


class SQLiteWriter:
    """Appends for an event loop, in one thread, so that the loop never waits for the disk."""

    def __init__(self, store: _Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-writer")

    async def write(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """See `Writer.write`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._store.append, batch, now)

    async def close(self) -> None:
        """See `Writer.close`."""
        self._thread.shutdown(wait=True)


class SQLiteWaiter:
    """Looks at the file's data version every few milliseconds: SQLite has no way to call."""

    def __init__(self, store: _Store, poll: float) -> None:
        self._store = store
        self._poll = poll
        self._woken = threading.Event()
        self._connection: sqlite3.Connection | None = None
        self._data_version = -1

    def wait(self, after: int, timeout: float) -> int:
        """See `Waiter.wait`."""
        deadline = time.monotonic() + timeout
        self._data_version = -1
        while True:
            if self._changed():
                head = self._store.head()
                if head > after:
                    return head
            if self._woken.is_set() or time.monotonic() >= deadline:
                self._woken.clear()
                return self._store.head()
            self._woken.wait(self._poll)

    def _changed(self) -> bool:
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._store.path, isolation_level=None, check_same_thread=False
                )
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error
        changed = bool(version != self._data_version)
        self._data_version = version
        return changed

    def wake(self) -> None:
        """See `Waiter.wake`."""
        self._woken.set()

    def close(self) -> None:
        """See `Waiter.close`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
