"""From a row to what it says: one commitment, observed on one day.

Everything that can be wrong with the cells of a row is found here, all of it at once, before the record is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from services.commitments.domain.guards import LONGEST_NAME, LONGEST_TEXT
from services.commitments.domain.registration import FIELD_TYPES
from services.commitments.importing.cells import (
    DateReader,
    NoValueReader,
    NumberReader,
    Unreadable,
    amount_text,
    make_code,
)
from services.commitments.importing.mapping import LISTS, Given, Mapping
from services.commitments.importing.reading import Row, plain
from shared.events.commitments import BudgetLine
from shared.events.vocabulary import Judgement

PERIODS: Final[dict[str, Callable[[date], str]]] = {
    "year": lambda day: f"{day.year}",
    "half_year": lambda day: f"{day.year}-H{(day.month + 5) // 6}",
    "four_months": lambda day: f"{day.year}-T{(day.month + 3) // 4}",
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "month": lambda day: f"{day.year}-{day.month:02}",
}


class Problem(NamedTuple):
    """What is wrong with a row: in which cell, if in one; what stands there; a code; and a sentence."""

    column: str | None
    value: str | None
    code: str
    reason: str


class RatingSaid(NamedTuple):
    """The rating word for word, the judgement it amounts to if to any, and the reason given."""

    rating: str
    judgement: Judgement | None
    reason: str | None


class DeadlineSaid(NamedTuple):
    """A day, or the prose that stands in its place."""

    on: date | None
    prose: str | None


class ProgressSaid(NamedTuple):
    """How far it is, in the words of the file."""

    observed_progress: str | None
    stage: str | None
    percent: Decimal | None


class Observation(NamedTuple):
    """One commitment as one row tells of it. `lead` is a spelling yet; `compared` is what makes two rows the same."""

    line: int
    code: str
    day: date
    title: str
    lead: str
    compared: tuple[str, ...]
    rating: RatingSaid | None = None
    deadline: DeadlineSaid | None = None
    internal_deadline: DeadlineSaid | None = None
    progress: ProgressSaid | None = None
    budget: tuple[BudgetLine, ...] = ()
    milestones: tuple[tuple[str, date], ...] = ()
    fields: dict[str, Any] = {}


class Interpreter:
    """Reads the rows of one table by one mapping."""

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self._mapping = mapping
        at = {name: number for number, name in enumerate(columns)}
        self._index = {name: at[plain(name)] for _, name in mapping.columns()}
        self._compared_at = sorted(set(self._index.values()))
        self.compared = tuple(columns[number] for number in self._compared_at)
        """The columns the mapping asks for, in the order of the table."""
        self._no_value = NoValueReader(mapping.no_value)
        self._number = NumberReader(mapping.numbers)
        self._percent = NumberReader(msgspec.structs.replace(mapping.numbers, around=(*mapping.numbers.around, "%")))
        self._dates = {
            id(dates): DateReader(dates.formats, dates.century_from, dates.table)
            for dates in (mapping.date, mapping.deadline, mapping.internal_deadline, *mapping.milestones)
            if dates is not None
        }
        if mapping.rating is not None:
            self._no_rating = NoValueReader(mapping.rating.none)
            self._judgements = {
                plain(word).casefold(): judgement for word, judgement in mapping.rating.values.items()
            }
        self._fields = [(name, given, _folded(given.values)) for name, given in mapping.fields.items()]

    def read(self, row: Row) -> Observation | list[Problem]:
        """What the row says, or everything that is wrong with it."""
        if row.problem is not None:
            return [Problem(None, None, "row-unreadable", f"The row cannot be made out: {row.problem}.")]
        return _Reading(self, row).observation()

    def differing(self, one: Observation, other: Observation) -> tuple[str, str]:
        """The first column in which two observations differ, and what stands there in the second."""
        pairs = zip(self.compared, one.compared, other.compared, strict=True)
        return next((name, after) for name, before, after in pairs if before != after)


class _Reading:
    """The reading of one row: collects the problems on the way."""

    def __init__(self, by: Interpreter, row: Row) -> None:
        self._by = by
        self._mapping = by._mapping
        self._row = row
        self._problems: list[Problem] = []

    def observation(self) -> Observation | list[Problem]:
        mapping = self._mapping
        cells = self._row.cells
        compared = tuple([cells[at] for at in self._by._compared_at])
        if "\0" in "".join(compared):
            name = next(name for name, text in zip(self._by.compared, compared, strict=True) if "\0" in text)
            return [Problem(name, None, "text-not-storable", "There is a NUL character in the cell.")]
        day = self._day()
        code = self._code()
        title = plain(self._cell(mapping.title.column))
        if self._by._no_value.is_blank(title):
            self._problem(mapping.title.column, "title-missing", "Nothing in the row says what it is called.")
        lead = plain(self._cell(mapping.lead.column)) if mapping.lead.column else str(mapping.lead.code)
        if self._by._no_value.is_blank(lead):
            self._problem(mapping.lead.column, "lead-missing", "Nothing in the row says who leads it.")
        found = Observation(
            line=self._row.line,
            code=code,
            day=day or date.min,
            title=title,
            lead=lead,
            compared=compared,
            rating=self._rating(),
            deadline=self._deadline("deadline"),
            internal_deadline=self._deadline("internal_deadline"),
            progress=self._progress(),
            budget=tuple(self._budget(day)) if day is not None else (),
            milestones=tuple(self._milestones()),
            fields=dict(self._fields()),
        )
        return self._problems or found

    def _cell(self, column: str) -> str:
        return self._row.cells[self._by._index[column]]

    def _problem(self, column: str | None, code: str, reason: str) -> None:
        value = None if column is None else self._cell(column)
        self._problems.append(Problem(column, value, code, reason))

    def _day(self) -> date | None:
        observed = self._mapping.date
        if observed.column is None:
            return observed.on
        day = self._by._dates[id(observed)](self._cell(observed.column))
        if day is None:
            self._problem(
                observed.column, "date-unreadable", "The day of the row is not in a format or table of the mapping."
            )
        return day

    def _code(self) -> str:
        mapping = self._mapping.code
        code = make_code(map(self._cell, mapping.columns), mapping.prefix, slug=mapping.slug)
        if code == mapping.prefix:
            self._problem(mapping.columns[0], "code-missing", "Nothing in the row can be made a code of.")
        return code

    def _rating(self) -> RatingSaid | None:
        mapping = self._mapping.rating
        if mapping is None:
            return None
        column = next((name for name in mapping.columns if self._cell(name).strip()), mapping.columns[0])
        rating = self._cell(column).strip()
        reason = self._text(mapping.reason, LONGEST_TEXT)
        word = plain(rating).casefold()
        judgement = self._by._judgements.get(word)
        if judgement is None:
            if not word and mapping.blank == "nothing":
                return None
            if not (self._by._no_rating.is_blank(rating) or self._by._no_rating.is_prose(rating)):
                self._problem(column, "rating-unknown", "The rating is not among the values of the mapping.")
                return None
        self._within(column, rating, LONGEST_NAME)
        return RatingSaid(rating, judgement, reason)

    def _deadline(self, which: str) -> DeadlineSaid | None:
        mapping = self._mapping.deadline if which == "deadline" else self._mapping.internal_deadline
        if mapping is None:
            return None
        text = self._cell(mapping.column)
        day = self._by._dates[id(mapping)](text)
        if day is not None:
            return DeadlineSaid(day, None)
        if self._by._no_value.is_blank(text):
            return None
        if self._by._no_value.is_prose(text):
            return DeadlineSaid(None, plain(text))
        self._problem(
            mapping.column,
            "date-unreadable",
            "It is neither a day in a format of the mapping nor a phrase that stands for none.",
        )
        return None

    def _progress(self) -> ProgressSaid | None:
        mapping = self._mapping.progress
        if mapping is None:
            return None
        told: list[str] = []
        for column in mapping.texts:
            text = self._text(column.column, LONGEST_TEXT)
            if text is not None:
                told.append(f"{column.label}: {text}" if column.label else text)
        observed = "\n\n".join(told) or None
        if observed is not None:
            self._within(mapping.texts[0].column, observed, LONGEST_TEXT)
        stage = self._text(mapping.stage, LONGEST_NAME)
        percent = self._percent_done(mapping.percent)
        return None if observed is stage is percent is None else ProgressSaid(observed, stage, percent)

    def _percent_done(self, column: str | None) -> Decimal | None:
        return None if column is None else self._numeric(column, self._by._percent)

    def _budget(self, day: date) -> Iterable[BudgetLine]:
        budget = self._mapping.budget
        if budget is None:
            return
        begun = day.year if day.month >= budget.fiscal_year_begins else day.year - 1
        for figure in budget.figures:
            value = self._numeric(figure.column, self._by._number)
            if value is not None:
                yield BudgetLine(
                    amount=amount_text(value, budget.multiplier),
                    currency=budget.currency,
                    year=begun if figure.year == "fiscal" else figure.year,
                    figure=figure.figure,
                    price_base=figure.price_base,
                )

    def _numeric(self, column: str, read: NumberReader) -> Decimal | None:
        text = self._cell(column)
        value = read(text)
        if value is None and not (self._by._no_value.is_blank(text) or self._by._no_value.is_prose(text)):
            self._problem(
                column, "number-unreadable", "It is neither a number nor a phrase of the mapping that stands for none."
            )
        return value

    def _milestones(self) -> Iterable[tuple[str, date]]:
        for milestone in self._mapping.milestones:
            text = self._cell(milestone.column)
            day = self._by._dates[id(milestone)](text)
            if day is not None:
                yield milestone.name, day
            elif not (self._by._no_value.is_blank(text) or self._by._no_value.is_prose(text)):
                self._problem(
                    milestone.column,
                    "date-unreadable",
                    "It is neither a day in a format of the mapping nor a phrase that stands for none.",
                )

    def _fields(self) -> Iterable[tuple[str, Any]]:
        for name, given, values in self._by._fields:
            text = self._text(given.column, LONGEST_TEXT) if given.column is not None else given.value
            if text is None:
                continue
            if values:
                mapped = values.get(plain(text).casefold())
                if mapped is None:
                    self._problem(given.column, "value-unknown", f"It is not among the values that give `{name}`.")
                    continue
                text = mapped
            try:
                yield name, _field(name, given, text)
            except Unreadable as error:
                self._problem(given.column, error.code, error.reason)

    def _text(self, column: str | None, limit: int) -> str | None:
        """The text of a cell with its own line breaks, None when it says nothing."""
        if column is None:
            return None
        text = self._cell(column)
        if self._by._no_value.is_blank(text):
            return None
        if "\r" in text:
            text = re.sub(r"\r+\n?", "\n", text)
        text = text.strip()
        self._within(column, text, limit)
        return text

    def _within(self, column: str, text: str, limit: int) -> None:
        if len(text) > limit:
            self._problem(column, "text-too-long", f"At most {limit} characters fit; here are {len(text)}.")


def _folded(values: dict[str, str]) -> dict[str, str]:
    return {plain(word).casefold(): value for word, value in values.items()}


def _field(name: str, given: Given, text: str) -> Any:
    """The text in the shape that the field has at registration."""
    value: Any = text
    if name in LISTS:
        parts = (part.strip() for part in text.split(given.separator))
        value = tuple(dict.fromkeys(part for part in parts if part))
    try:
        return msgspec.convert(value, FIELD_TYPES[name])
    except msgspec.ValidationError as error:
        raise Unreadable("value-unknown", f"It is not a value that `{name}` can have.") from error
