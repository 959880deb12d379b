"""Connections to PostgreSQL as every part of Bitácora makes them: none of them waits for the server without end."""

from __future__ import annotations

import select
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from shared.errors import NotReady

GRACE: Final = 2.0
"""Seconds that a server has beyond its own limit of a statement: who is silent for longer keeps no limits any more."""
PAUSE: Final = 1.0
"""Seconds for which nobody else waits for a server that has just kept somebody waiting for too long."""
TRIES: Final = 2
"""How often in a row it is tried in vain to connect to a server that is at a long piece of work: it may be busy."""
AFTER: Final = 0.1
"""Seconds between two looks of a waiting connection at whether it is to be interrupted."""

T = TypeVar("T")


class ServerSilent(psycopg.OperationalError):
    """A server that was at a long piece of work does not even take new connections any more."""


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is given up when its server keeps silent for too long."""

    database: Database | None = None

    def wait(self, gen: PQGen[T], interval: float = AFTER, timeout: float | None = None) -> T:
        """See psycopg; without a `timeout`, for as long as the database may take."""
        database = self.database
        if database is None or timeout is not None:
            return super().wait(gen, interval, timeout)
        if database.patience is None:
            try:
                return super().wait(database.answering(gen), interval)
            except ServerSilent:
                self.close()
                raise
        began = time.monotonic()
        try:
            return super().wait(gen, interval, database.patience)
        except psycopg.OperationalError:
            if database.is_silent_since(began):
                self.close()
            raise


class AsyncConnection(psycopg.AsyncConnection[tuple[Any, ...]]):
    """The same for an event loop."""

    database: Database | None = None

    async def wait(self, gen: PQGen[T], interval: float = AFTER, timeout: float | None = None) -> T:
        """See psycopg; without a `timeout`, for as long as the database may take."""
        database = self.database
        if database is None or timeout is not None:
            return await super().wait(gen, interval, timeout)
        began = time.monotonic()
        try:
            return await super().wait(gen, interval, database.patience)
        except psycopg.OperationalError:
            if database.is_silent_since(began):
                await self.close()
            raise


class Database:
    """A database, how it is connected to, and for how long it is waited for.

    `statement`, `connect` and `network` are seconds; without the first, a statement may take as long as it will, but a
    server that has said nothing for `network` seconds is tried with another connection, and given up if it takes none.
    `settings` are those of each session. What the URL itself says stands. `pooled` says that between us and the server
    is a pooler which lends each transaction a session of the server: then nothing is left in a session, no settings, no
    prepared statements, no locks and nothing to listen to, and the settings are made anew in each transaction, by
    `within` or `settle`.
    """

    def __init__(
        self,
        url: str,
        *,
        connect: float,
        network: float,
        statement: float | None = None,
        settings: Mapping[str, str | int] | None = None,
        pooled: bool = False,
    ) -> None:
        given = conninfo_to_dict(url)
        session = dict(settings or {})
        if statement is not None:
            session["statement_timeout"] = milliseconds(statement)
        options = "" if pooled else " ".join(f"-c {name}={value}" for name, value in session.items())
        ours: dict[str, Any] = {
            "connect_timeout": max(2, round(connect)),
            "tcp_user_timeout": milliseconds(network),
            "keepalives_idle": max(1, round(network / 2)),
            "keepalives_interval": max(1, round(network / 6)),
            "keepalives_count": 3,
            "application_name": "bitacora",
        }
        self.patience = None if statement is None else statement + GRACE
        """Seconds for which an answer of the server is waited for, whatever the server does."""
        self._network = network
        self.pooled = pooled
        self.conninfo = make_conninfo(
            url,
            **{name: value for name, value in ours.items() if name not in given},
            options=f"{options} {given.get('options') or ''}".strip() or None,
        )
        self.arguments: dict[str, Any] = {"prepare_threshold": None} if pooled else {}
        """What a pool of connections is to give to each of them, besides `conninfo`."""
        made = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in session.items())
        self.settle_statement = f"SELECT {made}" if pooled and session else None
        """To be executed first in every transaction, where there is one."""
        self._not_before = 0.0
        self._direct = pooled

    def connect(self, *, autocommit: bool = False) -> Connection:
        """A new connection."""
        self.must_answer()
        try:
            connection = Connection.connect(self.conninfo, autocommit=autocommit, **self.arguments)
        except psycopg.errors.ConnectionTimeout:
            self.is_silent()
            raise
        except psycopg.OperationalError as error:
            if "startup parameter" in str(error):
                raise pooler_not_set() from error
            raise
        self.adopt(connection)
        if not self._direct:
            self._must_be_direct(connection)
        return connection

    async def connect_async(self) -> AsyncConnection:
        """A new connection in autocommit, for the event loop that calls this."""
        self.must_answer()
        try:
            connection = await AsyncConnection.connect(self.conninfo, autocommit=True, **self.arguments)
        except psycopg.errors.ConnectionTimeout:
            self.is_silent()
            raise
        connection.database = self
        return connection

    def adopt(self, connection: psycopg.Connection[Any]) -> None:
        """Let a connection that a pool has made wait no longer than ours."""
        assert isinstance(connection, Connection)
        connection.database = self

    def check_direct(self) -> None:
        """Raise `pooler-not-set` when there is a pooler where none is expected; asks once."""
        if not self._direct:
            self.connect(autocommit=True).close()

    def _must_be_direct(self, connection: Connection) -> None:
        # A pooler has to invent the process id that it tells its clients.
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        if row != (connection.info.backend_pid,):
            connection.close()
            raise pooler_not_set()
        if not connection.autocommit:
            connection.rollback()
        self._direct = True

    @contextmanager
    def within(self, connection: psycopg.Connection[Any]) -> Iterator[None]:
        """On a connection in autocommit: where our settings hold, which is in a transaction if it is pooled."""
        if self.settle_statement is None:
            yield
            return
        with connection.transaction():
            self.settle(connection)
            yield

    @asynccontextmanager
    async def within_async(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """The same for an event loop."""
        if self.settle_statement is None:
            yield
            return
        async with connection.transaction():
            await connection.execute(self.settle_statement.encode())
            yield

    def settle(self, connection: psycopg.Connection[Any]) -> None:
        """Make our settings in the transaction that has just begun, if the session does not have them."""
        if self.settle_statement is not None:
            connection.execute(self.settle_statement.encode())

    def must_answer(self) -> None:
        """Raise OperationalError while the server is known to be silent.

        Whoever waits in line behind those who waited for nothing is told so at once, and not after a wait of their own.
        """
        if time.monotonic() < self._not_before:
            raise psycopg.OperationalError("the server did not answer a moment ago")

    def answering(self, gen: PQGen[T]) -> PQGen[T]:
        """The same steps of waiting for the server, for as long as it takes; ServerSilent once nobody is there."""
        heard, tried = time.monotonic(), 0
        try:
            step = next(gen)
            while True:
                ready = yield step
                if ready:
                    heard, tried = time.monotonic(), 0
                elif time.monotonic() - heard > self._network:
                    tried = 0 if self._takes_connections() else tried + 1
                    if tried == TRIES:
                        raise ServerSilent("the server does not answer")
                    heard = time.monotonic() if tried == 0 else heard
                step = gen.send(ready)
        except StopIteration as end:
            found: T = end.value
            return found

    def _takes_connections(self) -> bool:
        """Whether the server says anything to somebody new, be it a refusal."""
        try:
            psycopg.connect(self.conninfo, **self.arguments).close()
        except psycopg.errors.ConnectionTimeout:
            return False
        except psycopg.OperationalError:
            return True
        return True

    def is_silent(self) -> None:
        """Somebody has waited for too long."""
        self._not_before = time.monotonic() + PAUSE

    def is_silent_since(self, began: float) -> bool:
        """Whether somebody who began to wait at a time (`time.monotonic`) has waited for too long."""
        if self.patience is None or time.monotonic() - began < self.patience:
            return False
        self.is_silent()
        return True


def is_gone(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Whether a connection that nobody uses just now was given up by its server, as far as has arrived here.

    A server that ends says so, and then closes: there is something to read where nothing was asked. It costs no round
    trip; what is not noticed so, because the network is gone, only the next statement finds out.
    """
    if connection.closed:
        return True
    waiting = select.poll()  # `select.select` takes no descriptor beyond 1023, which many streams reach
    try:
        waiting.register(connection.fileno(), select.POLLIN)
        while waiting.poll(0):
            connection.pgconn.consume_input()  # at its end this raises
    except (psycopg.OperationalError, OSError):
        return True
    return False


def pooler_not_set() -> NotReady:
    """The error of a database behind a pooler of which nobody told us."""
    return NotReady(
        "pooler-not-set",
        "Between here and the database is a pooler, such as PgBouncer: set BITACORA_POSTGRES_POOLER to transaction, or "
        "name the server itself in the URL.",
    )


def milliseconds(seconds: float) -> int:
    """As PostgreSQL's settings want it."""
    return round(seconds * 1000)
