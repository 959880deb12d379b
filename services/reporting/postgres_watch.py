"""Watching the read model grow in PostgreSQL: one connection that sleeps until a worker says that it has moved on."""

from __future__ import annotations

import time
from typing import Final

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from services.reporting.read_model import not_answering, not_built

CHANNEL: Final = "bitacora_projected"
LONGEST_SLEEP: Final = 0.25
"""Seconds after which it looks all the same: a worker of an older version says nothing."""

_MISSING = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)


class PostgresWatch:
    """See `Watch`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._name: str | None = None
        self._statement: Composed | None = None

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
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
            self._connection.execute(SQL("LISTEN {}").format(Identifier(CHANNEL)))
        return self._connection

    def _look(self, connection: psycopg.Connection) -> int:
        """The position of the live generation: one statement, as long as that is the one it was before."""
        if self._statement is not None:
            try:
                row = connection.execute(self._statement).fetchone()
            except _MISSING:
                row = None
            if row is not None and row[1] == self._name:
                return int(row[0])
        try:
            found = connection.execute("SELECT name FROM reporting.live_generation").fetchone()
        except _MISSING:
            found = None
        if found is None:
            raise not_built()
        if found[0] == self._name:
            # It was replaced, and dropped, between the two statements: look again.
            return 0
        self._name = str(found[0])
        self._statement = SQL(
            "SELECT position, (SELECT name FROM reporting.live_generation) FROM {}.projection_state"
        ).format(Identifier(self._name))
        return self._look(connection)
