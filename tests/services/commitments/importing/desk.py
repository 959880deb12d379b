"""Somebody at a desk with a table, a mapping for it, and a log to enter it into."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from services.commitments.commitment.model import Commitment
from services.commitments.importing.decisions import CommitmentImport
from services.commitments.importing.leads import NamingReport
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.identity.actor import Actor, Role
from shared.rules.traffic_light import Status
from shared.tabular.engine import Importer, ImportState, run_import

COLUMNS = ("code", "name", "day", "who", "rating", "why", "due", "start", "told", "more", "cost")

MAPPING = """
source = "The Annual Table"
visibility = "public"

[no_value]
words = ["n/a"]
phrases = ["exempt", "to be confirmed"]

[numbers]
around = ["£"]

[code]
columns = ["code"]
prefix = "t-"

[title]
column = "name"

[date]
column = "day"
formats = ["%d/%m/%Y"]
table = { "first year" = 2014-03-31 }

[lead]
column = "who"
unknown = "error"

[[organizations]]
code = "HEALTH"
name = "Ministry of Health"
kind = "ministry"
spellings = ["Min. of Health", "MoH"]

[[organizations]]
code = "WORKS"
name = "Ministry of Works"
kind = "ministry"

[rating]
columns = ["rating"]
scale = "three colours"
reason = "why"
values = { Green = "on_track", Amber = "at_risk", Red = "at_risk" }
none = { words = ["not rated"], phrases = ["exempt"] }

[deadline]
column = "due"
formats = ["%d/%m/%Y", "%d.%m.%y"]
century_from = 2000

[[milestones]]
name = "Start"
column = "start"
formats = ["%d/%m/%Y"]

[progress]
texts = [{ column = "told", label = "Works" }, { column = "more", label = "Money" }]

[budget]
currency = "GBP"
multiplier = 1000000
fiscal_year_begins = 4
figures = [{ column = "cost", figure = "forecast", year = "fiscal" }]
"""

A_ROW = {
    "code": "bridge",
    "name": "A bridge",
    "day": "30/09/2013",
    "who": "WORKS",
    "rating": "Green",
    "why": "It stands.",
    "due": "31/12/2015",
    "start": "",
    "told": "",
    "more": "",
    "cost": "",
}


def row(**cells: str) -> dict[str, str]:
    """A row like any other but for these cells."""
    assert set(cells) <= set(COLUMNS)
    return A_ROW | cells


class Told(NamingReport, kw_only=True):
    """A report with the events themselves."""

    told: list[Event] = msgspec.field(default_factory=list)

    def record(self, event: Event) -> None:
        super().record(event)
        self.told.append(event)


class TellingImport(CommitmentImport):
    """An import that says what it would record."""

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self.report = Told(file=file.name, source=self.mapping.source)


class Desk:
    """Enters tables into one log and looks at what became of them."""

    def __init__(self, folder: Path, log_url: str) -> None:
        self.folder = folder
        self.url = log_url
        self.now = datetime(2014, 6, 1, 12, tzinfo=UTC)
        self.actor = Actor("clerk", "DCI", Role.DCI)
        self.mapping = MAPPING
        self.importer: Callable[[ImportState, Path, Path], Importer[Any, Any]] = CommitmentImport
        self.store = open_store(log_url)
        self.store.migrate()

    def enter(self, *rows: dict[str, str], **options: Any) -> NamingReport:
        """Import a table of these rows."""
        return self.enter_text(as_csv(rows), **options)

    def enter_text(self, text: str, **options: Any) -> NamingReport:
        """Import a file that reads so."""
        file = self.folder / "table.csv"
        file.write_bytes(text.encode())
        return self.enter_file(file, **options)

    def enter_file(
        self, file: Path, *, dry_run: bool = False, progress: Callable[[int, int], None] | None = None
    ) -> NamingReport:
        """Import a file."""
        mapping = self.folder / "mapping.toml"
        mapping.write_text(self.mapping, encoding="utf-8")
        report: NamingReport = run_import(
            self.store,
            lambda state: self.importer(state, file, mapping),
            actor=self.actor,
            clock=Clock(now=lambda: self.now),
            dry_run=dry_run,
            progress=progress,
        )
        return report

    def told_by(self, file: Path) -> list[Event]:
        """The events that an import of a file would record."""
        mapping = self.folder / "mapping.toml"
        mapping.write_text(self.mapping, encoding="utf-8")
        report = run_import(
            self.store,
            lambda state: TellingImport(state, file, mapping),
            actor=self.actor,
            clock=Clock(now=lambda: self.now),
            dry_run=True,
        )
        assert isinstance(report, Told)
        assert report.errors == []
        return report.told

    def events(self, code: str = "t-bridge", kind: str = "commitment") -> list[Recorded]:
        """What was recorded of a commitment."""
        lines = self.store.read_stream(stream_of(kind, code))
        return [codec.decode(line, position) for position, line in lines]

    def facts(self, of: type[Event], code: str = "t-bridge", kind: str = "commitment") -> list[Any]:
        """The events of one type that were recorded of a commitment."""
        return [recorded.data for recorded in self.events(code, kind) if isinstance(recorded.data, of)]

    def commitment(self, code: str = "t-bridge") -> Commitment:
        """A commitment as the record has it."""
        first, *others = self.events(code)
        commitment = Commitment.begin(first)
        assert commitment is not None
        for recorded in others:
            commitment.apply(recorded)
        return commitment

    def status(self, day: date, code: str = "t-bridge") -> Status | None:
        """The state of a commitment on a day, None before it was on record."""
        verdict = self.commitment(code).verdict_on(day)
        return None if verdict is None else verdict.status

    def record(
        self, event: Event, code: str = "t-bridge", subject: str = "somebody", kind: str = "commitment"
    ) -> None:
        """Somebody else records something of a commitment."""
        new = NewEvent(
            stream_id=stream_of(kind, code),
            version=len(self.events(code, kind)) + 1,
            recorded_by=Actor(subject, "DCI", Role.DCI),
            correlation_id="by hand",
            data=event,
        )
        self.store.append([Changes([new])], self.now)

    def contents(self) -> Counter[tuple[str, int, str, str]]:
        """Everything in the log, but for when and in which order and run it was written."""
        found: Counter[tuple[str, int, str, str]] = Counter()
        for position, line in self.store.read(0, 1_000_000):
            recorded = codec.decode(line, position)
            data = codec.encode_data(recorded.data).decode()
            found[(str(recorded.stream_id), recorded.version, recorded.type, data)] += 1
        return found


@contextmanager
def desk_at(folder: Path, log_url: str) -> Iterator[Desk]:
    """A desk, cleared at the end."""
    desk = Desk(folder, log_url)
    try:
        yield desk
    finally:
        desk.store.close()


def as_csv(rows: Sequence[dict[str, str]]) -> str:
    """The rows under a header, as a spreadsheet would save them."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def comparable(report: NamingReport) -> dict[str, Any]:
    """A report without what differs from run to run."""
    told: dict[str, Any] = msgspec.json.decode(report.as_json())
    for name in ("dry_run", "correlation_id", "first_position", "last_position", "seconds"):
        del told[name]
    return told


def many_rows(projects: int) -> list[dict[str, str]]:
    """Two yearly observations of each of so many projects, in which everything changes."""
    first = [
        row(code=f"p{n}", name=f"Project {n}", who="WORKS", rating="Green", told=f"Begun {n}", cost="1.5")
        for n in range(projects)
    ]
    second = [
        row(
            code=f"p{n}",
            name=f"Project {n}",
            day=date(2014, 3, 31).strftime("%d/%m/%Y"),
            who="MoH",
            rating="Red",
            due="31/12/2016",
            told=f"Going on {n}",
            cost="2",
        )
        for n in range(projects)
    ]
    return first + second
