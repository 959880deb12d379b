"""Generations of the read model as SQLite files of one directory, and a file `live` that names one of them."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, select
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reporting import migrate
from services.reporting.read_model import (
    GenerationWriter,
    OvertakenError,
    RebuildUnderWayError,
    Watch,
    not_answering,
    not_built,
    out_of_date,
)
from services.reporting.reading import Reading
from services.reporting.sqlite_writer import BUSY_TIMEOUT, SqliteWriter, connect
from services.reporting.tables import STANDINGS_AT, projection_state

ATTEMPTS = 3
PAUSE = 0.01
"""How often a reader looks again which generation is live, if the one it found was gone; and the seconds between."""

_PATTERN = "generation-*.db*"


LOOK: Final = 0.01
"""Seconds between two looks at a file for somebody who waits: nothing tells when it has changed."""


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

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._pointer = self._directory / "live"
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
        try:
            return self._pointer.read_text().strip()
        except FileNotFoundError:
            return None

    def watch(self) -> Watch:
        """See `ReadModel.watch`."""
        return SqliteWatch(self)

    def migrate(self) -> None:
        """See `ReadModel.migrate`."""
        self._directory.mkdir(parents=True, exist_ok=True)
        with _locked(self._directory / "migrate.lock", wait=True):
            name = self.live()
            if name is None:
                self._point_to(self.begin())
            else:
                self._upgrade(name)

    def check_ready(self) -> None:
        """See `ReadModel.check_ready`."""
        name = self.live()
        if name is None:
            raise not_built()
        _name, engine = self._live_engine()
        with engine.connect() as connection:
            if not migrate.at_head(connection):
                raise out_of_date()

    def writer(self, generation: str) -> GenerationWriter:
        """See `ReadModel.writer`."""
        path = self._directory / generation
        if not path.exists():
            raise OvertakenError
        return SqliteWriter(path)

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """See `ReadModel.rebuilding`."""
        try:
            with _locked(self._directory / "rebuild.lock", wait=False):
                yield
        except BlockingIOError as error:
            raise RebuildUnderWayError from error

    def begin(self) -> str:
        """See `ReadModel.begin`."""
        name = f"generation-{token_hex(4)}.db"
        self._upgrade(name)
        return name

    def before_loading(self, generation: str) -> None:
        """See `ReadModel.before_loading`."""
        with self._administering(generation) as engine, engine.begin() as connection:
            STANDINGS_AT.drop(connection)

    def after_loading(self, generation: str) -> None:
        """See `ReadModel.after_loading`."""
        with self._administering(generation) as engine, engine.begin() as connection:
            STANDINGS_AT.create(connection)
            connection.exec_driver_sql("ANALYZE")

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """See `ReadModel.promote`."""
        old = self.live()
        if old is None:
            raise not_built()
        connection = connect(self._directory / old)
        try:
            # The old one's worker waits at its own write until the pointer is elsewhere.
            connection.execute("BEGIN IMMEDIATE")
            catch_up()
            self._point_to(generation)
            connection.execute("ROLLBACK")
        finally:
            connection.close()

    def discard_others(self) -> None:
        """See `ReadModel.discard_others`."""
        live = self.live()
        for path in self._directory.glob(_PATTERN):
            if live is not None and not path.name.startswith(live):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """See `ReadModel.close`."""
        with self._guard:
            for engine in self._engines.values():
                engine.dispose()
            self._engines.clear()
            self._seen = None

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
            return Reading(
                connection, name, connection.execute(select(projection_state.c.position)).scalar_one()
            )
        except BaseException:
            connection.close()
            raise

    def _live_engine(self) -> tuple[str, Engine]:
        """The engine of the live generation; one look at the pointer tells whether it is still the one we know."""
        try:
            status = self._pointer.stat()
        except FileNotFoundError:
            raise not_built() from None
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

    def _point_to(self, generation: str) -> None:
        fresh = self._pointer.with_suffix(f".{token_hex(4)}")
        with fresh.open("w") as file:
            file.write(generation)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._pointer)

    def _upgrade(self, generation: str) -> None:
        with self._administering(generation) as engine, engine.begin() as connection:
            migrate.upgrade(connection)

    @contextmanager
    def _administering(self, generation: str) -> Iterator[Engine]:
        path = self._directory / generation
        engine = create_engine("sqlite://", creator=lambda: connect(path))
        try:
            yield engine
        finally:
            engine.dispose()


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


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
