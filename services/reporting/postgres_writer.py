"""Writing one generation in PostgreSQL: rows by COPY, ends of beliefs by UPDATE, and the position with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import SQL, Composed, Identifier
from sqlalchemy import BigInteger, Date, Integer, Table, Text, Uuid

from services.reporting.intervals import fork
from services.reporting.postgres_watch import CHANNEL
from services.reporting.projections.changes import Ended, RowChanges
from services.reporting.read_model import OvertakenError, not_answering
from services.reporting.tables import BELIEVED

_GONE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)

_ARRAYS: dict[type[Any], SQL] = {
    Uuid: SQL("%s::uuid[]"),
    Date: SQL("%s::date[]"),
    BigInteger: SQL("%s::bigint[]"),
    Integer: SQL("%s::integer[]"),
    Text: SQL("%s::text[]"),
}


class PostgresWriter:
    """See `GenerationWriter`.

    A commit is not waited for until it is on disk: after a crash of the server the rows and the position are back
    where they were together, and the worker writes them again.
    """

    def __init__(self, url: str, generation: str) -> None:
        with _answering():
            self._connection = psycopg.connect(url, options="-c synchronous_commit=off", connect_timeout=5)
        within = Identifier(generation)
        self._position = SQL("SELECT position FROM {}.projection_state").format(within)
        self._move = SQL(
            "WITH moved AS (UPDATE {}.projection_state SET position = %s WHERE position = %s RETURNING position)"
            " SELECT pg_notify({}, '') FROM moved"
        ).format(within, CHANNEL)
        self._copy = {table.name: _copy(table, within) for table in BELIEVED}
        self._end = {table.name: _end(table, within) for table in BELIEVED}

    def position(self) -> int:
        """See `GenerationWriter.position`."""
        with _answering(), self._connection.transaction():
            row = self._connection.execute(self._position).fetchone()
        assert row is not None
        return int(row[0])

    def write(self, changes: RowChanges, *, before: int, after: int) -> None:
        """See `GenerationWriter.write`."""
        with _answering(), self._connection.transaction():
            # First of all, so that of two workers one waits here for the other, and then finds itself overtaken.
            if self._connection.execute(self._move, (after, before)).rowcount != 1:
                raise OvertakenError
            for table, rows in changes.added.items():
                if rows:
                    with self._connection.cursor() as cursor, cursor.copy(self._copy[table]) as copy:
                        for row in rows:
                            copy.write_row(row)
            for table, ended in changes.ended.items():
                if ended:
                    self._connection.execute(self._end[table], _columns(ended))

    def close(self) -> None:
        """See `GenerationWriter.close`."""
        self._connection.close()


def _copy(table: Table, within: Identifier) -> Composed:
    columns = SQL(", ").join(Identifier(column.name) for column in table.columns)
    return SQL("COPY {}.{} ({}) FROM STDIN").format(within, Identifier(table.name), columns)


def _end(table: Table, within: Identifier) -> Composed:
    key = list(table.primary_key.columns)
    node = SQL(", belief_node = ended.node") if "belief_node" in table.columns else SQL("")
    return SQL(
        "UPDATE {schema}.{table} AS known SET believed_to = ended.believed_to{node}"
        " FROM unnest({arrays}, %s::bigint[], %s::bigint[]) AS ended ({names}, believed_to, node) WHERE {same}"
    ).format(
        schema=within,
        table=Identifier(table.name),
        node=node,
        arrays=SQL(", ").join(_ARRAYS[type(column.type)] for column in key),
        names=SQL(", ").join(Identifier(column.name) for column in key),
        same=SQL(" AND ").join(
            SQL("known.{0} = ended.{0}").format(Identifier(column.name)) for column in key
        ),
    )


def _columns(ended: list[Ended]) -> list[list[Any]]:
    keys = [list(column) for column in zip(*(end.key for end in ended), strict=True)]
    nodes = [fork(end.key[-1], end.believed_to) for end in ended]
    return [*keys, [end.believed_to for end in ended], nodes]


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except _GONE as error:
        raise OvertakenError from error
    except psycopg.OperationalError as error:
        raise not_answering() from error
