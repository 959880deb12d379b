"""An import of meetings from beginning to end: read, check, decide in order of time, append in batches, report.

All of a row goes in or nothing of it, some dozens of rows to a transaction. If somebody else wrote to a meeting or a
body of a batch meanwhile, those are read again and the batch is decided again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from uuid import uuid4

from services.meetings.importing.holdings import IMPORTS, Holdings
from services.meetings.importing.interpreting import Interpreter
from services.meetings.importing.mapping import Mapping, load_mapping
from services.meetings.importing.organizations import Organizations
from services.meetings.importing.plan import Decided, Planner, Refused
from services.meetings.importing.reading import Line, members_in, read_lines, read_organizations
from services.meetings.importing.report import Report
from services.meetings.importing.telling import MeetingTold
from shared.clock import Clock
from shared.errors import Unavailable
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store, VersionConflict
from shared.identity.actor import Actor
from shared.importing.report import Problem, RowError

ROWS_PER_BATCH: Final = 50
"""Rows in one transaction: enough to share its cost, few enough that other writers do not notice the wait."""

ATTEMPTS: Final = 20
"""Decisions at most on one batch; each one lost means that somebody else wrote."""

Progress = Callable[[int, int], None]
"""Told how many rows are done, of how many."""


def import_meetings(
    log: Store | str,
    file: Path,
    mapping: Path | Mapping,
    *,
    actor: Actor,
    clock: Clock,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Bring the meetings of a file into the log, which is a store or the URL of one; a dry run writes nothing.

    A row that cannot go in is in the report's `errors`, and the others go in; a part of a row that cannot is in
    `left_out`. Raises InvalidInput when the file or the mapping cannot be used at all, Unavailable when the log stops
    answering: running it again then completes it.
    """
    if isinstance(log, str):
        store = open_store(log)
        try:
            return import_meetings(
                store, file, mapping, actor=actor, clock=clock, dry_run=dry_run, progress=progress
            )
        finally:
            store.close()
    if isinstance(mapping, Path):
        mapping = load_mapping(mapping)
    begun = time.monotonic()
    report = Report(
        file=file.name, source=mapping.source, dry_run=dry_run, correlation_id=f"{IMPORTS}{uuid4()}"
    )
    _Run(log, mapping, report, actor, clock, progress or _nobody_watches).execute(file)
    report.in_order()
    report.seconds = round(time.monotonic() - begun, 3)
    return report


class _Batch(NamedTuple):
    """Rows decided together, and what became of each."""

    decided: list[Decided]
    errors: list[RowError]

    def changes(self) -> list[Changes]:
        """What there is to write: a body that is new goes before its first meeting."""
        return [Changes(events) for row in self.decided for events in (row.body, row.events) if events]


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
        described = self._mapping.bodies.file
        organizations = [] if described is None else read_organizations(file.parent / described)
        self._interpreter = Interpreter(self._mapping, Organizations(self._mapping.bodies, organizations))
        lines = read_lines(file)
        self._report.rows.read = len(lines)
        self._report.members_not_found = self._members_not_found(lines)
        rows = self._rows(lines)
        self._show_progress()
        self._holdings = Holdings(self._store, self._clock.now())
        self._planner = Planner(
            self._mapping,
            self._holdings,
            actor=self._actor,
            correlation_id=self._report.correlation_id,
            clock=self._clock,
        )
        for batch in _batches(rows):
            self._bring_in(batch)
        self._report.events = dict(sorted(self._types.items()))

    def _members_not_found(self, lines: Sequence[Line]) -> list[str]:
        """A member that no row has may be one that nothing was to be said of, or one that is misspelt."""
        items = self._mapping.agenda.member
        there = {member for line in lines for member in members_in(line.content, items)}
        return [member for member in self._mapping.members() if member not in there]

    def _rows(self, lines: Sequence[Line]) -> list[MeetingTold]:
        """The rows that say something, once each, in order of time."""
        first: dict[str, MeetingTold] = {}
        for line in lines:
            read = self._interpreter.read(line)
            if isinstance(read, list):
                self._fail(line.line, read)
                continue
            earlier = first.setdefault(read.reference, read)
            if earlier is read:
                continue
            difference = earlier.difference(read)
            if difference is None:
                self._report.rows.duplicates += 1
            else:
                reason = f"Line {earlier.line} tells of the same meeting and differs."
                member = self._interpreter.member_of(difference)
                self._fail(line.line, [Problem(member, read.reference, "conflicting-row", reason)])
        return sorted(first.values(), key=lambda told: (told.start_at, told.line))

    def _fail(self, line: int, problems: Sequence[Problem]) -> None:
        self._report.rows.failed += 1
        self._report.errors.extend(RowError.at(line, problem) for problem in problems)

    def _bring_in(self, rows: Sequence[MeetingTold]) -> None:
        """Decide a batch and write it, until nobody comes in between."""
        for _ in range(ATTEMPTS):
            batch = self._decide(rows)
            try:
                self._append(batch)
            except VersionConflict:
                self._holdings.forget({told.stream for told in rows})
            else:
                self._settle(batch)
                return
        raise Unavailable("too-many-conflicts", "Others write to these meetings all the time; run it again.")

    def _decide(self, rows: Sequence[MeetingTold]) -> _Batch:
        batch = _Batch([], [])
        for told in rows:
            try:
                batch.decided.append(self._planner.decide(told))
            except Refused as refused:
                batch.errors.append(RowError.at(told.line, refused.problem))
        return batch

    def _append(self, batch: _Batch) -> None:
        changes = batch.changes()
        if self._report.dry_run or not changes:
            return
        appended = self._store.append(changes, self._clock.now())
        self._report.first_position = self._report.first_position or appended[0].first
        self._report.last_position = appended[-1].last

    def _settle(self, batch: _Batch) -> None:
        """Count a batch that is written, or would be."""
        report = self._report
        report.errors.extend(batch.errors)
        report.rows.failed += len(batch.errors)
        for row in batch.decided:
            if row.events:
                report.rows.imported += 1
            else:
                report.rows.unchanged += 1
            if row.body:
                report.bodies_registered.append(row.told.body.code)
            self._types.update(event.data.TYPE for event in (*row.body, *row.events))
            report.count(row.told, row.state)
        self._show_progress()

    def _show_progress(self) -> None:
        self._progress(self._report.rows.done, self._report.rows.read)


def _batches(rows: Sequence[MeetingTold]) -> Iterator[Sequence[MeetingTold]]:
    for begin in range(0, len(rows), ROWS_PER_BATCH):
        yield rows[begin : begin + ROWS_PER_BATCH]


def _nobody_watches(done: int, total: int) -> None:
    """For an import without a progress bar."""
