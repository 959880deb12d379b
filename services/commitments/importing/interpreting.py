"""From a row to what it says: one commitment, observed on one day.

Everything that can be wrong with the cells of a row is found here, all of it at once, before the record is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

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
from services.commitments.importing.mapping import LISTS, Dates, Given, Mapping, ObservedOn
from services.commitments.importing.observation import (
    DeadlineSaid,
    Observation,
    Place,
    ProgressSaid,
    RatingSaid,
)
from services.commitments.importing.reading import Row
from shared.events.commitments import BudgetLine
from shared.events.streams import stream_of
from shared.importing.report import Problem
from shared.importing.text import plain

V = TypeVar("V")

_PERIODS: Final[dict[str, Callable[[date], str]]] = {
    "year": lambda day: f"{day.year}",
    "half_year": lambda day: f"{day.year}-H{(day.month + 5) // 6}",
    "four_months": lambda day: f"{day.year}-T{(day.month + 3) // 4}",
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "month": lambda day: f"{day.year}-{day.month:02}",
}


def period_of(day: date, length: str) -> str:
    """The name of the period of that length in which a day falls."""
    return _PERIODS[length](day)


class Readers:
    """How to read each kind of cell under one mapping, for a table with these columns."""

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self.mapping = mapping
        at = {name: number for number, name in enumerate(columns)}
        self.index = {name: at[plain(name)] for _, name in mapping.columns()}
        """Where each column stands, by its name as the mapping writes it."""
        self.compared_at = sorted(set(self.index.values()))
        self.compared = tuple(columns[number] for number in self.compared_at)
        """The columns the mapping asks for, in the order of the table."""
        self.no_value = NoValueReader(mapping.no_value)
        self.number = NumberReader(mapping.numbers)
        around = (*mapping.numbers.around, "%")
        self.percent = NumberReader(msgspec.structs.replace(mapping.numbers, around=around))
        dated = {
            "date": mapping.date,
            "deadline": mapping.deadline,
            "internal_deadline": mapping.internal_deadline,
        }
        self.days = {name: _date_reader(dates) for name, dates in dated.items() if dates is not None}
        self.milestones = [(milestone, _date_reader(milestone)) for milestone in mapping.milestones]
        rating = mapping.rating
        self.no_rating = NoValueReader(*() if rating is None else (rating.none,))
        self.judgements = _folded({} if rating is None else rating.values)
        self.commitments: dict[tuple[str, ...], tuple[str, UUID]] = {}
        """The code and the stream that the cells of `code.columns` have led to."""
        self.fields = [(name, given, _folded(given.values)) for name, given in mapping.fields.items()]


class Interpreter:
    """Reads the rows of one table by one mapping."""

    def __init__(self, mapping: Mapping, columns: Sequence[str]) -> None:
        self._readers = Readers(mapping, columns)

    def place(self, row: Row) -> Place | None:
        """The commitment and the day a row tells of; None when these cannot be made out, and `read` says why."""
        return None if row.problem is not None else _Reading(self._readers, row).place()

    def read(self, row: Row) -> Observation | list[Problem]:
        """What the row says, or everything that is wrong with it."""
        if row.problem is not None:
            return [Problem(None, None, "row-unreadable", f"The row cannot be made out: {row.problem}.")]
        return _Reading(self._readers, row).observation()

    def cells(self, observation: Observation) -> dict[str, str]:
        """What stands in the columns that the mapping asks for."""
        return dict(zip(self._readers.compared, observation.compared, strict=True))


class _Reading:
    """The reading of one row: collects the problems on the way."""

    def __init__(self, readers: Readers, row: Row) -> None:
        self._read = readers
        self._mapping = readers.mapping
        self._row = row
        self._problems: list[Problem] = []

    def observation(self) -> Observation | list[Problem]:
        mapping = self._mapping
        cells = self._row.cells
        compared = tuple([cells[at] for at in self._read.compared_at])
        if "\0" in "".join(compared):
            name = next(
                name for name, text in zip(self._read.compared, compared, strict=True) if "\0" in text
            )
            return [Problem(name, None, "text-not-storable", "There is a NUL character in the cell.")]
        day = self._day()
        code, stream = self._commitment()
        title = plain(self._cell(mapping.title.column))
        if self._read.no_value.is_blank(title):
            self._problem(mapping.title.column, "title-missing", "Nothing in the row says what it is called.")
        lead = plain(self._cell(mapping.lead.column)) if mapping.lead.column else str(mapping.lead.code)
        if self._read.no_value.is_blank(lead):
            self._problem(mapping.lead.column, "lead-missing", "Nothing in the row says who leads it.")
        found = Observation(
            line=self._row.line,
            code=code,
            stream=stream,
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

    def place(self) -> Place | None:
        day = self._day()
        code, stream = self._commitment()
        return None if day is None or self._problems else Place(code, stream, day)

    def _cell(self, column: str) -> str:
        return self._row.cells[self._read.index[column]]

    def _problem(self, column: str | None, code: str, reason: str) -> None:
        value = None if column is None else self._cell(column)
        self._problems.append(Problem(column, value, code, reason))

    def _day(self) -> date | None:
        observed = self._mapping.date
        if observed.column is None:
            return observed.on
        day = self._read.days["date"](self._cell(observed.column))
        if day is None:
            self._problem(
                observed.column,
                "date-unreadable",
                "The day of the row is not in a format or table of the mapping.",
            )
        return day

    def _commitment(self) -> tuple[str, UUID]:
        mapping = self._mapping.code
        cells = tuple([self._cell(column) for column in mapping.columns])
        found = self._read.commitments.get(cells)
        if found is None:
            code = make_code(cells, mapping.prefix, slug=mapping.slug)
            found = self._read.commitments[cells] = code, stream_of("commitment", code)
        if found[0] == mapping.prefix:
            self._problem(mapping.columns[0], "code-missing", "Nothing in the row can be made a code of.")
        return found

    def _rating(self) -> RatingSaid | None:
        mapping = self._mapping.rating
        if mapping is None:
            return None
        column = next((name for name in mapping.columns if self._cell(name).strip()), mapping.columns[0])
        rating = self._cell(column).strip()
        reason = self._text(mapping.reason, LONGEST_TEXT)
        word = plain(rating).casefold()
        judgement = self._read.judgements.get(word)
        if judgement is None:
            if not word and mapping.blank == "nothing":
                return None
            if not (self._read.no_rating.is_blank(rating) or self._read.no_rating.is_prose(rating)):
                self._problem(column, "rating-unknown", "The rating is not among the values of the mapping.")
                return None
        self._within(column, rating, LONGEST_NAME)
        return RatingSaid(rating, judgement, reason)

    def _deadline(self, which: str) -> DeadlineSaid | None:
        mapping = self._mapping.deadline if which == "deadline" else self._mapping.internal_deadline
        if mapping is None:
            return None
        text = self._cell(mapping.column)
        day = self._read.days[which](text)
        if day is not None:
            return DeadlineSaid(day, None)
        if self._read.no_value.is_blank(text):
            return None
        if self._read.no_value.is_prose(text):
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
        if observed is None and stage is None and percent is None:
            return None
        return ProgressSaid(observed, stage, percent)

    def _percent_done(self, column: str | None) -> Decimal | None:
        return None if column is None else self._numeric(column, self._read.percent)

    def _budget(self, day: date) -> Iterable[BudgetLine]:
        budget = self._mapping.budget
        if budget is None:
            return
        begun = day.year if day.month >= budget.fiscal_year_begins else day.year - 1
        for figure in budget.figures:
            value = self._numeric(figure.column, self._read.number)
            if value is None:
                continue
            try:
                amount = amount_text(value, budget.multiplier)
            except Unreadable as error:
                self._problem(figure.column, error.code, error.reason)
                continue
            yield BudgetLine(
                amount=amount,
                currency=budget.currency,
                year=begun if figure.year == "fiscal" else figure.year,
                figure=figure.figure,
                price_base=figure.price_base,
            )

    def _numeric(self, column: str, read: NumberReader) -> Decimal | None:
        text = self._cell(column)
        value = read(text)
        if value is None and not (self._read.no_value.is_blank(text) or self._read.no_value.is_prose(text)):
            self._problem(
                column,
                "number-unreadable",
                "It is neither a number nor a phrase of the mapping that stands for none.",
            )
        return value

    def _milestones(self) -> Iterable[tuple[str, str, date]]:
        for milestone, read in self._read.milestones:
            text = self._cell(milestone.column)
            day = read(text)
            if day is not None:
                yield milestone.column, milestone.name, day
            elif not (self._read.no_value.is_blank(text) or self._read.no_value.is_prose(text)):
                self._problem(
                    milestone.column,
                    "date-unreadable",
                    "It is neither a day in a format of the mapping nor a phrase that stands for none.",
                )

    def _fields(self) -> Iterable[tuple[str, Any]]:
        for name, given, values in self._read.fields:
            text = self._text(given.column, LONGEST_TEXT) if given.column is not None else given.value
            if text is None:
                continue
            if values:
                mapped = values.get(plain(text).casefold())
                if mapped is None:
                    self._problem(
                        given.column, "value-unknown", f"It is not among the values that give `{name}`."
                    )
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
        if self._read.no_value.is_blank(text):
            return None
        if "\r" in text:
            text = re.sub(r"\r+\n?", "\n", text)
        text = text.strip()
        self._within(column, text, limit)
        return text

    def _within(self, column: str, text: str, limit: int) -> None:
        if len(text) > limit:
            self._problem(column, "text-too-long", f"At most {limit} characters fit; here are {len(text)}.")


def _date_reader(dates: Dates | ObservedOn) -> DateReader:
    return DateReader(dates.formats, dates.century_from, dates.table)


def _folded(values: dict[str, V]) -> dict[str, V]:
    return {plain(word).casefold(): value for word, value in values.items()}


def _field(name: str, given: Given, text: str) -> Any:
    """The text in the shape that the field has at registration."""
    if FIELD_TYPES[name] == (str | None):
        return text
    value: Any = text
    if name in LISTS:
        parts = (part.strip() for part in text.split(given.separator))
        value = tuple(dict.fromkeys(part for part in parts if part))
    try:
        return msgspec.convert(value, FIELD_TYPES[name])
    except msgspec.ValidationError as error:
        raise Unreadable("value-unknown", f"It is not a value that `{name}` can have.") from error
