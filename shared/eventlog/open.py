"""Opens the event log that a URL or an installation's settings name."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from shared.eventlog.store import LIMITS, Limits, Store


class LogSettings(Protocol):
    """What the settings of an installation say about its log (`shared/settings.py`)."""

    @property
    def effective_log_url(self) -> str: ...
    @property
    def postgres_pooler(self) -> str: ...
    @property
    def log_lock_seconds(self) -> float: ...
    @property
    def log_statement_seconds(self) -> float: ...
    @property
    def log_connect_seconds(self) -> float: ...
    @property
    def log_network_seconds(self) -> float: ...
    @property
    def disk_free_megabytes(self) -> int: ...
    @property
    def log_clock_seconds(self) -> float: ...
    @property
    def idempotency_days(self) -> float: ...


def open_log(settings: LogSettings) -> Store:
    """The log of an installation."""
    pooled = settings.postgres_pooler == "transaction"
    return open_store(settings.effective_log_url, limits_of(settings), pooled=pooled)


def limits_of(settings: LogSettings) -> Limits:
    """For how long an installation waits for its databases."""
    return Limits(
        lock=settings.log_lock_seconds,
        statement=settings.log_statement_seconds,
        connect=settings.log_connect_seconds,
        network=settings.log_network_seconds,
        room=settings.disk_free_megabytes * 1_000_000,
        clock=settings.log_clock_seconds,
        idempotency=timedelta(days=settings.idempotency_days),
    )


def open_store(url: str, limits: Limits = LIMITS, *, pooled: bool = False) -> Store:
    """The store behind a URL: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    `pooled`: a PostgreSQL behind a pooler (see `shared/postgres.py`). Any other scheme is a ValueError. Nothing is
    asked of the engine yet.
    """
    if url.startswith("sqlite:///"):
        from shared.eventlog.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"), limits)
    if url.startswith(("postgresql://", "postgres://")):
        from shared.eventlog.postgres import PostgresStore

        return PostgresStore(url, limits, pooled=pooled)
    raise ValueError("The log's URL must begin with sqlite:/// or postgresql://.")
