"""The states of commitments as an asker is told them: without the internal deadlines that are not for them.

To somebody who neither sees everything nor is a reader of the commitment it has no internal deadline, and is in the
state in which it would be without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Date, and_, case, cast, null
from sqlalchemy.types import TypeEngine

from services.reporting.datasets import commitment_states, commitments
from services.reporting.queries.access import Scope, read_by, readable
from services.reporting.queries.moments import AsOf
from services.reporting.reading import Reading

_INTERNAL: Final[dict[str, TypeEngine[Any]]] = {
    "internal_deadline": Date(),
    "internal_deadline_at": BigInteger(),
}
_TIMES: Final = frozenset({"valid_from", "valid_to", "valid_node", "known_node", "known_from", "known_to"})


class _Columns:
    """Columns, to be had by name in the ways in which those of a table are."""

    def __init__(self, columns: Mapping[str, ColumnElement[Any]]) -> None:
        self._columns = columns

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        return self._columns[name]

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self._columns[name]

    def __iter__(self) -> Iterator[ColumnElement[Any]]:
        return iter(self._columns.values())


def rows_there(reading: Reading, at: AsOf, scope: Scope) -> ColumnElement[bool]:
    """The rows of the day that the asker may read."""
    return and_(
        commitment_states.valid_at(at.on, at.position, reading.position), rows_readable(reading, at, scope)
    )


def rows_readable(reading: Reading, at: AsOf, scope: Scope) -> ColumnElement[bool]:
    """The rows of whatever day that the asker may read."""
    return readable(reading, scope, at.position, commitment_states, things=commitments)


def states_told(reading: Reading, scope: Scope, position: int) -> Any:
    """The columns of `commitment_states`, by name, as the asker may know them; to be selected all at once as well."""
    columns = commitment_states.c
    if scope.everything:
        return columns
    told = {name: columns[name] for name in columns.keys()}  # noqa: SIM118 - iterating gives the columns
    for name, kind in _INTERNAL.items():
        if not scope.organizations:
            told[name] = cast(null(), kind).label(name)
        else:
            own = read_by(reading, scope, position, columns.commitment_id)
            told[name] = case((and_(columns[name].is_not(None), own), columns[name])).label(name)
    return _Columns(told)


def joined(rows: Iterable[Any]) -> list[Any]:
    """Rows of one commitment in order of days, those that tell the asker the same made one.

    Only then does a day on which nothing but its internal deadline changed leave no trace.
    """
    found: list[Any] = []
    for row in rows:
        values = row._asdict()
        told = {name: value for name, value in values.items() if name not in _TIMES}
        if found and found[-1].told == told and found[-1].valid_to == row.valid_from:
            found[-1].valid_to = row.valid_to
        else:
            found.append(SimpleNamespace(**values, told=told))
    return found
