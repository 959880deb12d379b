"""Reads one sheet of a workbook (.xlsx, .xlsm), each cell as what it is.

A spreadsheet stores a number, a day or a truth as such, and beside it how it is shown. What it stores is believed, in
the unit in which it is shown: 0.062 shown as 6.2 % is 6.2 with a sign for hundredths, and 3,125,000 shown in thousands
is 3,125. Numbers have fifteen digits, as spreadsheets count; what lies beyond is noise of their arithmetic.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from shared.errors import InvalidInput

UNREADABLE: Final = (BadZipFile, InvalidFileException, KeyError, ValueError, ParseError)
"""What is raised for a file that is no workbook, or a broken one."""

MOST_UNPACKED: Final = 300_000_000
"""Bytes that a workbook may have once it is unpacked: a small one may be made to have any number."""

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
    shows: Literal["day", "month", "year"] = "day"
    """Of a day, what is shown: a month, of which the day that is stored is the first, or a whole day."""
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


Wanted = Literal["first", "all"] | tuple[str, ...]
"""Which sheets: the first that is not hidden, all of these, or those of some names, hidden or not."""


def read_sheets(path: Path, wanted: Wanted, decimal: str) -> list[tuple[str, list[list[Cell]]]]:
    """The rows of sheets, from row 1 on, each under its name; one of the errors of UNREADABLE when it is no workbook.

    `decimal` is the sign before the decimals where a number is wanted as a text.
    """
    if path.suffix.lower() in OTHER_WORKBOOKS:
        raise InvalidInput(
            "file-unreadable",
            f"{path.name} cannot be read: of workbooks, .xlsx and .xlsm can. Save it as one of these.",
        )
    with ZipFile(path) as packed:
        unpacked = sum(one.file_size for one in packed.infolist())
    if unpacked > MOST_UNPACKED:
        raise InvalidInput(
            "file-unreadable",
            f"{path.name} unpacks to {unpacked // 1_000_000} MB, and at most {MOST_UNPACKED // 1_000_000} are read: "
            "save it as CSV, or in parts.",
        )
    # Whatever the library finds unusual about styles and extensions changes no cell.
    with warnings.catch_warnings(), path.open("rb") as file:
        warnings.simplefilter("ignore")
        with closing(load_workbook(file, read_only=True, data_only=True)) as workbook:
            sheets = [(name, *_read(workbook[name], decimal)) for name in _names(path, workbook, wanted)]
        if any(empty for _, _, empty in sheets):
            # A formula without a result and a coloured blank look alike until the formulas are asked for.
            with closing(load_workbook(file, read_only=True)) as workbook:
                for name, rows, empty in sheets:
                    _mark_formulas(workbook[name], rows, empty)
    return [(name, rows) for name, rows, _ in sheets]


def _names(path: Path, workbook: Any, wanted: Wanted) -> Sequence[str]:
    visible = [one.title for one in workbook.worksheets if one.sheet_state == "visible"]
    if wanted == "all" and visible:
        return visible
    named = visible[:1] if isinstance(wanted, str) else wanted
    there = [one.title for one in workbook.worksheets]
    missing = next((name for name in named if name not in there), None)
    if missing is not None or not named:
        listed = ", ".join(there) or "none"
        which = "sheet that can be seen" if missing is None else f"sheet '{missing}'"
        raise InvalidInput("file-unreadable", f"{path.name} has no {which}; it has {listed}.")
    return named


Place = tuple[int, int]
"""A row and a cell of it, both counted from 0."""


def _read(sheet: Any, decimal: str) -> tuple[list[list[Cell]], set[Place]]:
    """The rows, and the places where nothing is stored though there is a format."""
    rows: list[list[Cell]] = []
    empty: set[Place] = set()
    for number, cells in enumerate(_rows_of(sheet)):
        rows.append([_cell(one, decimal) for one in cells])
        empty.update(
            (number, place)
            for place, one in enumerate(cells)
            if one.value is None and one.number_format is not None and one.data_type == "n"
        )
    return rows, empty


def _mark_formulas(sheet: Any, rows: list[list[Cell]], empty: set[Place]) -> None:
    """Put what is wrong with them in the places of formulas that have no result."""
    without = TypedCell("", None, problem=_FORMULA_WITHOUT_VALUE)
    for number, cells in enumerate(_rows_of(sheet)):
        for place, one in enumerate(cells):
            if one.data_type == "f" and (number, place) in empty:
                rows[number][place] = without


def _rows_of(sheet: Any) -> Iterator[Sequence[Any]]:
    # What a file says of its own size is often wrong, and rows beyond it would be lost.
    sheet.reset_dimensions()
    rows: Iterator[Sequence[Any]] = sheet.iter_rows()
    return rows


def _cell(cell: Any, decimal: str) -> Cell:
    return cell_of(cell.value, cell.number_format or "", decimal)


def cell_of(value: Any, number_format: str, decimal: str) -> Cell:
    """What a program stores as such, as a cell; a workbook says beside it how it is shown."""
    match value:
        case None:
            return ""
        case str() as text:
            return text
        case bool() as truth:
            return TypedCell("TRUE" if truth else "FALSE", truth)
        case int() | float() as number:
            return _number(number, number_format, decimal)
        case datetime() as moment:
            return TypedCell(_iso(moment), moment, shows=_span_shown(number_format))
        case date() as day:
            return TypedCell(day.isoformat(), datetime.combine(day, time()))
        case time() as hour:
            return TypedCell(hour.isoformat(), hour)
        case other:
            return str(other)


def _iso(moment: datetime) -> str:
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat()


@lru_cache(1_000)
def _span_shown(number_format: str) -> Literal["day", "month", "year"]:
    letters = _bare(number_format).lower()
    if "d" in letters or "y" not in letters or "h" in letters:
        return "day"
    return "month" if "m" in letters else "year"


def _bare(number_format: str) -> str:
    """The first section of a number format without the texts in it."""
    return re.sub(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]', "", number_format).partition(";")[0]


class _Shown(NamedTuple):
    """What of a number format changes the number people see: hundredths, thousands, and zeros in front."""

    percent: bool
    exponent: int
    width: int


@lru_cache(1_000)
def _shown(number_format: str) -> _Shown:
    positive = _bare(number_format)
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
