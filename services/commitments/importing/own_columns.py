"""The mapping of a table whose columns are ours: what a list of commitments goes out as, brought in again.

Its columns are those of `/v1/exports/commitments.csv` or some of them, by their names. A row tells of the day in
`effective_on` or, without that column, of today. What follows from other facts (states, percentages, names) is passed
over.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import Final

from services.commitments.importing.decisions import CommitmentImport
from services.commitments.importing.mapping import FIELDS, LISTS, Deadline, Mapping, ObservedOn, Title
from shared.errors import InvalidInput
from shared.tabular.engine import ImportState
from shared.tabular.mapping import Code, Given, Named
from shared.tabular.reading import Table, possible_layouts, read_table
from shared.tabular.workbook import Cell

_NEEDED: Final = ("code", "title", "lead_organization")
_DAY: Final = "effective_on"
_FORMATS: Final = ("%d/%m/%Y", "%d-%m-%Y")
_OF_JSON: Final = frozenset({".json", ".jsonl", ".ndjson"})
_EXACT: Final = _OF_JSON | {".xlsx", ".xlsm"}
"""Endings of files in which a text goes out as it is."""
_FORMULA: Final = re.compile("'[=+\\-@\\t\\r\\n＝＋－＠]")


class ListImport(CommitmentImport):
    """An import of a list of commitments, as it goes out."""

    def __init__(self, state: ImportState, file: Path) -> None:
        super().__init__(state, file, own_mapping(file, state.context.today))

    def table(self) -> Table:
        """The table; see `as_meant`."""
        return super().table() if self._file.suffix.lower() in _EXACT else as_meant(super().table())


def as_meant(table: Table) -> Table:
    """A table without the apostrophes by which a text in CSV is kept from being a formula."""
    return table._replace(
        rows=[row._replace(cells=[_cell_as_meant(cell) for cell in row.cells]) for row in table.rows]
    )


def _cell_as_meant(cell: Cell) -> Cell:
    return cell[1:] if isinstance(cell, str) and _FORMULA.match(cell) else cell


def own_mapping(file: Path, today: date) -> Mapping:
    """The mapping for a table of our own columns; InvalidInput("columns-unknown") where it has others."""
    for layout in possible_layouts(file):
        columns = read_table(file, layout).columns
        if all(name in columns for name in _NEEDED):
            break
    else:
        raise InvalidInput(
            "columns-unknown",
            f"{file.name} lacks the columns {', '.join(_NEEDED)} in its first row: a mapping would say how it is read.",
        )
    # In a cell, the words of a list stand behind each other as they go out; those of JSON are a list.
    between = "," if file.suffix.lower() in _OF_JSON else ";"
    fields = {
        name: Given(column=name, separator=between if name in LISTS else ",")
        for name in sorted(FIELDS)
        if name in columns
    }
    return Mapping(
        source=file.name,
        file=layout,
        code=Code(columns=("code",), slug=False),
        title=Title(column="title", renamed="change"),
        date=ObservedOn(column=_DAY, formats=_FORMATS) if _DAY in columns else ObservedOn(on=today),
        lead=Named(column="lead_organization"),
        deadline=_deadline("public_deadline_on", columns),
        internal_deadline=_deadline("internal_deadline_on", columns),
        fields=fields,
    )


def _deadline(column: str, columns: Collection[str]) -> Deadline | None:
    return Deadline(column=column, formats=_FORMATS) if column in columns else None
