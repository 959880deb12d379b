"""Somebody with a file of meetings, a mapping for it, and a log to enter it into."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from services.meetings.body.model import Body
from services.meetings.importing.decisions import MeetingImport
from services.meetings.importing.report import MeetingsReport
from services.meetings.meeting.model import Meeting
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role
from shared.tabular.engine import Importer, ImportState, run_import

MAPPING = """
source = "The Council's Pages"

[bodies]
file = "organizations.json"
transliterate = { "ö" = "oe", "ß" = "ss" }
visibility = "public"

[[bodies.where]]
member = "classification"
values = ["deciding"]
decides = true

[results]
values = { "carried" = "agreed", "carried as amended" = "agreed_with_changes", "noted" = "noted" }
verbatim = ["see annex"]
"""

ORGANIZATIONS = [
    {"id": "o/1", "name": "Town Council", "shortName": "TC", "classification": "deciding"},
    {"id": "o/2", "name": "Ausschuss für Größe", "shortName": "Größe A"},
    {"id": "o/3", "name": "Another Council", "shortName": "TC"},
]

Row = dict[str, Any]


def item(number: int, /, **members: Any) -> Row:
    """An item of an agenda."""
    told = {"id": f"i/{number}", "order": number, "number": f"{number}.", "name": f"Issue {number}"}
    return told | {"public": True} | members


def meeting(**members: Any) -> Row:
    """A meeting like any other but for these members; a member that is None is not there."""
    told = {
        "id": "m/1",
        "name": "Town Council, ordinary",
        "organization": ["o/1"],
        "start": "2024-03-05T16:30:00+01:00",
        "end": "2024-03-05T18:30:00+01:00",
        "location": {"description": "Town Hall"},
        "agendaItem": [item(1, result="carried"), item(2), item(3, result="see annex")],
    } | members
    return {name: value for name, value in told.items() if value is not None}


def many_meetings(count: int) -> list[Row]:
    """So many meetings, one an hour, of two bodies in turn."""
    return [
        meeting(
            id=f"m/{number}",
            organization=[f"o/{number % 2 + 1}"],
            start=f"2024-01-{number // 24 + 1:02}T{number % 24:02}:00:00+01:00",
            end=None,
        )
        for number in range(count)
    ]


class Clerk:
    """Enters files into one log and looks at what became of them."""

    def __init__(self, folder: Path, log_url: str) -> None:
        self.folder = folder
        self.url = log_url
        self.now = datetime(2024, 6, 1, 12, tzinfo=UTC)
        self.actor = Actor("clerk", "DCI", Role.DCI)
        self.mapping = MAPPING
        self.importer: Callable[[ImportState, Path, Path], Importer[Any, Any]] = MeetingImport
        self.organizations: Any = ORGANIZATIONS
        self.store = open_store(log_url)
        self.store.migrate()

    def enter(self, *rows: Row, **options: Any) -> MeetingsReport:
        """Import a file of these meetings."""
        return self.enter_text("".join(json.dumps(row) + "\n" for row in rows), **options)

    def enter_text(self, text: str, **options: Any) -> MeetingsReport:
        """Import a file that reads so."""
        file = self.folder / "meetings.jsonl"
        file.write_text(text, encoding="utf-8")
        return self.enter_file(file, **options)

    def enter_file(
        self, file: Path, *, dry_run: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> MeetingsReport:
        """Import a file, as it lies there."""
        mapping = self.folder / "mapping.toml"
        mapping.write_text(self.mapping, encoding="utf-8")
        (self.folder / "organizations.json").write_text(json.dumps(self.organizations), encoding="utf-8")
        report: MeetingsReport = run_import(
            self.store,
            lambda state: self.importer(state, file, mapping),
            actor=self.actor,
            clock=Clock(now=lambda: self.now),
            dry_run=dry_run,
            progress=progress,
        )
        return report

    def enter_table(self, text: str, **options: Any) -> MeetingsReport:
        """Import a table that reads so."""
        file = self.folder / "table.csv"
        file.write_text(text, encoding="utf-8")
        return self.enter_file(file, **options)

    def events(self, reference: str = "m/1", kind: str = "meeting") -> list[Recorded]:
        """What was recorded of a meeting, or of a body by its code."""
        lines = self.store.read_stream(stream_of(kind, reference))
        return [codec.decode(line, position) for position, line in lines]

    def facts(self, reference: str = "m/1", kind: str = "meeting") -> list[Event]:
        """What the events of a meeting, or of a body, say."""
        return [recorded.data for recorded in self.events(reference, kind)]

    def facts_of(self, of: type[Event], reference: str = "m/1") -> list[Any]:
        """The events of one type that were recorded of a meeting."""
        return [said for said in self.facts(reference) if isinstance(said, of)]

    def meeting(self, reference: str = "m/1") -> Meeting:
        """A meeting as the record has it."""
        first, *others = self.events(reference)
        found = Meeting.begin(first)
        assert found is not None
        for recorded in others:
            found.apply(recorded)
        return found

    def body(self, code: str) -> Body:
        """A body as the record has it."""
        first, *others = self.events(code, "body")
        found = Body.begin(first)
        assert found is not None
        for recorded in others:
            found.apply(recorded)
        return found

    def record(self, *events: Event, reference: str = "m/1", kind: str = "meeting") -> None:
        """Somebody else records something of a meeting, or of a body."""
        before = len(self.events(reference, kind))
        new = [
            NewEvent(
                stream_id=stream_of(kind, reference),
                version=before + number,
                recorded_by=Actor("somebody", "DCI", Role.DCI),
                correlation_id="by hand",
                data=event,
            )
            for number, event in enumerate(events, 1)
        ]
        self.store.append([Changes(new)], self.now)

    def contents(self) -> Counter[tuple[str, int, str, str]]:
        """Everything in the log, but for when and in which order and run it was written."""
        found: Counter[tuple[str, int, str, str]] = Counter()
        for position, line in self.store.read(0, 1_000_000):
            recorded = codec.decode(line, position)
            data = codec.encode_data(recorded.data).decode()
            found[(str(recorded.stream_id), recorded.version, recorded.type, data)] += 1
        return found


@contextmanager
def clerk_at(folder: Path, log_url: str) -> Iterator[Clerk]:
    """A clerk, whose log is closed at the end."""
    folder.mkdir(exist_ok=True)
    clerk = Clerk(folder, log_url)
    try:
        yield clerk
    finally:
        clerk.store.close()


def comparable(report: MeetingsReport) -> dict[str, Any]:
    """A report without what differs from run to run."""
    told: dict[str, Any] = msgspec.json.decode(report.as_json())
    for name in ("dry_run", "correlation_id", "first_position", "last_position", "seconds"):
        del told[name]
    return told


def faults(report: MeetingsReport) -> list[tuple[int, str | None, str]]:
    """The errors of a report: line, member, code."""
    return [(error.line, error.column, error.code) for error in report.errors]


def left_out(report: MeetingsReport) -> list[tuple[int, str | None, str]]:
    """The parts of rows that a report says were left out: line, member, code."""
    return [(error.line, error.column, error.code) for error in report.left_out]


def verbatim(items: Sequence[Any]) -> list[tuple[int, str | None, str]]:
    """Items of minutes: number on the agenda, outcome, and the words of the source."""
    return [(one.agenda_item, one.outcome and one.outcome.value, one.outcome_verbatim) for one in items]
