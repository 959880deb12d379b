"""Whether the read model says what the log says: the log is replayed beside it, and the rows are compared.

The replay goes through the same projections and rules as the worker, from the first event on, into a read model of its
own in temporary files. Nothing of it, nor of what is compared, is kept in memory.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select

from services.reporting.datasets import DATASETS, Dataset, Type
from services.reporting.generations.interface import ReadModel
from services.reporting.generations.sqlite import SqliteReadModel
from services.reporting.reading import Reading
from services.reporting.rebuild import rebuild
from services.reporting.terms import from_tsvector
from shared.clock import Clock
from shared.eventlog.envelope import Bookmark
from shared.eventlog.store import Store

AT_ONCE: Final = 5_000
"""Rows that are read and noted at once."""
CACHE_KILOBYTES: Final = 65_536
"""Memory for the file in which rows are counted."""
MOST_SHOWN: Final = 5
"""Rows of one dataset that are told one by one."""


class Difference(NamedTuple):
    """Where a dataset says otherwise: a row by its key, and what is wrong with it."""

    key: str
    what: str


class Compared(NamedTuple):
    """One dataset: how many rows the read model has, how many are not as the log says, and the first of these."""

    dataset: str
    rows: int
    wrong: int
    shown: Sequence[Difference]


class Comparison(NamedTuple):
    """What a comparison found at a position of the log; all is well where nothing is wrong in any dataset."""

    position: int
    datasets: Sequence[Compared]

    @property
    def agrees(self) -> bool:
        """Whether the read model says what the log says."""
        return not any(one.wrong for one in self.datasets)


class _Upto(NamedTuple):
    """The log as it was at a position."""

    store: Store
    position: int

    def head(self) -> int:
        """That position."""
        return self.position

    def read(self, after: int, limit: int, *, upto: int | None = None) -> list[tuple[int, bytes]]:
        """See `Store.read`."""
        return self.store.read(after, limit, upto=self.position if upto is None else min(upto, self.position))

    def read_stream(
        self, stream_id: UUID, after_version: int = 0, upto_position: int | None = None
    ) -> list[tuple[int, bytes]]:
        """See `Store.read_stream`."""
        return self.store.read_stream(stream_id, after_version, upto_position)

    def quarantined(self) -> object:
        """See `Store.quarantined`."""
        return self.store.quarantined()

    def must_hold(self, bookmark: Bookmark) -> None:
        """See `Store.must_hold`."""
        self.store.must_hold(bookmark)


def compare(
    store: Store,
    read_model: ReadModel,
    clock: Clock,
    progress: Callable[[str, int, int], None] = lambda _what, _done, _of: None,
) -> Comparison:
    """Compare the live generation with the log, at the position it has reached.

    `progress` is told what is being done, how much of it is done, and of how much. CorruptEvent where the log cannot be
    replayed, Unavailable where there is no generation.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bitacora-comparison-") as folder,
        closing(_Tally(Path(folder) / "tally.db")) as tally,
    ):
        with read_model.reading() as reading:
            position = reading.position
            for number, dataset in enumerate(DATASETS):
                progress("Reading the read model", number, len(DATASETS))
                tally.add(dataset, _rows(reading, dataset), 1)
        replayed = SqliteReadModel(str(Path(folder) / "replayed"), read_model.schema)
        try:
            rebuild(
                _Upto(store, position),
                replayed,
                clock,
                lambda done: progress("Replaying the log", done.position, done.head),
                grace=0,
            )
            with replayed.reading() as reading:
                for number, dataset in enumerate(DATASETS):
                    progress("Comparing", number, len(DATASETS))
                    tally.add(dataset, _rows(reading, dataset), -1)
        finally:
            replayed.close()
        return Comparison(position, [tally.compared(dataset) for dataset in DATASETS])


def _rows(reading: Reading, dataset: Dataset) -> Iterator[str]:
    """The rows of a dataset as text, key first; the same on either engine."""
    names = [
        *dataset.primary_key,
        *(c.name for c in dataset.table.columns if c.name not in dataset.primary_key),
    ]
    statement = select(*(dataset.c[name] for name in names)).execution_options(
        stream_results=True, yield_per=AT_ONCE
    )
    filed: set[int] = set()
    if reading.connection.dialect.name == "postgresql":
        kinds = [dataset.by_name[name].value if name in dataset.by_name else None for name in names]
        filed = {place for place, kind in enumerate(kinds) if kind is Type.TERMS}
    for row in reading.connection.execute(statement):
        values = (from_tsvector(value) if place in filed else value for place, value in enumerate(row))
        yield msgspec.json.encode(tuple(values)).decode()


class _Tally:
    """How often each row was met, in a file: once more in the read model, once less in the replay."""

    def __init__(self, path: Path) -> None:
        self._file = sqlite3.connect(path, isolation_level=None)
        self._file.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -{CACHE_KILOBYTES};"
            "CREATE TABLE met (dataset TEXT, row TEXT, times INTEGER, PRIMARY KEY (dataset, row)) WITHOUT ROWID;"
            # One transaction, which nobody ever commits: the file is thrown away.
            "BEGIN;"
        )
        self._counts: dict[str, int] = {}

    def add(self, dataset: Dataset, rows: Iterator[str], times: int) -> None:
        """Count these rows."""
        values = ((dataset.name, row, times) for row in rows)
        done = self._file.executemany(
            "INSERT INTO met VALUES (?, ?, ?) ON CONFLICT (dataset, row) DO UPDATE SET times = times + excluded.times",
            values,
        )
        if times > 0:
            self._counts[dataset.name] = done.rowcount

    def compared(self, dataset: Dataset) -> Compared:
        """What came out for a dataset: rows in one of the two only, those of one key together."""
        size = len(dataset.primary_key)
        names = [c.name for c in dataset.table.columns if c.name not in dataset.primary_key]
        shown: list[Difference] = []
        wrong = 0
        before: tuple[list[Any], list[Any], int] | None = None
        # In the order of the text, and so of the keys, with which each row begins.
        for text, times in self._file.execute(
            "SELECT row, times FROM met WHERE dataset = ? AND times <> 0 ORDER BY row", (dataset.name,)
        ):
            row = msgspec.json.decode(text)
            key, values = row[:size], row[size:]
            if before is not None and before[0] == key and before[2] != times:
                ours, theirs = (before[1], values) if before[2] > 0 else (values, before[1])
                what = "; ".join(
                    f"{name} is {_short(a)} and should be {_short(b)}"
                    for name, a, b in zip(names, ours, theirs, strict=True)
                    if a != b
                )
                shown[-1:] = [Difference(_named(dataset, key), what)] if wrong <= MOST_SHOWN else shown[-1:]
                before = None
                continue
            wrong += 1
            if wrong <= MOST_SHOWN:
                what = "the log knows of no such row" if times > 0 else "it is missing"
                shown.append(Difference(_named(dataset, key), what))
            before = (key, values, times)
        return Compared(dataset.name, self._counts[dataset.name], wrong, shown)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()


def _named(dataset: Dataset, key: Sequence[Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in zip(dataset.primary_key, key, strict=True))


def _short(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"
