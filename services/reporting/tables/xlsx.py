"""Tables as XLSX: typed cells, real days, a header that stays, and a sheet that says what the table is.

Writing one takes a processor for as long as it takes, and so it is done by a process of its own, `python -m
services.reporting.tables.xlsx`: it reads a sheet and its rows from its input, a line of JSON for each, and writes the
file to its output. It knows nothing of the record and may be ended at any time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec
import xlsxwriter

from services.reporting.tables.columns import Cell, Kind
from shared.apart import confined

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_ROWS: Final = 1_048_575
"""Rows below the header that a sheet can have."""
LONGEST: Final = 32_767
"""Characters that a cell can have; of a longer text the beginning is written, and the second sheet says so."""
_CUT: Final = " […]"
_WIDTHS: Final = (8, 60)
_FIRST_DAY: Final = date(1900, 3, 1)
"""Before it a spreadsheet counts a day that there never was."""
_DAY_FORMAT: Final = "yyyy-mm-dd"
_INSTANT_FORMAT: Final = 'yyyy-mm-dd"T"hh:mm:ss.000"Z"'
_CREATED: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - the same for ever, so that the same table is the same file


class SheetColumn(msgspec.Struct, frozen=True, array_like=True):
    """A column as it is shown: its label, what is in it, its name and what it means."""

    label: str
    kind: Kind
    name: str
    about: str


class Sheet(msgspec.Struct, frozen=True):
    """Everything of a table but its rows; `about` are lines of the second sheet: what is said, and of what."""

    name: str
    columns: list[SheetColumn]
    about: list[tuple[str, str]]
    about_name: str
    fields_header: list[str]
    """What stands above the names, labels and meanings of the columns on the second sheet."""
    cut: str
    """What the second sheet says of texts that were too long for a cell."""


def write_xlsx(
    target: BinaryIO, sheet: Sheet, rows: Iterable[Sequence[Cell]], *, scratch: Path | None = None
) -> None:
    """Write a table; what does not fit into memory waits below the folder `scratch`. ValueError for too many rows."""
    workbook = xlsxwriter.Workbook(
        target,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "tmpdir": None if scratch is None else str(scratch),
        },
    )
    workbook.set_properties({"title": sheet.name, "created": _CREATED})
    page = _Page(workbook, workbook.add_worksheet(sheet.name[:31]))
    page.header([column.label for column in sheet.columns])
    kinds = [column.kind for column in sheet.columns]
    for row in rows:
        page.row([_value(cell, kind) for cell, kind in zip(row, kinds, strict=True)])
    page.close(autofilter=True)
    second = _Page(workbook, workbook.add_worksheet(sheet.about_name))
    for line in (*sheet.about, *([(sheet.cut, str(page.cut))] if page.cut else [])):
        second.row(line)
    second.row([])
    second.header(sheet.fields_header)
    for column in sheet.columns:
        second.row([column.name, column.label, column.about])
    second.close()
    workbook.close()


class _Page:
    """One sheet, written from the first row to the last."""

    def __init__(self, workbook: Any, sheet: Any) -> None:
        self._sheet = sheet
        self._bold = workbook.add_format({"bold": True})
        self._day = workbook.add_format({"num_format": _DAY_FORMAT})
        self._instant = workbook.add_format({"num_format": _INSTANT_FORMAT})
        self._rows = 0
        self._widths: list[int] = []
        self.cut = 0

    def header(self, labels: Sequence[str]) -> None:
        """Write a row of labels."""
        self._write(labels, self._bold)

    def row(self, cells: Sequence[Any]) -> None:
        """Write a row of values."""
        self._write(cells)

    def close(self, *, autofilter: bool = False) -> None:
        """Set what depends on all rows."""
        if autofilter:
            self._sheet.freeze_panes(1, 0)
            if self._widths:
                self._sheet.autofilter(0, 0, max(self._rows - 1, 0), len(self._widths) - 1)
        least, most = _WIDTHS
        for number, width in enumerate(self._widths):
            self._sheet.set_column(number, number, max(least, min(width + 2, most)))

    def _write(self, cells: Sequence[Any], style: Any = None) -> None:
        if self._rows > MOST_ROWS:
            raise ValueError("too many rows for a sheet")
        for number, cell in enumerate(cells):
            if number == len(self._widths):
                self._widths.append(0)
            self._widths[number] = max(self._widths[number], self._cell(number, cell, style))
        self._rows += 1

    def _cell(self, number: int, cell: Any, style: Any) -> int:
        """Write a cell; the characters it takes."""
        at = (self._rows, number)
        if cell is None:
            return 0
        if isinstance(cell, bool):
            self._sheet.write_boolean(*at, cell, style)
        elif isinstance(cell, datetime):
            self._sheet.write_datetime(*at, cell, self._instant)
            return 24
        elif isinstance(cell, date):
            self._sheet.write_datetime(*at, cell, self._day)
            return 10
        elif isinstance(cell, float | int):
            self._sheet.write_number(*at, cell, style)
        else:
            if len(cell) > LONGEST:
                cell = cell[: LONGEST - len(_CUT)] + _CUT
                self.cut += 1
            self._sheet.write_string(*at, cell, style)
        return len(str(cell))


def _value(cell: Cell, kind: Kind) -> Any:
    """What a spreadsheet can hold of a cell as what it is; the text of anything else."""
    if isinstance(cell, str) and kind is Kind.DAY:
        day = date.fromisoformat(cell)
        return day if day >= _FIRST_DAY else cell
    if isinstance(cell, str) and kind is Kind.INSTANT:
        instant = datetime.fromisoformat(cell).astimezone(UTC).replace(tzinfo=None)
        return instant if instant.date() >= _FIRST_DAY else cell
    if isinstance(cell, int | Decimal) and not isinstance(cell, bool):
        # A spreadsheet has sixteen digits or so; a number that would lose some of its own is a text.
        number = float(cell)
        return number if Decimal(repr(number)) == cell else str(cell)
    return cell


def main() -> None:
    """Make a file of what comes in, within what this process may take."""
    scratch = confined()
    lines = iter(sys.stdin.buffer)
    sheet = msgspec.json.decode(next(lines), type=Sheet)
    rows = map(msgspec.json.Decoder(list[Any], float_hook=Decimal).decode, lines)
    write_xlsx(sys.stdout.buffer, sheet, rows, scratch=scratch)


if __name__ == "__main__":
    main()
