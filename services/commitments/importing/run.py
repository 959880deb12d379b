"""An import from beginning to end: read, check, decide in order of days, append in batches, report.

All of a row goes in or nothing of it, some hundred rows to a transaction. While one batch is being written the next is
decided; if somebody else wrote to one of its commitments meanwhile, those are read again and decided again.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

import msgspec

from services.commitments.application.plan import DESCRIBING
from services.commitments.importing.holdings import Holdings
from services.commitments.importing.interpreting import Interpreter
from services.commitments.importing.mapping import Mapping, check_columns, load_mapping
from services.commitments.importing.observation import Observation
from services.commitments.importing.order import Placed, RowsInOrder
from services.commitments.importing.plan import Planner, Refused
from services.commitments.importing.reading import read_table
from services.commitments.importing.report import Report
from shared.clock import Clock
from shared.errors import Unavailable
from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Appended, Changes, Outdated, Seen, Store, VersionConflict
from shared.identity.actor import Actor
from shared.importing.report import Problem, RowError, Rows
from shared.importing.text import plain

ROWS_PER_BATCH: Final = 250
"""Rows in one transaction: enough to share its cost, few enough that other writers do not notice the wait."""

ATTEMPTS: Final = 20
"""Decisions at most on one batch; each one lost means that somebody else wrote."""

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


def import_file(
    log: Store | str,
    file: Path,
    mapping: Path | Mapping,
    *,
    actor: Actor,
    clock: Clock,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring what a file says into the log, which is a store or the URL of one; a dry run writes nothing.

    A row that cannot go in is in the report's `errors`, and the others go in. Raises InvalidInput when the file or the
    mapping cannot be used at all, Unavailable when the log stops answering: running it again then completes it.
    """
    if isinstance(log, str):
        store = open_store(log)
        try:
            return import_file(
                store, file, mapping, actor=actor, clock=clock, dry_run=dry_run, progress=progress
            )
        finally:
            store.close()
    if isinstance(mapping, Path):
        mapping = load_mapping(mapping)
    begun = time.monotonic()
    report = Report(
        file=file.name, source=mapping.source, dry_run=dry_run, correlation_id=f"import-{uuid4()}"
    )
    with _no_collection():
        _Run(log, mapping, report, actor, clock, progress or _nobody_watches).execute(file)
    report.errors.sort(key=lambda error: error.line)
    report.seconds = round(time.monotonic() - begun, 3)
    return report


class _Batch(NamedTuple):
    """Rows decided together, what there is to write for them, and what became of each."""

    rows: Sequence[Placed]
    changes: list[Changes]
    counts: Rows
    organizations: list[str]
    errors: list[RowError]


class _Run:
    """One import under way."""

    def __init__(
        self, store: Store, mapping: Mapping, report: Report, actor: Actor, clock: Clock, progress: Progress
    ) -> None:
        self._store = store
        self._mapping = mapping
        self._report = report
        self._actor = actor
        self._clock = clock
        self._progress = progress
        self._types: Counter[str] = Counter()

    def execute(self, file: Path) -> None:
        """The whole of it."""
        table = read_table(file, self._mapping.file)
        check_columns(self._mapping, table.columns, file.name)
        interpreter = Interpreter(self._mapping, table.columns)
        self._cells = interpreter.cells
        self._rows = RowsInOrder(table, interpreter)
        self._begin(len(table.rows))
        if self._report.dry_run:
            for rows in _batches(self._rows.placed):
                self._settle(self._decide(rows), None)
        else:
            self._write()
        self._report.events = dict(sorted(self._types.items()))

    def _begin(self, read: int) -> None:
        report, rows = self._report, self._rows
        report.rows = Rows(read=read, duplicates=rows.duplicates, failed=len(rows.problems))
        report.errors += [RowError.at(line, problem) for line, found in rows.problems for problem in found]
        self._show_progress()
        self._holdings = Holdings(self._store, self._clock.now())
        self._holdings.load({placed.stream for placed in rows.placed})
        self._planner = Planner(
            self._mapping,
            self._holdings,
            actor=self._actor,
            correlation_id=report.correlation_id,
            today=self._clock.today(),
        )

    # --- deciding --------------------------------------------------------------------------------------------------

    def _decide(self, rows: Sequence[Placed]) -> _Batch:
        batch = _Batch(rows, [], Rows(), [], [])
        for placed in rows:
            found = self._rows.read(placed)
            problems = found if isinstance(found, list) else self._decide_one(placed, found, batch)
            if problems:
                batch.counts.failed += 1
                batch.errors.extend(RowError.at(placed.row.line, problem) for problem in problems)
        return batch

    def _decide_one(self, placed: Placed, observation: Observation, batch: _Batch) -> list[Problem]:
        """Add what the row adds to the batch; the problem if the domain refuses it."""
        problems: list[Problem] = []
        events: list[NewEvent] = []
        try:
            events = self._planner.decide(observation, self._rows.story(placed.code))
        except Refused as refused:
            problem = refused.problem
            cells = self._cells(observation)
            problems = [problem._replace(value=problem.column and cells.get(plain(problem.column)))]
        else:
            batch.counts.imported += bool(events)
            batch.counts.unchanged += not events
        # An organisation is written before the row that names it, even if that row is refused: others may follow.
        for registered in self._planner.take_organizations():
            batch.changes.append(Changes(registered.events))
            batch.organizations.append(registered.code)
        if events:
            batch.changes.append(Changes(events))
        return problems

    # --- writing ---------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-writer") as writer:
            before: tuple[_Batch, Future[Sequence[Appended]]] | None = None
            for rows in _batches(self._rows.placed):
                batch = self._decide(rows)
                if before is not None and not self._written(*before):
                    self._reread(before[0].rows, rows)
                    self._write_alone(before[0].rows)
                    batch = self._decide(rows)
                before = batch, writer.submit(self._append, batch)
            if before is not None and not self._written(*before):
                self._reread(before[0].rows)
                self._write_alone(before[0].rows)

    def _append(self, batch: _Batch) -> Sequence[Appended]:
        """Write a batch. Outdated when it registers organisations and somebody else has described some meanwhile."""
        if not batch.organizations:
            return self._store.append(batch.changes, self._clock.now()) if batch.changes else ()
        # A name leads to one organisation only; who else was given these, the first request of the batch asks for all.
        first, *others = batch.changes
        seen = Seen(tuple(cls.TYPE for cls in DESCRIBING), self._holdings.organizations_upto)
        first = msgspec.structs.replace(first, seen=seen)
        appended = self._store.append([first, *others], self._clock.now())
        self._holdings.organizations_upto = appended[-1].last
        return appended

    def _written(self, batch: _Batch, future: Future[Sequence[Appended]]) -> bool:
        """Whether the batch is in the log; if not, nothing of it is."""
        try:
            appended = future.result()
        except (VersionConflict, Outdated):
            return False
        self._settle(batch, appended)
        return True

    def _write_alone(self, rows: Sequence[Placed]) -> None:
        """Decide and write a batch with nothing else under way, until nobody comes in between."""
        for _ in range(ATTEMPTS):
            batch = self._decide(rows)
            try:
                appended = self._append(batch)
            except (VersionConflict, Outdated):
                self._reread(rows)
            else:
                self._settle(batch, appended)
                return
        raise Unavailable(
            "too-many-conflicts", "Others write to these commitments all the time; run it again."
        )

    def _reread(self, *batches: Sequence[Placed]) -> None:
        self._holdings.reread({placed.stream for rows in batches for placed in rows})

    # --- counting --------------------------------------------------------------------------------------------------

    def _settle(self, batch: _Batch, appended: Sequence[Appended] | None) -> None:
        """Count a batch that is written, or would be."""
        report = self._report
        report.rows.unchanged += batch.counts.unchanged
        report.rows.failed += batch.counts.failed
        report.rows.imported += batch.counts.imported
        report.errors.extend(batch.errors)
        report.organizations_registered.extend(batch.organizations)
        self._types.update(event.data.TYPE for changes in batch.changes for event in changes.events)
        if appended:
            report.first_position = report.first_position or appended[0].first
            report.last_position = appended[-1].last
            self._holdings.written_up_to(appended[-1].last)
        self._show_progress()

    def _show_progress(self) -> None:
        rows = self._report.rows
        self._progress(rows.done, rows.read)


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


def _batches(rows: Sequence[Placed]) -> Iterator[Sequence[Placed]]:
    for begin in range(0, len(rows), ROWS_PER_BATCH):
        yield rows[begin : begin + ROWS_PER_BATCH]


def _nobody_watches(done: int, total: int) -> None:
    """For an import without a progress bar."""
