"""Finds the read model behind a URL, on whichever engine it is kept."""

from __future__ import annotations

from services.reporting.read_model import ReadModel


def open_read_model(url: str) -> ReadModel:
    """The read model behind a URL: `sqlite:///directory` or `postgresql://…`; any other is a ValueError."""
    if url.startswith("sqlite:///"):
        from services.reporting.sqlite_generations import SqliteReadModel

        return SqliteReadModel(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        from services.reporting.postgres_generations import PostgresReadModel

        return PostgresReadModel(url)
    raise ValueError("The read model's URL must begin with sqlite:/// or postgresql://.")
