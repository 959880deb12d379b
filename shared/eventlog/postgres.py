"""The event log in PostgreSQL: appended through one SQL function (`migrations/`), read in plain rows.

No connection waits without end: for a lock, a statement, a connection or a network that is gone, each within the
store's limits; whoever waited hears Unavailable, and the connection is given up.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking
from psycopg_pool import ConnectionPool, PoolTimeout

from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import BEGINNING, Bookmark
from shared.eventlog.grants import grants
from shared.eventlog.store import (
    LIMITS,
    Appended,
    Changes,
    ClockAhead,
    CodeTaken,
    DuplicateKey,
    FollowerOvertaken,
    Limits,
    LogAhead,
    LogNotReady,
    LogWentBack,
    Outdated,
    Store,
    VersionConflict,
    disk_full,
    fate_unknown,
)
from shared.eventlog.subscription import has_changed
from shared.postgres import AsyncConnection, Connection, Database, is_gone, milliseconds

APPEND_ONE: Final = (
    b"SELECT head, moment FROM bitacora_append("
    b"%b::uuid, %b::bigint, %b::text, %b::bytea, %b::timestamptz, %b::boolean, %b::bigint, %b::text, %b::interval)"
)
APPEND: Final = (
    b"SELECT head, moment FROM bitacora_append("
    b"%b::uuid[], %b::bigint[], %b::text[], %b::bytea[], %b::timestamptz, %b::boolean, %b::bigint, %b::text, "
    b"%b::interval)"
)
APPEND_ALL: Final = (
    APPEND[:-1] + b", %b::bytea[], %b::bytea[], %b::uuid[], %b::bigint[], "
    b"%b::text[], %b::bigint[], %b::boolean[], %b::text[], %b::text[], %b::bigint[], %b::bigint[])"
)
"""The same append, for one event, for events alone, and with all that may come with them: each value costs time."""

APPEND_LOCK: Final = (
    "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '.stored_events', 563))"
)
"""The lock under which `bitacora_append` gives out positions; it is free again when the transaction ends."""

READ_ONLY: Final = "SELECT current_setting('transaction_read_only')::boolean"

CHANNEL: Final = "bitacora_log"

POOL_SIZE: Final = 8
RECONNECT_FOR: Final = 1.0
"""Seconds for which the pool goes on trying to connect by itself; after that, whoever asks makes it try again."""

ACTIVE_FOR: Final = 1.0
"""Seconds without growth after which a waiter stops polling closely and relies on a notification."""

IDLE_POLL: Final = 0.5
"""Seconds between two looks while the log is idle, in case a notification was lost."""

POOLED_POLL: Final = 0.1
"""The same behind a pooler, where there are no notifications."""

ANNOUNCE_INTERVAL: Final = 0.25
"""Seconds between two notifications of one writer: they are a wake-up call only, and costly under load."""

CHECK_AFTER: Final = 1.0
"""Seconds of rest after which a connection is tried before it is used: the server may have restarted since."""

T = TypeVar("T")

_ALREADY_THERE: Final = re.compile(r"=\(([0-9a-f-]{36}), (\d+)\)")


class PostgresStore(Store):
    """The log in a PostgreSQL database, in the first schema of the connection's search path."""

    POSITION: ClassVar[str] = "notification_id"
    KEYS: ClassVar[str] = "idempotency_keys"

    def __init__(self, url: str, limits: Limits = LIMITS, *, pooled: bool = False) -> None:
        self.limits = limits
        self._url = url
        self._database = _database(url, limits, pooled=pooled)
        self._tolerance = timedelta(seconds=limits.clock)
        self._announcing = _Announcing()
        self._used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._database.conninfo,
            connection_class=Connection,
            kwargs={"autocommit": True, **self._database.arguments},
            configure=self._database.adopt,
            min_size=1,
            max_size=POOL_SIZE,
            open=False,
            check=self._check,
            timeout=limits.connect,
            reconnect_timeout=RECONNECT_FOR,
            name="event-log",
        )

    # --- writing ---------------------------------------------------------------------------------------------------

    def append(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """See `Store.append`."""
        statement, values = _append(batch, now, known, self._tolerance, announce=self._announcing.due())
        with self._cursor(writing=True, known=known) as cursor:
            row = cursor.execute(statement, values, prepare=True).fetchone()
        return _appended(batch, row)

    def writer(self) -> PostgresWriter:
        """A writer on an asynchronous connection of its own."""
        return PostgresWriter(self._database, self._tolerance)

    def _insert(
        self, events: Sequence[StoredEvent], tracking: Tracking | None, now: datetime | None
    ) -> list[int]:
        values = (
            [_uuid(event.originator_id) for event in events],
            [event.originator_version for event in events],
            [event.topic for event in events],
            [event.state for event in events],
            now,
            self._announcing.due(),
            None,
            None,
            self._tolerance,
            *([[]] * 4),
            [tracking.application_name] if tracking else [],
            [tracking.notification_id] if tracking else [],
            [False] if tracking else [],
            [None] if tracking else [],
            *([[]] * 3),
        )
        with self._cursor(writing=True) as cursor:
            head, _moment = _only(cursor.execute(APPEND_ALL, values, prepare=True).fetchone())
        return list(range(head + 1, head + 1 + len(events)))

    # --- statements ------------------------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with self._cursor() as cursor:
            return cursor.execute(sql.replace("?", "%s").encode(), values, prepare=True).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Sequence[Any]], int]]:
        with self._cursor(writing=True) as cursor, cursor.connection.transaction():
            yield lambda sql, values: cursor.execute(sql.replace("?", "%s").encode(), values).rowcount

    @contextmanager
    def _cursor(
        self, *, writing: bool = False, known: Bookmark | None = None
    ) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor on a pooled connection in autocommit."""
        with ExitStack() as given_back:
            with _translated_errors():
                self._database.must_answer()
                self._database.check_direct()
                self._pool.open()
                connection = given_back.enter_context(self._pool.connection())
            with _translated_errors(writing=writing, known=known):
                try:
                    with self._database.within(connection), connection.cursor(binary=True) as cursor:
                        yield cursor
                    self._used[connection] = time.monotonic()
                except psycopg.errors.ReadOnlySqlTransaction:
                    # The server that takes writes is another one now; new connections may find it.
                    self._pool.drain()
                    raise

    def _check(self, connection: Connection) -> None:
        if is_gone(connection):
            raise psycopg.OperationalError("the server has given this connection up")
        if time.monotonic() - self._used.get(connection, 0.0) > CHECK_AFTER:
            ConnectionPool.check_connection(connection)

    def as_stored(self, value: Any) -> Any:
        return value

    def as_instant(self, value: Any) -> datetime:
        moment: datetime = value.astimezone(UTC)
        return moment

    # --- upkeep ----------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        from shared.eventlog.migrations import migrate_postgres

        with _translated_errors():
            migrate_postgres(_database(self._url, self.limits, pooled=self._database.pooled, waits=True))

    def grant(self, writers: Sequence[str], readers: Sequence[str]) -> None:
        """See `Store.grant`."""
        with self._cursor() as cursor, cursor.connection.transaction():
            (schema,) = _only(cursor.execute("SELECT current_schema()").fetchone())
            for statement in grants(schema, writers, readers):
                cursor.execute(statement)

    def may_be_behind(self) -> bool:
        """See `Store.may_be_behind`: a standby is."""
        return bool(self.rows("SELECT pg_is_in_recovery()", [])[0][0])

    def engine_time(self) -> datetime:
        """See `Store.engine_time`."""
        return self.as_instant(self.rows("SELECT clock_timestamp()", [])[0][0])

    def check_writable(self) -> None:
        """See `Store.check_writable`."""
        with self._cursor() as cursor:
            (read_only,) = _only(cursor.execute(READ_ONLY).fetchone())
            if read_only:
                raise psycopg.errors.ReadOnlySqlTransaction
            cursor.execute(APPEND_LOCK)

    def waiter(self, poll: float) -> PostgresWaiter:
        """See `Store.waiter`."""
        return PostgresWaiter(self._database, poll)

    def close(self) -> None:
        """See `Store.close`."""
        self._pool.close()


class PostgresWriter:
    """Appends for an event loop on one asynchronous connection: one round trip, one transaction, one batch."""

    def __init__(self, database: Database, tolerance: timedelta) -> None:
        self._database = database
        self._tolerance = tolerance
        self._connection: AsyncConnection | None = None
        self._announcing = _Announcing()

    async def write(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """See `Writer.write`. After a failure of the engine the next write opens a new connection."""
        statement, values = _append(batch, now, known, self._tolerance, announce=self._announcing.due())
        try:
            with _translated_errors():
                if self._connection is not None and is_gone(self._connection):
                    # Nothing was sent on it: whoever waits need not be told that the server was started anew.
                    await self.close()
                if self._connection is None:
                    self._connection = await self._database.connect_async()
            with _translated_errors(writing=True, known=known):
                async with (
                    self._database.within_async(self._connection),
                    self._connection.cursor(binary=True) as cursor,
                ):
                    await cursor.execute(statement, values, prepare=True)
                    row = await cursor.fetchone()
        except Unavailable:
            await self.close()
            raise
        return _appended(batch, row)

    async def close(self) -> None:
        """See `Writer.close`."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                await connection.close()


class _Announcing:
    """Says when the next append is to wake those who sleep: a notification has its price under load."""

    def __init__(self) -> None:
        self._last = 0.0

    def due(self) -> bool:
        now = time.monotonic()
        if now - self._last <= ANNOUNCE_INTERVAL:
            return False
        self._last = now
        return True


class PostgresWaiter:
    """Polls the head closely while the log grows, and sleeps on a notification while it does not."""

    def __init__(self, database: Database, poll: float) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._poll = poll
        self._woken = threading.Event()
        self._grew_at = 0.0

    def wait(self, after: int, timeout: float) -> int:
        """See `Waiter.wait`."""
        statement = "SELECT coalesce(max(notification_id), 0) FROM stored_events"
        return self._until(lambda: int(self._look(statement)[0][0]), lambda head: head > after, timeout)

    def lines(self, known: int, limit: int, timeout: float) -> list[tuple[int, bytes]]:
        """See `Waiter.lines`: the look itself brings them."""
        statement = (
            "SELECT notification_id, state FROM stored_events WHERE notification_id >= %s "
            "ORDER BY notification_id LIMIT %s"
        )
        return self._until(lambda: self._look(statement, known, limit), partial(has_changed, known), timeout)

    def _until(self, look: Callable[[], T], found: Callable[[T], bool], timeout: float) -> T:
        """What a look brings, once there is something; after `timeout` seconds, or when woken, whatever it brings."""
        deadline = time.monotonic() + timeout
        while True:
            seen = look()
            now = time.monotonic()
            if found(seen):
                self._grew_at = now
                return seen
            if self._woken.is_set() or now >= deadline:
                self._woken.clear()
                return seen
            remaining = deadline - now
            if now - self._grew_at < ACTIVE_FOR:
                self._woken.wait(min(self._poll, remaining))
            else:
                self._sleep(min(IDLE_POLL, remaining))

    def _look(self, statement: str, *values: int) -> list[Any]:
        with self._listening() as connection:
            return connection.execute(statement.encode(), values, prepare=True, binary=True).fetchall()

    def _sleep(self, seconds: float) -> None:
        if self._database.pooled:
            # Nobody would hear: a notification goes to the session of the server that asked for it.
            self._woken.wait(min(seconds, POOLED_POLL))
            return
        with self._listening() as connection:
            for _ in connection.notifies(timeout=seconds, stop_after=1):
                pass

    @contextmanager
    def _listening(self) -> Iterator[Connection]:
        """Its own connection, subscribed to the wake-up call; a broken one is dropped and opened anew next time."""
        try:
            with _translated_errors():
                if self._connection is None:
                    self._connection = self._database.connect(autocommit=True)
                    if not self._database.pooled:
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


# --- one append as a statement: its parameters, its answer, its failures as errors of ours ---------------------------


def _append(
    batch: Sequence[Changes],
    now: datetime,
    known: Bookmark | None,
    tolerance: timedelta,
    *,
    announce: bool,
) -> tuple[bytes, Sequence[Any]]:
    """The statement that appends a batch, and its values."""
    proof = (*(known or (None, None)), tolerance)
    events = [event for changes in batch for event in changes.events]
    alone = all(c.key is None and c.follower is None and c.seen is None for c in batch)
    if alone and len(events) == 1:
        (event,) = events
        values = (event.stream_id, event.version, event.data.TYPE, codec.encode(event), now, announce, *proof)
        return APPEND_ONE, values
    common = (
        [event.stream_id for event in events],
        [event.version for event in events],
        [event.data.TYPE for event in events],
        [codec.encode(event) for event in events],
        now,
        announce,
        *proof,
    )
    if alone:
        return APPEND, common
    keys = [changes.key for changes in batch if changes.key is not None]
    followers = [changes.follower for changes in batch if changes.follower is not None]
    seen = _seen(batch)
    return APPEND_ALL, (
        *common,
        [key.key_hash for key in keys],
        [key.fingerprint for key in keys],
        [key.stream_id for key in keys],
        [key.version for key in keys],
        [follower.name for follower in followers],
        [follower.position for follower in followers],
        [follower.retry for follower in followers],
        [follower.identity for follower in followers],
        [name for name, _, _ in seen],
        [upto for _, upto, _ in seen],
        [before for _, _, before in seen],
    )


def _seen(batch: Sequence[Changes]) -> list[tuple[str, int, int]]:
    """Each type that a request has seen, up to which position, and how many events of the batch go before its own."""
    seen = []
    before = 0
    for changes in batch:
        if changes.seen is not None:
            seen += [(name, changes.seen.upto, before) for name in changes.seen.types]
        before += len(changes.events)
    return seen


def _appended(batch: Sequence[Changes], row: tuple[Any, ...] | None) -> Sequence[Appended]:
    head, moment = _only(row)
    moment = moment.astimezone(UTC)
    answers = []
    for changes in batch:
        first = head + 1
        head += len(changes.events)
        answers.append(Appended(first, head, moment))
    return answers


def _only(row: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """The single row a statement always gives."""
    assert row is not None
    return row


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


@contextmanager
def _translated_errors(*, writing: bool = False, known: Bookmark | None = None) -> Iterator[None]:
    """Failures of the engine as ours: conflicts by the constraint that was broken, the rest as unavailable.

    Of a writing that the server did not answer nobody knows whether it was carried out; what the server itself refused
    was not. `known` is what the caller has read of the log.
    """
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        match error.diag.constraint_name:
            case "stored_events_pkey" | "stored_events_notification_id_idx":
                raise _version_conflict(error) from error
            case "codes_pkey":
                raise CodeTaken(str(error)) from error
            case "idempotency_keys_pkey":
                raise DuplicateKey(str(error)) from error
            case "followers_pkey":
                raise FollowerOvertaken(str(error)) from error
            case "seen":
                raise Outdated(str(error)) from error
            case _:
                raise IntegrityError(str(error)) from error
    except psycopg.errors.CheckViolation as error:
        match error.diag.constraint_name:
            case "continuity":
                raise LogWentBack(known or BEGINNING) from error
            case "clock":
                raise ClockAhead from error
            case "log_clock":
                raise LogAhead from error
            case _:
                raise IntegrityError(str(error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedFunction) as error:
        raise LogNotReady from error
    except psycopg.errors.DiskFull as error:
        raise disk_full() from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise Unavailable("log-unavailable", "The event log takes no writes just now; try again.") from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        if writing and getattr(error, "sqlstate", None) is None:
            raise fate_unknown() from error
        raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error


def _version_conflict(error: psycopg.errors.UniqueViolation) -> VersionConflict:
    """The conflict, and which version of which stream the server says was there already."""
    found = _ALREADY_THERE.search(error.diag.message_detail or "")
    if found is None:
        return VersionConflict(str(error))
    return VersionConflict(str(error), UUID(found[1]), int(found[2]))


def _database(url: str, limits: Limits, *, pooled: bool, waits: bool = False) -> Database:
    """The database with our limits; with `waits`, for work that takes as long as it takes."""
    return Database(
        url,
        connect=limits.connect,
        network=limits.network,
        statement=None if waits else limits.statement,
        pooled=pooled,
        settings={"lock_timeout": 0, "statement_timeout": 0, "idle_in_transaction_session_timeout": 0}
        if waits
        else {"lock_timeout": milliseconds(limits.lock)},
    )
