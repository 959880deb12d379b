"""What is believed of one stream, row by row of any table: said anew, it replaces what was believed before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table

from services.reporting.intervals import fork
from services.reporting.projections.changes import Belief, RowChanges

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BELIEVED = ("believed_from", "believed_to")
_NODES = ("day_node", "belief_node")


class Columns(NamedTuple):
    """How the values of a row are ordered; `keys` are the places of those that tell it from others."""

    names: tuple[str, ...]
    keys: tuple[int, ...]
    filed: bool
    """Whether rows are filed in the interval tree, by the days `valid_from` to `valid_to` and by their beliefs."""


class Row(NamedTuple):
    """What one row says, apart from the positions at which it was believed."""

    table: str
    columns: Columns
    values: tuple[Any, ...]

    def row(self, believed_from: int, believed_to: int) -> tuple[Any, ...]:
        """See `Fact.row`."""
        if not self.columns.filed:
            return (*self.values, believed_from, believed_to)
        names = self.columns.names
        first, last = (self.values[names.index(name)] for name in ("valid_from", "valid_to"))
        nodes = fork(first.toordinal(), last.toordinal()), fork(believed_from, believed_to)
        return (*self.values, *nodes, believed_from, believed_to)

    def key(self, believed_from: int) -> tuple[Any, ...]:
        """See `Fact.key`."""
        return (*self.identity, believed_from)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells the row from others of its table that are believed at the same time."""
        return tuple(self.values[place] for place in self.columns.keys)


def row_of(table: Table, **values: Any) -> Row:
    """A row of a table by the names of its columns, all of them but nodes and beliefs; a wrong name is a KeyError."""
    columns = _columns(table)
    if len(values) != len(columns.names):
        raise KeyError(f"a row of {table.name} has the columns {', '.join(columns.names)}")
    return Row(table.name, columns, tuple(values[name] for name in columns.names))


@cache
def _columns(table: Table) -> Columns:
    # Nodes and beliefs are the last columns of every table that is written from here.
    names = tuple(column.name for column in table.columns if column.name not in (*_NODES, *_BELIEVED))
    keys = tuple(column.name for column in table.primary_key.columns if column.name not in _BELIEVED)
    return Columns(names, tuple(names.index(key) for key in keys), "day_node" in table.columns)


class Beliefs:
    """The rows that are believed of one stream now."""

    __slots__ = ("_now",)

    def __init__(self) -> None:
        self._now: dict[tuple[str, tuple[Any, ...]], Belief[Row]] = {}

    def __iter__(self) -> Iterator[Belief[Row]]:
        return iter(self._now.values())

    def say(self, row: Row, position: int, changes: RowChanges, *, anew: bool = False) -> None:
        """Believe a row instead of what it replaces; the same again changes nothing unless it counts `anew`."""
        place = (row.table, row.identity)
        known = self._now.get(place)
        if known is not None:
            if known.fact == row and not anew:
                return
            changes.end(known, position)
        self._now[place] = Belief(row.table, row, position)

    def restate(self, table: Table, rows: Iterable[Row], position: int, changes: RowChanges) -> None:
        """Believe these rows of a table, and no others of it."""
        wanted = {(table.name, row.identity): row for row in rows}
        for place in [known for known in self._now if known[0] == table.name and known not in wanted]:
            changes.end(self._now.pop(place), position)
        for row in wanted.values():
            self.say(row, position, changes)


def microseconds(moment: datetime) -> int:
    """An instant as the tables keep it."""
    return (moment - _EPOCH) // _MICROSECOND
