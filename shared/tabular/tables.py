"""What every import of a table does alike: from the file and its mapping to rows, and what is wrong with them.

An importer of a table brings a `RowParser`, which makes of the cells of a row what they say, and decides the rows.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from shared.errors import BitacoraError, InvalidInput
from shared.events.streams import stream_of
from shared.rules.guards import well_formed_code
from shared.tabular.arranging import Arrangement
from shared.tabular.cells import Cells, DateReader, NoValueReader, NumberReader, broken_cell
from shared.tabular.engine import Importer, ImportRow, ImportState
from shared.tabular.mapping import Code, RowDay, TableMapping, check_columns, columns_of, read_mapping
from shared.tabular.reading import Row, Table, read_table
from shared.tabular.report import ImportReport, RowError
from shared.tabular.text import plain, slug_of, within_a_code
from shared.tabular.workbook import Cell, text_of

M = TypeVar("M", bound=TableMapping)


class TableRow(ImportRow, frozen=True, kw_only=True):
    """A row of a table with what was made of its cells."""

    ALIKE: ClassVar[str] = "the same"
    """What two rows with one key both tell of, as the end of "tells of …"."""

    sheet: str | None
    said: dict[str, object]
    """What was made of the columns that the mapping asks for, in the order of the table."""
    cells: dict[str, Cell]
    """What stands in them."""

    def difference(self, earlier: TableRow) -> RowError | None:
        """Another value in a column that the mapping asks for, however it is written."""
        for column, value in self.said.items():
            if value != earlier.said.get(column):
                where = f"Line {earlier.line}" + (f" of {earlier.sheet}" if earlier.sheet else "")
                reason = f"{where} tells of {self.ALIKE} and differs."
                return self.error(column, "conflicting-row", reason)
        return None

    def error(self, column: str | None, code: str, reason: str) -> RowError:
        """What is wrong with a cell of the row, or with all of it."""
        value = text_of(self.cells[column]) if column in self.cells else None
        return RowError(self.line, column, value, code, reason, self.sheet)


R = TypeVar("R", bound=TableRow)
P = TypeVar("P", bound=ImportReport)


def attribution(source: str, day: date | None = None) -> str:
    """How a fact names the table it is from, and the day it is for."""
    return f"According to {source}." if day is None else f"According to {source}, as at {day}."


def make_code(cells: Iterable[str], prefix: str, *, slug: bool, width: int = 1) -> str:
    """The code of a thing; digits alone get zeros in front up to `width`."""
    written = (plain(cell) for cell in cells)
    padded = (cell.zfill(width) if cell.isdecimal() else cell for cell in written)
    parts = (slug_of(cell) for cell in padded) if slug else padded
    code = prefix + "-".join(part for part in parts if part)
    return within_a_code(code) if slug else code


class CodeReader:
    """Makes codes of the cells that hold them, as things of a kind are known on record."""

    def __init__(self, given: Code, kind: str, state: ImportState) -> None:
        self._given = given
        self._kind = kind
        self._state = state
        self._found: dict[tuple[str, ...], tuple[str, UUID]] = {}
        """The code and the stream that the cells have led to."""

    def __call__(self, cells: Cells) -> tuple[str, UUID]:
        """The code, and the stream of what has it; a fault when nothing can be made a code of."""
        given = self._given
        texts = tuple([text_of(cells.cell(column)) for column in given.columns])
        code, stream = self.of(*texts)
        if code == given.prefix:
            cells.fault(given.columns[0], "code-missing", "Nothing in the row can be made a code of.")
        return code, stream

    def of(self, *texts: str) -> tuple[str, UUID]:
        """The code that texts make, and the stream of what has it."""
        found = self._found.get(texts)
        if found is None:
            code = self._code(texts)
            found = self._found[texts] = code, stream_of(self._kind, code)
        return found

    def _code(self, texts: Sequence[str]) -> str:
        given, state = self._given, self._state
        code = make_code(texts, given.prefix, slug=given.slug, width=given.width)
        # What stands on record under the code as it is written is meant, and not what a slug would make of it.
        written = make_code(texts, given.prefix, slug=False, width=given.width)
        on_record = state.on_record(self._kind, written) if _well_formed(written) else None
        return on_record or state.spelling(self._kind, code)


class DayReader:
    """Reads the day that a row tells of."""

    def __init__(self, given: RowDay, state: ImportState) -> None:
        self._given = given
        self._read = DateReader(given, state.context.clock)

    def __call__(self, cells: Cells) -> datetime | None:
        """The day with its hour, where it has one; None, and a fault, when there is none."""
        column, on = self._given.column, self._given.on
        if column is None:
            return None if on is None else datetime.combine(on, time())
        moment = self._read.moment(cells.cell(column))
        if moment is None:
            cells.fault(
                column, "date-unreadable", "The day of the row is not in a format or table of the mapping."
            )
        return moment


class RowParser(Generic[M, R]):
    """Parses the rows of one table by one mapping: all that is wrong with the cells of a row is found here, at once."""

    def __init__(self, mapping: M, columns: Sequence[str], state: ImportState) -> None:
        self.mapping = mapping
        self.state = state
        at = {name: number for number, name in enumerate(columns)}
        self._index = {name: at[plain(name)] for _, name in columns_of(mapping)}
        """Where each column stands, by its name as the mapping writes it."""
        self._asked = sorted(self._index.items(), key=lambda asked: asked[1])
        self.no_value = NoValueReader(mapping.no_value)
        self.number = NumberReader(mapping.numbers)

    @abstractmethod
    def parsed(self, line: int, cells: Cells, /, **row: Any) -> R | list[RowError]:
        """What the cells of a row say; `row` is what every row has. Faults of the cells are added to it."""

    def says_nothing(self, column: str, text: str) -> bool:  # noqa: ARG002
        """Whether a cell in which a formula seems to have failed is known to mean nothing."""
        return self.no_value.is_blank(text)

    def row(self, row: Row) -> R | list[RowError]:
        """What a row says, or everything that is wrong with it."""
        found = self._parsed(row)
        if isinstance(found, list):
            for error in found:
                error.sheet = row.sheet
        return found

    def _parsed(self, row: Row) -> R | list[RowError]:
        if row.problem is not None:
            reason = f"The row cannot be made out: {row.problem}."
            return [RowError(row.line, None, None, "row-unreadable", reason)]
        asked = {name: row.cells[number] for name, number in self._asked}
        broken = [
            error
            for name, cell in asked.items()
            if (error := broken_cell(row.line, name, cell, self.says_nothing))
        ]
        if broken:
            return broken
        cells = Cells(row, self._index, self.no_value)
        said: dict[str, object] = {}
        parsed = self.parsed(row.line, cells, sheet=row.sheet, said=said, cells=asked)
        said.update({name: cells.said[name] for name in asked if name in cells.said})
        return cells.errors or parsed


class TableImport(Importer[R, P], Generic[M, R, P]):
    """An import of a table under a mapping."""

    MAPPING: ClassVar[type[TableMapping]]

    mapping: M

    def __init__(self, state: ImportState, file: Path, mapping: Path | M) -> None:
        """`mapping`: where it is, or a mapping itself."""
        self.state = state
        self.mapping = read_mapping(mapping, self.MAPPING) if isinstance(mapping, Path) else mapping  # type: ignore[assignment]
        self.report = self.reported(file.name, self.mapping.source)
        self.column: str | None = None
        """The column that the fact now being decided is from."""
        self._file = file

    @abstractmethod
    def reported(self, file: str, source: str) -> P:
        """The report, as it begins."""

    @abstractmethod
    def parser(self, columns: Sequence[str]) -> RowParser[M, R]:
        """What parses the rows of a table with these columns."""

    def table(self) -> Table:
        """The table in the file."""
        return read_table(self._file, self.mapping.file, self.mapping.numbers.decimal)

    def parse(self) -> Iterable[R | list[RowError] | None]:
        """The rows of the table; InvalidInput when the mapping does not fit it."""
        mapping, table = self.mapping, self.table()
        arrangement = Arrangement(table, mapping.rows, mapping.columns, mapping.no_value)
        check_columns(mapping, arrangement.columns, self._file.name)
        parser = self.parser(arrangement.columns)
        for row in arrangement.rows():
            yield None if row is None else parser.row(row)

    def columns_by_field(self) -> dict[str, str | None]:
        """The column that gives each member of what is proposed: errors of the domain name the member."""
        return {}

    def refused(self, row: R, error: BitacoraError) -> RowError:
        """An error of the domain, pointed at the column that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        column = self.columns_by_field().get(pointer.split("/")[1] if pointer else "", self.column)
        return row.error(column, error.code, error.message)


def _well_formed(code: str) -> bool:
    try:
        well_formed_code(code)
    except InvalidInput:
        return False
    return True
