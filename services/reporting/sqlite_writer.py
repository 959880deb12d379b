"""Writing one generation in SQLite: everything in one immediate transaction, the position first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Date, Table

from services.reporting.intervals import fork
from services.reporting.projections.changes import RowChanges
from services.reporting.read_model import OvertakenError, not_answering
from services.reporting.tables import BELIEVED

BUSY_TIMEOUT = 10
"""Seconds to wait for another process's write."""


class SqliteWriter:
    """See `GenerationWriter`.

    A commit is not waited for until it is on disk: after a crash of the machine the rows and the position are back
    where they were together, and the worker writes them again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with _answering():
            self._connection = connect(path)

    def position(self) -> int:
        """See `GenerationWriter.position`."""
        with _answering():
            (position,) = self._connection.execute("SELECT position FROM projection_state").fetchone()
        return int(position)

    def write(self, changes: RowChanges, *, before: int, after: int) -> None:
        """See `GenerationWriter.write`."""
        if not self._path.exists():
            raise OvertakenError
        execute = self._connection.execute
        with _answering():
            execute("BEGIN IMMEDIATE")
            try:
                moved = execute(
                    "UPDATE projection_state SET position = ? WHERE position = ?", (after, before)
                )
                if moved.rowcount != 1:
                    raise OvertakenError
                self._apply(changes)
                execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    execute("ROLLBACK")

    def close(self) -> None:
        """See `GenerationWriter.close`."""
        self._connection.close()

    def _apply(self, changes: RowChanges) -> None:
        for table, rows in changes.added.items():
            if rows:
                insert, days = _INSERT[table]
                self._connection.executemany(insert, (_plain(row, days) for row in rows))
        for table, ended in changes.ended.items():
            if ended:
                self._connection.executemany(
                    _END[table],
                    (
                        (end.believed_to, fork(end.key[-1], end.believed_to), *map(_text, end.key))
                        for end in ended
                    ),
                )


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a generation's file, for writing, with transactions begun by hand."""
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _insert(table: Table) -> tuple[str, tuple[int, ...]]:
    """The statement, and which of its values are days (SQLite keeps them as text)."""
    columns = list(table.columns)
    names = ", ".join(column.name for column in columns)
    marks = ", ".join("?" for _ in columns)
    days = tuple(index for index, column in enumerate(columns) if isinstance(column.type, Date))
    return f"INSERT INTO {table.name} ({names}) VALUES ({marks})", days  # noqa: S608 - the names are our own


def _end(table: Table) -> str:
    node = ", belief_node = ?2" if "belief_node" in table.columns else ""
    same = " AND ".join(
        f"{column.name} = ?{number}" for number, column in enumerate(table.primary_key.columns, start=3)
    )
    return f"UPDATE {table.name} SET believed_to = ?1{node} WHERE {same}"  # noqa: S608 - the names are our own


_INSERT = {table.name: _insert(table) for table in BELIEVED}
_END = {table.name: _end(table) for table in BELIEVED}


def _plain(row: tuple[Any, ...], days: tuple[int, ...]) -> list[Any]:
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
