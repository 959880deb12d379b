"""The event log in one SQLite file: WAL, one writer at a time, every write begun with the write lock in hand."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ConnectionPoolClosedError,
    ConnectionUnavailableError,
    IntegrityError,
    InterfaceError,
    StoredEvent,
)
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
)

from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.sqlite_connections import SQLiteWaiter, SQLiteWriter
from shared.eventlog.store import (
    Appended,
    Changes,
    DuplicateKey,
    Filed,
    FollowerOvertaken,
    IdempotencyRecord,
    LogNotReady,
    Outdated,
    Seen,
    VersionConflict,
)

BUSY_TIMEOUT = 10
"""Seconds a writer waits for another process's write before it gives up as unavailable."""

# The position is an explicit INTEGER PRIMARY KEY, not a bare rowid, so that no VACUUM can renumber it. The library's
# recorder selects it by the name `rowid`.
_TABLES = (
    """
    CREATE TABLE IF NOT EXISTS stored_events (
        rowid INTEGER PRIMARY KEY,
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL,
        topic TEXT NOT NULL,
        state BLOB NOT NULL,
        recorded_at TEXT,
        UNIQUE (originator_id, originator_version)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS idempotency_keys (
        key_hash BLOB PRIMARY KEY,
        fingerprint BLOB NOT NULL,
        stream_id TEXT NOT NULL,
        version INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    "CREATE TABLE IF NOT EXISTS followers (name TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID",
)

_INSERT = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, recorded_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


class _Pool(SQLiteConnectionPool):
    """The library's pool; every connection syncs the WAL at each commit, whatever the build's default is."""

    def _create_connection(self) -> SQLiteConnection:
        deadline = time.monotonic() + BUSY_TIMEOUT
        while True:
            try:
                connection = super()._create_connection()
            except sqlite3.OperationalError as error:
                # Where several open a new file at once: the switch to the WAL does not wait for the lock it needs.
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)
            else:
                connection.cursor().execute("PRAGMA synchronous=FULL")
                return connection

    def close(self) -> None:
        """Close when nobody uses a connection any more: SQLite crashes if one is closed under a running statement."""
        deadline = time.monotonic() + BUSY_TIMEOUT
        while self.num_in_use and time.monotonic() < deadline:
            time.sleep(0.001)
        with self._put_condition:
            # One that is still in use is left to its thread; better an open file than a crash.
            self._in_use.clear()
            super().close()


class SQLiteStore(SQLiteApplicationRecorder):
    """The log in an SQLite file; also a recorder of the `eventsourcing` library, whose test cases it passes."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._writing = threading.Lock()
        if Path(path).parent != Path():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        datastore = SQLiteDatastore(db_name=path, lock_timeout=BUSY_TIMEOUT)
        datastore.pool.close()
        datastore.pool = _Pool(db_name=path, lock_timeout=BUSY_TIMEOUT, pool_size=5, max_overflow=20)
        super().__init__(datastore)

    def construct_create_table_statements(self) -> list[str]:
        """Our own tables, under the library's names for what the library reads."""
        return list(_TABLES)

    # --- writing ---------------------------------------------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """The library's way in: bytes are stored as they are, without a stamp."""
        with self._write() as connection:
            head, _last = self._head_and_clock(connection)
            rows = [
                (head + n, _hex(s.originator_id), s.originator_version, s.topic, s.state, None)
                for n, s in enumerate(stored_events, 1)
            ]
            connection.executemany(_INSERT, rows)
            return [row[0] for row in rows]

    def append(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """See `Store.append`."""
        with self._write() as connection:
            head, last = self._head_and_clock(connection)
            moment = now if last is None else max(now, last)
            text = codec.instant_text(moment)
            answers: list[Appended] = []
            for changes in batch:
                if changes.seen is not None:
                    self._must_be_all(connection, changes.seen)
                first = head + 1
                for event in changes.events:
                    head += 1
                    state = codec.stamp(codec.encode(event), head, moment)
                    connection.execute(
                        _INSERT, (head, event.stream_id.hex, event.version, event.data.TYPE, state, text)
                    )
                self._remember(connection, changes)
                answers.append(Appended(first, head, moment))
            return answers

    def writer(self) -> SQLiteWriter:
        """A writer that appends in a thread of its own."""
        return SQLiteWriter(self)

    @staticmethod
    def _must_be_all(connection: sqlite3.Connection, seen: Seen) -> None:
        """Outdated when there is more of what was seen, be it by an earlier request of the same transaction."""
        sql = "SELECT rowid FROM stored_events WHERE rowid > ?"
        sql += f" AND topic IN ({','.join('?' * len(seen.types))}) LIMIT 1"
        more = connection.execute(sql, (seen.upto, *seen.types)).fetchone()
        if more is not None:
            raise Outdated(f"position {more[0]} was not taken account of")

    @staticmethod
    def _remember(connection: sqlite3.Connection, changes: Changes) -> None:
        if changes.key is not None:
            key = changes.key
            connection.execute(
                "INSERT INTO idempotency_keys VALUES (?, ?, ?, ?)",
                (key.key_hash, key.fingerprint, key.stream_id.hex, key.version),
            )
        if changes.follower is not None:
            moved = connection.execute(
                "INSERT INTO followers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET position = excluded.position "
                "WHERE followers.position < excluded.position RETURNING position",
                (changes.follower.name, changes.follower.position),
            ).fetchone()
            if moved is None:
                raise FollowerOvertaken(f"follower {changes.follower.name} is already further")

    @staticmethod
    def _head_and_clock(connection: sqlite3.Connection) -> tuple[int, datetime | None]:
        row = connection.execute(
            "SELECT rowid, recorded_at FROM stored_events ORDER BY rowid DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return 0, None
        return row[0], None if row[1] is None else datetime.fromisoformat(row[1])

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its first statement: nothing it read can go stale."""
        # Our own lock lets the threads of this process write in turn. The pool's would never be given back when a
        # connection could not be opened, and nobody could write again.
        with self._writing, self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A pooled connection; every failure of the engine comes out as an error of ours."""
        pool = self.datastore.pool
        try:
            pooled = pool.get_connection()
            try:
                yield pooled._sqlite_conn  # noqa: SLF001 - the library has no other way to BEGIN IMMEDIATE
            finally:
                pool.put_connection(pooled)
        except sqlite3.IntegrityError as error:
            raise _integrity_error(error) from error
        except (
            sqlite3.OperationalError,
            ConnectionPoolClosedError,
            ConnectionUnavailableError,
            InterfaceError,
        ) as error:
            if "no such table" in str(error):
                raise LogNotReady from error
            raise Unavailable("log-unavailable", "The event log did not answer; try again.") from error

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[tuple[int, bytes]]:
        """See `Store.read`."""
        sql = "SELECT rowid, state FROM stored_events WHERE rowid > ?"
        values: list[Any] = [after]
        if upto is not None:
            sql += " AND rowid <= ?"
            values.append(upto)
        if types:
            sql += f" AND topic IN ({','.join('?' * len(types))})"
            values.extend(types)
        return self._rows(sql + " ORDER BY rowid LIMIT ?", [*values, limit])

    def read_stream(
        self,
        stream_id: UUID,
        after_version: int = 0,
        upto_position: int | None = None,
        *,
        upto_version: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[int, bytes]]:
        """See `Store.read_stream`."""
        sql = "SELECT rowid, state FROM stored_events WHERE originator_id = ? AND originator_version > ?"
        values: list[Any] = [stream_id.hex, after_version]
        if upto_position is not None:
            sql += " AND rowid <= ?"
            values.append(upto_position)
        if upto_version is not None:
            sql += " AND originator_version <= ?"
            values.append(upto_version)
        sql += " ORDER BY originator_version"
        if limit is not None:
            sql += " LIMIT ?"
            values.append(limit)
        return self._rows(sql, values)

    def read_filed(self, after: int, limit: int, *, upto: int) -> list[Filed]:
        """See `Store.read_filed`."""
        rows = self._rows(
            "SELECT rowid, originator_id, originator_version, topic, recorded_at FROM stored_events "
            "WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?",
            [after, upto, limit],
        )
        return [
            Filed(position, UUID(stream), version, name, None if at is None else datetime.fromisoformat(at))
            for position, stream, version, name, at in rows
        ]

    def head(self) -> int:
        """See `Store.head`."""
        (row,) = self._rows("SELECT coalesce(max(rowid), 0) FROM stored_events", [])
        return int(row[0])

    def recorded_at(self, position: int) -> datetime | None:
        """See `Store.recorded_at`."""
        rows = self._rows("SELECT recorded_at FROM stored_events WHERE rowid = ?", [position])
        return datetime.fromisoformat(rows[0][0]) if rows and rows[0][0] is not None else None

    def find_key(self, key_hash: bytes) -> IdempotencyRecord | None:
        """See `Store.find_key`."""
        rows = self._rows(
            "SELECT fingerprint, stream_id, version FROM idempotency_keys WHERE key_hash = ?", [key_hash]
        )
        return IdempotencyRecord(key_hash, rows[0][0], UUID(rows[0][1]), rows[0][2]) if rows else None

    def position_of(self, stream_id: UUID, version: int) -> int | None:
        """See `Store.position_of`."""
        rows = self._rows(
            "SELECT rowid FROM stored_events WHERE originator_id = ? AND originator_version = ?",
            [stream_id.hex, version],
        )
        return int(rows[0][0]) if rows else None

    def follower_position(self, name: str) -> int:
        """See `Store.follower_position`."""
        rows = self._rows("SELECT position FROM followers WHERE name = ?", [name])
        return int(rows[0][0]) if rows else 0

    def _rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with self._connection() as connection:
            cursor = connection.cursor()
            cursor.row_factory = None
            return cursor.execute(sql, values).fetchall()

    # --- upkeep ----------------------------------------------------------------------------------------------------

    def migrate(self) -> None:
        """See `Store.migrate`."""
        with self._write() as connection:
            for statement in _TABLES:
                connection.execute(statement)

    def check_ready(self) -> None:
        """See `Store.check_ready`."""
        self.head()
        self.follower_position("")

    def waiter(self, poll: float) -> SQLiteWaiter:
        """See `Store.waiter`."""
        return SQLiteWaiter(self, poll)

    def close(self) -> None:
        """See `Store.close`."""
        self.datastore.close()


def _hex(stream_id: UUID | str) -> str:
    return stream_id.hex if isinstance(stream_id, UUID) else stream_id


def _integrity_error(error: sqlite3.IntegrityError) -> IntegrityError:
    message = str(error)
    if "originator_version" in message or "stored_events.rowid" in message:
        return VersionConflict(message)
    if "idempotency_keys" in message:
        return DuplicateKey(message)
    return IntegrityError(message)
