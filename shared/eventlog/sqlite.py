"""The event log in one SQLite file: WAL, one writer at a time, every write begun with the write lock in hand."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, TypeVar
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking

from shared.errors import NotReady, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import BEGINNING, Bookmark, FollowerPosition, NewEvent
from shared.eventlog.store import (
    KEEP_BOOKMARK,
    LIMITS,
    MOVE_FOLLOWER,
    Appended,
    Changes,
    CodeTaken,
    DuplicateKey,
    FollowerOvertaken,
    Limits,
    LogNotReady,
    LogWentBack,
    Outdated,
    Seen,
    Store,
    VersionConflict,
    check_clocks,
    disk_full,
)
from shared.eventlog.subscription import has_changed

IDLE_CONNECTIONS: Final = 8
"""Connections that are kept for whoever comes next; more are opened when more are needed at once."""

LARGEST_WAL: Final = 16_000_000
"""Bytes of a write-ahead log that are left lying; SQLite itself never makes its file smaller."""

T = TypeVar("T")

_INSERT: Final = (
    "INSERT INTO stored_events (rowid, originator_id, originator_version, topic, state, recorded_at) "
    "VALUES (?, ?, ?, ?, ?, ?)"
)


class SQLiteStore(Store):
    """The log in an SQLite file."""

    # The column is an explicit INTEGER PRIMARY KEY, not a bare rowid, so that no VACUUM can renumber it.
    POSITION: ClassVar[str] = "rowid"
    KEYS: ClassVar[str] = "dated_idempotency_keys"

    def __init__(self, path: str, limits: Limits = LIMITS) -> None:
        self.path = path
        self.limits = limits
        self._writing = threading.Lock()
        self._idle: list[Connection] = []
        self._opened = False
        self._closed = False
        if Path(path).parent != Path():
            Path(path).parent.mkdir(parents=True, exist_ok=True)

    # --- writing ---------------------------------------------------------------------------------------------------

    def append(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """See `Store.append`."""
        with self._write() as connection:
            head, last = _head_and_clock(connection)
            check_clocks(now, self.engine_time(), last, self.limits)
            if known is not None:
                _must_be_there(connection, known)
            moment = now if last is None else max(now, last)
            text = codec.instant_text(moment)
            answers: list[Appended] = []
            for changes in batch:
                if changes.seen is not None:
                    _must_be_all(connection, changes.seen)
                first = head + 1
                for event in changes.events:
                    head += 1
                    state = codec.stamp(codec.encode(event), head, moment)
                    row = (head, event.stream_id.hex, event.version, event.data.TYPE, state, text)
                    try:
                        connection.execute(_INSERT, row)
                    except sqlite3.IntegrityError as error:
                        if "codes." in str(error):
                            raise CodeTaken(str(error)) from error
                        raise VersionConflict(str(error), event.stream_id, event.version) from error
                    if known is not None and event.version > 1:
                        _must_follow(connection, event, known)
                self._remember(connection, changes, now)
                answers.append(Appended(first, head, moment))
            return answers

    def writer(self) -> SQLiteWriter:
        """A writer that appends in a thread of its own."""
        return SQLiteWriter(self)

    def _insert(
        self, events: Sequence[StoredEvent], tracking: Tracking | None, now: datetime | None
    ) -> list[int]:
        with self._write() as connection:
            head, last = _head_and_clock(connection)
            if now is not None:
                check_clocks(now, self.engine_time(), last, self.limits)
            moment = now if now is None or last is None else max(now, last)
            text = None if moment is None else codec.instant_text(moment)
            rows = [
                (
                    head + n,
                    _hex(event.originator_id),
                    event.originator_version,
                    event.topic,
                    event.state if moment is None else codec.stamp(event.state, head + n, moment),
                    text,
                )
                for n, event in enumerate(events, 1)
            ]
            connection.executemany(_INSERT, rows)
            if tracking is not None:
                _move(connection, FollowerPosition(tracking.application_name, tracking.notification_id))
            return [row[0] for row in rows]

    def _remember(self, connection: sqlite3.Connection, changes: Changes, now: datetime) -> None:
        if changes.key is not None:
            key = changes.key
            try:
                connection.execute(
                    f"INSERT INTO {self.KEYS} (key_hash, fingerprint, stream_id, version, created_at) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (key.key_hash, key.fingerprint, key.stream_id.hex, key.version, codec.instant_text(now)),
                )
            except sqlite3.IntegrityError as error:
                raise DuplicateKey(str(error)) from error
        if changes.follower is not None:
            _move(connection, changes.follower)

    # --- statements ------------------------------------------------------------------------------------------------

    def rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with self._connection() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Sequence[Any]], int]]:
        with self._write() as connection:
            yield lambda sql, values: connection.execute(sql, values).rowcount

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its beginning: an upgrade in the middle would fail at once."""
        if not self._writing.acquire(timeout=self.limits.lock):
            raise _unavailable()
        try:
            with self._connection() as connection:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                    if connection.file != file_at(self.path):
                        raise _unavailable()  # it went into a file that is no longer the log
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
        finally:
            self._writing.release()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """A connection in autocommit, for one thread at a time; one that failed is not used again."""
        if self._closed:
            raise _unavailable()
        connection = None
        try:
            connection = self._idle_connection() or self._new_connection()
            yield connection
        except sqlite3.IntegrityError as error:
            self._give_back(connection)
            raise _integrity_error(error) from error
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            if "no such table" in str(error):
                raise LogNotReady from error
            if "disk is full" in str(error):
                raise disk_full() from error
            raise _unavailable() from error
        except BaseException:
            self._give_back(connection)
            raise
        else:
            self._give_back(connection)

    def _idle_connection(self) -> Connection | None:
        """One that nobody uses, and that is to the file which now lies there: another may have taken its place."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if connection.file == file_at(self.path):
                return connection
            connection.close()
        return None

    def _new_connection(self) -> Connection:
        if self._opened and file_at(self.path) is None:
            # Whoever is about to put another file there must not find one of ours.
            raise _unavailable()
        connection = connect(self.path, self.limits.lock)
        self._opened = True
        return connection

    def _give_back(self, connection: Connection | None) -> None:
        # Closed by whoever uses it, never under a running statement of another thread, which would crash SQLite.
        if connection is None:
            return
        if self._closed or connection.in_transaction or len(self._idle) >= IDLE_CONNECTIONS:
            connection.close()
        else:
            self._idle.append(connection)

    def as_stored(self, value: Any) -> Any:
        if isinstance(value, UUID):
            return value.hex
        return codec.instant_text(value) if isinstance(value, datetime) else value

    def as_instant(self, value: Any) -> datetime:
        return datetime.fromisoformat(value)

    # --- upkeep ----------------------------------------------------------------------------------------------------

    def _migrate(self) -> None:
        from shared.eventlog.migrations import migrate_sqlite

        migrate_sqlite(partial(connect, self.path))

    def may_be_behind(self) -> bool:
        """See `Store.may_be_behind`: there is one file."""
        return False

    def engine_time(self) -> datetime:
        """See `Store.engine_time`: this machine's."""
        return datetime.now(UTC)

    def check_writable(self) -> None:
        """See `Store.check_writable`."""
        with self._write():
            pass

    def check_room(self) -> None:
        """See `Store.check_room`."""
        free = shutil.disk_usage(Path(self.path).parent).free
        if free < self.limits.room:
            raise NotReady(
                "disk-nearly-full", f"{free // 1_000_000} MB are free on the disk of the event log"
            )

    def tidy(self) -> None:
        """See `Store.tidy`."""
        with self._connection() as connection:
            truncate_wal(connection, self.path)

    def waiter(self, poll: float) -> SQLiteWaiter:
        """See `Store.waiter`."""
        return SQLiteWaiter(self, poll)

    def close(self) -> None:
        """See `Store.close`."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()


class SQLiteWriter:
    """Appends for an event loop, in one thread, so that the loop never waits for the disk."""

    def __init__(self, store: SQLiteStore) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-writer")

    async def write(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """See `Writer.write`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._store.append, batch, now, known)

    async def close(self) -> None:
        """See `Writer.close`."""
        self._thread.shutdown(wait=True)


class SQLiteWaiter:
    """Looks at the file's data version every few milliseconds: SQLite has no way to call."""

    def __init__(self, store: SQLiteStore, poll: float) -> None:
        self._store = store
        self._poll = poll
        self._woken = threading.Event()
        self._connection: Connection | None = None
        self._data_version = -1

    def wait(self, after: int, timeout: float) -> int:
        """See `Waiter.wait`."""
        return self._until(self._store.head, lambda head: head > after, timeout)

    def lines(self, known: int, limit: int, timeout: float) -> list[tuple[int, bytes]]:
        """See `Waiter.lines`."""
        return self._until(lambda: self._store.read(known - 1, limit), partial(has_changed, known), timeout)

    def _until(self, look: Callable[[], T], found: Callable[[T], bool], timeout: float) -> T:
        """What a look brings, once there is something; after `timeout` seconds, or when woken, whatever it brings."""
        deadline = time.monotonic() + timeout
        self._data_version = -1
        while True:
            if self._changed() and found(seen := look()):
                return seen
            if self._woken.is_set() or time.monotonic() >= deadline:
                self._woken.clear()
                return look()
            self._woken.wait(self._poll)

    def _changed(self) -> bool:
        try:
            present = file_at(self._store.path)
            if present is None:
                raise _unavailable()  # to look must not make a file
            if self._connection is not None and self._connection.file != present:
                self.close()
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._store.path, isolation_level=None, check_same_thread=False, factory=Connection
                )
                self._connection.file = file_at(self._store.path)
                self._data_version = -1
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.OperationalError as error:
            raise _unavailable() from error
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


class Connection(sqlite3.Connection):
    """A connection, and which file it is to."""

    file: tuple[int, int] | None = None


def file_at(path: str) -> tuple[int, int] | None:
    """Which file lies at a path, whatever is in it; None when there is none."""
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def connect(path: str, busy_timeout: float) -> Connection:
    """A connection in autocommit that syncs the write-ahead log at each commit, whatever the build's default is."""
    deadline = time.monotonic() + busy_timeout
    while True:
        before = file_at(path)
        connection = sqlite3.connect(
            path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, factory=Connection
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={LARGEST_WAL}")
        except sqlite3.OperationalError as error:
            connection.close()
            # Where several open a new file at once: the switch to the WAL does not wait for the lock it needs.
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.005)
        else:
            connection.file = file_at(path)
            if before in {None, connection.file}:
                return connection
            connection.close()


def truncate_wal(connection: sqlite3.Connection, path: str | Path) -> None:
    """Bring a write-ahead log that has grown while it was read back to nothing, if nobody is in the way just now."""
    wal = Path(f"{path}-wal")
    if not wal.exists() or wal.stat().st_size <= LARGEST_WAL:
        return
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    # Whoever waits here for readers keeps writers waiting.
    connection.execute("PRAGMA busy_timeout=0")
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute(f"PRAGMA busy_timeout={patience}")


def _head_and_clock(connection: sqlite3.Connection) -> tuple[int, datetime | None]:
    row = connection.execute(
        "SELECT rowid, recorded_at FROM stored_events ORDER BY rowid DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return 0, None
    try:
        return row[0], None if row[1] is None else datetime.fromisoformat(row[1])
    except ValueError:
        return row[0], None  # a damaged row must not keep others from being written: `verify` tells of it


def _must_be_there(connection: sqlite3.Connection, known: Bookmark) -> None:
    """LogWentBack when another event, or none, is where the caller has seen one."""
    if known == BEGINNING:
        return
    row = connection.execute("SELECT state FROM stored_events WHERE rowid = ?", (known.position,)).fetchone()
    if row is None or codec.identity_of(row[0]) != known.identity:
        raise LogWentBack(known)


def _must_follow(connection: sqlite3.Connection, event: NewEvent, known: Bookmark) -> None:
    """LogWentBack when the version before that of an event is missing."""
    sql = "SELECT 1 FROM stored_events WHERE originator_id = ? AND originator_version = ?"
    if connection.execute(sql, (event.stream_id.hex, event.version - 1)).fetchone() is None:
        raise LogWentBack(known)


def _must_be_all(connection: sqlite3.Connection, seen: Seen) -> None:
    """Outdated when there is more of what was seen, be it by an earlier request of the same transaction."""
    sql = "SELECT rowid FROM stored_events WHERE rowid > ?"
    sql += f" AND topic IN ({','.join('?' * len(seen.types))}) LIMIT 1"
    more = connection.execute(sql, (seen.upto, *seen.types)).fetchone()
    if more is not None:
        raise Outdated(f"position {more[0]} was not taken account of")


def _move(connection: sqlite3.Connection, follower: FollowerPosition) -> None:
    if follower.retry:
        moved = connection.execute(
            "DELETE FROM dead_letters WHERE follower = ? AND position = ?", (follower.name, follower.position)
        )
    else:
        moved = connection.execute(MOVE_FOLLOWER, (follower.name, follower.position))
        connection.execute(KEEP_BOOKMARK, (follower.name, follower.position, follower.identity))
    if not moved.rowcount:
        raise FollowerOvertaken(f"follower {follower.name} is already further")


def _hex(stream_id: UUID | str) -> str:
    return (stream_id if isinstance(stream_id, UUID) else UUID(stream_id)).hex


def _integrity_error(error: sqlite3.IntegrityError) -> IntegrityError:
    message = str(error)
    if "originator_version" in message or "stored_events.rowid" in message:
        return VersionConflict(message)
    return CodeTaken(message) if "codes." in message else IntegrityError(message)


def _unavailable() -> Unavailable:
    return Unavailable("log-unavailable", "The event log did not answer; try again.")
