"""Generations of the read model as schemas of a PostgreSQL database, and a pointer for each fingerprint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from secrets import token_hex
from typing import Any, Final

import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    Engine,
    Integer,
    Text,
    Uuid,
    create_engine,
    event,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reporting.datasets import Dataset, Schema, Type, projection_state
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
from services.reporting.terms import tsvector
from shared.eventlog.envelope import BEGINNING, Bookmark
from shared.eventlog.store import LIMITS, Limits
from shared.postgres import Database, milliseconds

PREPARE_LOCK: Final = 563_201_021
BUILD_LOCK: Final = 563_201_023
"""Advisory locks: the second with the fingerprint beside it."""
CONNECTIONS: Final = 10
"""Kept open by one process for reading; as many again are opened under pressure."""
ATTEMPTS: Final = 5
"""How often a reader looks again which generation is live, if the one it found was gone."""
CHANNEL: Final = "bitacora_projected"
NOW: Final = "extract(epoch FROM clock_timestamp())"
"""The database's clock, in seconds since 1970."""
DROP_WAIT: Final = 1.0
"""Seconds for which a generation that is to go is waited for: whoever begins to read it meanwhile waits, too."""
POOLED_LOOK: Final = 0.03
"""Seconds between two looks of a watch behind a pooler, where there are no notifications."""
LONGEST_SLEEP: Final = 0.25
"""Seconds after which a watch looks all the same."""

_TYPES: Final[dict[type[Any], str]] = {
    Uuid: "uuid",
    Date: "date",
    BigInteger: "bigint",
    Integer: "integer",
    Text: "text",
}
_MISSING: Final = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

_READING: Final[dict[str, str | int]] = {
    # Which few rows a path through the interval tree finds is nothing a planner could estimate.
    "enable_seqscan": "off",
    "random_page_cost": "1.1",
    "plan_cache_mode": "force_custom_plan",
    "jit": "off",
    "max_parallel_workers_per_gather": 0,
}
_BUILDING: Final[dict[str, str | int]] = {"idle_in_transaction_session_timeout": 0}
_WRITING: Final[dict[str, str | int]] = {"synchronous_commit": "off"}
_NAME: Final = r"^reporting_([0-9a-f]{10})_[0-9a-f]{8}$"
_LEGACY: Final = r"^reporting_[0-9a-f]{8}$"
"""How generations are called, and how they were before fingerprints."""


class PostgresWriter:
    """See `GenerationWriter`: rows by COPY, what closes rows by UPDATE, and the position with them."""

    def __init__(self, database: Database, generation: str, schema: Schema) -> None:
        self._database = database
        with _answering():
            self._connection = database.connect()
        within = Identifier(generation)
        self._progress = SQL("SELECT position, identity, analyzed_at FROM {}.projection_state").format(within)
        self._move = SQL(
            "WITH moved AS (UPDATE {}.projection_state"
            " SET position = %s, identity = %s, changed = (changed::jsonb || %s::jsonb)::text,"
            " stopped_because = NULL, seen_at = {}"
            " WHERE position = %s RETURNING position) SELECT pg_notify({}, '') FROM moved"
        ).format(within, SQL(NOW), CHANNEL)
        self._beat = SQL("UPDATE {}.projection_state SET seen_at = {}").format(within, SQL(NOW))
        self._stop = SQL("UPDATE {}.projection_state SET stopped_because = %s").format(within)
        self._copy = {one.name: _copy(one, within, schema) for one in schema.datasets}
        self._filed = {one.name: _filed(one, schema) for one in schema.datasets}
        self._close = {one.name: _close(one, within, schema) for one in schema.datasets}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _answering(), self._connection.transaction():
            self._database.settle(self._connection)
            yield

    def progress(self) -> Progress:
        """See `GenerationWriter.progress`."""
        with self._transaction():
            row = self._connection.execute(self._progress).fetchone()
        assert row is not None
        position, identity, analyzed_at = row
        return Progress(Bookmark(position, identity), analyzed_at)

    def write(self, changes: RowChanges, *, before: int, after: Bookmark) -> None:
        """See `GenerationWriter.write`."""
        with self._transaction():
            # First of all, so that of two workers one waits here for the other, and then finds itself overtaken.
            moved = self._connection.execute(self._move, (*after, changes.changed_at(after.position), before))
            if moved.rowcount != 1:
                raise OvertakenError
            for name, rows in changes.added.items():
                filed = self._filed[name]
                with self._connection.cursor() as cursor, cursor.copy(self._copy[name]) as copy:
                    for row in rows:
                        copy.write_row(_as_vectors(row, filed) if filed else row)
            for name, closed in changes.closed.items():
                columns = [list(column) for column in zip(*closed, strict=True)]
                self._connection.execute(self._close[name], columns)

    def stop(self, reason: str) -> None:
        """See `GenerationWriter.stop`."""
        with self._transaction():
            self._connection.execute(self._stop, (reason,))

    def beat(self) -> None:
        """See `GenerationWriter.beat`."""
        with self._transaction():
            self._connection.execute(self._beat)

    def close(self) -> None:
        """See `GenerationWriter.close`."""
        self._connection.close()


class PostgresWatch:
    """See `Watch`: one connection that sleeps until a worker says that it has moved on."""

    def __init__(self, database: Database, fingerprint: str) -> None:
        self._database = database
        self._fingerprint = fingerprint
        self._connection: psycopg.Connection | None = None
        self._name: str | None = None

    def wait(self, after: int, timeout: float) -> int:
        """See `Watch.wait`."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                connection = self._listening()
                position = self._look(connection)
                remaining = deadline - time.monotonic()
                if position > after or remaining <= 0:
                    return position
                if self._database.pooled:
                    time.sleep(min(remaining, POOLED_LOOK))
                    continue
                for _ in connection.notifies(timeout=min(remaining, LONGEST_SLEEP), stop_after=1):
                    pass
        except psycopg.Error as error:
            # Whatever it was, the next look begins with a new connection.
            self.close()
            raise not_answering() from error

    def close(self) -> None:
        """See `Watch.close`."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listening(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = self._database.connect(autocommit=True)
            if not self._database.pooled:
                self._connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        return self._connection

    def _look(self, connection: psycopg.Connection) -> int:
        """The position of the live generation: one statement, as long as that is the one it was before."""
        pointer = SQL("(SELECT name FROM reporting.live_generations WHERE fingerprint = {})").format(
            self._fingerprint
        )
        if self._name is not None:
            look = SQL("SELECT position, {} FROM {}.projection_state").format(pointer, Identifier(self._name))
            try:
                row = connection.execute(look).fetchone()
            except _MISSING:
                row = None
            if row is not None and row[1] == self._name:
                return int(row[0])
        try:
            found = connection.execute(SQL("SELECT {}").format(pointer)).fetchone()
        except _MISSING:
            found = None
        if found is None or found[0] is None:
            raise not_built()
        if found[0] == self._name:
            # It was replaced, and dropped, between the two statements: look again.
            return 0
        self._name = str(found[0])
        return self._look(connection)


class PostgresReadModel:
    """See `ReadModel`."""

    def __init__(self, url: str, schema: Schema, limits: Limits = LIMITS, *, pooled: bool = False) -> None:
        self.schema = schema
        self._reading = _database(url, limits, pooled, _READING)
        self._writing = _database(url, limits, pooled, _WRITING)
        # Building takes as long as it takes, and its right to build is a lock of a transaction.
        self._building = _database(url, limits, pooled, _BUILDING, statement=None)
        # The state of the generation that was live before, and which one is: one statement, as long as it still is.
        self._name: str | None = None
        pointer = f"(SELECT name FROM reporting.live_generations WHERE fingerprint = '{schema.fingerprint}')"  # noqa: S608
        self._state = select(
            projection_state, literal_column(NOW).label("now"), literal_column(pointer).label("live")
        )
        self._engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=self._connection_for_reading,
            # One snapshot for all that an answer asks, its position included.
            isolation_level="REPEATABLE READ",
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=limits.connect,
            pool_pre_ping=True,
        )
        if (settle := self._reading.settle_statement) is not None:
            event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql(settle))

    def _connection_for_reading(self) -> psycopg.Connection:
        connection = self._reading.connect()
        # Not by an option of the session: a URL that demands a server which takes writes looks at those.
        connection.read_only = True
        return connection

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `ReadModel.reading`."""
        try:
            self._reading.must_answer()
            with self._engine.connect() as connection:
                yield self._entered(connection)
        except (DBAPIError, PoolTimeoutError, psycopg.OperationalError) as error:
            raise _understood(error) from error

    def live(self) -> str | None:
        """See `ReadModel.live`."""
        try:
            with self._engine.connect() as connection:
                return self._live(connection)
        except (DBAPIError, PoolTimeoutError) as error:
            if isinstance(getattr(error, "orig", None), _MISSING):
                return None
            raise not_answering() from error

    def watch(self) -> Watch:
        """See `ReadModel.watch`."""
        return PostgresWatch(self._writing, self.schema.fingerprint)

    def prepare(self) -> None:
        """See `ReadModel.prepare`."""
        with _answering(), self._building.connect() as connection:
            if _is_prepared(connection):
                return
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (PREPARE_LOCK,))
            connection.execute("CREATE SCHEMA IF NOT EXISTS reporting")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS reporting.live_generations"
                " (fingerprint text PRIMARY KEY, name text NOT NULL, since timestamptz NOT NULL DEFAULT now())"
            )

    def writer(self, generation: str) -> GenerationWriter:
        """See `ReadModel.writer`."""
        return PostgresWriter(self._writing, generation, self.schema)

    @contextmanager
    def building(self, *, wait: bool = False) -> Iterator[None]:
        """See `ReadModel.building`."""
        with _answering(), self._building.connect() as connection:
            self._building.settle(connection)
            if wait:
                connection.execute(_locking("pg_advisory_xact_lock", self.schema.fingerprint))
            elif not _taken(connection, self.schema.fingerprint):
                raise RebuildUnderWayError
            yield

    def begin(self) -> str:
        """See `ReadModel.begin`."""
        name = f"reporting_{self.schema.fingerprint}_{token_hex(4)}"
        with self._administering(name) as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
            self.schema.metadata.create_all(connection, checkfirst=False)
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
        with self._administering(generation) as connection:
            for index in self.schema.interval_indexes():
                index.drop(connection)
                table = index.table
                assert table is not None
                connection.exec_driver_sql(
                    f"ALTER TABLE {generation}.{table.name} DROP CONSTRAINT {table.name}_pkey"
                )

    def after_loading(self, generation: str) -> None:
        """See `ReadModel.after_loading`."""
        with self._administering(generation) as connection:
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
            for index in self.schema.interval_indexes():
                index.create(connection)
                table = index.table
                assert table is not None
                key = ", ".join(column.name for column in table.primary_key.columns)
                connection.exec_driver_sql(f"ALTER TABLE {generation}.{table.name} ADD PRIMARY KEY ({key})")
        self._analyze(generation, "VACUUM ANALYZE {}.{}")

    def analyze(self, generation: str) -> None:
        """See `ReadModel.analyze`."""
        with _answering():
            self._analyze(generation, "ANALYZE {}.{}")

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """See `ReadModel.promote`."""
        with _answering(), self._building.connect() as connection:
            row = connection.execute(
                "SELECT name FROM reporting.live_generations WHERE fingerprint = %s FOR UPDATE",
                (self.schema.fingerprint,),
            ).fetchone()
            if row is not None:
                state = SQL("SELECT position FROM {}.projection_state FOR UPDATE").format(Identifier(row[0]))
                connection.execute(state)
            catch_up()
            connection.execute(
                "INSERT INTO reporting.live_generations (fingerprint, name) VALUES (%s, %s)"
                " ON CONFLICT (fingerprint) DO UPDATE SET name = excluded.name, since = now()",
                (self.schema.fingerprint, generation),
            )

    def discard_others(self) -> list[str]:
        """See `ReadModel.discard_others`."""
        own, held = self.schema.fingerprint, list[str]()
        with _answering(), self._building.connect(autocommit=True) as connection:
            pointers = connection.execute(
                "SELECT fingerprint, name FROM reporting.live_generations ORDER BY since"
            ).fetchall()
            others = [pointer for pointer in pointers if pointer[0] != own]
            kept = {name for _fingerprint, name in set(pointers) - set(others[:-1])}
            legacy = _legacy_pointer(connection)
            if legacy is not None and not others:
                kept.add(legacy)
            elif legacy is not None:
                connection.execute("DROP TABLE reporting.live_generation")
            for fingerprint, _name in others[:-1]:
                connection.execute(
                    "DELETE FROM reporting.live_generations WHERE fingerprint = %s", (fingerprint,)
                )
            for name, fingerprint in _generations(connection):
                with connection.transaction():
                    # Another version may be building one of its own.
                    idle = fingerprint in {None, own} or _taken(connection, fingerprint)
                    dropped = name in kept or not idle or _drop(connection, name)
                if not dropped:
                    held.append(f"{name}, which {_holders(connection, name)} read")
        return held

    def close(self) -> None:
        """See `ReadModel.close`."""
        self._engine.dispose()

    def _live(self, connection: Connection) -> str | None:
        found = connection.exec_driver_sql(
            "SELECT name FROM reporting.live_generations WHERE fingerprint = %s", (self.schema.fingerprint,)
        ).scalar()
        return None if found is None else str(found)

    def _entered(self, connection: Connection) -> Reading:
        """A reading of the live generation, which cannot be dropped while the transaction it begins here lasts."""
        for _ in range(ATTEMPTS):
            name = self._name or self._live(connection)
            if name is None:
                count = connection.exec_driver_sql("SELECT count(*) FROM reporting.live_generations").scalar()
                raise not_built(others=bool(count) or _has_legacy(connection))
            within = connection.execution_options(schema_translate_map={None: name})
            try:
                state = within.execute(self._state).one()
                if state.live != name:
                    self._name = None
                    continue
                self._name = name
                seen = float(state.now) - state.seen_at
                changed = msgspec.json.decode(state.changed)
                return Reading(
                    within, name, state.position, state.identity, state.stopped_because, seen, changed
                )
            except ProgrammingError as error:
                if not isinstance(error.orig, _MISSING):
                    raise
                # It was replaced, and dropped, since we looked which one is live.
                connection.rollback()
                self._name = None
        raise not_built()

    def _analyze(self, generation: str, statement: str) -> None:
        within = Identifier(generation)
        with _answering(), self._building.connect(autocommit=True) as plain:
            for one in self.schema.datasets:
                plain.execute(SQL(statement).format(within, Identifier(one.name)))
            plain.execute(SQL("UPDATE {}.projection_state SET analyzed_at = position").format(within))

    @contextmanager
    def _administering(self, generation: str) -> Iterator[Connection]:
        """A connection of its own in one transaction, for work on the tables of a generation."""
        engine = create_engine("postgresql+psycopg://", creator=self._building.connect)
        try:
            with engine.begin() as connection:
                yield connection.execution_options(schema_translate_map={None: generation})
        except DBAPIError as error:
            raise _understood(error) from error
        finally:
            engine.dispose()


def _understood(error: Exception) -> Exception:
    return not_built() if isinstance(getattr(error, "orig", None), _MISSING) else not_answering()


def _locking(function: str, fingerprint: str) -> Composed:
    """The advisory lock of those who build generations of a fingerprint.

    Without parameters: a statement with some would keep its snapshot, and the server its dead rows, until the end.
    """
    return SQL("SELECT {}({}, {})").format(SQL(function), BUILD_LOCK, int(fingerprint[:7], 16))


def _taken(connection: psycopg.Connection, fingerprint: str) -> bool:
    """Whether the lock could be had; the transaction of the connection then holds it."""
    row = connection.execute(_locking("pg_try_advisory_xact_lock", fingerprint)).fetchone()
    return row is not None and bool(row[0])


def _generations(connection: psycopg.Connection) -> list[tuple[str, str | None]]:
    """Every generation by its name, and its fingerprint where it has one."""
    rows = connection.execute(
        "SELECT nspname, substring(nspname FROM %s) FROM pg_namespace WHERE nspname ~ %s OR nspname ~ %s",
        (_NAME, _NAME, _LEGACY),
    )
    return rows.fetchall()


def _legacy_pointer(connection: psycopg.Connection) -> str | None:
    """The live generation of a version before fingerprints."""
    row = connection.execute("SELECT to_regclass('reporting.live_generation')").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT name FROM reporting.live_generation").fetchone()
    return None if found is None else str(found[0])


def _has_legacy(connection: Connection) -> bool:
    return connection.exec_driver_sql("SELECT to_regclass('reporting.live_generation')").scalar() is not None


def _drop(connection: psycopg.Connection, name: str) -> bool:
    """Whether a generation could be dropped: not while somebody reads it, for whom nobody is kept waiting."""
    try:
        with connection.transaction():
            connection.execute(SQL("SET LOCAL lock_timeout = {}").format(milliseconds(DROP_WAIT)))
            # Readers hold on to this table first of all: it goes when the last of them has left.
            state = SQL("LOCK TABLE {}.projection_state IN ACCESS EXCLUSIVE MODE")
            connection.execute(state.format(Identifier(name)))
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))
    except psycopg.errors.LockNotAvailable:
        return False
    return True


def _holders(connection: psycopg.Connection, name: str) -> str:
    """The sessions that read a generation."""
    rows = connection.execute(
        "SELECT DISTINCT a.pid, a.application_name, a.client_addr, a.xact_start FROM pg_locks l"
        " JOIN pg_stat_activity a USING (pid)"
        " WHERE l.relation = to_regclass(%s) AND l.granted AND l.pid <> pg_backend_pid() ORDER BY a.xact_start",
        (f"{name}.projection_state",),
    ).fetchall()
    told = [f"session {pid} ({who or 'unnamed'} of {host or 'this machine'})" for pid, who, host, _ in rows]
    return " and ".join(told) or "sessions that have just ended"


def _filed(dataset: Dataset, schema: Schema) -> frozenset[int]:
    """Which of the values of a row are terms."""
    columns = enumerate(schema.tables[dataset.name].columns)
    return frozenset(
        place
        for place, column in columns
        if column.name in dataset.by_name and dataset.by_name[column.name].value is Type.TERMS
    )


def _as_vectors(row: tuple[Any, ...], filed: frozenset[int]) -> list[Any]:
    return [tsvector(value) if place in filed else value for place, value in enumerate(row)]


def _copy(dataset: Dataset, within: Identifier, schema: Schema) -> Composed:
    columns = SQL(", ").join(Identifier(column.name) for column in schema.tables[dataset.name].columns)
    return SQL("COPY {}.{} ({}) FROM STDIN").format(within, Identifier(dataset.name), columns)


def _close(dataset: Dataset, within: Identifier, schema: Schema) -> Composed:
    """The statement that closes rows, with an array for each of `Dataset.closing`."""
    columns, count = schema.tables[dataset.name].columns, len(dataset.primary_key)
    types = [_TYPES[type(columns[name].type)] for name in dataset.closing]
    pairs = [SQL("{0} = closed.{0}").format(Identifier(name)) for name in dataset.closing]
    same = [SQL("row.") + pair for pair in pairs[:count]]
    return SQL("UPDATE {}.{} AS row SET {} FROM unnest({}) AS closed ({}) WHERE {}").format(
        within,
        Identifier(dataset.name),
        SQL(", ").join(pairs[count:]),
        SQL(", ").join(SQL(f"%s::{name}[]") for name in types),
        SQL(", ").join(map(Identifier, dataset.closing)),
        SQL(" AND ").join(same),
    )


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _MISSING as error:
        raise OvertakenError from error
    except (
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.errors.ReadOnlySqlTransaction,
    ) as error:
        raise not_answering() from error


def _database(
    url: str, limits: Limits, pooled: bool, settings: Mapping[str, str | int], **more: float | None
) -> Database:
    waits: dict[str, Any] = {"statement": limits.statement, **more}
    return Database(
        url, connect=limits.connect, network=limits.network, settings=settings, pooled=pooled, **waits
    )


def _is_prepared(connection: psycopg.Connection) -> bool:
    """Whether what all generations have in common is there: to look is nothing that a server could refuse."""
    row = connection.execute("SELECT to_regclass('reporting.live_generations') IS NOT NULL").fetchone()
    return row == (True,)
