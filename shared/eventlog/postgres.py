"""The event log in PostgreSQL: appended through one SQL function, read in plain rows."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout

from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.postgres_schema import APPEND, CHANNEL, TABLES
from shared.eventlog.store import (
    Appended,
    Changes,
    DuplicateKey,
    FollowerOvertaken,
    IdempotencyRecord,
    LogNotReady,
    VersionConflict,
)

ACTIVE_POLL = 0.008
"""Seconds between two looks at the head while the log is growing."""

ACTIVE_FOR = 1.0
"""Seconds without growth after which a waiter stops polling closely and relies on a notification."""

IDLE_POLL = 0.5
"""Seconds between two looks while the log is idle, in case a notification was lost."""

ANNOUNCE_INTERVAL = 0.25
"""Seconds between two notifications of one writer: they are a wake-up call only, and costly under load."""

MIGRATION_LOCK = 563_201_013


class PostgresStore(PostgresApplicationRecorder):
    """The log in PostgreSQL; also a recorder of the `eventsourcing` library, whose test cases it passes.

    `unsafe_functions=True` switches on the library's lock-free insert (its POSTGRES_ENABLE_DB_FUNCTIONS setting), with
    which tailing readers miss events. It exists only for the test that shows so.
    """

    def __init__(self, url: str, *, schema: str = "public", unsafe_functions: bool = False) -> None:
        self._conninfo = url
        parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
        datastore = PostgresDatastore(
            dbname=parts.pop("dbname", ""),
            host=parts.pop("host", ""),
            port=parts.pop("port", "5432"),
            user=parts.pop("user", ""),
            password=parts.pop("password", ""),
            pool_size=1,
            max_overflow=7,
            connect_timeout=5.0,
            pre_ping=True,
            schema=schema,
            enable_db_functions=unsafe_functions,
        )
        # What else the URL says (sslmode, target_session_attrs, …) the library has no parameter for.
        cast("dict[str, Any]", datastore.pool.kwargs).update(parts)
        self.schema = schema
        try:
            super().__init__(datastore)
        except Exception:
            datastore.close()
            raise
        if not unsafe_functions:
            self.sql_create_statements = []
        self.insert_statement = APPEND.format(schema=schema)

    # --- writing ---------------------------------------------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """The library's way in: bytes are stored as they are, without a stamp."""
        if self.datastore.enable_db_functions:
            positions: Sequence[int] | None = super().insert_events(stored_events, **kwargs)
            return positions
        parameters = (
            [s.originator_id for s in stored_events],
            [s.originator_version for s in stored_events],
            [s.topic for s in stored_events],
            [s.state for s in stored_events],
            None,
            *([[]] * 6),
            False,
        )
        with self._connection() as connection:
            head, _moment = _one(connection.execute(self.insert_statement, parameters).fetchone())
        return list(range(head + 1, head + 1 + len(stored_events)))

    def append(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """See `Store.append`."""
        with self._connection() as connection:
            row = connection.execute(self.insert_statement, _parameters(batch, now, announce=True)).fetchone()
        return _answers(batch, *_one(row))

    def writer(self) -> PostgresWriter:
        """A writer on an asynchronous connection of its own."""
        return PostgresWriter(self._conninfo, self.insert_statement)

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[tuple[int, bytes]]:
        """See `Store.read`."""
        sql = "SELECT notification_id, state FROM {table} WHERE notification_id > %s"
        values: list[Any] = [after]
        if upto is not None:
            sql += " AND notification_id <= %s"
            values.append(upto)
        if types:
            sql += " AND topic = ANY(%s)"
            values.append(list(types))
        return self._rows(sql + " ORDER BY notification_id LIMIT %s", [*values, limit])

    def read_stream(
        self, stream_id: UUID, after_version: int = 0, upto_position: int | None = None
    ) -> list[tuple[int, bytes]]:
        """See `Store.read_stream`."""
        sql = (
            "SELECT notification_id, state FROM {table} WHERE originator_id = %s AND originator_version > %s"
        )
        values: list[Any] = [stream_id, after_version]
        if upto_position is not None:
            sql += " AND notification_id <= %s"
            values.append(upto_position)
        return self._rows(sql + " ORDER BY originator_version", values)

    def head(self) -> int:
        """See `Store.head`."""
        return int(self._rows("SELECT coalesce(max(notification_id), 0) FROM {table}", [])[0][0])

    def recorded_at(self, position: int) -> datetime | None:
        """See `Store.recorded_at`."""
        rows = self._rows("SELECT recorded_at FROM {table} WHERE notification_id = %s", [position])
        return rows[0][0].astimezone(UTC) if rows and rows[0][0] is not None else None

    def find_key(self, key_hash: bytes) -> IdempotencyRecord | None:
        """See `Store.find_key`."""
        rows = self._rows(
            "SELECT fingerprint, stream_id, version FROM {schema}.idempotency_keys WHERE key_hash = %s",
            [key_hash],
        )
        return IdempotencyRecord(key_hash, *rows[0]) if rows else None

    def position_of(self, stream_id: UUID, version: int) -> int | None:
        """See `Store.position_of`."""
        rows = self._rows(
            "SELECT notification_id FROM {table} WHERE originator_id = %s AND originator_version = %s",
            [stream_id, version],
        )
        return int(rows[0][0]) if rows else None

    def follower_position(self, name: str) -> int:
        """See `Store.follower_position`."""
        rows = self._rows("SELECT position FROM {schema}.followers WHERE name = %s", [name])
        return int(rows[0][0]) if rows else 0

    def _rows(self, template: str, values: Sequence[Any]) -> list[Any]:
        statement = SQL(template).format(
            schema=Identifier(self.schema), table=Identifier(self.schema, "stored_events")
        )
        with (
            self._connection() as connection,
            connection.cursor(row_factory=tuple_row, binary=True) as cursor,
        ):
            return cursor.execute(statement, values, prepare=True).fetchall()

    @contextmanager
    def _connection(self) -> Iterator[psycopg.Connection[Any]]:
        """A pooled connection in autocommit; every failure of the engine comes out as an error of ours."""
        try:
            self.datastore.pool.open()
            with self.datastore.pool.connection() as connection, _translated_errors():
                yield connection
        except PoolTimeout as error:
            raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error

    # --- upkeep ----------------------------------------------------------------------------------------------------

    def create_table(self) -> None:
        """The library's name for making tables."""
        self.migrate()

    def migrate(self) -> None:
        """See `Store.migrate`: under an advisory lock, because CREATE … IF NOT EXISTS races with itself."""
        with self._connection() as connection, connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
            for statement in TABLES:
                connection.execute(statement.format(schema=self.schema).encode())
        if self.sql_create_statements:
            super().create_table()

    def check_ready(self) -> None:
        """See `Store.check_ready`."""
        self.head()
        self.follower_position("")

    def waiter(self) -> PostgresWaiter:
        """See `Store.waiter`."""
        return PostgresWaiter(self, self._conninfo)

    def close(self) -> None:
        """See `Store.close`."""
        self.datastore.close()


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
            with _translated_errors():
                if self._connection is None:
                    self._connection = await psycopg.AsyncConnection.connect(
                        self._conninfo, autocommit=True, connect_timeout=5
                    )
                async with self._connection.cursor(binary=True) as cursor:
                    await cursor.execute(
                        self._statement, _parameters(batch, now, announce=announce), prepare=True
                    )
                    row = await cursor.fetchone()
        except Unavailable:
            await self.close()
            raise
        if announce:
            self._announced = time.monotonic()
        return _answers(batch, *_one(row))

    async def close(self) -> None:
        """See `Writer.close`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


class PostgresWaiter:
    """Polls the head closely while the log grows, and sleeps on a notification while it does not."""

    def __init__(self, store: PostgresStore, conninfo: str) -> None:
        self._statement = SQL("SELECT coalesce(max(notification_id), 0) FROM {}").format(
            Identifier(store.schema, "stored_events")
        )
        self._conninfo = conninfo
        self._connection: psycopg.Connection[Any] | None = None
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
                self._woken.wait(min(ACTIVE_POLL, remaining))
            else:
                self._sleep(min(IDLE_POLL, remaining))

    def _head(self) -> int:
        with self._listening() as connection:
            return int(_one(connection.execute(self._statement, prepare=True).fetchone())[0])

    def _sleep(self, seconds: float) -> None:
        with self._listening() as connection:
            for _ in connection.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def _listening(self) -> Iterator[psycopg.Connection[Any]]:
        """Its own connection, subscribed to the wake-up call; a broken one is dropped and opened anew next time."""
        try:
            with _translated_errors():
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


def _parameters(batch: Sequence[Changes], now: datetime, *, announce: bool) -> tuple[Any, ...]:
    events = [event for changes in batch for event in changes.events]
    keys = [changes.key for changes in batch if changes.key is not None]
    followers = [changes.follower for changes in batch if changes.follower is not None]
    return (
        [event.stream_id for event in events],
        [event.version for event in events],
        [event.data.TYPE for event in events],
        [codec.encode(event) for event in events],
        now,
        [key.key_hash for key in keys],
        [key.fingerprint for key in keys],
        [key.stream_id for key in keys],
        [key.version for key in keys],
        [follower.name for follower in followers],
        [follower.position for follower in followers],
        announce,
    )


def _answers(batch: Sequence[Changes], head: int, moment: datetime) -> Sequence[Appended]:
    moment = moment.astimezone(UTC)
    answers = []
    for changes in batch:
        first = head + 1
        head += len(changes.events)
        answers.append(Appended(first, head, moment))
    return answers


def _one(row: Any) -> tuple[Any, ...]:
    """The single row a statement always gives."""
    assert row is not None
    return tuple(row.values()) if isinstance(row, dict) else row


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Failures of the engine as ours: conflicts by the constraint that was broken, the rest as unavailable."""
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        match error.diag.constraint_name:
            case "stored_events_pkey" | "stored_events_notification_id_idx":
                raise VersionConflict(str(error)) from error
            case "idempotency_keys_pkey":
                raise DuplicateKey(str(error)) from error
            case "followers_pkey":
                raise FollowerOvertaken(str(error)) from error
            case _:
                raise IntegrityError(str(error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as error:
        raise LogNotReady from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error
