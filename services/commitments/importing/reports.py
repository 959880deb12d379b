"""Brings in progress reports from a table of our own: its columns are the fields of the API, so it takes no mapping.

A row is one report, decided as `POST /v1/commitments/{code}/progress-reports` decides it. One that is on record word
for word is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from services.commitments.commitment.model import Commitment
from shared.errors import BitacoraError, InvalidInput, NotFound
from shared.events.commitments import Evidence, ProgressReported, Registered
from shared.events.facts import COMPUTED
from shared.events.streams import stream_of
from shared.rules.periods import period_named
from shared.tabular.cells import Cells, DateReader, NoValueReader, PercentReader, broken_cell
from shared.tabular.engine import Importer, ImportRow, ImportState
from shared.tabular.fields import FieldReader, types_of
from shared.tabular.mapping import DateFormats, Given, NoValue, Numbers
from shared.tabular.reading import Row, Table, possible_layouts, read_table
from shared.tabular.report import ImportReport, RowError
from shared.tabular.text import folded, plain
from shared.tabular.workbook import TypedCell, text_of

COLUMNS: Final = {
    "code": "código",
    "period": "periodo",
    "observed_progress": "avance observado",
    "stage": "etapa",
    "percent": "porcentaje",
    "no_change": "sin cambios",
    "evidence": "evidencia",
    "evidence_url": "enlace a la evidencia",
    "source": "fuente",
    "source_on": "fecha de la fuente",
    "effective_on": "fecha",
    "received_on": "recibido el",
}
"""The columns of the table, and what they may be called instead; the first two have to be there."""
_NEEDED: Final = ("code", "period")
_TEXTS: Final = {
    "observed_progress": ("observed_progress", ProgressReported),
    "stage": ("stage", ProgressReported),
    "source": ("source", ProgressReported),
    "evidence": ("description", Evidence),
    "evidence_url": ("url", Evidence),
}
"""The columns of texts, and which field of what each one is: its type says what may stand there."""
_OF_ONE_LINE: Final = frozenset({"stage", "source"})
_YES: Final = frozenset({"true", "yes", "sí", "si", "x", "1", "verdadero"})
_NO: Final = frozenset({"false", "no", "0", "falso"})
_DAYS: Final = DateFormats(formats=("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"))


class ReportRow(ImportRow, frozen=True, kw_only=True):
    """One report on one commitment."""

    code: str
    reported: ProgressReported
    cells: dict[str, str]

    def difference(self, earlier: ReportRow) -> RowError | None:
        """Something else said of the same commitment, period and day."""
        if self.reported == earlier.reported:
            return None
        reason = f"Line {earlier.line} tells of the same commitment and period and differs."
        return RowError(self.line, "period", self.cells["period"], "conflicting-row", reason)


class ReportImport(Importer[ReportRow, ImportReport]):
    """An import of progress reports."""

    BEGINS_WITH = Registered

    def __init__(self, state: ImportState, file: Path) -> None:
        self.state = state
        self.report = ImportReport(file=file.name, source=file.name)
        self._file = file

    def parse(self) -> Iterable[ReportRow | list[RowError]]:
        """The rows of the table; InvalidInput when it has other columns."""
        table, at = _read(self._file)
        parser = _Parser(at, self.state)
        for row in table.rows:
            if row.problem is not None:
                yield [RowError(row.line, None, None, "row-unreadable", row.problem)]
            else:
                yield parser.row(row)

    def decide(self, row: ReportRow) -> None:
        """Record the report, unless it is on record."""
        commitment, context = self.state.of(row.stream, Commitment), self.state.context
        if commitment is None or not commitment.readers().include(context.actor):
            raise NotFound("unknown-commitment", "There is no such commitment.")
        # What somebody took back since is not to be said again by the same table.
        taken_back = [entry.event for entry, _ in commitment.retracted.values()]
        told = [*(one.entry.event for one in commitment.reports), *taken_back]
        if not any(isinstance(one, ProgressReported) and _says_the_same(row.reported, one) for one in told):
            self.state.record(row.stream, commitment.report_progress(row.reported, context))

    def refused(self, row: ReportRow, error: BitacoraError) -> RowError:
        """An error of the domain, pointed at the column that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        column = pointer.split("/")[1] if pointer else "code"
        column = column if column in row.cells else "code"
        return RowError(row.line, column, row.cells[column], error.code, error.message)


def _says_the_same(proposed: ProgressReported, recorded: ProgressReported) -> bool:
    """Whether a report on record is the one proposed; what the service filled in is no difference."""
    given = proposed.effective_on is not COMPUTED
    day = recorded.effective_on if given else COMPUTED
    return proposed == msgspec.structs.replace(recorded, number=COMPUTED, effective_on=day)


def _read(file: Path) -> tuple[Table, dict[str, int]]:
    """The table, however it parts its cells, and where its columns stand by their names of ours."""
    ours = {folded(name): own for own, other in COLUMNS.items() for name in (own, other)}
    for layout in possible_layouts(file):
        table = read_table(file, layout)
        at = {ours[folded(name)]: place for place, name in enumerate(table.columns) if folded(name) in ours}
        if all(name in at for name in _NEEDED):
            break
    else:
        raise InvalidInput(
            "columns-unknown",
            f"{file.name} lacks the columns `code` and `period` (`código`, `periodo`) in its first row.",
        )
    unknown = [name for name in table.columns if folded(name) not in ours and not name.startswith("#")]
    if unknown:
        known = ", ".join(COLUMNS)
        raise InvalidInput(
            "columns-unknown", f"'{unknown[0]}' is no column of progress reports; there are: {known}."
        )
    return table, at


class _Parser:
    """Makes reports of rows."""

    def __init__(self, at: dict[str, int], state: ImportState) -> None:
        self._at = at
        self._state = state
        self._no_value = NoValueReader(NoValue())
        self._day = DateReader(_DAYS, state.context.clock)
        self._texts = {
            column: FieldReader(
                name, Given(column=column), types_of(of)[name], Numbers(), state.context.clock
            )
            for column, (name, of) in _TEXTS.items()
            if column in at
        }

    def row(self, row: Row) -> ReportRow | list[RowError]:
        """The report, or everything that is wrong with the row."""
        given = ((name, row.cells[place]) for name, place in self._at.items())
        broken = [
            error for name, cell in given if (error := broken_cell(row.line, name, cell, self._says_nothing))
        ]
        if broken:
            return broken
        cells = Cells(row, self._at, self._no_value)
        code = cells.name("code", "code-missing", "Which commitment is it about?")
        period = cells.name("period", "value-missing", "Which period is it about?")
        ends_on = date.min
        try:
            if period:
                ends_on = period_named(period).ends_on
        except InvalidInput as error:
            cells.fault("period", error.code, error.message)
        day = self._day_in(cells, "effective_on")
        proposed: dict[str, Any] = {
            "period": period,
            "observed_progress": self._text(cells, "observed_progress"),
            "stage": self._text(cells, "stage"),
            "percent": self._percent(cells),
            "no_change": self._no_change(cells),
            "evidence": self._evidence(cells),
            "source": self._text(cells, "source"),
            "source_on": self._day_in(cells, "source_on"),
            "received_on": self._day_in(cells, "received_on"),
        }
        if cells.errors:
            return cells.errors
        if day is not None:
            proposed["effective_on"] = day
        stream = stream_of("commitment", self._state.spelling("commitment", code))
        return ReportRow(
            line=row.line,
            key=(stream, period, day),
            order=(ends_on, day or date.max),
            stream=stream,
            code=code,
            reported=ProgressReported(**proposed),
            cells={name: text_of(row.cells[place]) for name, place in self._at.items()},
        )

    def _says_nothing(self, _column: str, text: str) -> bool:
        return self._no_value.is_blank(text)

    def _text(self, cells: Cells, column: str) -> str | None:
        text: str | None = self._texts[column](cells) if column in self._texts else None
        return plain(text) if text is not None and column in _OF_ONE_LINE else text

    def _day_in(self, cells: Cells, column: str) -> date | None:
        return cells.value(column, self._day) if column in self._at else None

    def _percent(self, cells: Cells) -> Any:
        return cells.value("percent", _PERCENT) if "percent" in self._at else None

    def _evidence(self, cells: Cells) -> tuple[Evidence, ...]:
        description = self._text(cells, "evidence")
        url = self._text(cells, "evidence_url")
        if url is not None and description is None:
            cells.fault("evidence_url", "value-missing", "What is to be found there? Say so in `evidence`.")
        return () if description is None else (Evidence(description=description, url=url),)

    def _no_change(self, cells: Cells) -> bool:
        if "no_change" not in self._at:
            return False
        cell = cells.cell("no_change")
        if isinstance(cell, TypedCell) and isinstance(cell.value, bool):
            return cell.value
        word = folded(text_of(cell))
        if word and word not in _YES | _NO:
            cells.fault("no_change", "value-unknown", "Write true or false, sí or no.")
        return word in _YES


class _Percent:
    """Reads a percentage as either of two halves of the world writes it: `62.5`, `62,5`, with a sign or without."""

    unreadable = ("number-unreadable", "It is no percentage: write 62.5.")

    def __init__(self) -> None:
        self._readers: Sequence[PercentReader] = [
            PercentReader(Numbers(thousands="", decimal=decimal), 100) for decimal in ".,"
        ]

    def __call__(self, cell: Any) -> Any:
        return next((value for read in self._readers if (value := read(cell)) is not None), None)


_PERCENT: Final = _Percent()
