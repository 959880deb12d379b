"""Building the read model anew from the log, beside the live one, and putting it in its place while reads go on."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Final, NamedTuple, Protocol
from uuid import UUID

import structlog

from services.reporting.datasets import END_OF_DAYS, Dataset
from services.reporting.generations.interface import GenerationWriter, ReadModel, RebuildUnderWayError
from services.reporting.projections.differ import Key, Row, RowChanges, write_down
from services.reporting.projections.projector import Projector
from shared.clock import Clock
from shared.eventlog.codec import identity_of
from shared.eventlog.envelope import Bookmark
from shared.eventlog.store import LogWentBack

CHUNK: Final = 5_000
"""Events read at once."""
ROWS: Final = 20_000
"""Row changes written at once."""
GRACE: Final = 2.0
"""Seconds the old generation is kept for those who are still reading it."""
PATIENCE: Final = 15.0
"""Seconds for which those who are then still reading it are waited for."""
CAPACITY: Final = 1_000_000


log = structlog.get_logger(__name__)


class Progress(NamedTuple):
    """How far a rebuild is: events projected, of how many there were when it was last asked, what it is at."""

    position: int
    head: int
    stage: str
    notice: str | None = None
    """What a person should hear of: what is waited for, what was left."""


class Log(Protocol):
    """As much of the log as a rebuild needs."""

    def head(self) -> int:
        """See `Store.head`."""

    def read(self, after: int, limit: int, *, upto: int | None = None) -> list[tuple[int, bytes]]:
        """See `Store.read`."""

    def read_stream(
        self, stream_id: UUID, after_version: int = 0, upto_position: int | None = None
    ) -> list[tuple[int, bytes]]:
        """See `Store.read_stream`."""

    def quarantined(self) -> object:
        """See `Store.quarantined`."""

    def must_hold(self, bookmark: Bookmark) -> None:
        """See `Store.must_hold`."""


def rebuild(
    store: Log,
    read_model: ReadModel,
    clock: Clock,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    grace: float = GRACE,
    patience: float = PATIENCE,
) -> int:
    """Build a new generation and make it the live one; returns the position it had reached.

    Raises RebuildUnderWayError when another process is at it, CorruptEvent when the log cannot be read; the live
    generation is then as it was.
    """
    read_model.prepare()
    store.quarantined()
    with read_model.building():
        return _build(store, read_model, clock, progress, grace, patience)


def build_missing(
    store: Log,
    read_model: ReadModel,
    clock: Clock,
    progress: Callable[[Progress], None] = lambda _: None,
    *,
    wait: bool = False,
) -> None:
    """Build a generation if none is live, or the live one is of another log than there is now.

    Until it is complete, those of other fingerprints go on as they are. Errors as of `rebuild`; with `wait`, it waits
    for another process that is building and leaves it at that.
    """
    read_model.prepare()
    if not _is_of(store, read_model):
        with _building(read_model, progress, wait=wait):
            if not _is_of(store, read_model):
                _build(store, read_model, clock, progress, grace=0, patience=0)


@contextmanager
def _building(read_model: ReadModel, progress: Callable[[Progress], None], *, wait: bool) -> Iterator[None]:
    """The right to build; whoever waits for it says so."""
    with ExitStack() as held:
        try:
            held.enter_context(read_model.building())
        except RebuildUnderWayError:
            if not wait:
                raise
            progress(Progress(0, 0, "waiting", "Another process is building the read model: waiting for it."))
            held.enter_context(read_model.building(wait=True))
        yield


def _is_of(store: Log, read_model: ReadModel) -> bool:
    """Whether there is a live generation, made of this very log."""
    generation = read_model.live()
    if generation is None:
        return False
    writer = read_model.writer(generation)
    try:
        store.must_hold(writer.progress().bookmark)
    except LogWentBack:
        return False
    finally:
        writer.close()
    return True


def _build(
    store: Log,
    read_model: ReadModel,
    clock: Clock,
    progress: Callable[[Progress], None],
    grace: float,
    patience: float,
) -> int:
    with _without_collector():
        read_model.discard_others()
        generation = read_model.begin()
        rebuilding = _Rebuilding(store, read_model, clock, generation, progress)
        try:
            rebuilding.load()
            read_model.promote(generation, rebuilding.catch_up)
        finally:
            rebuilding.close()
        time.sleep(grace)
        at = rebuilding.position
        _discard(read_model, patience, lambda notice: progress(Progress(at, at, "generations", notice)))
        return at


def _discard(read_model: ReadModel, patience: float, tell: Callable[[str], None]) -> None:
    """Remove what was replaced; what is still read after a while stays until the next time, and is told of."""
    deadline = time.monotonic() + patience
    while held := read_model.discard_others():
        if time.monotonic() >= deadline:
            for one in held:
                log.warning("generation_left", held=one)
                tell(f"Left for the next rebuild: {one}.")
            return
        for one in held:
            tell(f"Waiting to remove {one}.")


class _Rebuilding:
    def __init__(
        self,
        store: Log,
        read_model: ReadModel,
        clock: Clock,
        generation: str,
        progress: Callable[[Progress], None],
    ) -> None:
        self._store = store
        self._read_model = read_model
        self._generation = generation
        self._progress = progress
        self._projector = Projector(
            lambda stream, upto: store.read_stream(stream, 0, upto),
            clock.day_of,
            CAPACITY,
            read_model.schema.windows,
        )
        self._writer: GenerationWriter = read_model.writer(generation)
        self._read_ahead = ThreadPoolExecutor(1, thread_name_prefix="read-ahead")
        self._write_behind = ThreadPoolExecutor(1, thread_name_prefix="write-behind")
        self._writing: Future[None] | None = None
        self._bookmark = self._writer.progress().bookmark

    @property
    def position(self) -> int:
        """How far it has come."""
        return self._bookmark.position

    def load(self) -> None:
        """Project all there is into bare tables, then make them fit for reading and catch up with what came since."""
        self._read_model.before_loading(self._generation)
        written = self.position
        for _ in self._project(self._store.head()):
            if self._projector.pending() >= ROWS:
                self._write(self._projector.changes_so_far(), written)
                written = self.position
        self._write(self._projector.changes_so_far(), written)
        self._write_what_is_known()
        self._written()
        self._report("indexes")
        self._read_model.after_loading(self._generation)
        self.catch_up()

    def catch_up(self) -> None:
        """Project what was appended meanwhile."""
        written = self.position
        for _ in self._project(self._store.head()):
            self._write(self._projector.changes(), written)
            written = self.position
        self._written()
        self._store.must_hold(self._bookmark)

    def close(self) -> None:
        """Give back the connection and the thread."""
        self._read_ahead.shutdown()
        self._write_behind.shutdown()
        self._writer.close()

    def _project(self, head: int) -> Iterator[None]:
        ahead = self._read_ahead.submit(self._store.read, self.position, CHUNK, upto=head)
        while self.position < head:
            lines = ahead.result()
            if not lines:
                raise LogWentBack(self._bookmark)
            last = lines[-1][0]
            ahead = self._read_ahead.submit(self._store.read, last, CHUNK, upto=head)
            for position, line in lines:
                self._projector.project(position, line)
            self._bookmark = Bookmark(last, identity_of(lines[-1][1]))
            self._report("events", head)
            yield
        ahead.result()

    def _write_what_is_known(self) -> None:
        """Write down what is known now, rows of the same days together: a board then reads few pages."""
        rows = sorted(self._projector.unwritten(), key=_by_days)
        for start in range(0, len(rows), ROWS):
            changes = RowChanges()
            write_down(rows[start : start + ROWS], changes)
            self._write(changes, self.position)
            self._report("rows")
        self._projector.changes()

    def _write(self, changes: RowChanges, before: int) -> None:
        """Write in a thread of its own, one at a time and in order: the engine works while we go on."""
        self._written()
        after = self._bookmark
        self._writing = self._write_behind.submit(self._writer.write, changes, before=before, after=after)

    def _written(self) -> None:
        if self._writing is not None:
            self._writing.result()
            self._writing = None

    def _report(self, stage: str, head: int | None = None) -> None:
        self._progress(Progress(self.position, max(self.position, head or 0), stage))


def _by_days(found: tuple[Dataset, Key, Row]) -> tuple[str, bool, date]:
    dataset, _key, row = found
    return dataset.name, row.valid_to != END_OF_DAYS, row.valid_from or END_OF_DAYS


@contextmanager
def _without_collector() -> Iterator[None]:
    """What a rebuild holds is large and without cycles: looking for some again and again takes a third of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
