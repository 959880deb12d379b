"""One snapshot of one generation of the read model: what every query is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection


class Reading(NamedTuple):
    """A connection in a transaction that sees one state of a generation, and how far that has followed the log."""

    connection: Connection
    generation: str
    position: int
    identity: str
    """Which event of the log it was that it followed last."""
    stopped_because: str | None = None
    """What keeps the generation from following any further, where something does."""
    seen: float = 0.0
    """Seconds since a worker last showed itself there."""
    changed: Mapping[str, int] = {}
    """At which position at the latest the rows of each dataset last changed; without it, since it was built, never."""
