"""Reads one sheet of a workbook (.xlsx, .xlsm), each cell as what it is.

A spreadsheet stores a number, a day or a truth as such, and beside it how it is shown. What it stores is believed, in
the unit in which it is shown: 0.062 shown as 6.2 % is 6.2 with a sign for hundredths, and 3,125,000 shown in thousands
is 3,125. Numbers have fifteen digits, as spreadsheets count; what lies beyond is noise of their arithmetic.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from shared.errors import InvalidInput

UNREADABLE: Final = (BadZipFile, InvalidFileException, KeyError, ValueError, ParseError)
"""What is raised for a file that is no workbook, or a broken one."""

OTHER_WORKBOOKS: Final = frozenset({".xls", ".xlsb", ".ods"})

_FORMULA_WITHOUT_VALUE: Final = (
    "It is a formula whose result was never stored: open the workbook in a spreadsheet program and save it"
    " there."
)


class TypedCell(NamedTuple):
    """A cell that is more than a text: `value` is a number, an instant or day, an hour, or a truth.

    `text` is what would stand in its place in a CSV file. A number shown as a percentage is in hundredths, and
    `percent`. With a `problem`, a sentence, there is nothing to be read.
    """

    text: str
    value: Decimal | datetime | time | bool | None
    percent: bool = False
    problem: str | None = None


Cell = str | TypedCell
"""What stands in one place of a table: a text, or what a workbook knows to be more than that."""


def text_of(cell: Cell) -> str:
    """The cell as a text."""
    return cell if isinstance(cell, str) else cell.text


def tidy(number: Decimal) -> Decimal:
    """The same number without an exponent and without zeros to spare: there is one way to write each."""
    text = f"{number:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text) if number else Decimal(0)


def read_sheet(path: Path, sheet: str | None, decimal: str) -> list[list[Cell]]:
    """The rows of a sheet, by default the first, from row 1 on; one of the errors of UNREADABLE when it is none.

    `decimal` is the sign before the decimals where a number is wanted as a text.
    """
    if path.suffix.lower() in OTHER_WORKBOOKS:
        raise InvalidInput(
            "file-unreadable",
            f"{path.name} cannot be read: of workbooks, .xlsx and .xlsm can. Save it as one of these.",
        )
    # Whatever the library finds unusual about styles and extensions changes no cell.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows: list[list[Cell]] = []
        empty: set[tuple[int, int]] = set()
        for number, cells in enumerate(_cells(path, sheet, values=True), 1):
            rows.append([_cell(one, decimal) for one in cells])
            empty.update(
                (number, place)
                for place, one in enumerate(cells)
                if one.value is None and one.number_format is not None and one.data_type == "n"
            )
        if empty:
            # A formula without a result and a coloured blank look alike until the formulas are asked for.
            without = TypedCell("", None, problem=_FORMULA_WITHOUT_VALUE)
            for number, cells in enumerate(_cells(path, sheet, values=False), 1):
                for place, one in enumerate(cells):
                    if one.data_type == "f" and (number, place) in empty:
                        rows[number - 1][place] = without
    return rows


def _cells(path: Path, sheet: str | None, *, values: bool) -> Iterator[Sequence[Any]]:
    """The cells of each row as the library gives them: with the stored results of formulas, or the formulas."""
    with path.open("rb") as file:
        workbook = load_workbook(file, read_only=True, data_only=values)
        try:
            names = [one.title for one in workbook.worksheets]
            if not names or (sheet is not None and sheet not in names):
                there = ", ".join(names) or "none"
                raise InvalidInput("file-unreadable", f"{path.name} has no sheet '{sheet}'; it has {there}.")
            found = workbook[names[0] if sheet is None else sheet]
            # What a file says of its own size is often wrong, and rows beyond it would be lost.
            found.reset_dimensions()
            yield from found.iter_rows()
        finally:
            workbook.close()


def _cell(cell: Any, decimal: str) -> Cell:
    match cell.value:
        case None:
            return ""
        case str() as text:
            return text
        case bool() as truth:
            return TypedCell("TRUE" if truth else "FALSE", truth)
        case int() | float() as number:
            return _number(number, cell.number_format or "", decimal)
        case datetime() as moment:
            return TypedCell(_iso(moment), moment)
        case date() as day:
            return TypedCell(day.isoformat(), datetime.combine(day, time()))
        case time() as hour:
            return TypedCell(hour.isoformat(), hour)
        case timedelta() as span:
            return str(span)
        case other:
            return str(other)


def _iso(moment: datetime) -> str:
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat()


class _Shown(NamedTuple):
    """What of a number format changes the number people see: hundredths, thousands, and zeros in front."""

    percent: bool
    exponent: int
    width: int


@lru_cache(1_000)
def _shown(number_format: str) -> _Shown:
    positive = re.sub(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]', "", number_format).partition(";")[0]
    percent = "%" in positive
    thousands = re.search(r"[0#?](,+)(?![0#?,])", positive)
    zeros = re.fullmatch(r"0+", positive.strip())
    exponent = (2 if percent else 0) - 3 * (len(thousands[1]) if thousands else 0)
    return _Shown(percent, exponent, len(zeros[0]) if zeros else 0)


def _number(stored: float, number_format: str, decimal: str) -> TypedCell:
    shown = _shown(number_format)
    value = tidy(
        Decimal(stored if isinstance(stored, int) else format(stored, ".15g")).scaleb(shown.exponent)
    )
    text = f"{value:f}"
    if text.isdigit():
        text = text.zfill(shown.width)
    text = text.replace(".", decimal)
    return TypedCell(f"{text}%" if shown.percent else text, value, shown.percent)
