"""Tables as CSV: UTF-8, RFC 4180, and no text that a spreadsheet would take for a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import StringIO
from typing import Final

from services.reporting.tables.columns import Cell, Column, Kind, Lang, Output

MEDIA_TYPE: Final = "text/csv"
BOM: Final = b"\xef\xbb\xbf"
"""What makes Excel read UTF-8 as UTF-8."""
_BEGINS_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class CsvTable:
    """Writes a table into a file, some rows at a time."""

    def __init__(
        self, file: Output, columns: Sequence[Column], *, lang: Lang | None = None, bom: bool = False
    ) -> None:
        self._file = file
        self._texts = [column.kind is Kind.TEXT for column in columns]
        self._buffer = StringIO(newline="")
        self._writer = csv.writer(self._buffer)
        if bom:
            file.write(BOM)
        self._writer.writerow([column.label(lang) for column in columns])
        self._flush()

    def write(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write rows, with a cell for each column."""
        for row in rows:
            self._writer.writerow(
                [_field(cell, text=text) for cell, text in zip(row, self._texts, strict=True)]
            )
        self._flush()

    def _flush(self) -> None:
        self._file.write(self._buffer.getvalue().encode())
        self._buffer.seek(0)
        self._buffer.truncate()


def _field(cell: Cell, *, text: bool) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    field = str(cell)
    # What follows an apostrophe is a text to a spreadsheet, whatever it looks like.
    return f"'{field}" if text and field.startswith(_BEGINS_A_FORMULA) else field
