"""The read model as generations of its datasets, on whichever engine it is kept."""

from __future__ import annotations

from services.reporting.datasets import Schema
from services.reporting.generations.interface import ReadModel


def open_read_model(url: str, schema: Schema) -> ReadModel:
    """The read model behind a URL: `sqlite:///directory` or `postgresql://…`; any other is a ValueError."""
    if url.startswith("sqlite:///"):
        from services.reporting.generations.sqlite import SqliteReadModel

        return SqliteReadModel(url.removeprefix("sqlite:///"), schema)
    if url.startswith(("postgresql://", "postgres://")):
        from services.reporting.generations.postgres import PostgresReadModel

        return PostgresReadModel(url, schema)
    raise ValueError("The read model's URL must begin with sqlite:/// or postgresql://.")
