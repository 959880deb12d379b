"""What the roles of a PostgreSQL server may do with the log: no service can change or remove what is on record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from psycopg.sql import SQL, Composed, Identifier

_READ: Final = "SELECT"
_APPEND: Final = "SELECT, INSERT"

WRITERS: Final = {
    "stored_events": _APPEND,
    "codes": _APPEND,
    "log_version": _READ,
    "idempotency_keys": "SELECT, INSERT, DELETE",
    "followers": "SELECT, INSERT, UPDATE, DELETE",
    "follower_bookmarks": "SELECT, INSERT, UPDATE",
    "dead_letters": "SELECT, INSERT, UPDATE, DELETE",
    "imports": "SELECT, INSERT, UPDATE, DELETE",
}
"""What a service that writes needs, by table; all tables of the log are here."""

READERS: Final = {name: _READ for name in WRITERS if name not in {"idempotency_keys", "imports"}}
"""What whoever only follows the log needs: reporting, and the projections of others."""


def grants(schema: str, writers: Sequence[str], readers: Sequence[str]) -> Iterator[Composed]:
    """The statements that give these roles that much of the log, and take from them whatever else they had."""
    within = Identifier(schema)
    for roles, allowed in ((writers, WRITERS), (readers, READERS)):
        for role in map(Identifier, roles):
            yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(within, role)
            for table in WRITERS:
                yield SQL("REVOKE ALL ON {}.{} FROM {}").format(within, Identifier(table), role)
            for table, privileges in allowed.items():
                yield SQL("GRANT {} ON {}.{} TO {}").format(SQL(privileges), within, Identifier(table), role)
