"""What an import did, row by row where it matters: for people in a few lines, for programs as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.events.facts import Event

IMPORTED: Final = "import-"
"""How the correlation id of an import begins: it tells what a source said from what people did since."""

LONGEST_VALUE: Final = 200
"""Characters of a cell that an error shows."""

MOST_SHOWN: Final = 20
"""Errors that the summary lists; the JSON has all of them."""


class RowError(msgspec.Struct):
    """What is wrong with a row, or with a part of one: a row with several faults has several of these.

    `column` is the cell, if it is one, and `value` what stands there; `reason` is a sentence for people.
    """

    line: int
    column: str | None
    value: str | None
    code: str
    reason: str
    sheet: str | None = None
    """Where `line` is counted in one of several sheets."""
    cell: str | None = None
    """The cell as a spreadsheet names it (`'EDU-2'!C14`), where a row of the file is not a line of a table."""

    def __post_init__(self) -> None:
        self.value = None if self.value is None else self.value[:LONGEST_VALUE]


class Rows(msgspec.Struct, kw_only=True):
    """What became of the rows: `read` is the sum of the others."""

    read: int = 0
    imported: int = 0
    """Something of the row is in the record now that was not there before."""
    unchanged: int = 0
    """The record knew all of it."""
    duplicates: int = 0
    """The same as an earlier row of the file."""
    replaced: int = 0
    """Differs from a later row about the same, which stands, as the mapping says."""
    passed_over: int = 0
    """Not meant, by the mapping: totals, footers."""
    failed: int = 0

    @property
    def done(self) -> int:
        """How many of them are settled, one way or another."""
        known = self.unchanged + self.duplicates + self.replaced
        return self.imported + known + self.passed_over + self.failed


class ImportReport(msgspec.Struct, kw_only=True):
    """What every import tells. A dry run gives the same report, without positions."""

    file: str
    source: str
    dry_run: bool = False
    correlation_id: str = ""
    rows: Rows = msgspec.field(default_factory=Rows)
    events: dict[str, int] = msgspec.field(default_factory=Counter)
    """How many of each type were recorded."""
    first_position: int | None = None
    last_position: int | None = None
    seconds: float = 0.0
    warnings: list[str] = []
    """What looks as if the mapping meant something else, a sentence each."""
    left_out: list[RowError] = []
    """Parts of rows that the record does not have from them; the rest of the row went in, or was known."""
    errors: list[RowError] = []

    def fail(self, errors: Sequence[RowError], rows: int = 1) -> None:
        """Count a row that is left out, or several that stand for one thing."""
        self.rows.failed += rows
        self.errors.extend(errors)

    def settle(self, row: Any, outcome: Any) -> None:  # noqa: ARG002
        """Take a row into account that is on record now, or would be; `outcome` is what its decision returned.

        By default, that is what of the row is left out.
        """
        self.left_out.extend(outcome or ())

    def record(self, event: Event) -> None:
        """Count an event that is on record now, or would be."""
        self.events[event.TYPE] += 1

    def finish(self, seconds: float) -> None:
        """Put what was gathered in the order of the file, whatever the order in which it was decided."""
        self.seconds = round(seconds, 3)
        self.errors.sort(key=lambda error: error.line)
        self.left_out.sort(key=lambda error: error.line)
        self.events = dict(sorted(self.events.items()))

    def as_json(self) -> bytes:
        """The report for a program, indented for people who look anyway."""
        return msgspec.json.format(msgspec.json.encode(self.members()), indent=2) + b"\n"

    def members(self, most: int | None = None) -> dict[str, Any]:
        """The report as JSON has it: what may be long comes last, and of each list of errors `most` at most."""
        members: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("left_out", "errors"):
            members[name] = members.pop(name)[:most]
        return members

    def write(self, path: Path) -> None:
        """Leave the report in a file."""
        path.write_bytes(self.as_json())

    def summary(self) -> str:
        """The report in some lines of plain text."""
        rows = self.rows
        done = "would be imported" if self.dry_run else "imported"
        replaced = f"{rows.replaced} replaced, " if rows.replaced else ""
        replaced += f"{rows.passed_over} passed over, " if rows.passed_over else ""
        counts = (
            f"{rows.unchanged} already known, {rows.duplicates} repeated, {replaced}{rows.failed} refused"
        )
        lines = [
            f"{self.file}: {rows.read} rows read, {rows.imported} {done}, {counts} ({self.seconds:.1f} s)"
        ]
        lines += [f"  {count:>7}  {name}" for name, count in self.events.items()]
        lines += self.details()
        if self.last_position is not None:
            lines.append(f"  positions {self.first_position} to {self.last_position}, {self.correlation_id}")
        lines += (f"  warning: {sentence}" for sentence in self.warnings)
        lines += listed("left out, the rest of the row went in", self.left_out)
        lines += listed("refused", self.errors)
        return "\n".join(lines)

    def details(self) -> Iterator[str]:
        """The lines of the summary that only this kind of import has."""
        yield from ()


def listed(what: str, errors: Sequence[RowError]) -> Iterator[str]:
    """The lines of a summary that list errors under a heading, the first of them word for word; none for none."""
    if not errors:
        return
    kinds = Counter(error.code for error in errors)
    yield f"  {what}: " + ", ".join(f"{count} {code}" for code, count in kinds.most_common())
    yield from (_shown(error) for error in errors[:MOST_SHOWN])
    if len(errors) > MOST_SHOWN:
        yield f"    … and {len(errors) - MOST_SHOWN} more"


def _shown(error: RowError) -> str:
    where = f"{error.sheet}, " if error.sheet else ""
    where = error.cell or f"{where}line {error.line}"
    where += f", {error.column}" if error.column else ""
    value = f" “{' '.join(error.value.split())[:60]}”" if error.value else ""
    return f"    {where}{value}: {error.reason} ({error.code})"
