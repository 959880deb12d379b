"""What an import did, row by row where it matters: for people in a few lines, for programs as JSON."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

LONGEST_VALUE: Final = 200
"""Characters of a cell that an error shows."""

MOST_SHOWN: Final = 20
"""Errors that the summary lists; the JSON has all of them."""


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a row was left out: a row with several faults has several of these."""

    line: int
    column: str | None
    value: str | None
    code: str
    reason: str


class Rows(msgspec.Struct, kw_only=True):
    """What became of the rows: `read` is the sum of the other four."""

    read: int = 0
    imported: int = 0
    """Something of the row is in the record now that was not there before."""
    unchanged: int = 0
    """The record knew all of it."""
    duplicates: int = 0
    """The same as an earlier row of the file."""
    failed: int = 0


class Report(msgspec.Struct, kw_only=True):
    """The whole of it. A dry run gives the same report, without positions."""

    file: str
    source: str
    dry_run: bool
    correlation_id: str
    rows: Rows = msgspec.field(default_factory=Rows)
    events: dict[str, int] = {}
    """How many of each type were recorded."""
    organizations_registered: list[str] = []
    first_position: int | None = None
    last_position: int | None = None
    seconds: float = 0.0
    errors: list[RowError] = []

    def as_json(self) -> bytes:
        """The report for a program, indented for people who look anyway."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def write(self, path: Path) -> None:
        """Leave the report in a file."""
        path.write_bytes(self.as_json())

    def summary(self) -> str:
        """The report in some lines of plain text."""
        rows = self.rows
        done = "would be imported" if self.dry_run else "imported"
        counts = f"{rows.unchanged} already known, {rows.duplicates} repeated, {rows.failed} refused"
        lines = [
            f"{self.file}: {rows.read} rows read, {rows.imported} {done}, {counts} ({self.seconds:.1f} s)"
        ]
        lines += [f"  {count:>7}  {name}" for name, count in sorted(self.events.items())]
        if self.organizations_registered:
            lines.append(f"  new organisations: {', '.join(self.organizations_registered)}")
        if self.last_position is not None:
            lines.append(f"  positions {self.first_position} to {self.last_position}, {self.correlation_id}")
        if self.errors:
            kinds = Counter(error.code for error in self.errors)
            lines.append("  refused: " + ", ".join(f"{count} {code}" for code, count in kinds.most_common()))
            lines += [_shown(error) for error in self.errors[:MOST_SHOWN]]
            if len(self.errors) > MOST_SHOWN:
                lines.append(f"    … and {len(self.errors) - MOST_SHOWN} more")
        return "\n".join(lines)


def _shown(error: RowError) -> str:
    where = f"line {error.line}" + (f", {error.column}" if error.column else "")
    value = f" “{' '.join(error.value.split())[:60]}”" if error.value else ""
    return f"    {where}{value}: {error.reason} ({error.code})"
