"""Brings the tables of the log to the newest revision: Alembic, in this process, one process at a time.

Tables that version 1 made, before there were revisions, are taken over as they are by the first one. Services of the
version before go on working on what comes out; `Store.check_ready` of this one asks for the newest revision.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from shared.postgres import Database

LOCK: Final = 563_201_013
"""The advisory lock of whoever migrates."""
BUSY_TIMEOUT: Final = 60
"""Seconds to wait for another process that migrates the same file."""


def migrate_postgres(database: Database) -> None:
    """Migrate a PostgreSQL database; waits for another process that is at it."""
    engine = create_engine("postgresql+psycopg://", creator=database.connect, poolclass=NullPool)
    with database.connect() as guard:
        # Asked for again and again: whoever waits inside a statement is waited for by an index that is made
        # beside running appends, and so is whoever keeps a snapshot, as a statement with parameters would. The lock is
        # that of a transaction, which a pooler lends out as a whole.
        database.settle(guard)
        while guard.execute(f"SELECT pg_try_advisory_xact_lock({LOCK})").fetchone() != (True,):
            guard.rollback()
            time.sleep(0.05)
            database.settle(guard)
        try:
            with engine.connect() as connection:
                _upgrade(connection)
        except DBAPIError as error:
            # As it came from the server: that is what callers understand.
            raise error.orig or error from error


def migrate_sqlite(connect: Callable[[float], sqlite3.Connection]) -> None:
    """Migrate an SQLite file, connected to with so many seconds of patience for another process that is at it."""
    engine = create_engine("sqlite://", creator=lambda: connect(BUSY_TIMEOUT), poolclass=NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        _upgrade(connection)
        connection.commit()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
