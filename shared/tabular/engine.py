"""The one import engine: rows are parsed, put in order, decided against the record, written in batches, reported.

All of a row goes in or nothing of it, some hundred rows to a transaction. While one batch is being written the next is
decided; if somebody else wrote to one of its streams meanwhile, the record is read again and the batch decided again.
A row that the record already tells of adds nothing, so twice is once, and an import that was killed is completed by
running it again. A service brings an `Importer`: what its rows are, and what a row becomes.
"""

from __future__ import annotations

import gc
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeVar
from uuid import UUID, uuid4

import msgspec

from shared.aggregate.aggregate import Aggregate
from shared.aggregate.command import Context
from shared.aggregate.index import EventSource
from shared.clock import Clock
from shared.errors import BitacoraError, Forbidden, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.store import Appended, Changes, CodeTaken, Outdated, Seen, Store, VersionConflict
from shared.events.facts import Event
from shared.events.texts import folded_code
from shared.identity.actor import Actor
from shared.tabular.report import IMPORTED, ImportReport, RowError

ATTEMPTS: Final = 20
"""Decisions at most on one batch; each one lost means that somebody else wrote."""

PAGE: Final = 5_000
"""Events read from the log at a time."""

SCAN_FACTOR: Final = 40
"""Asking the log for one stream costs about as much as passing over this many of its events."""

Progress = Callable[[int, int], None]
"""Called with how many rows are done, of how many."""


# --- what a service brings ------------------------------------------------------------------------------------------


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed row, as far as every import needs to know it."""

    line: int
    """Where it stands in the file, for people."""
    key: Hashable
    """What it tells of: of two rows with one key, the second repeats the first or is in conflict with it."""
    order: Any
    """Rows go in by this, and where it is the same by line."""
    stream: UUID
    """The stream that it adds to."""
    rows: int = 1
    """How many rows of the file it is made of."""

    def difference(self, earlier: Any) -> RowError | None:
        """How it contradicts an earlier row with its key; None when it says the same."""
        raise NotImplementedError


R = TypeVar("R", bound=ImportRow)
P = TypeVar("P", bound=ImportReport)


class Importer(ABC, Generic[R, P]):
    """What is an importer's own: its rows, and what a row becomes given the state. One is made for each import."""

    BEGINS_WITH: ClassVar[type[Event]]
    """The event with which the stream of a row begins."""
    ROWS_PER_BATCH: ClassVar[int] = 250
    """Rows in one transaction: enough to share its cost, few enough that other writers do not notice the wait."""

    report: P

    @abstractmethod
    def parse(self) -> Iterable[R | list[RowError] | None]:
        """The rows of the file, in its order; in place of one that cannot be understood, all that is wrong with it.

        None stands for one that is not meant.
        """

    def prepare(self, rows: Sequence[R]) -> None:
        """Look at all the rows that are about to be decided, in order."""

    def supersedes(self, row: R, earlier: R) -> bool:  # noqa: ARG002
        """Whether a row stands in place of another with its key that says something else; by default neither does."""
        return False

    @abstractmethod
    def decide(self, row: R) -> Any:
        """Record in the state what the row adds; the report gets what it returns. A BitacoraError refuses the row.

        It has to come to the same when it is asked again, for that is what happens when others write meanwhile.
        """

    def adds(self, row: R, added: Sequence[NewEvent]) -> bool:
        """Whether the row is on record by what was recorded with it; by default, when its stream has more."""
        return any(new.stream_id == row.stream for new in added)

    @abstractmethod
    def refused(self, row: R, error: BitacoraError) -> RowError:
        """What to say of the row that `decide` has just refused."""


# --- what the record holds ------------------------------------------------------------------------------------------


A = TypeVar("A", bound=Aggregate)
G = TypeVar("G")


class Lookup(Generic[G]):
    """What is looked up across streams, such as who goes by a name: something that follows events of some types.

    `found` may be another object after others wrote meanwhile, so it is not to be kept.
    """

    def __init__(self, store: Store, make: Callable[[Lookup[G]], G]) -> None:
        self._store = store
        self._make = make
        self.reread()

    def reread(self) -> None:
        """Begin again with what the log holds now."""
        self._begin()
        self.upto = 0
        for recorded in _read(self._store, self.types):
            self.take_in(recorded)
            self.upto = recorded.position

    def _begin(self) -> None:
        self._callbacks: list[tuple[frozenset[str], Callable[[Recorded], None]]] = []
        self._taken: list[Recorded] = []
        self.found = self._make(self)
        self.types = tuple({name for names, _ in self._callbacks for name in names})

    def subscribe(
        self,
        types: Iterable[type[Event]],
        callback: Callable[[Recorded], None],
        *,
        forget: Callable[[], None],  # noqa: ARG002 - what begins again here is made anew
    ) -> None:
        """See `EventSource`."""
        self._callbacks.append((frozenset(one.TYPE for one in types), callback))

    def on_restart(self, forget: Callable[[], None]) -> None:
        """See `EventSource`: what begins again here is made anew."""

    def take_in(self, recorded: Recorded) -> None:
        """Hand on an event, if it is one of those followed."""
        if recorded.type not in self.types:
            return
        self._taken.append(recorded)
        for names, callback in self._callbacks:
            if recorded.type in names:
                callback(recorded)

    def take_back(self, count: int) -> None:
        """Begin again without the last events that were taken in."""
        if count:
            kept = self._taken[:-count]
            self._begin()
            for recorded in kept:
                self.take_in(recorded)


class _Stream:
    """One stream and what is made of it; its events are kept so that a refused row can be taken back."""

    def __init__(self, kind: type[Aggregate] | None, events: Sequence[Recorded]) -> None:
        self.kind = kind
        self.events = list(events)
        self.aggregate = None if kind is None else kind.fold(events)

    def take_in(self, recorded: Recorded) -> None:
        self.events.append(recorded)
        if self.aggregate is not None:
            self.aggregate.apply(recorded)
        elif self.kind is not None:
            self.aggregate = self.kind.begin(recorded)


class ImportState:
    """What the log holds of the streams that rows speak of, and what the rows decided so far add to it.

    Positions of what is not yet written are provisional.
    """

    def __init__(
        self,
        store: Store,
        context: Context,
        correlation_id: str,
        may_record: Collection[str] | None = None,
    ) -> None:
        """`may_record`: the types of event that the actor's role may record; None for all."""
        self.context = context
        self._may_record = may_record
        self._store = store
        self._moment = context.now
        self._correlation_id = correlation_id
        self._head = store.head()
        self._streams: dict[UUID, _Stream] = {}
        self._absent: set[UUID] = set()
        self._lookup: Lookup[Any] | None = None
        self._row: list[NewEvent] = []
        self._spellings: dict[tuple[str, str], str] = {}

    def lookup(self, make: Callable[[EventSource], G]) -> Lookup[G]:
        """What follows events across streams."""
        self._lookup = Lookup(self._store, make)
        return self._lookup

    def of(self, stream: UUID, kind: type[A]) -> A | None:
        """What there is of one stream; None when it is not on record."""
        held = self._streams.get(stream)
        if held is None:
            lines = () if stream in self._absent else self._store.read_stream(stream)
            held = _Stream(kind, [codec.decode(line, position) for position, line in lines])
            self._streams[stream] = held
        assert held.aggregate is None or isinstance(held.aggregate, kind)
        return held.aggregate

    def spelling(self, kind: str, code: str) -> str:
        """A code as it is on record or, where it is new, as it was first written here."""
        return self.on_record(kind, code) or self._spellings.setdefault((kind, folded_code(code)), code)

    def on_record(self, kind: str, code: str) -> str | None:
        """The spelling under which a code is on record; None when it is not."""
        return self._store.spelling(kind, code)

    def history(self, stream: UUID) -> Sequence[Recorded]:
        """The events of a stream that was asked for, in order."""
        return self._streams[stream].events

    def may_record(self, event: type[Event]) -> bool:
        """Whether the role of whoever brings the rows in lets them record such a fact."""
        return self._may_record is None or event.TYPE in self._may_record

    def must_record(self, event: type[Event]) -> None:
        """Forbidden("role-not-allowed") for a fact that their role does not let them record."""
        if not self.may_record(event):
            said = event.TYPE.rpartition(".")[2].replace("_", " ")
            raise Forbidden("role-not-allowed", f"Your role may not record this: {said}.")

    def record(self, stream: UUID, event: Event) -> None:
        """Add the next event of a stream, on behalf of the row being decided; Forbidden as in `must_record`."""
        self.must_record(type(event))
        held = self._streams.setdefault(stream, _Stream(None, ()))
        new = NewEvent(
            stream_id=stream,
            version=len(held.events) + 1,
            recorded_by=self.context.actor.as_recorded(),
            correlation_id=self._correlation_id,
            data=event,
        )
        self._head += 1
        recorded = Recorded(
            position=self._head,
            recorded_at=self._moment,
            type=event.TYPE,
            stream_id=stream,
            version=new.version,
            recorded_by=new.recorded_by,
            correlation_id=self._correlation_id,
            data=event,
        )
        held.take_in(recorded)
        if self._lookup is not None:
            self._lookup.take_in(recorded)
        self._row.append(new)

    # --- what only the engine calls --------------------------------------------------------------------------------

    def expect(self, streams: Collection[UUID], begins_with: type[Event]) -> None:
        """Find out which of these the log does not have, where that is quicker than to ask for each of them."""
        if streams and self._head <= len(streams) * SCAN_FACTOR:
            present = {one.stream_id for one in _read(self._store, [begins_with.TYPE])}
            self._absent = {*streams} - present

    def take(self) -> list[NewEvent]:
        """The events of the row, which is decided."""
        taken, self._row = self._row, []
        return taken

    def take_back(self) -> None:
        """Undo the row, which is refused: nothing of it stays."""
        taken = self.take()
        for new in reversed(taken):
            held = self._streams[new.stream_id]
            self._streams[new.stream_id] = _Stream(held.kind, held.events[: new.version - 1])
        if self._lookup is not None:
            self._lookup.take_back(sum(map(self._looked_up, taken)))

    def seen(self, events: Sequence[NewEvent]) -> Seen | None:
        """What the log must not have more of when these are written, because it was looked up for them."""
        if self._lookup is None or not any(map(self._looked_up, events)):
            return None
        return Seen(self._lookup.types, self._lookup.upto)

    def written(self, events: Sequence[NewEvent], last: int) -> None:
        """The events are in the log, up to that position."""
        self._head = max(self._head, last)
        if self._lookup is not None and any(map(self._looked_up, events)):
            self._lookup.upto = last

    def reread(self) -> None:
        """Forget what others may have changed, and all that is not written."""
        self._streams.clear()
        self._absent.clear()
        if self._lookup is not None:
            self._lookup.reread()

    def _looked_up(self, new: NewEvent) -> bool:
        return self._lookup is not None and new.data.TYPE in self._lookup.types


def _read(store: Store, types: Sequence[str]) -> Iterator[Recorded]:
    """All events of some types, read from the log a page at a time."""
    after = 0
    while lines := store.read(after, PAGE, types=types):
        for position, line in lines:
            yield codec.decode(line, position)
        after = lines[-1][0]


# --- running --------------------------------------------------------------------------------------------------------


def run_import(
    store: Store,
    make: Callable[[ImportState], Importer[Any, P]],
    *,
    actor: Actor,
    clock: Clock,
    dry_run: bool = False,
    progress: Progress | None = None,
    import_id: UUID | None = None,
    may_record: Collection[str] | None = None,
) -> P:
    """Bring a file into the log, and report what became of each row.

    A row that cannot go in is in the report's `errors`, and the others go in; a dry run writes nothing. Raises
    InvalidInput when the file or its mapping cannot be used at all, Unavailable when the log stops answering: running
    it again then completes it, under the same `import_id` if it has one. What `progress` raises ends it, after the
    batch that is being written. `may_record`: see `ImportState`.
    """
    begun = time.monotonic()
    correlation_id = f"{IMPORTED}{import_id or uuid4()}"
    with _no_collection():
        state = ImportState(store, Context(actor, clock), correlation_id, may_record)
        importer = make(state)
        report = importer.report
        report.dry_run, report.correlation_id = dry_run, correlation_id
        _Run(store, state, importer, progress).execute()
    report.finish(time.monotonic() - begun)
    return report


class _Batch(NamedTuple):
    """Rows decided together: the events there are to write for them, and what became of each."""

    rows: Sequence[Any]
    events: list[NewEvent]
    settled: list[tuple[Any, bool, object]]
    """A row, whether it adds something, and what its decision returned."""
    refused: list[tuple[Any, RowError]]
    """A row that cannot go in, and why."""


class _Run(Generic[R]):
    """One import under way."""

    def __init__(
        self, store: Store, state: ImportState, importer: Importer[R, Any], progress: Progress | None
    ) -> None:
        self._store = store
        self._state = state
        self._importer = importer
        self._report: ImportReport = importer.report
        self._progress = progress

    def execute(self) -> None:
        """The whole of it."""
        rows = self._rows_in_order()
        self._show_progress()
        self._state.expect({row.stream for row in rows}, self._importer.BEGINS_WITH)
        self._importer.prepare(rows)
        size = self._importer.ROWS_PER_BATCH
        under_way: tuple[_Batch, Future[Appended | None]] | None = None
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-writer") as writer:
            for begin in range(0, len(rows), size):
                batch = self._decide(rows[begin : begin + size])
                if under_way is not None and not self._written(*under_way):
                    self._write_alone(under_way[0].rows, writer)
                    batch = self._decide(batch.rows)
                under_way = batch, writer.submit(self._append, batch.events)
            if under_way is not None and not self._written(*under_way):
                self._write_alone(under_way[0].rows, writer)

    def _rows_in_order(self) -> list[R]:
        """The rows to be decided, each key once; the others are counted, or are errors."""
        standing: dict[Hashable, R] = {}
        counts = self._report.rows
        for row in self._importer.parse():
            counts.read += row.rows if isinstance(row, ImportRow) else 1
            if row is None:
                counts.passed_over += 1
                continue
            if isinstance(row, list):
                self._report.fail(row)
                continue
            earlier = standing.setdefault(row.key, row)
            if earlier is row:
                continue
            difference = row.difference(earlier)
            if difference is None:
                counts.duplicates += row.rows
            elif self._importer.supersedes(row, earlier):
                counts.replaced += earlier.rows
                standing[row.key] = row
            elif self._importer.supersedes(earlier, row):
                counts.replaced += row.rows
            else:
                self._report.fail([difference], row.rows)
        return sorted(standing.values(), key=lambda row: (row.order, row.line))

    def _decide(self, rows: Sequence[R]) -> _Batch:
        batch = _Batch(rows, [], [], [])
        for row in rows:
            try:
                outcome = self._importer.decide(row)
            except Unavailable:
                raise
            except BitacoraError as error:
                self._state.take_back()
                batch.refused.append((row, self._importer.refused(row, error)))
            else:
                added = self._state.take()
                batch.events.extend(added)
                batch.settled.append((row, self._importer.adds(row, added), outcome))
        return batch

    def _append(self, events: Sequence[NewEvent]) -> Appended | None:
        if self._report.dry_run or not events:
            return None
        (appended,) = self._store.append(
            [Changes(events, seen=self._state.seen(events))], self._state.context.now
        )
        return appended

    def _written(self, batch: _Batch, appending: Future[Appended | None]) -> bool:
        """Whether the batch is in the log; if not, nothing of it is, and the record has been read again."""
        try:
            appended = appending.result()
        except (VersionConflict, CodeTaken, Outdated):
            self._state.reread()
            return False
        self._settle(batch, appended)
        return True

    def _write_alone(self, rows: Sequence[R], writer: Executor) -> None:
        """Decide and write a batch with nothing else under way, until nobody comes in between."""
        for _ in range(ATTEMPTS):
            batch = self._decide(rows)
            if self._written(batch, writer.submit(self._append, batch.events)):
                return
        raise Unavailable("too-many-conflicts", "Others write to the same things all the time; run it again.")

    def _settle(self, batch: _Batch, appended: Appended | None) -> None:
        """Count a batch that is written, or would be."""
        report = self._report
        for row, error in batch.refused:
            report.fail([error], row.rows)
        for row, added, outcome in batch.settled:
            if added:
                report.rows.imported += row.rows
            else:
                report.rows.unchanged += row.rows
            report.settle(row, outcome)
        for new in batch.events:
            report.record(new.data)
        if appended is not None:
            report.first_position = report.first_position or appended.first
            report.last_position = appended.last
            self._state.written(batch.events, appended.last)
        self._show_progress()

    def _show_progress(self) -> None:
        if self._progress is not None:
            self._progress(self._report.rows.done, self._report.rows.read)


@contextmanager
def _no_collection() -> Iterator[None]:
    """What an import makes it keeps, in no circles: looking for garbage in it would take a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
