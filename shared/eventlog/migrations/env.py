"""Runs the migrations on the connection it is handed; there is no way to run them from a command line of their own."""

from __future__ import annotations

from alembic import context

from shared.eventlog.store import VERSION_TABLE


def run() -> None:
    """Migrate on the given connection: on SQLite in the transaction it is in, on PostgreSQL in one for each."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        version_table=VERSION_TABLE,
        transaction_per_migration=connection.dialect.name == "postgresql",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
