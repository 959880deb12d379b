"""The import engine by itself, with an importer that registers organisations and lets them comment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.aggregate.aggregate import Aggregate
from shared.aggregate.index import EventSource
from shared.clock import Clock
from shared.errors import BitacoraError, RuleBroken, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.events.commitments import Commented, OrganizationRegistered, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role
from shared.tabular.engine import Importer, ImportRow, ImportState, run_import
from shared.tabular.report import ImportReport, RowError

CLOCK = Clock(now=lambda: datetime(2014, 6, 1, 12, tzinfo=UTC))
DAY = date(2014, 1, 1)


class Note(ImportRow, frozen=True, kw_only=True):
    """Who says what of a commitment."""

    by: str
    text: str

    def difference(self, earlier: Note) -> RowError | None:
        same = (self.by, self.text) == (earlier.by, earlier.text)
        return None if same else RowError(self.line, "text", self.text, "conflicting-row", "It differs.")


class Thing(Aggregate):
    BEGINS_WITH = (Registered,)


class Names:
    def __init__(self, source: EventSource) -> None:
        self.codes: set[str] = set()
        source.subscribe((OrganizationRegistered,), self._registered, forget=lambda: None)

    def _registered(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, OrganizationRegistered)
        self.codes.add(recorded.data.code)


class Notes(Importer[Note, ImportReport]):
    BEGINS_WITH = Registered
    ROWS_PER_BATCH = 2

    def __init__(self, state: ImportState, rows: Sequence[Note | list[RowError]]) -> None:
        self.report = ImportReport(file="notes", source="a test")
        self._state = state
        self._rows = rows
        self._names = state.lookup(Names)
        self.prepared: list[int] = []

    def parse(self) -> Iterable[Note | list[RowError]]:
        return self._rows

    def prepare(self, rows: Sequence[Note]) -> None:
        self.prepared = [row.line for row in rows]

    def decide(self, row: Note) -> Any:
        if row.by not in self._names.found.codes:
            registered = OrganizationRegistered(code=row.by, name=row.by)
            self._state.record(stream_of("organization", row.by), registered)
        if self._state.of(row.stream, Thing) is None:
            code = str(row.key)
            self._state.record(
                row.stream,
                Registered(code=code, title=code, lead_organization=row.by, effective_on=DAY),
            )
        if row.text == "the log is gone":
            raise Unavailable("log-unavailable", "The log does not answer.")
        self._state.record(row.stream, Commented(text=row.text, effective_on=DAY))
        if row.text == "refuse me":
            raise RuleBroken("refused", "It is refused at the very end.")

    def refused(self, row: Note, error: BitacoraError) -> RowError:
        return RowError(row.line, "text", row.text, error.code, error.message)


@pytest.fixture
def store(log_url: str) -> Iterator[Store]:
    opened = open_store(log_url)
    opened.migrate()
    yield opened
    opened.close()


def note(line: int, code: str, text: str = "well", by: str = "DCI", order: int = 0) -> Note:
    return Note(line=line, key=code, order=order, stream=stream_of("commitment", code), by=by, text=text)


def enter(
    store: Store,
    *rows: Note | list[RowError],
    dry_run: bool = False,
    may_record: Collection[str] | None = None,
) -> ImportReport:
    return run_import(
        store,
        lambda state: Notes(state, rows),
        actor=Actor("clerk", "DCI", Role.DCI),
        clock=CLOCK,
        dry_run=dry_run,
        may_record=may_record,
    )


def events_of(store: Store) -> list[Event]:
    return [codec.decode(line, position).data for position, line in store.read(0, 1000)]


def test_nothing_of_a_refused_row_stays_not_even_what_other_rows_look_up(store: Store) -> None:
    refused = enter(store, note(1, "a", "refuse me"), note(2, "a", "refuse me", by="MOP", order=1))
    assert (refused.rows.failed, refused.events, store.head()) == (2, {}, 0)
    report = enter(store, note(1, "a", "refuse me"), note(2, "b"), note(3, "c", "refuse me", by="MOP"))
    assert [error.line for error in report.errors] == [1, 3]
    assert [type(event) for event in events_of(store)] == [OrganizationRegistered, Registered, Commented]
    assert report.rows.imported == 1
    assert report.events == {
        "commitments.commented": 1,
        "commitments.organization_registered": 1,
        "commitments.registered": 1,
    }


def test_a_row_that_would_record_what_its_role_may_not_is_refused_whatever_the_importer_looks_at(
    store: Store,
) -> None:
    enter(store, note(1, "a"))
    head = store.head()
    report = enter(store, note(1, "a", "again"), note(2, "b"), may_record=[Commented.TYPE])
    assert [(error.line, error.code) for error in report.errors] == [(2, "role-not-allowed")]
    assert store.head() == head + 1


def test_a_log_that_stops_answering_is_no_fault_of_a_row(store: Store) -> None:
    with pytest.raises(Unavailable):
        enter(store, note(1, "a"), note(2, "b"), note(3, "c", "the log is gone"))
    assert len(events_of(store)) in (0, 5)


def test_rows_go_in_by_their_order_and_then_by_their_lines(store: Store) -> None:
    enter(store, note(1, "late", order=2), note(2, "second", order=1), note(3, "third", order=1))
    codes = [event.code for event in events_of(store) if isinstance(event, Registered)]
    assert codes == ["second", "third", "late"]


def test_a_row_that_cannot_be_understood_makes_room_for_one_that_can(store: Store) -> None:
    faulty = [
        RowError(1, None, None, "no-date", "It has no day."),
        RowError(1, None, None, "no-name", "Nor a name."),
    ]
    report = enter(store, faulty, note(2, "a"), note(3, "a"), note(4, "a", "otherwise"))
    assert (report.rows.read, report.rows.failed, report.rows.duplicates, report.rows.imported) == (
        4,
        2,
        1,
        1,
    )
    assert [error.code for error in report.errors] == ["no-date", "no-name", "conflicting-row"]


def test_a_dry_run_counts_what_would_be_written_and_writes_nothing(store: Store) -> None:
    dry = enter(store, note(1, "a"), note(2, "b"), note(3, "c", by="MOP"), dry_run=True)
    assert store.head() == 0
    wet = enter(store, note(1, "a"), note(2, "b"), note(3, "c", by="MOP"))
    assert (dry.events, dry.rows) == (wet.events, wet.rows)
    assert (wet.first_position, wet.last_position) == (1, store.head())


def test_streams_on_record_are_gone_on_with_whether_they_were_scanned_for_or_asked_for(store: Store) -> None:
    enter(store, *(note(line, f"c{line}") for line in range(1, 31)))
    few = enter(store, note(1, "c7", "again"))  # few of many: the stream is asked for
    many = enter(store, *(note(line, f"c{line}", "once more") for line in range(1, 41)))
    assert few.events == {"commitments.commented": 1}
    assert many.events == {"commitments.commented": 40, "commitments.registered": 10}
    versions = [
        codec.decode(line, position).version
        for position, line in store.read_stream(stream_of("commitment", "c7"))
    ]
    assert versions == [1, 2, 3, 4]
