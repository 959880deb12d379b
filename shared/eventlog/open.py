"""Opens the event log that a URL or an installation's settings name."""

from __future__ import annotations

from typing import Protocol

from shared.eventlog.store import LIMITS, Limits, Store


class LogSettings(Protocol):
    """What the settings of an installation say about its log."""

    @property
    def effective_log_url(self) -> str: ...


def open_store(url: str, limits: Limits = LIMITS) -> Store:
    """The store behind a URL: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    Any other scheme is a ValueError. Nothing is asked of the engine yet.
    """
    if url.startswith("sqlite:///"):
        from shared.eventlog.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"), limits)
    if url.startswith(("postgresql://", "postgres://")):
        from shared.eventlog.postgres import PostgresStore

        return PostgresStore(url, limits)
    raise ValueError("The log's URL must begin with sqlite:/// or postgresql://.")
