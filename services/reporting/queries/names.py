"""What organisations and pillars were called at a position."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from services.reporting.datasets import names
from services.reporting.reading import Reading


class Names(NamedTuple):
    """Names and ranks by kind and code."""

    known: dict[tuple[str, str], tuple[str, int]]

    def of(self, kind: str, code: str | None) -> str | None:
        """What a code was called; None when it was never declared."""
        found = None if code is None else self.known.get((kind, code))
        return found[0] if found else None

    def rank(self, kind: str | None, code: str) -> int:
        """Where it comes in lists; what was never declared comes first."""
        found = None if kind is None else self.known.get((kind, code))
        return found[1] if found else 0


def names_at(reading: Reading, position: int) -> Names:
    """Every name as it was known at a position."""
    columns = names.c
    rows = reading.connection.execute(
        select(columns.kind, columns.code, columns.name, columns.rank).where(names.known_at(position))
    )
    return Names({(kind, code): (name, rank) for kind, code, name, rank in rows})
