"""Reads what others publish as it was published: tables (CSV, or a sheet of a workbook) and JSON, a line or a file.

A cell of a CSV file is a text; one of a workbook may be a number or a day already (see `workbook`). What either amounts
to is told by `cells`, so that one table gives the same whatever it was saved as. Rows know where they stand, because
somebody will have to mend them. InvalidInput("file-unreadable") when there is no reading the file at all.
"""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from shared.errors import InvalidInput
from shared.events.texts import composed
from shared.tabular.mapping import FileLayout
from shared.tabular.text import plain
from shared.tabular.workbook import OTHER_WORKBOOKS, UNREADABLE, Cell, Wanted, cell_of, read_sheets, text_of

_CHUNK: Final = 1 << 20
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Row(NamedTuple):
    """One row under the header: the line on which it starts, counted from 1, and its cells.

    In a workbook the line is the number of the row; in a transposed file, of the column that holds the item.
    `problem` says why the cells could not be made out, if so.
    """

    line: int
    cells: Sequence[Cell]
    problem: str | None = None
    sheet: str | None = None


class Table(NamedTuple):
    """The names of the columns, in order, and the rows that are not blank."""

    columns: tuple[str, ...]
    rows: list[Row]


class JsonLine(NamedTuple):
    """One line that is not blank, counted from 1: the object on it, or why there is none."""

    line: int
    content: dict[str, Any]
    problem: str | None = None


SHEET: Final = "#sheet"
"""The column that tells, where several sheets are read, from which of them a row is."""


_DELIMITERS: Final = {".csv": (",", ";", "\t"), ".txt": ("\t", ";", ",")}


def possible_layouts(path: Path) -> list[FileLayout]:
    """Under which layouts a table with columns of our own may have been saved, the likeliest first."""
    return [FileLayout(delimiter=one) for one in _DELIMITERS.get(path.suffix.lower(), (",",))]


def read_table(path: Path, layout: FileLayout, decimal: str = ".") -> Table:
    """The table in a file, saved under this layout.

    `decimal` is the sign before the decimals where the number in a cell of a workbook is wanted as a text.
    """
    try:
        match _format(path, layout):
            case "xlsx":
                return _sheets_below_each_other(path, layout, decimal)
            case "json":
                return _objects_as_table(path, decimal)
            case _:
                return _table(_csv_rows(path, layout), layout)
    except (OSError, LookupError, UnicodeError, csv.Error, *UNREADABLE) as error:
        raise _unreadable(path, error) from error


def read_workbook(path: Path, wanted: Wanted) -> list[tuple[str, list[list[Cell]]]]:
    """Sheets of a workbook under their names, each from its first row on."""
    try:
        return read_sheets(path, wanted, ".")
    except (OSError, *UNREADABLE) as error:
        raise _unreadable(path, error) from error


def read_beginning(path: Path, layout: FileLayout, count: int) -> list[list[str]]:
    """The first rows of a table as texts, before it is known which of them is the header."""
    try:
        if _format(path, layout) == "xlsx":
            _, rows = read_sheets(path, "first" if layout.sheet is None else (layout.sheet,), ".")[0]
            return [[text_of(cell) for cell in row] for row in rows[:count]]
        with path.open(encoding=layout.encoding or detect_encoding(path), newline="") as text:
            return list(islice(csv.reader(text, delimiter=layout.delimiter, quotechar=layout.quote), count))
    except (OSError, LookupError, UnicodeError, csv.Error, *UNREADABLE) as error:
        raise _unreadable(path, error) from error


def _table(rows: list[Row], layout: FileLayout, *, padded: bool = False) -> Table:
    if layout.transposed:
        rows = _transposed(rows)
    rows = [row._replace(cells=[_composed(cell) for cell in row.cells]) for row in rows]
    return _under_header(rows, layout.header_row, padded=padded)


def _sheets_below_each_other(path: Path, layout: FileLayout, decimal: str) -> Table:
    """The rows of the sheets, in the columns that all of them have."""
    wanted: Wanted = layout.sheets or ("first" if layout.sheet is None else (layout.sheet,))
    tables = [
        (name, _table([Row(number, cells) for number, cells in enumerate(rows, 1)], layout, padded=True))
        for name, rows in read_sheets(path, wanted, decimal)
    ]
    if layout.sheets is None:
        return tables[0][1]
    columns = [name for name in tables[0][1].columns if all(name in table.columns for _, table in tables)]
    rows = []
    for sheet, table in tables:
        places = [table.columns.index(name) for name in columns]
        for row in table.rows:
            cells = () if row.problem else (*(row.cells[place] for place in places), sheet)
            rows.append(row._replace(cells=cells, sheet=sheet))
    return Table((*columns, SHEET), rows)


def _objects_as_table(path: Path, decimal: str) -> Table:
    """Objects of JSON as rows, counted from 1: their members are the columns, those of objects within with dots."""
    if path.suffix.lower() == ".json":
        lines = [JsonLine(number, one) for number, one in enumerate(read_json_objects(path), 1)]
    else:
        lines = read_json_lines(path)
    flat = [dict(_leaves(line.content, decimal)) for line in lines]
    columns = tuple(dict.fromkeys(name for one in flat for name in one))
    rows = [
        Row(line.line, () if line.problem else [one.get(name, "") for name in columns], line.problem)
        for line, one in zip(lines, flat, strict=True)
    ]
    return Table(tuple(map(plain, columns)), rows)


def _leaves(content: dict[str, Any], decimal: str, before: str = "") -> Iterator[tuple[str, Cell]]:
    for name, value in content.items():
        match value:
            case dict():
                yield from _leaves(value, decimal, f"{before}{name}.")
            case list():
                yield before + name, ", ".join(str(one) for one in value)
            case _:
                yield before + name, cell_of(value, "", decimal)


_TOO_DEEP: Final = "it is nested too deeply"


def read_json_lines(path: Path) -> list[JsonLine]:
    """The objects in a file of JSON Lines."""
    lines = enumerate(_json_bytes(path).split(b"\n"), 1)
    return [_json_line(number, text) for number, text in lines if text.strip()]


def read_json_objects(path: Path) -> list[dict[str, Any]]:
    """The objects in a file that is a JSON array of them, or an object that holds one as `data`."""
    try:
        found = composed(msgspec.json.decode(_json_bytes(path)))
    except RecursionError as error:
        raise _unreadable(path, _TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error
    if isinstance(found, dict):
        found = found.get("data")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise _unreadable(path, "it is no array of objects")
    return found


def _unreadable(path: Path, why: object) -> InvalidInput:
    # What the system says of a file names the folder it lies in, which is nobody's business but ours.
    said = why.strerror if isinstance(why, OSError) and why.strerror else why
    return InvalidInput("file-unreadable", f"{path.name} cannot be read: {said}")


# --- tables ---------------------------------------------------------------------------------------------------------


def detect_encoding(path: Path) -> str:
    """What the bytes say: a byte order mark, else UTF-8 if all of them are, else Windows-1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        chunk = file.read(_CHUNK)
        for mark, encoding in _BYTE_ORDER_MARKS:
            if chunk.startswith(mark):
                return encoding
        try:
            while chunk:
                decoder.decode(chunk)
                chunk = file.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def _format(path: Path, layout: FileLayout) -> str:
    if layout.format is not None:
        return layout.format
    if path.suffix.lower() in {".json", ".jsonl", ".ndjson"}:
        return "json"
    return "xlsx" if path.suffix.lower() in {".xlsx", ".xlsm", *OTHER_WORKBOOKS} else "csv"


def _csv_rows(path: Path, layout: FileLayout) -> list[Row]:
    encoding = layout.encoding or detect_encoding(path)
    # A line ends where an editor's count of lines goes up, or a row with a stray carriage return inside a quoted
    # cell would shift the line number of every row after it.
    with path.open("rb") as file:
        unix = b"\n" in file.read(_CHUNK)
    rows: list[Row] = []
    with path.open(encoding=encoding, newline="\n" if unix else "\r") as text:
        reader = csv.reader(text, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return rows
            except csv.Error as error:
                rows.append(Row(line, (), str(error)))
            else:
                rows.append(Row(line, cells))


def _composed(cell: Cell) -> Cell:
    composed_cell: Cell = composed(cell)
    return composed_cell


def _transposed(rows: Sequence[Row]) -> list[Row]:
    """One row per column; the numbers of the columns stand in for the lines."""
    broken = next((row for row in rows if row.problem is not None), None)
    if broken is not None:
        raise InvalidInput("file-unreadable", f"Line {broken.line} cannot be read: {broken.problem}.")
    width = max((len(row.cells) for row in rows), default=0)
    return [
        Row(number + 1, [row.cells[number] if number < len(row.cells) else "" for row in rows])
        for number in range(width)
    ]


def _under_header(rows: Sequence[Row], header_row: int, *, padded: bool) -> Table:
    """`padded`: rows end with their last cell that is filled, as in a workbook."""
    if len(rows) < header_row or _blank(rows[header_row - 1].cells):
        raise InvalidInput("file-unreadable", f"There is no header in row {header_row}.")
    header = [text_of(cell) for cell in rows[header_row - 1].cells]
    filled = [row for row in rows[header_row:] if row.problem is not None or not _blank(row.cells)]
    if padded:
        header += [""] * (max((len(row.cells) for row in filled), default=0) - len(header))
    return Table(_column_names(header), [_fitted(row, len(header), padded=padded) for row in filled])


def _blank(cells: Sequence[Cell]) -> bool:
    return all(isinstance(cell, str) and not cell.strip() for cell in cells)


def _fitted(row: Row, width: int, *, padded: bool) -> Row:
    """The row with one cell per column; blank ones at the end may be missing or in excess, others may not."""
    cells = row.cells
    if row.problem is not None or len(cells) == width:
        return row
    if len(cells) > width and _blank(cells[width:]):
        return row._replace(cells=cells[:width])
    if len(cells) < width and padded:
        return row._replace(cells=[*cells, *[""] * (width - len(cells))])
    return Row(row.line, (), f"it has {len(cells)} cells and the header has {width}")


def _column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Names to ask for: the second column of a name is `name#2`, and one without a name is `#` and its number."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for number, cell in enumerate(header, 1):
        name = plain(cell)
        seen[name] += 1
        if not name:
            names.append(f"#{number}")
        else:
            names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(names)


# --- JSON -----------------------------------------------------------------------------------------------------------


def _json_bytes(path: Path) -> bytes:
    """The bytes of a file, without the byte order mark that some programs put before UTF-8."""
    try:
        return path.read_bytes().removeprefix(codecs.BOM_UTF8)
    except OSError as error:
        raise _unreadable(path, error) from error


def _json_line(number: int, text: bytes) -> JsonLine:
    try:
        content = composed(msgspec.json.decode(text))
    except RecursionError:
        return JsonLine(number, {}, _TOO_DEEP)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return JsonLine(number, {}, str(error))
    return JsonLine(number, content) if isinstance(content, dict) else JsonLine(number, {}, "it is no object")
