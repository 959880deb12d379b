"""What organisations and pillars were called on a day, as known at a position."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import select

from services.reporting.datasets import POSITION, names
from services.reporting.reading import Reading


class Names(NamedTuple):
    """Names and ranks by kind and code, from which day on."""

    known: dict[tuple[str, str], list[tuple[date, str, int]]]
    day: date = date.max

    def on(self, day: date) -> Names:
        """What they were called on a day."""
        return self._replace(day=day)

    def of(self, kind: str, code: str | None) -> str | None:
        """What a code was called; None when it was never declared."""
        found = None if code is None else self._told(kind, code)
        return found[1] if found else None

    def days_of(self, kind: str, code: str) -> list[date]:
        """The days from which it was called something, in their order."""
        return [since for since, _name, _rank in self.known.get((kind, code), ())]

    def rank(self, kind: str | None, code: str) -> int:
        """Where it comes in lists; what was never declared comes first."""
        found = None if kind is None else self._told(kind, code)
        return found[2] if found else 0

    def all_of(self, kind: str) -> list[tuple[str, str]]:
        """Code and name of everything of a kind that there was on the day, by rank and then by name."""
        codes = [code for one, code in self.known if one == kind]
        found = [(told[2], told[1], code) for code in codes if (told := self._told(kind, code)) is not None]
        return [(code, name) for _, name, code in sorted(found)]

    def _told(self, kind: str, code: str) -> tuple[date, str, int] | None:
        told = self.known.get((kind, code), ())
        return next((one for one in reversed(told) if one[0] <= self.day), None)


_KNOWN: Final = (
    select(names.c.kind, names.c.code, names.c.valid_from, names.c.name, names.c.rank)
    .where(names.known_at(POSITION))
    .order_by(names.c.valid_from)
)


def names_at(reading: Reading, position: int, on: date = date.max) -> Names:
    """Every name on a day, as it was known at a position."""
    rows = reading.connection.execute(_KNOWN, {"position": position})
    known: dict[tuple[str, str], list[tuple[date, str, int]]] = {}
    for kind, code, *told in rows:
        known.setdefault((kind, code), []).append(tuple(told))
    return Names(known, on)
