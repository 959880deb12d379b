"""Bringing the tables of one generation to the newest revision, in this process and on a given connection."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from services.reporting.tables import VERSION_TABLE, projection_state

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(connection: Connection) -> None:
    """Run what is missing, where the connection's unqualified names lead, and begin at position 0 if it is new."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if connection.execute(select(projection_state.c.position)).one_or_none() is None:
        connection.execute(insert(projection_state).values(id=1, generation=uuid4(), position=0))


def at_head(connection: Connection) -> bool:
    """Whether the tables are those that this version of the code knows."""
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return context.get_current_revision() == ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config
