"""What the PostgreSQL log does on connections of its own: append for an event loop, and wait for the log to grow."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from shared.errors import Unavailable
from shared.eventlog.postgres_schema import CHANNEL
from shared.eventlog.postgres_statements import answers, only_row, parameters, translated_errors
from shared.eventlog.store import Appended, Changes

ACTIVE_FOR = 1.0
"""Seconds without growth after which a waiter stops polling closely and relies on a notification."""

IDLE_POLL = 0.5
"""Seconds between two looks while the log is idle, in case a notification was lost."""

ANNOUNCE_INTERVAL = 0.25
"""Seconds between two notifications of one writer: they are a wake-up call only, and costly under load."""


class PostgresWriter:
    """Appends for an event loop on one asynchronous connection: one round trip, one transaction, one batch."""

    def __init__(self, conninfo: str, statement: str) -> None:
        self._conninfo = conninfo
        self._statement = statement.encode()
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._announced = 0.0

    async def write(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """See `Writer.write`. After a failure of the engine the next write opens a new connection."""
        announce = time.monotonic() - self._announced > ANNOUNCE_INTERVAL
        try:
            with translated_errors():
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        self._conninfo, autocommit=True, connect_timeout=5
                    )
                async with self._connection.cursor(binary=True) as cursor:
                    await cursor.execute(
                        self._statement, parameters(batch, now, announce=announce), prepare=True
                    )
                    row = await cursor.fetchone()
        except Unavailable:
            await self.close()
            raise
        if announce:
            self._announced = time.monotonic()
        return answers(batch, *only_row(row))

    async def close(self) -> None:
        """See `Writer.close`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


class PostgresWaiter:
    """Polls the head closely while the log grows, and sleeps on a notification while it does not."""

    def __init__(self, schema: str, conninfo: str, poll: float) -> None:
        self._statement = SQL("SELECT coalesce(max(notification_id), 0) FROM {}").format(
            Identifier(schema, "stored_events")
        )
        self._conninfo = conninfo
        self._connection: psycopg.Connection[Any] | None = None
        self._poll = poll
        self._woken = threading.Event()
        self._grew_at = 0.0

    def wait(self, after: int, timeout: float) -> int:
        """See `Waiter.wait`."""
        deadline = time.monotonic() + timeout
        while True:
            head = self._head()
            now = time.monotonic()
            if head > after:
                self._grew_at = now
                return head
            if self._woken.is_set() or now >= deadline:
                self._woken.clear()
                return head
            remaining = deadline - now
            if now - self._grew_at < ACTIVE_FOR:
                self._woken.wait(min(self._poll, remaining))
            else:
                self._sleep(min(IDLE_POLL, remaining))

    def _head(self) -> int:
        with self._listening() as connection:
            return int(only_row(connection.execute(self._statement, prepare=True).fetchone())[0])

    def _sleep(self, seconds: float) -> None:
        with self._listening() as connection:
            for _ in connection.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def _listening(self) -> Iterator[psycopg.Connection[Any]]:
        """Its own connection, subscribed to the wake-up call; a broken one is dropped and opened anew next time."""
        try:
            with translated_errors():
                if self._connection is None:
                    self._connection = psycopg.Connection.connect(
                        self._conninfo, autocommit=True, connect_timeout=5
                    )
                    self._connection.execute(f"LISTEN {CHANNEL}")
                yield self._connection
        except Unavailable:
            self.close()
            raise

    def wake(self) -> None:
        """See `Waiter.wake`; a sleep on a notification ends at its next look."""
        self._woken.set()

    def close(self) -> None:
        """See `Waiter.close`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
