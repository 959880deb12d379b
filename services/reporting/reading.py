"""A look at one generation of the read model: what every query is given."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection


class Reading(NamedTuple):
    """A connection to one generation, and how far that generation has followed the log."""

    connection: Connection
    generation: str
    position: int
