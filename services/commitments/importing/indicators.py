"""Row decisions: what a row adds to an indicator, given what the record holds of it.

As with commitments, a row is compared with what *this table* and others said before, and what people recorded since is
left alone. Planned values hold together: those of all rows of one indicator and one day are one trajectory.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from services.commitments.commitment.model import Commitment
from services.commitments.importing.indicator_mapping import NEEDED, IndicatorMapping
from services.commitments.importing.indicator_rows import (
    Found,
    IndicatorParser,
    IndicatorRow,
    PlannedCell,
    Promised,
    Spelled,
)
from services.commitments.importing.leads import Leads, NamingReport
from services.commitments.indicator.model import Indicator, define
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import NewEvent, Recorded
from shared.events.facts import COMPUTED, Event
from shared.events.indicators import (
    CommitmentMeasured,
    DataSource,
    DefinitionFields,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
    PlannedValue,
    TargetSet,
    TrajectorySet,
)
from shared.events.streams import stream_of
from shared.rules.dated_facts import History
from shared.rules.decimals import exactly
from shared.rules.guards import still_there
from shared.rules.indicator_facts import Definition, fields_in
from shared.rules.periods import stored_period
from shared.tabular.engine import ImportState
from shared.tabular.report import IMPORTED, RowError
from shared.tabular.tables import TableImport, attribution

T = TypeVar("T")


class ImportedIndicator(Indicator):
    """An indicator that knows what tables said of it, apart from what people say of the same."""

    __slots__ = ("_definition", "_measured", "_plans", "_targets", "_values")

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self._definition: dict[str, History[Any]] = {}
        """What tables said of each field of the definition."""
        self._targets: dict[tuple[date, date], TargetSet] = {}
        """The targets of tables, by the day they were set on and the day they are for."""
        self._plans: dict[date, tuple[PlannedValue, ...]] = {}
        """The plans of tables, by the day they were laid down."""
        self._values: dict[str, list[tuple[date, Any]]] = defaultdict(list)
        """The values of tables by their periods, each with the day it was published."""
        self._measured: set[str] = set()
        """The commitments that tables said it measures as well."""
        self._take_in(recorded)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event."""
        super().apply(recorded)
        self._take_in(recorded)

    def take_in(self, recorded: Recorded, retracted: Mapping[int, int]) -> None:
        """See `Aggregate.take_in`: what a table said and somebody took back, the same table is not to say again."""
        super().take_in(recorded, retracted)
        if recorded.version in retracted:
            self._take_in(recorded)

    def _take_in(self, recorded: Recorded) -> None:
        if not recorded.correlation_id.startswith(IMPORTED):
            return
        match event := recorded.data:
            case IndicatorDefined():
                for name in Definition.__struct_fields__:
                    self._say(name, event.effective_on, recorded.position, getattr(event, name))
            case IndicatorDefinitionChanged():
                for name, value in fields_in(event.changes).items():
                    self._say(name, event.effective_on, recorded.position, value)
            case TargetSet():
                self._targets[event.effective_on, event.on] = event
            case TrajectorySet():
                self._plans[event.effective_on] = event.points
            case MeasurementRecorded() | MeasurementCorrected():
                period = stored_period(event.period).name
                self._values[period].append((event.published_on, event.value))
            case CommitmentMeasured():
                (self._measured.add if event.measured else self._measured.discard)(event.commitment)
            case _:
                pass

    def _say(self, name: str, day: date, position: int, value: object) -> None:
        self._definition.setdefault(name, History(None, 0)).add(day, position, value)

    def told_of(self, name: str, day: date) -> object:
        """What tables said that a field of the definition is on a day; None when they did not."""
        history = self._definition.get(name)
        return None if history is None else history.on(day)[0]

    def told_target(self, target: TargetSet) -> bool:
        """Whether a table said this very target before, and no other since for the same days."""
        told = self._targets.get((target.effective_on, target.on))
        return told is not None and (
            (told.value, told.accumulation, told.relative_to, told.tolerance or None)
            == (target.value, target.accumulation, target.relative_to, target.tolerance or None)
            and target.from_on in (None, told.from_on)
        )

    def told_plan(self, day: date) -> tuple[PlannedValue, ...] | None:
        """The plan that a table laid down for a day."""
        return self._plans.get(day)

    def told_values(self, period: str) -> list[tuple[date, Any]]:
        """The values that tables gave for a period, in the order in which they did, each with its day."""
        return self._values.get(period, [])

    @property
    def measured_by_tables(self) -> frozenset[str]:
        """The commitments that tables said it measures besides that of its definition."""
        return frozenset(self._measured)


class IndicatorImport(TableImport[IndicatorMapping, IndicatorRow, NamingReport]):
    """An import of a table in which a row is an indicator, or one value of an indicator."""

    BEGINS_WITH = IndicatorDefined
    MAPPING = IndicatorMapping

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self.leads = Leads(state, self.mapping, self.mapping.supplier)
        self._planned: dict[tuple[UUID, date], list[PlannedCell]] = defaultdict(list)
        self._laid_down: set[tuple[UUID, date]] = set()
        """The plans that this run recorded: each row that has a part in one is on record with it."""

    def reported(self, file: str, source: str) -> NamingReport:
        """See `TableImport.reported`."""
        return NamingReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> IndicatorParser:
        """See `TableImport.parser`."""
        self._parser = IndicatorParser(self.mapping, columns, self.state)
        return self._parser

    def prepare(self, rows: Sequence[IndicatorRow]) -> None:
        """Gather the planned values of each indicator, whichever rows they are in."""
        for row in rows:
            if row.planned and row.day is not None:
                self._planned[row.stream, row.day] += row.planned

    def planned(self, row: IndicatorRow) -> tuple[PlannedValue, ...]:
        """The whole plan that a row has a part in; RuleBroken where another part of it cannot go in."""
        assert row.day is not None
        line = self._parser.broken.get(row.stream)
        if line is not None:
            raise RuleBroken(
                "plan-incomplete",
                f"Another planned value of '{row.code}', on line {line}, cannot be read: a plan goes in as a whole.",
            )
        cells = sorted(self._planned[row.stream, row.day], key=lambda cell: cell.on)
        values = [cell.value for cell in cells]
        if self.mapping.plan.add_up:
            with exactly():
                values = [*accumulate(values)]
        return tuple(PlannedValue(on=cell.on, value=value) for cell, value in zip(cells, values, strict=True))

    def laid_down(self, row: IndicatorRow) -> None:
        """The plan of a row is recorded with it."""
        assert row.day is not None
        self._laid_down.add((row.stream, row.day))

    def adds(self, row: IndicatorRow, added: Sequence[NewEvent]) -> bool:
        """See `Importer.adds`: what a row says may be on record by another that has a part in the same plan."""
        shared = row.planned and row.day is not None and (row.stream, row.day) in self._laid_down
        return bool(shared) or super().adds(row, added)

    def decide(self, row: IndicatorRow) -> list[RowError]:
        """Record what the record does not know of the row yet; what of the row it will not know is returned."""
        self.column = self.mapping.code.columns[0]
        indicator = self.state.of(row.stream, ImportedIndicator)
        begins = indicator is None
        if indicator is None:
            if not {*NEEDED} <= row.definition.keys() or row.day is None:
                raise InvalidInput(
                    "unknown-indicator", f"There is no indicator '{row.code}', and the row defines none."
                )
            self.state.record(row.stream, self._defined(row, row.day))
            indicator = self.state.of(row.stream, ImportedIndicator)
            assert indicator is not None
        return _Facts(self, row, indicator).record(begins=begins)

    def _defined(self, row: IndicatorRow, day: date) -> IndicatorDefined:
        commitment = next(iter(row.commitments), None)
        if commitment is not None:
            self.must_be_commitment(commitment)
        proposed = IndicatorDefined(
            code=row.code,
            effective_on=day,
            visibility=self.mapping.visibility,
            commitment=commitment,
            source=self.source(row, day),
            **row.definition,
        )
        return define(proposed, self.state.context)

    def must_be_commitment(self, code: str) -> None:
        """The commitment that an indicator measures is on record."""
        given = self.mapping.commitment
        self.column = None if given is None else given.columns[0]
        if self.state.of(stream_of("commitment", code), Commitment) is None:
            raise InvalidInput("indicator-commitment-unknown", f"There is no commitment '{code}'.")

    def source(self, row: IndicatorRow, day: date) -> DataSource | None:
        """Who supplies the values, by the row."""
        code = self.organization(row.supplier, day)
        if code is None:
            return None
        return DataSource(organization=code, independent=bool(row.independent), name=row.statistic)

    def organization(self, named: Spelled | None, day: date) -> str | None:
        """The code of the organisation that a row names, there on that day."""
        if named is None:
            return None
        self.column = named.column
        code = self.leads.code_of(named.spelling, day)
        return still_there(code, day, self.leads.known.heirs_on)

    def columns_by_field(self) -> dict[str, str | None]:
        """See `TableImport.columns_by_field`."""
        mapping = self.mapping
        day = None if mapping.date is None else mapping.date.column
        return {name: given.column for name, given in mapping.fields.items()} | {
            "code": mapping.code.columns[0],
            **({"effective_on": day} if day is not None else {}),
        }


class _Facts:
    """The facts of one row, each decided when the one before it is recorded."""

    def __init__(self, of: IndicatorImport, row: IndicatorRow, indicator: ImportedIndicator) -> None:
        self._of = of
        self._row = row
        self._indicator = indicator
        self._context = of.state.context
        self._reason = attribution(of.mapping.source, row.day)
        self._left_out: list[RowError] = []

    def record(self, *, begins: bool) -> list[RowError]:
        """All of them, in turn; returns what of the row is left out."""
        row = self._row
        for column in row.prose:
            self._leave_out(
                column, "prose-for-a-figure", "Nothing is recorded of a figure that is not given."
            )
        if row.day is not None:
            if row.definition and not begins:
                self._definition(row.day)
            if row.commitments:
                self._commitments(row.day)
        for promised in row.targets:
            self._target(promised)
        if row.planned:
            self._plan()
        for found in row.found:
            self._value(found)
        return self._left_out

    def _record(self, event: Event) -> None:
        self._of.state.record(self._row.stream, event)

    def _leave_out(self, column: str | None, code: str, reason: str) -> None:
        self._left_out.append(self._row.error(column, code, reason))

    def _definition(self, day: date) -> None:
        """Fields that are others from the row's day on, by what the table says now and did not say before."""
        given = dict(self._row.definition)
        source = self._of.source(self._row, day)
        if source is not None:
            given["source"] = source
        present = self._indicator.facts.definition_on(day)
        changes = {
            name: value
            for name, value in given.items()
            if value not in (getattr(present, name), self._indicator.told_of(name, day))
        }
        if changes:
            self._of.column = next(
                (self._of.mapping.fields[name].column for name in changes if name in self._of.mapping.fields),
                None,
            )
            proposed = IndicatorDefinitionChanged(
                changes=DefinitionFields(**changes), reason=self._reason, effective_on=day
            )
            self._record(self._indicator.change_definition(proposed, self._context))

    def _commitments(self, day: date) -> None:
        indicator, listed = self._indicator, self._row.commitments
        for code in listed:
            told = code in indicator.measured_by_tables
            if code != indicator.commitment and not indicator.measures_on(code, day) and not told:
                self._of.must_be_commitment(code)
                self._measure(code, day, measured=True)
        for code in sorted(indicator.measured_by_tables - {*listed}):
            if indicator.measures_on(code, day):
                self._measure(code, day, measured=False)

    def _measure(self, code: str, day: date, *, measured: bool) -> None:
        proposed = CommitmentMeasured(
            commitment=code, measured=measured, reason=self._reason, effective_on=day
        )
        self._record(self._indicator.measure(proposed, self._context))

    def _target(self, promised: Promised) -> None:
        target = promised.target
        if self._indicator.told_target(target):
            return
        self._of.column = promised.column
        if self._indicator.facts.targets and not (target.reason or "").strip():
            target = msgspec.structs.replace(target, reason=self._reason)
        try:
            self._record(self._indicator.set_target(target, self._context))
        except RuleBroken as error:
            if error.code != "target-unchanged":
                raise

    def _plan(self) -> None:
        row, indicator = self._row, self._indicator
        assert row.day is not None
        self._of.column = row.planned[0].column
        points = self._of.planned(row)
        present = indicator.facts.trajectories_in_force.on(row.day)[0]
        if points in (present and present.points, indicator.told_plan(row.day)):
            return
        reason = None if present is None else self._reason
        proposed = TrajectorySet(points=points, effective_on=row.day, reason=reason)
        self._record(indicator.set_trajectory(proposed, self._context))
        self._of.laid_down(row)

    def _value(self, found: Found) -> None:
        """A value, or a revision of one: of what was found for a period, and of what tables said was found."""
        row, indicator, period = self._row, self._indicator, found.period.name
        told, measurement = indicator.told_values(period), indicator.facts.measurements.get(period)
        self._of.column = found.column
        if found.value is None:
            if told:
                reason = "This table gave a value here before, which stays: a blank says nothing."
                self._leave_out(found.column, "value-cleared", reason)
            return
        if self._is_known(found, told):
            return
        today = self._context.today
        if measurement is None:
            published_on = found.published_on or min(found.period.ends_on, today)
            proposed = MeasurementRecorded(
                period=period,
                value=found.value,
                published_on=published_on,
                source=row.source or self._of.mapping.source,
                supplied_by=self._of.organization(row.supplied_by, published_on),
            )
            self._of.column = found.column
            self._record(indicator.record_measurement(proposed, self._context))
        else:
            corrected = MeasurementCorrected(
                period=period,
                value=found.value,
                previous=COMPUTED,
                reason=row.reason or self._reason,
                # A revision is news on the day it is published, as far as anybody says; else on that of the import.
                published_on=found.published_on or today,
            )
            self._record(indicator.correct_measurement(corrected, self._context))

    def _is_known(self, found: Found, told: list[tuple[date, Any]]) -> bool:
        measurement = self._indicator.facts.measurements.get(found.period.name)
        if found.published_on is None:
            said = told[-1][1] if told else None
            return found.value in (measurement and measurement.value, said)
        by_then = measurement and measurement.known_on(found.published_on)
        said = next((value for day, value in reversed(told) if day == found.published_on), None)
        return found.value in (by_then and by_then.value, said)
