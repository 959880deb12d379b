"""What projections say against what the read model knows: opens and closes rows, for every dataset in the same way."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from services.reporting.datasets import END_OF_DAYS, END_OF_LOG, Dataset
from services.reporting.intervals import fork

Key = tuple[Any, ...]
Values = tuple[Any, ...]
ByDay = list[tuple[date | None, Values]]
"""Values in order of the days from which they hold, each until the next; without valid time, of None."""

NOTHING: Final[Values] = ()
"""What holds from a day on from which there is no row."""

_DAY = timedelta(days=1)


class Now(NamedTuple):
    """All that a stream has in a dataset from now on: values by day for each key, and no other keys.

    With `since`, nothing has changed before that day, and the values are those that hold from it on.
    """

    dataset: Dataset
    rows: Mapping[Key, ByDay]
    since: date | None = None


class Row:
    """A row that is known now; `written` once it is in the read model (or on its way)."""

    __slots__ = ("known_from", "valid_from", "valid_to", "values", "written")

    def __init__(
        self, valid_from: date | None, valid_to: date | None, values: Values, known_from: int
    ) -> None:
        self.valid_from = valid_from
        self.valid_to = valid_to
        self.values = values
        self.known_from = known_from
        self.written = False


class RowChanges:
    """Rows to add, and rows to close, by dataset; those to add go first, since one of them may be closed at once.

    A row is handed over as late as possible: most are closed before anybody had to write them down, and then it is
    written once and never updated. What closes a row has the columns `Dataset.closing`.
    """

    def __init__(self) -> None:
        self.added: dict[str, list[tuple[Any, ...]]] = {}
        self.closed: dict[str, list[tuple[Any, ...]]] = {}
        self.size = 0

    def add(self, dataset: Dataset, key: Key, row: Row, known_to: int) -> None:
        """Write a row down as known up to, but not at, a position."""
        first, last = row.valid_from, row.valid_to
        if first is None or last is None:
            line = (*key, *row.values, row.known_from, known_to)
        elif dataset.by_interval:
            node = fork(first.toordinal(), last.toordinal())
            known_node = fork(row.known_from, known_to)
            line = (*key, first, last, *row.values, node, known_node, row.known_from, known_to)
        else:
            line = (*key, first, last, *row.values, row.known_from, known_to)
        self.added.setdefault(dataset.name, []).append(line)
        self.size += 1

    def changed_at(self, position: int) -> str:
        """As a JSON object, that what changes here changed at this position at the latest."""
        return msgspec.json.encode(dict.fromkeys((*self.added, *self.closed), position)).decode()

    def close(self, dataset: Dataset, key: Key, row: Row, position: int) -> None:
        """The row was known up to, but not at, this position."""
        if not row.written:
            self.add(dataset, key, row, position)
            return
        days = () if row.valid_from is None else (row.valid_from,)
        node = (fork(row.known_from, position),) if dataset.by_interval else ()
        line = (*key, *days, row.known_from, position, *node)
        self.closed.setdefault(dataset.name, []).append(line)
        self.size += 1


class StreamRows:
    """The rows of one stream that are known now, by dataset and key, in order of their days."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Dataset, dict[Key, list[Row]]] = {}

    def apply(self, now: Now, position: int, changes: RowChanges) -> None:
        """Bring the rows into line with what is said from a position on; what is the same as before stays."""
        dataset, wanted, since = now
        known = self._known.get(dataset)
        if known is None:
            known = self._known[dataset] = {}
        elif known.keys() != wanted.keys():
            for key in [key for key in known if key not in wanted]:
                for row in known.pop(key):
                    changes.close(dataset, key, row, position)
        for key, days in wanted.items():
            rows = known.get(key)
            if rows is None:
                rows = known[key] = []
            index = 0
            if since is not None and rows:
                index, days = _beyond(rows, days, since)
            _replace(dataset, key, rows, index, days, position, changes)

    def become(self, other: StreamRows, position: int, changes: RowChanges) -> None:
        """Have just what the other has from a position on; what is the same as before stays."""
        for dataset in {**self._known, **other._known}:
            rows = {key: _by_day(known) for key, known in other._known.get(dataset, {}).items()}
            self.apply(Now(dataset, rows), position, changes)

    def unwritten(self) -> Iterator[tuple[Dataset, Key, Row]]:
        """The rows that are not in the read model yet."""
        for dataset, keys in self._known.items():
            for key, rows in keys.items():
                for row in rows:
                    if not row.written:
                        yield dataset, key, row

    def count_as_written(self) -> None:
        """All of them are in the read model already."""
        for _dataset, _key, row in self.unwritten():
            row.written = True


def write_down(rows: Iterable[tuple[Dataset, Key, Row]], changes: RowChanges) -> None:
    """These rows still hold, and have to be in the read model."""
    for dataset, key, row in rows:
        changes.add(dataset, key, row, END_OF_LOG)
        row.written = True


def _beyond(rows: list[Row], days: ByDay, since: date) -> tuple[int, ByDay]:
    """From which of the rows on there may be a difference, and the values from its first day on."""
    first = rows[0].valid_from
    if first is None or since <= first:
        return 0, days
    # Nearly always something new is said of the last days, and only the last row is concerned.
    index = len(rows) - 1
    last = rows[index].valid_from
    if last is not None and since <= last:
        index = bisect_right(rows, since - _DAY, key=_first_day) - 1
    # Whatever held on the eve still holds there; it goes on if the day itself brought nothing else.
    eve = rows[index]
    if days[0][1] == eve.values:
        return index, [(eve.valid_from, eve.values), *days[1:]]
    return index, [(eve.valid_from, eve.values), *days]


def _replace(
    dataset: Dataset, key: Key, rows: list[Row], index: int, days: ByDay, position: int, changes: RowChanges
) -> None:
    """Let these values follow the first `index` rows."""
    before = rows[index:]
    del rows[index:]
    end = END_OF_DAYS if dataset.valid_time else None
    last = len(days) - 1
    for number, (first, values) in enumerate(days):
        if first == END_OF_DAYS:
            break
        if values is NOTHING:
            continue
        until = days[number + 1][0] if number < last else end
        for row in before:
            if row.valid_from == first:
                before.remove(row)
                if row.valid_to != until or (row.values is not values and row.values != values):
                    changes.close(dataset, key, row, position)
                    row = Row(first, until, values, position)
                break
        else:
            row = Row(first, until, values, position)
        rows.append(row)
    for row in before:
        changes.close(dataset, key, row, position)


def _by_day(rows: list[Row]) -> ByDay:
    """The values of rows, and where there is none between two of them or after the last."""
    found: ByDay = []
    for number, row in enumerate(rows, 1):
        found.append((row.valid_from, row.values))
        until = rows[number].valid_from if number < len(rows) else END_OF_DAYS
        if row.valid_to is not None and row.valid_to != until:
            found.append((row.valid_to, NOTHING))
    return found


def _first_day(row: Row) -> date:
    assert row.valid_from is not None
    return row.valid_from
