"""From the rows of a table of indicators to what they say: definitions, targets, planned values and values found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.commitments.importing.indicator_mapping import (
    NEEDED,
    IndicatorMapping,
    RowPeriod,
    RowValue,
    Target,
)
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.events.indicators import Baseline, DataSource, IndicatorDefined, MeasurementRecorded, TargetSet
from shared.events.types import LONGEST_LINE
from shared.rules.periods import Period, period_named, period_with
from shared.tabular.cells import Cells, DateReader
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldReader, FieldsReader, column_of, types_of
from shared.tabular.mapping import Named
from shared.tabular.tables import CodeReader, DayReader, RowParser, TableRow
from shared.tabular.text import by_word, folded, plain
from shared.tabular.workbook import TypedCell, text_of

_YEAR_FIRST: Final = re.compile(r"([12][0-9]{3})[ -]?([THSCQ])([1-4])", re.IGNORECASE)
_YEAR_LAST: Final = re.compile(r"([THSCQ])([1-4])[ .-]*([12][0-9]{3})", re.IGNORECASE)


class Spelled(NamedTuple):
    """An organisation as a row names it."""

    column: str | None
    spelling: str


class Promised(NamedTuple):
    """A target of a row, and the column of its value."""

    column: str | None
    target: TargetSet


class PlannedCell(NamedTuple):
    """A planned value, and the day it is planned for."""

    column: str
    on: date
    value: Decimal


class Found(NamedTuple):
    """A value found for a period, None where the cell is blank; `published_on` only where the table says so."""

    column: str
    period: Period
    value: Decimal | None
    published_on: date | None


class IndicatorRow(TableRow, frozen=True, kw_only=True):
    """What one row says of one indicator."""

    ALIKE = "the same value of the same indicator"

    code: str
    day: date | None
    """From which its definition, its targets and its plan hold."""
    definition: dict[str, Any]
    """What it gives of the definition, but for the supplier, who is a spelling yet."""
    supplier: Spelled | None
    independent: bool | None
    statistic: str | None
    commitments: tuple[str, ...]
    """The codes of those it measures."""
    targets: tuple[Promised, ...]
    planned: tuple[PlannedCell, ...]
    found: tuple[Found, ...]
    source: str | None
    """Of the values found: the publication, who supplied them, and why one was revised."""
    supplied_by: Spelled | None
    reason: str | None
    prose: tuple[str, ...]
    """The columns of figures in which there is prose."""


class IndicatorParser(RowParser[IndicatorMapping, IndicatorRow]):
    """Parses the rows of one table of indicators."""

    def __init__(self, mapping: IndicatorMapping, columns: Sequence[str], state: ImportState) -> None:
        super().__init__(mapping, columns, state)
        clock = state.context.clock
        self.broken: dict[UUID, int] = {}
        """The indicators of which a planned value cannot be read, and on which line."""
        self._code = CodeReader(mapping.code, "indicator", state)
        self._day = None if mapping.date is None else DayReader(mapping.date, state)
        self._definition = self._reader(mapping.fields, IndicatorDefined)
        self._baseline = self._reader(_members(mapping.baseline, "value", "on", "source"), Baseline)
        self._supplier = self._reader(_members(mapping.supplier, "independent", "name"), DataSource)
        self._commitment = (
            None if mapping.commitment is None else CodeReader(mapping.commitment, "commitment", state)
        )
        self._targets = [
            (one, self._reader(_members(one, *_OF_TARGET) | {"effective_on": one.set_on}, TargetSet))
            for one in mapping.targets
        ]
        values = mapping.measurements
        known = {"published_on": values.published_on, "source": values.source}
        self._known = self._reader(known, MeasurementRecorded)
        self._reason = self._reader({"reason": values.reason}, TargetSet)
        own = mapping.value
        self._period = None if own is None else _PeriodReader(own.period, clock)
        # Read as a yes or no, as `proxy` is one.
        hint = types_of(IndicatorDefined)["proxy"]
        self._is_planned = (
            None if own is None else FieldReader("planned", own.planned, hint, mapping.numbers, clock)
        )
        self._figures = [column for column in self._columns_of_figures() if column is not None]

    def _reader(self, given: dict[str, Any], of: type[Any]) -> FieldsReader:
        return FieldsReader(given, of, self.mapping.numbers, self.state.context.clock)

    def _columns_of_figures(self) -> Iterator[str | None]:
        mapping = self.mapping
        yield from (one.column for one in (*mapping.plan.values, *mapping.measurements.values))
        yield from (column_of(target.value) for target in mapping.targets)
        if mapping.baseline is not None:
            yield column_of(mapping.baseline.value)
        if mapping.value is not None:
            yield mapping.value.column

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> IndicatorRow:
        """What a row says of its indicator."""
        mapping = self.mapping
        code, stream = self._code(cells)
        moment = self._day(cells) if self._day is not None else None
        day = None if moment is None else moment.date()
        definition = self._definition(cells)
        if not definition.keys() & {*NEEDED}:
            definition = {}  # what is the same for all defines nothing by itself
        for name in NEEDED if definition else ():
            if name not in definition and not cells.errors:
                column = mapping.fields[name].column
                cells.fault(column, "value-missing", f"There is no definition without `{name}`.")
        baseline = self._part(cells, self._baseline, "on", mapping.baseline and mapping.baseline.on)
        if baseline is not None:
            definition["baseline"] = Baseline(**baseline)
        supplier = self._spelled(cells, mapping.supplier)
        supplied = self._supplier(cells)
        known = self._known(cells)
        planned, found = self._columns(cells, known.get("published_on"))
        if mapping.value is not None:
            is_planned = self._value(cells, mapping.value, planned, found, known.get("published_on"))
            if is_planned and cells.errors:
                self.broken.setdefault(stream, line)
        published = max((one.published_on or date.min for one in found), default=date.min)
        return IndicatorRow(
            line=line,
            key=(
                code,
                day,
                *((one.period.name, one.published_on) for one in found if mapping.value),
                *(one.on for one in planned if mapping.value),
            ),
            order=(day or date.min, published),
            stream=stream,
            code=code,
            day=day,
            definition=definition,
            supplier=supplier,
            independent=supplied.get("independent"),
            statistic=supplied.get("name"),
            commitments=self._commitments(cells),
            targets=tuple(self._promised(cells, day)),
            planned=tuple(planned),
            found=tuple(found),
            source=known.get("source"),
            supplied_by=self._supplied_by(cells),
            reason=self._reason(cells).get("reason"),
            prose=tuple(column for column in self._figures if isinstance(cells.said.get(column), str)),
            **row,
        )

    def _part(self, cells: Cells, read: FieldsReader, needed: str, given: object) -> dict[str, Any] | None:
        """A value with the day it is of; None when there is no value, a fault when there is no day."""
        part = read(cells)
        if "value" not in part:
            return None
        if needed not in part:
            if column_of(given) in {error.column for error in cells.errors}:
                return None
            cells.fault(
                column_of(given), "value-missing", "There is a value here, and no day that it is for."
            )
            return None
        return part

    def _spelled(self, cells: Cells, given: Named | None) -> Spelled | None:
        if given is None:
            return None
        if given.column is None:
            return Spelled(None, given.code or "")
        spelling = cells.prose(given.column, LONGEST_LINE)
        return None if spelling is None else Spelled(given.column, plain(spelling))

    def _supplied_by(self, cells: Cells) -> Spelled | None:
        given = self.mapping.measurements.supplied_by
        column = column_of(given)
        if column is None:
            return Spelled(None, str(given)) if isinstance(given, str) else None
        spelling = cells.prose(column, LONGEST_LINE)
        return None if spelling is None else Spelled(column, plain(spelling))

    def _commitments(self, cells: Cells) -> tuple[str, ...]:
        given, read = self.mapping.commitment, self._commitment
        if given is None or read is None:
            return ()
        texts = [plain(text_of(cells.cell(column))) for column in given.columns]
        for column, text in zip(given.columns, texts, strict=True):
            cells.said[column] = text
        if all(map(self.no_value.is_blank, texts)):
            return ()
        if given.separator is None:
            return (read.of(*texts)[0],)
        *first, last = texts
        each = [one.strip() for one in last.split(given.separator) if one.strip()]
        return tuple(dict.fromkeys(read.of(*first, one)[0] for one in each))

    def _promised(self, cells: Cells, day: date | None) -> Iterator[Promised]:
        for given, read in self._targets:
            part = self._part(cells, read, "on", given.on)
            if part is not None:
                target = TargetSet(**{"effective_on": day or date.min} | part)
                yield Promised(column_of(given.value), target)

    def _columns(self, cells: Cells, published_on: date | None) -> tuple[list[PlannedCell], list[Found]]:
        """The values that have columns of their own."""
        planned: list[PlannedCell] = []
        found: list[Found] = []
        for one in self.mapping.plan.values:
            value = cells.value(one.column, self.number)
            if value is not None:
                planned.append(PlannedCell(one.column, period_named(one.period).ends_on, value))
        for one in self.mapping.measurements.values:
            value = cells.value(one.column, self.number)
            day = one.published_on or published_on
            found.append(Found(one.column, period_named(one.period), value, day))
        return planned, found

    def _value(
        self,
        cells: Cells,
        given: RowValue,
        planned: list[PlannedCell],
        found: list[Found],
        published_on: date | None,
    ) -> bool:
        """The value that the row is about; returns whether it is a planned one."""
        assert self._period is not None
        assert self._is_planned is not None
        value = cells.value(given.column, self.number)
        period, is_planned = self._period(cells), bool(self._is_planned(cells))
        if period is not None and not is_planned:
            found.append(Found(given.column, period, value, published_on))
        elif period is not None and value is not None:
            planned.append(PlannedCell(given.column, period.ends_on, value))
        return is_planned


_OF_TARGET: Final = ("value", "on", "accumulation", "from_on", "relative_to", "tolerance", "reason")


def _members(section: Target | Any | None, *names: str) -> dict[str, Any]:
    return {} if section is None else {name: getattr(section, name) for name in names}


class _PeriodReader:
    """Reads the period that a row is about."""

    def __init__(self, given: RowPeriod, clock: Clock) -> None:
        self._given = given
        self._values = by_word(given.values)
        self._day = DateReader(given, clock)
        self._letters = {"H": "H", "S": "H", "C": "C", "Q": "Q"}
        if given.t_means is not None:
            self._letters["T"] = "Q" if given.t_means == "quarter" else "C"

    def __call__(self, cells: Cells) -> Period | None:
        """The period; None, and a fault, when there is none."""
        column = self._given.column
        cell = cells.cell(column)
        name = self._values.get(folded(text_of(cell))) or self._named(plain(text_of(cell)))
        period: Period | None = None
        is_day = isinstance(cell, TypedCell) and isinstance(cell.value, datetime)
        try:
            period = None if is_day else period_named(name)
        except InvalidInput as error:
            problem = error.message
        else:
            problem = "It names no period."
        if period is None and self._given.length is not None:
            day = self._day(cell)
            period = None if day is None else period_named(period_with(day, self._given.length))
        if period is None:
            cells.fault(column, "period-unreadable", problem)
        cells.said[column] = period and period.name
        return period

    def _named(self, text: str) -> str:
        """The name of a period as the record writes it, where it is only written in another order or letter."""
        if (found := _YEAR_FIRST.fullmatch(text)) is not None:
            year, letter, part = found.groups()
        elif (found := _YEAR_LAST.fullmatch(text)) is not None:
            letter, part, year = found.groups()
        else:
            return text
        letter = letter.upper()
        return f"{year}-{self._letters.get(letter, letter)}{part}"
