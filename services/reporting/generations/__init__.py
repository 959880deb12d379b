"""The read model as generations of its datasets, on whichever engine it is kept."""

from __future__ import annotations

from typing import Protocol

from services.reporting.datasets import Schema
from services.reporting.generations.interface import ReadModel
from shared.eventlog.open import LogSettings, limits_of
from shared.eventlog.store import LIMITS, Limits


class ReadModelSettings(LogSettings, Protocol):
    """What the settings of an installation say about its read model (`shared/settings.py`)."""

    @property
    def effective_read_model_url(self) -> str: ...
    @property
    def read_model_statement_seconds(self) -> float: ...


def open_installed(settings: ReadModelSettings, schema: Schema) -> ReadModel:
    """The read model of an installation."""
    limits = limits_of(settings)._replace(statement=settings.read_model_statement_seconds)
    pooled = settings.postgres_pooler == "transaction"
    return open_read_model(settings.effective_read_model_url, schema, limits, pooled=pooled)


def open_read_model(url: str, schema: Schema, limits: Limits = LIMITS, *, pooled: bool = False) -> ReadModel:
    """The read model behind a URL: `sqlite:///directory` or `postgresql://…`; any other is a ValueError."""
    if url.startswith("sqlite:///"):
        from services.reporting.generations.sqlite import SqliteReadModel

        return SqliteReadModel(url.removeprefix("sqlite:///"), schema)
    if url.startswith(("postgresql://", "postgres://")):
        from services.reporting.generations.postgres import PostgresReadModel

        return PostgresReadModel(url, schema, limits, pooled=pooled)
    raise ValueError("The read model's URL must begin with sqlite:/// or postgresql://.")
