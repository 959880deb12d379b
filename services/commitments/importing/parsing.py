"""From a row of the table to what it says: one commitment, observed on one day.

Everything that can be wrong with the cells of a row is found here, all of it at once, before the record is looked at.
What needs no look at the record is already an event as the domain is asked for it: a rating, a report, an estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from services.commitments.importing.mapping import (
    LISTS,
    Deadline,
    Given,
    Mapping,
    Milestone,
    OwnMilestone,
    State,
)
from shared.errors import InvalidInput
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Completed,
    Discarded,
    Evidence,
    ProgressReported,
)
from shared.events.streams import stream_of
from shared.events.types import LONGEST_LINE, LONGEST_TEXT
from shared.events.vocabulary import DeadlineKind, DiscardReason, Judgement
from shared.rules.dated_facts import FIELD_TYPES
from shared.rules.guards import well_formed_code
from shared.tabular.cells import (
    ERROR_VALUES,
    Cells,
    DateReader,
    NoValueReader,
    NumberReader,
    PercentReader,
    Unreadable,
    amount_text,
)
from shared.tabular.engine import ImportRow, ImportState
from shared.tabular.mapping import columns_of
from shared.tabular.reading import Row
from shared.tabular.report import RowError
from shared.tabular.text import by_word, folded, plain, slug_of, within_a_code
from shared.tabular.workbook import Cell, TypedCell, text_of

_PERIODS: Final[dict[str, Callable[[date], str]]] = {
    "year": lambda day: f"{day.year}",
    "half_year": lambda day: f"{day.year}-H{(day.month + 5) // 6}",
    "four_months": lambda day: f"{day.year}-C{(day.month + 3) // 4}",
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "month": lambda day: f"{day.year}-{day.month:02}",
}


class DeadlineCell(NamedTuple):
    """A day, or the prose that stands in its place."""

    on: date | None
    prose: str | None = None


class StateCell(NamedTuple):
    """What has come of it by the row, and the fact that says so; being open is none by itself."""

    state: Literal["achieved", "discarded", "open"]
    since: date
    closed: Completed | Discarded | None
    with_details: bool
    """Whether the table gave the day, the evidence or the reason, and did not leave them to us."""


class StepCell(NamedTuple):
    """A step on the way: when it is due and when it was reached, as far as the row says."""

    column: str
    due_on: date | None
    completed_column: str | None
    completed_on: date | None


class CommitmentRow(ImportRow, frozen=True, kw_only=True):
    """One commitment as one row tells of it."""

    code: str
    day: date
    title: str
    lead: str
    """A spelling yet."""
    fields: dict[str, Any]
    """What it gives of the registration."""
    assessed: Assessed | None
    deadlines: dict[DeadlineKind, DeadlineCell]
    reported: ProgressReported | None
    estimated: BudgetEstimated | None
    state: StateCell | None
    milestones: dict[str, StepCell]
    """By name."""
    sheet: str | None
    moment: datetime
    """The day with its hour, if it has one."""
    said: dict[str, object]
    """What was made of the columns that the mapping asks for, in the order of the table."""
    cells: dict[str, Cell]
    """What stands in them."""

    @property
    def since(self) -> date:
        """The first day on which the row shows the commitment to be there: what was done of it by then counts."""
        days = [self.day]
        if self.state is not None and self.state.closed is not None:
            days.append(self.state.since)
        days += [step.completed_on for step in self.milestones.values() if step.completed_on is not None]
        return min(days)

    def difference(self, earlier: CommitmentRow) -> RowError | None:
        """Another value in a column that the mapping asks for, however it is written."""
        for column, value in self.said.items():
            if value != earlier.said.get(column):
                where = f"Line {earlier.line}" + (f" of {earlier.sheet}" if earlier.sheet else "")
                reason = f"{where} tells of the same commitment on the same day and differs."
                text = text_of(self.cells[column])
                return RowError(self.line, column, text, "conflicting-row", reason, self.sheet)
        return None


def attribution(source: str, day: date) -> str:
    """How a fact names the table it is from, and the day it is for."""
    return f"According to {source}, as at {day}."


def make_code(cells: Iterable[str], prefix: str, *, slug: bool, width: int = 1) -> str:
    """The code of a commitment; digits alone get zeros in front up to `width`."""
    written = (plain(cell) for cell in cells)
    padded = (cell.zfill(width) if cell.isdecimal() else cell for cell in written)
    parts = (slug_of(cell) for cell in padded) if slug else padded
    code = prefix + "-".join(part for part in parts if part)
    return within_a_code(code) if slug else code


class Parser:
    """Parses the rows of one table by one mapping."""

    def __init__(self, mapping: Mapping, columns: Sequence[str], state: ImportState) -> None:
        self._mapping = mapping
        self._state = state
        at = {name: number for number, name in enumerate(columns)}
        self._index = {name: at[plain(name)] for _, name in columns_of(mapping)}
        """Where each column stands, by its name as the mapping writes it."""
        self._asked = sorted(self._index.items(), key=lambda asked: asked[1])
        self._no_value = NoValueReader(mapping.no_value)
        self._number = NumberReader(mapping.numbers)
        progress = mapping.progress
        self._percent = PercentReader(mapping.numbers, None if progress is None else progress.scale)
        clock = state.context.clock
        self._day = DateReader(mapping.date, clock)
        deadlines = {DeadlineKind.PUBLIC: mapping.deadline, DeadlineKind.INTERNAL: mapping.internal_deadline}
        self._deadlines = {
            kind: (given, DateReader(given, clock)) for kind, given in deadlines.items() if given is not None
        }
        own = () if mapping.milestone is None else (mapping.milestone,)
        given: tuple[Milestone | OwnMilestone, ...] = (*mapping.milestones, *own)
        self._milestones = [
            (one, DateReader(one, clock), None if one.completed is None else DateReader(one.completed, clock))
            for one in given
        ]
        ends = mapping.state
        self._states = by_word({} if ends is None else ends.values)
        self._reason_types = by_word({} if ends is None else ends.reason_types)
        self._state_on = None if ends is None or ends.on is None else DateReader(ends.on, clock)
        rating = mapping.rating
        self._no_rating = NoValueReader(*() if rating is None else (rating.none,))
        self._ratings = () if rating is None else rating.columns
        self._judgements = by_word({} if rating is None else rating.values)
        self._fields = [(name, given, by_word(given.values)) for name, given in mapping.fields.items()]
        self._organizations = mapping.codes_by_spelling()
        self._codes: dict[tuple[str, ...], tuple[str, UUID]] = {}
        """The code and the stream that the cells of `code.columns` have led to."""

    def doubts(self) -> Iterator[str]:
        """What the rows parsed so far suggest that the mapping meant otherwise."""
        progress = self._mapping.progress
        if progress is not None and self._percent.doubtful:
            yield (
                f"No number in '{progress.percent}' is above 1, and each is taken as a percentage: if 1 means "
                "finished there, say `scale = 1` under [progress], else `scale = 100`."
            )

    def row(self, row: Row) -> CommitmentRow | list[RowError]:
        """What a row says, or everything that is wrong with it."""
        parsed = self._parsed(row)
        if isinstance(parsed, list):
            for error in parsed:
                error.sheet = row.sheet
        return parsed

    def _parsed(self, row: Row) -> CommitmentRow | list[RowError]:
        if row.problem is not None:
            reason = f"The row cannot be made out: {row.problem}."
            return [RowError(row.line, None, None, "row-unreadable", reason)]
        asked = {name: row.cells[number] for name, number in self._asked}
        broken = [error for name, cell in asked.items() if (error := self._broken(row.line, name, cell))]
        if broken:
            return broken
        mapping, cells = self._mapping, Cells(row, self._index, self._no_value)
        # A row without a day is faulty, and told of everything else that is wrong with it all the same.
        moment = self._observed_at(cells) or datetime.combine(date.min, time())
        day = moment.date()
        code, stream = self._commitment(cells)
        title = cells.name(
            mapping.title.column, "title-missing", "Nothing in the row says what it is called."
        )
        cells.within(mapping.title.column, title, LONGEST_LINE)
        lead = mapping.lead.code or self._lead(cells, mapping.lead.column or "")
        parsed = CommitmentRow(
            line=row.line,
            order=day,
            stream=stream,
            code=code,
            day=day,
            title=title,
            lead=lead,
            assessed=self._assessed(cells, day),
            deadlines={
                kind: cell
                for kind, (given, read) in self._deadlines.items()
                if (cell := self._deadline(cells, given, read)) is not None
            },
            reported=self._reported(cells, day),
            estimated=self._estimated(cells, day),
            state=self._state_of(cells, day),
            milestones=(milestones := dict(self._steps(cells))),
            # Where milestones have rows of their own, a day of one commitment has several.
            key=(code, day, *(milestones if mapping.milestone else ())),
            fields=dict(self._registration(cells)),
            sheet=row.sheet,
            moment=moment,
            said={name: cells.said[name] for name in asked if name in cells.said},
            cells=asked,
        )
        return cells.errors or parsed

    def _broken(self, line: int, column: str, cell: Cell) -> RowError | None:
        """What is wrong with a cell whatever is asked of it."""
        if isinstance(cell, TypedCell):
            return RowError(line, column, None, "cell-error", cell.problem) if cell.problem else None
        if "\0" in cell:
            reason = "There is a NUL character in the cell."
            return RowError(line, column, None, "text-not-storable", reason)
        if cell.lstrip()[:1] not in {"#", "E"} or ERROR_VALUES.fullmatch(cell.strip()) is None:
            return None
        if self._no_value.is_blank(cell) or (column in self._ratings and self._no_rating.is_blank(cell)):
            return None
        reason = (
            "A formula failed here: mend it, or name what it shows among the words that stand for no value."
        )
        return RowError(line, column, cell, "cell-error", reason)

    def _lead(self, cells: Cells, column: str) -> str:
        spelling = cells.name(column, "lead-missing", "Nothing in the row says who leads it.")
        cells.said[column] = self._organizations.get(folded(spelling), folded(spelling))
        return spelling

    def _observed_at(self, cells: Cells) -> datetime | None:
        column, on = self._mapping.date.column, self._mapping.date.on
        if column is None:
            return None if on is None else datetime.combine(on, time())
        moment = self._day.moment(cells.cell(column))
        if moment is None:
            reason = "The day of the row is not in a format or table of the mapping."
            cells.fault(column, "date-unreadable", reason)
        return moment

    def _commitment(self, cells: Cells) -> tuple[str, UUID]:
        given = self._mapping.code
        texts = tuple([text_of(cells.cell(column)) for column in given.columns])
        found = self._codes.get(texts)
        if found is None:
            code = self._code(texts)
            found = self._codes[texts] = code, stream_of("commitment", code)
        if found[0] == given.prefix:
            cells.fault(given.columns[0], "code-missing", "Nothing in the row can be made a code of.")
        return found

    def _code(self, texts: Sequence[str]) -> str:
        given, state = self._mapping.code, self._state
        code = make_code(texts, given.prefix, slug=given.slug, width=given.width)
        # What stands on record under the code as it is written is meant, and not what a slug would make of it.
        written = make_code(texts, given.prefix, slug=False, width=given.width)
        on_record = state.on_record("commitment", written) if _well_formed(written) else None
        return on_record or state.spelling("commitment", code)

    def _assessed(self, cells: Cells, day: date) -> Assessed | None:
        given = self._mapping.rating
        if given is None:
            return None
        column = next((name for name in given.columns if cells.text(name).strip()), given.columns[0])
        rating = cells.text(column).strip()
        reason = cells.prose(given.reason, LONGEST_TEXT)
        judgement = self._judgements.get(folded(rating))
        if judgement is None:
            if not rating and given.blank == "nothing":
                return None
            if not (self._no_rating.is_blank(rating) or self._no_rating.is_prose(rating)):
                cells.fault(column, "rating-unknown", "The rating is not among the values of the mapping.")
                return None
        cells.within(column, rating, LONGEST_LINE)
        if reason is None and judgement is Judgement.AT_RISK:
            reason = f"“{rating}”, with no reason given. {attribution(self._mapping.source, day)}"
        return Assessed(
            effective_on=day, judgement=judgement, reason=reason, rating=rating, scale=given.scale
        )

    def _state_of(self, cells: Cells, day: date) -> StateCell | None:
        given = self._mapping.state
        if given is None:
            return None
        word = plain(cells.text(given.column))
        state = self._states.get(folded(word))
        if state is None:
            if not self._no_value.is_blank(word):
                cells.fault(given.column, "value-unknown", "It is not among the states of the mapping.")
            return None
        told_on = cells.value(given.on.column, self._state_on) if given.on and self._state_on else None
        since = told_on or day
        closed: Completed | Discarded | None = None
        told: str | None = None
        attributed = attribution(self._mapping.source, day)
        if state == "achieved":
            told = cells.prose(given.evidence, LONGEST_TEXT)
            url = cells.prose(given.evidence_url, LONGEST_TEXT)
            # Nobody is said to have shown more than the table does.
            evidence = Evidence(
                description=told or f"“{word}”, with no evidence given. {attributed}", url=url
            )
            closed = Completed(completed_on=since, evidence=(evidence,))
        elif state == "discarded":
            kind = self._reason_type(cells, given)
            told = cells.prose(given.reason, LONGEST_TEXT)
            if kind is not None:
                reason = told or f"“{word}”, with no reason given. {attributed}"
                closed = Discarded(reason_type=kind, reason=reason, effective_on=since)
        return StateCell(state, since, closed, with_details=told is not None or told_on is not None)

    def _steps(self, cells: Cells) -> Iterator[tuple[str, StepCell]]:
        for given, read, reached in self._milestones:
            name: str | None = given.name
            if isinstance(given, OwnMilestone):
                name = cells.prose(given.name, LONGEST_LINE)
            due_on, completed_on, column = cells.value(given.column, read), None, None
            if given.completed is not None and reached is not None:
                column = given.completed.column
                completed_on = cells.value(column, reached)
            if name is not None:
                yield plain(name), StepCell(given.column, due_on, column, completed_on)
            elif due_on is not None or completed_on is not None:
                cells.fault(given.column, "value-missing", "It is the day of a milestone without a name.")

    def _reason_type(self, cells: Cells, given: State) -> DiscardReason | None:
        column = given.reason_type or ""
        kind = self._reason_types.get(folded(cells.text(column)))
        if kind is None:
            cells.fault(column, "value-unknown", "It is not among the `reason_types` of the mapping.")
        return kind

    def _deadline(self, cells: Cells, given: Deadline, read: DateReader) -> DeadlineCell | None:
        day, text = cells.value(given.column, read), cells.text(given.column)
        if day is None and (self._no_value.is_blank(text) or not self._no_value.is_prose(text)):
            return None
        return DeadlineCell(day, None if day is not None else plain(text))

    def _reported(self, cells: Cells, day: date) -> ProgressReported | None:
        given = self._mapping.progress
        if given is None:
            return None
        texts = [(column.label, cells.prose(column.column, LONGEST_TEXT)) for column in given.texts]
        labelled = [f"{label}: {text}" if label else text for label, text in texts if text is not None]
        observed = "\n\n".join(labelled) or None
        if observed is not None:
            cells.within(given.texts[0].column, observed, LONGEST_TEXT)
        stage = cells.prose(given.stage, LONGEST_LINE)
        percent = None if given.percent is None else cells.value(given.percent, self._percent)
        evidence = cells.prose(given.evidence, LONGEST_TEXT)
        if observed is None and stage is None and percent is None:
            if evidence is not None:
                cells.fault(
                    given.evidence, "value-missing", "It is evidence of a report that reports nothing."
                )
            return None
        return ProgressReported(
            period=_PERIODS[given.period](day),
            effective_on=day,
            observed_progress=observed,
            stage=stage,
            percent=percent,
            evidence=() if evidence is None else (Evidence(description=evidence),),
            source=self._mapping.source,
        )

    def _estimated(self, cells: Cells, day: date) -> BudgetEstimated | None:
        given = self._mapping.budget
        if given is None:
            return None
        begun = day.year if day.month >= given.fiscal_year_begins else day.year - 1
        lines: list[BudgetLine] = []
        for figure in given.figures:
            value = cells.value(figure.column, self._number)
            if value is None:
                continue
            try:
                amount = amount_text(value, given.multiplier)
            except Unreadable as error:
                cells.fault(figure.column, error.code, error.reason)
                continue
            year = begun if figure.year == "fiscal" else figure.year
            lines.append(
                BudgetLine(
                    amount=amount,
                    currency=given.currency,
                    year=year,
                    figure=figure.figure,
                    price_base=figure.price_base,
                )
            )
        if not lines:
            return None
        return BudgetEstimated(effective_on=day, lines=tuple(lines), source=self._mapping.source)

    def _registration(self, cells: Cells) -> Iterator[tuple[str, Any]]:
        for name, given, values in self._fields:
            text = given.value if given.column is None else cells.prose(given.column, LONGEST_TEXT)
            if text is None:
                continue
            if values and (text := values.get(folded(text))) is None:
                cells.fault(given.column, "value-unknown", f"It is not among the values that give `{name}`.")
                continue
            try:
                yield name, _field(name, given, text)
            except msgspec.ValidationError:
                cells.fault(given.column, "value-unknown", f"It is not a value that `{name}` can have.")


def _well_formed(code: str) -> bool:
    try:
        well_formed_code(code)
    except InvalidInput:
        return False
    return True


def _field(name: str, given: Given, text: str) -> Any:
    """The text in the shape that the field has at registration."""
    if name not in LISTS:
        return msgspec.convert(text, FIELD_TYPES[name])
    parts = (part.strip() for part in text.split(given.separator))
    return tuple(dict.fromkeys(part for part in parts if part))
