"""The rows of a table that are meant, with cells that stand for those below, and the columns that a mapping adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.errors import InvalidInput
from shared.tabular.cells import NoValueReader
from shared.tabular.mapping import Derived, NoValue, RowChoice, Which
from shared.tabular.reading import Row, Table
from shared.tabular.text import folded, plain
from shared.tabular.workbook import Cell, TypedCell, text_of


class Arrangement:
    """A table as a mapping has it: first rows are left out, then blanks filled from above, then columns added."""

    def __init__(
        self, table: Table, choice: RowChoice, derived: Mapping[str, Derived], no_value: NoValue
    ) -> None:
        taken = [name for name in derived if plain(name) in table.columns]
        if taken:
            raise InvalidInput(
                "mapping-invalid",
                f"`columns` adds '{taken[0]}', which the table has already: give it another name.",
            )
        kinds = (*choice.leave_out, *choice.only)
        sources = [column for one in derived.values() for column in one.first_of]
        for column in (*(kind.column for kind in kinds), *choice.fill_down, *sources):
            if plain(column) in map(plain, derived):
                raise InvalidInput(
                    "mapping-invalid",
                    f"`rows` and `columns` ask for columns of the table, and '{column}' is added.",
                )
        self.columns = (*table.columns, *map(plain, derived))
        self._table = table
        self._at = {name: place for place, name in enumerate(self.columns)}
        self._no_value = NoValueReader(no_value)
        self._choice = choice
        self._derived = tuple(derived.values())

    def rows(self) -> Iterator[Row | None]:
        """The rows in order; None stands for one that is not meant."""
        at, choice = self._at, self._choice
        unwanted, wanted = ([self._kind(one) for one in kinds] for kinds in (choice.leave_out, choice.only))
        filled = [at[plain(column)] for column in choice.fill_down]
        sources = [[at[plain(column)] for column in one.first_of] for one in self._derived]
        above: dict[int, Cell] = {}
        for row in self._table.rows:
            if row.problem is not None:
                yield row
                continue
            if any(kind.has(row) for kind in unwanted) or not all(kind.has(row) for kind in wanted):
                yield None
                continue
            cells = [*row.cells]
            for place in filled:
                if _is_blank(cells[place]):
                    cells[place] = above.get(place, "")
                above[place] = cells[place]
            for places, one in zip(sources, self._derived, strict=True):
                said = (cells[place] for place in places if not self._says_nothing(cells[place]))
                cells.append(next(said, one.value or ""))
            yield row._replace(cells=cells)

    def _kind(self, which: Which) -> _Kind:
        words = {folded(word) for word in which.words}
        return _Kind(
            self._at[plain(which.column)], words, NoValueReader(NoValue(phrases=which.phrases)), which.blank
        )

    def _says_nothing(self, cell: Cell) -> bool:
        return _is_blank(cell) or self._no_value.is_blank(text_of(cell))


class _Kind(NamedTuple):
    """Rows of one kind, by the place of the cell that tells."""

    place: int
    words: set[str]
    phrases: NoValueReader
    blank: bool

    def has(self, row: Row) -> bool:
        """Whether the row is one of them."""
        text = text_of(row.cells[self.place])
        if _is_blank(row.cells[self.place]):
            return self.blank
        return folded(text) in self.words or self.phrases.is_prose(text)


def _is_blank(cell: Cell) -> bool:
    return not text_of(cell).strip() and not (isinstance(cell, TypedCell) and cell.problem)
