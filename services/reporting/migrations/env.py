"""Runs migrations on the connection it is handed; there is no way to run them from a command line of their own."""

from __future__ import annotations

from typing import Any

from alembic import context

from services.reporting.tables import VERSION_TABLE, metadata


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Only our own tables are ours to compare."""
    return kind != "table" or name in metadata.tables


def run() -> None:
    """Migrate on the given connection, inside the transaction it is in."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=VERSION_TABLE,
        include_name=include_name,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
