"""The event log in PostgreSQL: appended through one SQL function, read in plain rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout

from shared.errors import Unavailable
from shared.eventlog.postgres_connections import PostgresWaiter, PostgresWriter
from shared.eventlog.postgres_schema import APPEND, SIGNATURE, TABLES
from shared.eventlog.postgres_statements import answers, only_row, parameters, translated_errors
from shared.eventlog.store import (
    Appended,
    Changes,
    Filed,
    IdempotencyRecord,
    LogNotReady,
)

MIGRATION_LOCK = 563_201_013

RECONNECT_FOR = 1.0
"""Seconds for which the pool goes on trying to connect by itself; after that, whoever asks makes it try again."""


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
        # By itself the pool would try less and less often, up to minutes apart, and be late when the server is back.
        datastore.pool.reconnect_timeout = RECONNECT_FOR
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
            *([[]] * 9),
            False,
        )
        with self._connection() as connection:
            head, _moment = only_row(connection.execute(self.insert_statement, parameters).fetchone())
        return list(range(head + 1, head + 1 + len(stored_events)))

    def append(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """See `Store.append`."""
        with self._connection() as connection:
            row = connection.execute(self.insert_statement, parameters(batch, now, announce=True)).fetchone()
        return answers(batch, *only_row(row))

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
        self,
        stream_id: UUID,
        after_version: int = 0,
        upto_position: int | None = None,
        *,
        upto_version: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[int, bytes]]:
        """See `Store.read_stream`."""
        sql = (
            "SELECT notification_id, state FROM {table} WHERE originator_id = %s AND originator_version > %s"
        )
        values: list[Any] = [stream_id, after_version]
        if upto_position is not None:
            sql += " AND notification_id <= %s"
            values.append(upto_position)
        if upto_version is not None:
            sql += " AND originator_version <= %s"
            values.append(upto_version)
        sql += " ORDER BY originator_version"
        if limit is not None:
            sql += " LIMIT %s"
            values.append(limit)
        return self._rows(sql, values)

    def read_filed(self, after: int, limit: int, *, upto: int) -> list[Filed]:
        """See `Store.read_filed`."""
        rows = self._rows(
            "SELECT notification_id, originator_id, originator_version, topic, recorded_at FROM {table} "
            "WHERE notification_id > %s AND notification_id <= %s ORDER BY notification_id LIMIT %s",
            [after, upto, limit],
        )
        return [Filed(*row) for row in rows]

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
            with self.datastore.pool.connection() as connection, translated_errors():
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
        if self._rows("SELECT to_regprocedure(%s)", [SIGNATURE.format(schema=self.schema)])[0][0] is None:
            raise LogNotReady

    def waiter(self, poll: float) -> PostgresWaiter:
        """See `Store.waiter`."""
        return PostgresWaiter(self.schema, self._conninfo, poll)

    def close(self) -> None:
        """See `Store.close`."""
        self.datastore.close()
