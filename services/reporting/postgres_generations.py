"""Generations of the read model as schemas of a PostgreSQL database: `reporting_<id>`, and a pointer in `reporting`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from secrets import token_hex

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Engine, create_engine, select
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from services.reporting import migrate
from services.reporting.postgres_watch import PostgresWatch
from services.reporting.postgres_writer import PostgresWriter
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
from services.reporting.tables import BELIEVED, STANDINGS_AT, projection_state

PREFIX = "reporting_"
MIGRATION_LOCK = 563_201_021
REBUILD_LOCK = 563_201_022
CONNECTIONS = 10
"""Kept open by one process for reading; as many again are opened under pressure."""

ATTEMPTS = 5
"""How often a reader looks again which generation is live, if the one it found was gone."""

_MISSING = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

_READING = (
    "-c default_transaction_read_only=on"
    # Which few rows a path through the interval tree finds is nothing a planner could estimate.
    " -c enable_seqscan=off -c random_page_cost=1.1 -c plan_cache_mode=force_custom_plan"
    " -c jit=off -c max_parallel_workers_per_gather=0"
)


class PostgresReadModel:
    """See `ReadModel`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine: Engine = create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(url, options=_READING, connect_timeout=5),
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=5,
            pool_pre_ping=True,
        )

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """See `ReadModel.reading`."""
        try:
            with self._engine.connect() as connection:
                yield _entered(connection)
        except (DBAPIError, PoolTimeoutError) as error:
            raise _understood(error) from error

    def live(self) -> str | None:
        """See `ReadModel.live`."""
        try:
            with self._engine.connect() as connection:
                return _live(connection)
        except (DBAPIError, PoolTimeoutError) as error:
            raise _understood(error) from error

    def watch(self) -> Watch:
        """See `ReadModel.watch`."""
        return PostgresWatch(self._url)

    def migrate(self) -> None:
        """See `ReadModel.migrate`."""
        with self._administering() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS reporting")
            connection.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS reporting.live_generation"
                " (id smallint PRIMARY KEY CHECK (id = 1), name text NOT NULL)"
            )
            name = _live(connection)
            if name is None:
                name = _create(connection)
                connection.exec_driver_sql("INSERT INTO reporting.live_generation VALUES (1, %s)", (name,))
            else:
                _enter(connection, name)
                migrate.upgrade(connection)

    def check_ready(self) -> None:
        """See `ReadModel.check_ready`."""
        try:
            with self._administering() as connection:
                name = _live(connection)
                if name is None:
                    raise not_built()
                _enter(connection, name)
                if not migrate.at_head(connection):
                    raise out_of_date()
        except DBAPIError as error:
            raise _understood(error) from error

    def writer(self, generation: str) -> GenerationWriter:
        """See `ReadModel.writer`."""
        return PostgresWriter(self._url, generation)

    @contextmanager
    def rebuilding(self) -> Iterator[None]:
        """See `ReadModel.rebuilding`."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (REBUILD_LOCK,)).fetchone()
            if row is None or not row[0]:
                raise RebuildUnderWayError
            yield

    def begin(self) -> str:
        """See `ReadModel.begin`."""
        with self._administering() as connection:
            return _create(connection)

    def before_loading(self, generation: str) -> None:
        """See `ReadModel.before_loading`."""
        with self._administering() as connection:
            _enter(connection, generation)
            STANDINGS_AT.drop(connection)
            connection.exec_driver_sql("ALTER TABLE standings DROP CONSTRAINT pk_standings")

    def after_loading(self, generation: str) -> None:
        """See `ReadModel.after_loading`."""
        with self._administering() as connection:
            _enter(connection, generation)
            connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '256MB'")
            STANDINGS_AT.create(connection)
            connection.exec_driver_sql(
                "ALTER TABLE standings ADD CONSTRAINT pk_standings"
                " PRIMARY KEY (commitment_id, valid_from, believed_from)"
            )
        with psycopg.connect(self._url, autocommit=True) as plain:
            for table in BELIEVED:
                plain.execute(
                    SQL("VACUUM ANALYZE {}.{}").format(Identifier(generation), Identifier(table.name))
                )

    def promote(self, generation: str, catch_up: Callable[[], None]) -> None:
        """See `ReadModel.promote`."""
        with psycopg.connect(self._url) as connection:
            row = connection.execute("SELECT name FROM reporting.live_generation FOR UPDATE").fetchone()
            if row is None:
                raise not_built()
            old = Identifier(row[0])
            connection.execute(SQL("SELECT position FROM {}.projection_state FOR UPDATE").format(old))
            catch_up()
            connection.execute("UPDATE reporting.live_generation SET name = %s", (generation,))

    def discard_others(self) -> None:
        """See `ReadModel.discard_others`."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname ~ %s"
                " AND nspname <> (SELECT name FROM reporting.live_generation)",
                (f"^{PREFIX}[0-9a-f]{{8}}$",),
            ).fetchall()
            for (name,) in rows:
                with connection.transaction():
                    # Readers hold on to this table first of all: it goes when the last of them has left.
                    state = SQL("LOCK TABLE {}.projection_state IN ACCESS EXCLUSIVE MODE")
                    connection.execute(state.format(Identifier(name)))
                    connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(name)))

    def close(self) -> None:
        """See `ReadModel.close`."""
        self._engine.dispose()

    @contextmanager
    def _administering(self) -> Iterator[Connection]:
        """A connection of its own in one transaction, for work on the tables themselves."""
        engine = create_engine(
            "postgresql+psycopg://", creator=lambda: psycopg.connect(self._url, connect_timeout=5)
        )
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()


def _entered(connection: Connection) -> Reading:
    """A reading of the live generation, which cannot be dropped while the transaction it begins here lasts."""
    for _ in range(ATTEMPTS):
        name = _live(connection)
        if name is None:
            break
        within = connection.execution_options(schema_translate_map={None: name})
        try:
            return Reading(within, name, within.execute(select(projection_state.c.position)).scalar_one())
        except ProgrammingError as error:
            if not isinstance(error.orig, _MISSING):
                raise
            # It was replaced, and dropped, since we looked which one is live.
            connection.rollback()
    raise not_built()


def _understood(error: Exception) -> Exception:
    return not_built() if isinstance(getattr(error, "orig", None), _MISSING) else not_answering()


def _live(connection: Connection) -> str | None:
    found = connection.exec_driver_sql("SELECT name FROM reporting.live_generation").scalar()
    return None if found is None else str(found)


def _create(connection: Connection) -> str:
    name = f"{PREFIX}{token_hex(4)}"
    connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    _enter(connection, name)
    migrate.upgrade(connection)
    return name


def _enter(connection: Connection, name: str) -> None:
    if not name.removeprefix(PREFIX).isalnum():
        raise OvertakenError
    connection.exec_driver_sql(f"SET LOCAL search_path TO {name}")
