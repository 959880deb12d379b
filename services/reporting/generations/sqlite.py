"""Generations of the read model as SQLite files of one directory, and a file `live-…` for each fingerprint."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from secrets import token_hex
from typing import Any, Final
from urllib.parse import quote

import msgspec
from sqlalchemy import Engine, create_engine, event, insert, literal_column, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.types import Date

from services.reporting.datasets import Dataset, Schema, projection_state
from services.reporting.generations.interface import (
    GenerationWriter,
    OvertakenError,
    Progress,
    RebuildUnderWayError,
    Watch,
    not_answering,
    not_built,
)
from services.reporting.projections.differ import RowChanges
from services.reporting.reading import Reading
from shared.eventlog.envelope import BEGINNING, Bookmark
from shared.eventlog.sqlite import LARGEST_WAL, truncate_wal

ATTEMPTS: Final = 3
PAUSE: Final = 0.01
"""How often a reader looks again which generation is live, if the one it found was gone; and the seconds between."""
LOOK: Final = 0.01
"""Seconds between two looks at a file for somebody who waits: nothing tells when it has changed."""
BUSY_TIMEOUT: Final = 10
"""Seconds to wait for another process's write."""
NOW: Final = "((julianday('now') - 2440587.5) * 86400.0)"
"""The machine's clock, in seconds since 1970."""
SAMPLE: Final = 1_000
"""Rows of each index that are looked at for statistics."""

_MOVED: Final = (
    f"position = ?, identity = ?, changed = json_patch(changed, ?), stopped_because = NULL, seen_at = {NOW}"
)
_MOVE: Final = f"UPDATE projection_state SET {_MOVED} WHERE position = ?"  # noqa: S608 - both are our own
_BEAT: Final = f"UPDATE projection_state SET seen_at = {NOW}"  # noqa: S608 - both are our own

_LEGACY_POINTER: Final = "live"
_LEGACY: Final = "generation-*.db"
"""How versions before fingerprints called their pointer, and their files."""


class SqliteWriter:
    """See `GenerationWriter`: everything in one immediate transaction, the position first."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self._path = path
        self._insert = {one.name: _insert(one, schema) for one in schema.datasets}
        self._close = {one.name: _close(one) for one in schema.datasets}
        with _answering():
            self._connection = _connect(path)

    def progress(self) -> Progress:
        """See `GenerationWriter.progress`."""
        with _answering():
            row = self._connection.execute(
                "SELECT position, identity, analyzed_at FROM projection_state"
            ).fetchone()
        position, identity, analyzed_at = row
        return Progress(Bookmark(position, identity), analyzed_at)

    def write(self, changes: RowChanges, *, before: int, after: Bookmark) -> None:
        """See `GenerationWriter.write`."""
        if not self._path.exists():
            raise OvertakenError
        execute = self._connection.execute
        with _answering():
            execute("BEGIN IMMEDIATE")
            try:
                moved = execute(
                    _MOVE,
                    (*after, changes.changed_at(after.position), before),
                )
                if moved.rowcount != 1:
                    raise OvertakenError
                for name, rows in changes.added.items():
                    statement, days = self._insert[name]
                    self._connection.executemany(statement, (_with_text(row, days) for row in rows))
                for name, closed in changes.closed.items():
                    self._connection.executemany(
                        self._close[name], ([_text(value) for value in row] for row in closed)
                    )
                execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    execute("ROLLBACK")

    def stop(self, reason: str) -> None:
        """See `GenerationWriter.stop`."""
        with _answering():
            self._connection.execute("UPDATE projection_state SET stopped_because = ?", (reason,))

    def beat(self) -> None:
        """See `GenerationWriter.beat`."""
        with _answering():
            self._connection.execute(_BEAT)
            truncate_wal(self._connection, self._path)

    def close(self) -> None:
        """See `GenerationWriter.close`."""
        self._connection.close()


class SqliteWatch:
    """See `Watch`."""

    def __init__(self, read_model: SqliteReadModel) -> None:
        self._read_model = read_model

    def wait(self, after: int, timeout: float) -> int:
        """See `Watch.wait`."""
        deadline = time.monotonic() + timeout
        while True:
            with self._read_model.reading() as reading:
                position = reading.position
            if position > after or time.monotonic() >= deadline:
                return position
            time.sleep(LOOK)

    def close(self) -> None:
        """See `Watch.close`."""


class SqliteReadModel:
    """See `ReadModel`."""

    def __init__(self, directory: str, schema: Schema) -> None:
        self.schema = schema
        self._directory = Path(directory)
        self._pointer = self._directory / f"live-{schema.fingerprint}"
        self._guard = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._engines: dict[str, Engine] = {}
        self._name: str | None = None

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `ReadModel.reading`."""
        try:
            reading = self._entered()
            with reading.connection:
                yield reading
        except (DBAPIError, PoolTimeoutError) as error:
            raise not_answering() from error

    def live(self) -> str | None:
        """See `ReadModel.live`."""
        return _read(self._pointer)

    def watch(self) -> Watch:
        """See `ReadModel.watch`."""
        return SqliteWatch(self)

    def prepare(self) -> None:
        """See `ReadModel.prepare`."""
        self._directory.mkdir(parents=True, exist_ok=True)

    def writer(self, generation: str) -> GenerationWriter:
        """See `ReadModel.writer`."""
        path = self._directory / generation
        if not path.exists():
            raise OvertakenError
        return SqliteWriter(path, self.schema)

    @contextmanager
    def building(self, *, wait: bool = False) -> Iterator[None]:
        """See `ReadModel.building`."""
        with self._lock(self.schema.fingerprint).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RebuildUnderWayError from error
            yield

    def begin(self) -> str:
        """See `ReadModel.begin`."""
        name = f"read-model-{self.schema.fingerprint}-{token_hex(4)}.db"
        with self._administering(name) as engine, engine.begin() as connection:
            self.schema.metadata.create_all(connection)
            connection.execute(
                insert(self.schema.state).values(
                    id=1,
                    position=0,
                    identity=BEGINNING.identity,
                    analyzed_at=0,
                    seen_at=text(NOW),
                    changed="{}",
                )
            )
        return name

    def before_loading(self, generation: str) -> None:
        """See `ReadModel.before_loading`."""
        with self._administering(generation) as engine, engine.begin() as connection:
            for index in self.schema.interval_indexes():
                index.drop(connection)

    def after_loading(self, generation: str) -> None:
        """See `ReadModel.after_loading`."""
        with self._administering(generation) as engine, engine.begin() as connection:
            for index in self.schema.interval_indexes():
                index.create(connection)
        self.analyze(generation)

    def analyze(self, generation: str) -> None:
        """See `ReadModel.analyze`."""
        with _answering():
            connection = _connect(self._directory / generation)
            try:
                connection.execute(f"PRAGMA analysis_limit = {SAMPLE}")
                connection.execute("ANALYZE")
                connection.execute("UPDATE projection_state SET analyzed_at = position")
            finally:
                connection.close()

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """See `ReadModel.promote`."""
        old = self.live()
        with (
            _answering(),
            closing(
                sqlite3.connect(":memory:") if old is None else _connect(self._directory / old)
            ) as connection,
        ):
            # The worker of the one before waits at its own write until the pointer is elsewhere.
            connection.execute("BEGIN IMMEDIATE")
            catch_up()
            fresh = self._directory / f"pointer-{token_hex(4)}"
            with fresh.open("w") as file:
                file.write(generation)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._pointer)
            connection.execute("ROLLBACK")

    def discard_others(self) -> list[str]:
        """See `ReadModel.discard_others`."""
        pointers = [path for path in self._directory.glob("live-*") if path != self._pointer]
        pointers.sort(key=lambda path: path.stat().st_mtime_ns)
        legacy = self._directory / _LEGACY_POINTER
        if not pointers and legacy.exists():
            pointers = [legacy]
        kept = {self.live(), *(_read(path) for path in pointers[-1:])}
        for path in [*pointers[:-1], *([legacy] if legacy not in pointers else [])]:
            path.unlink(missing_ok=True)
        for path in [*self._directory.glob("read-model-*.db"), *self._directory.glob(_LEGACY)]:
            if path.name not in kept and not self._being_built(path.name):
                for file in (path, *self._directory.glob(f"{path.name}-*")):
                    file.unlink(missing_ok=True)
        return []

    def close(self) -> None:
        """See `ReadModel.close`."""
        with self._guard:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
            self._seen = None

    def _lock(self, fingerprint: str) -> Path:
        return self._directory / f"build-{fingerprint}.lock"

    def _being_built(self, name: str) -> bool:
        """Whether it may be one that another version is still building."""
        fingerprint = name.removeprefix("read-model-").partition("-")[0]
        lock = self._lock(fingerprint)
        if fingerprint == self.schema.fingerprint or not lock.exists():
            return False
        with lock.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def _entered(self) -> Reading:
        """A reading of the live generation; an open file can be read to the end even after it was removed."""
        for _ in range(ATTEMPTS - 1):
            try:
                return self._enter()
            except OperationalError:
                # Most likely it was replaced, and removed, since we looked which one is live.
                time.sleep(PAUSE)
        return self._enter()

    def _enter(self) -> Reading:
        name, engine = self._live_engine()
        connection = engine.connect()
        try:
            # One snapshot for all that is asked: it begins with the first row that is read.
            connection.exec_driver_sql("BEGIN")
            state = connection.execute(select(projection_state, literal_column(NOW).label("now"))).one()
            seen = state.now - state.seen_at
            changed = msgspec.json.decode(state.changed)
            return Reading(
                connection, name, state.position, state.identity, state.stopped_because, seen, changed
            )
        except BaseException:
            connection.close()
            raise

    def _live_engine(self) -> tuple[str, Engine]:
        """The engine of the live generation; one look at the pointer tells whether it is still the one we know."""
        try:
            status = self._pointer.stat()
        except FileNotFoundError:
            others = any(self._directory.glob("live*"))
            raise not_built(others=others) from None
        seen = (status.st_mtime_ns, status.st_ino)
        with self._guard:
            if seen != self._seen or self._name is None:
                self._name = self._pointer.read_text().strip()
                self._seen = seen
                # The one before the last has no readers left.
                for name in list(self._engines)[:-1]:
                    self._engines.pop(name).dispose()
            if self._name not in self._engines:
                self._engines[self._name] = _reading_engine(self._directory / self._name)
            return self._name, self._engines[self._name]

    @contextmanager
    def _administering(self, generation: str) -> Iterator[Engine]:
        path = self._directory / generation
        engine = create_engine("sqlite://", creator=lambda: _connect(path))
        try:
            yield engine
        except OperationalError as error:
            raise not_answering() from error
        finally:
            engine.dispose()


def _connect(path: Path) -> sqlite3.Connection:
    """A connection to a generation's file, for writing, with transactions begun by hand."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA journal_size_limit = {LARGEST_WAL}")
    return connection


def _reading_engine(path: Path) -> Engine:
    # Opened for reading and writing, never to be made: SQLite readers keep their place in a file of their own.
    engine = create_engine(
        f"sqlite:///file:{quote(str(path.resolve()))}?mode=rw&uri=true",
        connect_args={"timeout": BUSY_TIMEOUT},
        isolation_level="AUTOCOMMIT",
    )

    @event.listens_for(engine, "connect")
    def only_read(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA mmap_size = 268435456")

    return engine


def _read(pointer: Path) -> str | None:
    try:
        return pointer.read_text().strip()
    except FileNotFoundError:
        return None


def _insert(dataset: Dataset, schema: Schema) -> tuple[str, tuple[int, ...]]:
    """The statement, and which of its values are days (SQLite keeps them as text)."""
    columns = list(schema.tables[dataset.name].columns)
    names = ", ".join(column.name for column in columns)
    marks = ", ".join("?" for _ in columns)
    days = tuple(index for index, column in enumerate(columns) if isinstance(column.type, Date))
    return f"INSERT INTO {dataset.name} ({names}) VALUES ({marks})", days  # noqa: S608 - the names are our own


def _close(dataset: Dataset) -> str:
    """The statement that closes a row, with the values of `Dataset.closing` by their number."""
    numbered = [f"{name} = ?{number}" for number, name in enumerate(dataset.closing, start=1)]
    count = len(dataset.primary_key)
    changed, same = ", ".join(numbered[count:]), " AND ".join(numbered[:count])
    return f"UPDATE {dataset.name} SET {changed} WHERE {same}"  # noqa: S608 - the names are our own


def _with_text(row: tuple[Any, ...], days: tuple[int, ...]) -> list[Any]:
    values = list(row)
    for index in days:
        if values[index] is not None:
            values[index] = values[index].isoformat()
    return values


def _text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise not_answering() from error
