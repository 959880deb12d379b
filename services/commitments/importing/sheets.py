"""Capture sheets: what a sheet that was filled in adds to the commitment it is about, by the rules of a table's row.

A sheet is one observation of one commitment on one day. It differs from a row in what the form has and no table: the
working team, documents, and milestones and costs by year. The form itself is in `shared/tabular/capture_sheet.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec

from services.commitments.commitment.model import RISKS, Milestone
from services.commitments.importing.decisions import CommitmentImport, ImportedCommitment, RowFacts
from services.commitments.importing.mapping import TOLD, Budget, Figure, Mapping, ObservedOn, Risks, Title
from services.commitments.importing.parsing import CommitmentRow
from shared.errors import BitacoraError, InvalidInput
from shared.events.commitments import BudgetEstimated, BudgetLine, MilestoneSet, RisksAssessed, TeamMember
from shared.events.facts import COMPUTED
from shared.events.streams import stream_of
from shared.rules.guards import well_formed_code
from shared.tabular.capture_sheet import (
    CaptureSheet,
    FilledSheet,
    Step,
    fits_the_form,
    read_capture_sheets,
)
from shared.tabular.engine import ImportState
from shared.tabular.mapping import Code, Given, Named
from shared.tabular.report import RowError
from shared.tabular.tables import TableRow
from shared.tabular.workbook import Cell

SOURCE: Final = "Capture sheet"
"""How what is recorded names the sheet it is from."""

_FIELDS: Final = TOLD & {*CaptureSheet.__struct_fields__}
"""What a sheet gives of the registration besides code, title and lead."""

# What stands for a column here is a field of the form.
_RISKS: Final[dict[str, Any]] = {**dict.fromkeys(RISKS, "risks"), "description": "risk_description"}
_MAPPING: Final = Mapping(
    source=SOURCE,
    code=Code(columns=("code",)),
    title=Title(column="title", renamed="change"),
    date=ObservedOn(column="on"),
    lead=Named(column="lead_organization"),
    fields={name: Given(column=name) for name in sorted(_FIELDS)},
    risks=Risks(**_RISKS),
    budget=Budget(currency="CLP", figures=(Figure(column="budget"),)),
)


class SheetRow(CommitmentRow, frozen=True, kw_only=True):
    """A capture sheet as the observation of a commitment."""

    filled: FilledSheet

    def difference(self, earlier: TableRow) -> RowError | None:
        """Another value in a field of the form, however the sheet has it."""
        assert isinstance(earlier, SheetRow)
        says, said = self.filled.says, earlier.filled.says
        for name in CaptureSheet.__struct_fields__:
            if getattr(says, name) != getattr(said, name):
                reason = f"The sheet '{earlier.filled.name}' tells of {self.ALIKE} and differs."
                return self.error(name, "conflicting-row", reason)
        return None

    def error(self, column: str | None, code: str, reason: str) -> RowError:
        """What is wrong with the cell of a field, or of a place within it."""
        return self.filled.error(column or "code", code, reason)


class CaptureSheetImport(CommitmentImport):
    """An import of a workbook in which each capture sheet is of one commitment on one day."""

    def __init__(self, state: ImportState, file: Path) -> None:
        super().__init__(state, file, _MAPPING)

    def parse(self) -> Iterator[CommitmentRow | list[RowError] | None]:
        """The capture sheets of the workbook; None for one that is blank."""
        for filled in read_capture_sheets(self._file):
            yield None if filled is None else self._row(filled)

    def _row(self, filled: FilledSheet) -> SheetRow | list[RowError]:
        says, place = filled.says, filled.places["code"]
        try:
            code = well_formed_code(says.code or "")
        except InvalidInput as error:
            return filled.errors or [filled.error("code", error.code, error.message)]
        if filled.errors or says.on is None:
            return filled.errors
        code = self.state.spelling("commitment", code)
        risks = None
        if says.risks:
            risks = RisksAssessed(effective_on=says.on, description=says.risk_description, **says.risks)
        elif says.risk_description is not None:
            reason = "It describes risks of which none is rated."
            return [filled.error("risk_description", "no-risk-rated", reason)]
        cells: dict[str, Cell] = {
            name: filled.places[name].text if name in filled.places else ""
            for name in CaptureSheet.__struct_fields__
        }
        return SheetRow(
            line=place.row,
            order=says.on,
            stream=stream_of("commitment", code),
            key=(code, says.on),
            code=code,
            day=says.on,
            title=says.title or "",
            lead=says.lead_organization or "",
            fields={name: value for name in _FIELDS if (value := getattr(says, name)) not in (None, ())},
            assessed=None,
            deadlines={},
            reported=None,
            estimated=BudgetEstimated(effective_on=says.on, lines=says.budget, source=SOURCE)
            if says.budget
            else None,
            risks=risks,
            state=None,
            milestones={},
            sheet=filled.name,
            moment=datetime.combine(says.on, time()),
            said={},
            cells=cells,
            filled=filled,
        )

    def facts(self, row: CommitmentRow, lead: str, commitment: ImportedCommitment) -> RowFacts:
        """See `CommitmentImport.facts`."""
        assert isinstance(row, SheetRow)
        return _SheetFacts(self, row, lead, commitment)

    def refused(self, row: CommitmentRow, error: BitacoraError) -> RowError:
        """An error of the domain, at the cell that gave what it complains of."""
        pointer = (error.pointer if isinstance(error, InvalidInput) else "").strip("/")
        field, _, within = pointer.partition("/")
        if field == "value":
            # Of a change or a correction: the field that it is of.
            pointer = f"{self.column}/{within}" if within else self.column or "code"
        elif field not in row.cells and field not in RISKS:
            pointer = {"effective_on": "on", "lines": f"budget/{within}"}.get(field, self.column or "code")
        return row.error(pointer, error.code, error.message)


class _SheetFacts(RowFacts):
    """The facts of one sheet: as of a row, and those of the blocks that no table has."""

    def __init__(
        self, of: CaptureSheetImport, row: SheetRow, lead: str, commitment: ImportedCommitment
    ) -> None:
        team = row.fields.get("working_team")
        if team is not None:
            held = commitment.dated.registration_on(max(row.day, commitment.dated.first_day)).working_team
            fields = {**row.fields, "working_team": _with_persons(team, held)}
            row = msgspec.structs.replace(row, fields=fields)
        super().__init__(of, row, lead, commitment)
        self._filled = row.filled

    def _budget(self, given: Budget) -> None:
        """Costs by year that are not those on record; what the form has no place for is estimated as it was."""
        column = given.figures[0].column
        slot = ("budget", self._day, SOURCE)
        estimated = self._row.estimated
        if estimated is None:
            if self._commitment.told(slot):
                self._cleared(column)
            return
        entry = self._commitment.budgets.on(self._day)[0]
        held: Sequence[BudgetLine] = () if entry is None else entry.event.lines
        before = self._commitment.told_in(slot) or ()
        told = _comparable(estimated.lines)
        if told in (_comparable(held), _comparable(before)):
            return
        beside = tuple(line for line in held if not fits_the_form(line))
        estimated = msgspec.structs.replace(estimated, lines=(*estimated.lines, *beside))
        self._propose(column, estimated, self._commitment.estimate_budget)

    def _milestones(self) -> None:
        """Each by its name and its year; one that is open, and that the sheet has no longer in its year, has moved."""
        for number, told in sorted(enumerate(self._asked), key=lambda one: one[1].due_on):
            before, superseded = (
                self._commitment.due_days_told(told.name, self._day),
                self._is_superseded(told),
            )
            if any(_is(step, told) for step in self._named(told.name)) or told.due_on in before or superseded:
                continue  # so it stands, or it was moved since
            at, step = f"milestones/{number}", self._replanned(told)
            planned = MilestoneSet(
                number=COMPUTED,
                name=told.name,
                due_on=told.due_on,
                reason=self._reason,
                effective_on=self._day,
            )
            if step is not None and step.completion is not None:
                reason = f"It was reached on {step.completion.event.completed_on}, and is not planned anew."
                self._left_out.append(self._row.error(at, "milestone-completed", reason))
                continue
            if step is not None:
                planned = msgspec.structs.replace(
                    planned, number=step.number, description=step.plan.event.description
                )
            self._propose(at, planned, self._commitment.set_milestone)
        gone = [step.plan.event for step in self._commitment.milestones if not self._has(step)]
        if any(plan.due_on in self._commitment.due_days_told(plan.name, self._day) for plan in gone):
            self._cleared("milestones")

    def _replanned(self, told: Step) -> Milestone | None:
        """The milestone on record that a cell plans anew: of its name, and in no cell as it stands."""
        left = [step for step in self._named(told.name) if not self._has(step)]
        of_year = [step for step in left if step.plan.event.due_on.year == told.year]
        return next(iter(of_year + [step for step in left if step.completion is None]), None)

    def _is_superseded(self, told: Step) -> bool:
        """Whether a sheet of a later day plans milestones of that name."""
        return self._commitment.planned(told.name, self._day)[1]

    def _has(self, step: Milestone) -> bool:
        return any(_is(step, told) for told in self._asked)

    @property
    def _asked(self) -> Sequence[Step]:
        return self._filled.says.milestones

    def _named(self, name: str) -> list[Milestone]:
        return [step for step in self._commitment.milestones if step.plan.event.name == name]


def _is(step: Milestone, told: Step) -> bool:
    """Whether a milestone on record is the one that a cell has; a cell without a day means any day of its year."""
    plan = step.plan.event
    same_day = plan.due_on == told.on if told.on else plan.due_on.year == told.year
    return plan.name == told.name and same_day


def _comparable(lines: object) -> Collection[tuple[object, ...]]:
    """The figures that have a place in the form, in no order, however they are written."""
    assert isinstance(lines, Sequence)
    return {
        (line.year, line.currency, line.price_base, Decimal(line.amount))
        for line in lines
        if fits_the_form(line)
    }


def _with_persons(team: Sequence[TeamMember], held: Sequence[TeamMember]) -> tuple[TeamMember, ...]:
    """A team of which the sheet does not say who has a seat: whoever has it on record."""
    seats = {msgspec.structs.replace(one, subject=None): one for one in held}
    return tuple(seats.get(one, one) for one in team)
