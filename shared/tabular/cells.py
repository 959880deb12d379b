"""What the cells of a row amount to: a text, a day, a number, or nothing; and what is wrong with them.

A cell of a workbook that is a number or a day already is taken as that; a text is read as the mapping says, whatever
file it stands in. Each reader of days or numbers remembers what it made of a text, because a published table repeats
itself a great deal.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal, Protocol, TypeVar

from babel.dates import get_month_names

from shared.clock import Clock
from shared.errors import InvalidInput
from shared.rules.periods import period_named
from shared.tabular.mapping import DateFormats, NoValue, Numbers, given_by
from shared.tabular.reading import Row
from shared.tabular.report import RowError
from shared.tabular.text import by_word, folded, plain
from shared.tabular.workbook import Cell, TypedCell, text_of, tidy

MOST_REMEMBERED: Final = 50_000
LARGEST_AMOUNT: Final = Decimal(10) ** 18

ERROR_VALUES: Final = re.compile(
    r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!|SPILL!|CALC!|FIELD!|BLOCKED!|CONNECT!|GETTING_DATA"
    r"|¡DIV/0!|N/D|¿NOMBRE\?|¡NULO!|¡NUM!|¡REF!|¡VALOR!|¡DESBORDAMIENTO!|¡CALC!)|Err:5[0-9]{2}"
)
"""What spreadsheets show where a formula failed, in English and in Spanish."""

V_co = TypeVar("V_co", covariant=True)


class Unreadable(ValueError):
    """A value that is not what it should be; `code` names the reason for a report."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class NoValueReader:
    """Tells cells that hold a value from those that say there is none."""

    def __init__(self, *settings: NoValue) -> None:
        self._words = {folded(word) for setting in settings for word in setting.words} | {""}
        self._longest = max(map(len, self._words))
        phrases = [f"(?:{phrase})" for setting in settings for phrase in setting.phrases]
        self._phrases = re.compile("|".join(phrases), re.IGNORECASE) if phrases else None

    def is_blank(self, text: str) -> bool:
        """Whether the cell says nothing at all: it is empty, or one of the words that stand for that."""
        if len(text) > self._longest:
            text = text.strip()
            # Narratives are many and long: they are not taken apart to see that they are no such word.
            if len(text) > 4 * self._longest:
                return False
        return not text or folded(text) in self._words

    def is_prose(self, text: str) -> bool:
        """Whether the cell says in so many words that there is no value."""
        return self._phrases is not None and self._phrases.search(plain(text)) is not None


class Reader(Protocol[V_co]):
    """Makes a value of a cell; `unreadable` is the code and the sentence for a cell that is none."""

    unreadable: tuple[str, str]

    def __call__(self, cell: Cell) -> V_co | None:
        """The value, or None when the cell is not one."""


def _month_names() -> dict[str, str]:
    """The names of the months in English and in Spanish, whole or shortened, by what English calls them in short."""
    names: dict[str, str] = {}
    in_english = get_month_names("abbreviated", locale="en")
    for locale in ("en", "es", "es_CL", "es_PE"):
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=locale).items():
                names[name.rstrip(".").casefold()] = in_english[number]
    return names


_MONTHS: Final = _month_names()


def _in_english(text: str, end: str) -> str:
    """A text with the names of months in it as English shortens them; `end` is a pattern for what goes with a name."""
    return re.sub(rf"([^\W\d_]+){end}", lambda found: _MONTHS.get(found[1].casefold(), found[0]), text)


class DateReader:
    """Reads days written in any of several ways; ISO 8601 (`YYYY-MM-DD`, with an hour or without) is always understood.

    An instant, which has an offset, is of the day it falls on where the government sits.
    """

    unreadable = (
        "date-unreadable",
        "It is neither a day in a format of the mapping nor a phrase that stands for none.",
    )

    def __init__(self, formats: DateFormats, clock: Clock) -> None:
        # Names of months are put in English, shortened, before a text is read: see `_month_names`.
        self._formats = [(form.replace("%B", "%b"), given_by(form)) for form in formats.formats]
        self._period_day = formats.period_day
        self._century_from = formats.century_from
        self._table = by_word(formats.table)
        self._zone = clock.zone
        self._remembered = lru_cache(MOST_REMEMBERED)(self._find)

    def __call__(self, cell: Cell) -> date | None:
        """The day, or None when the cell is not one."""
        moment = self.moment(cell)
        return None if moment is None else moment.date()

    def moment(self, cell: Cell) -> datetime | None:
        """The day with its hour, where the government sits; midnight when there is no hour."""
        if isinstance(cell, TypedCell) and isinstance(cell.value, datetime):
            return cell.value if cell.shows == "day" else self._of_span(cell.value, cell.shows)
        return self._remembered(text_of(cell))

    def _find(self, text: str) -> datetime | None:
        text = plain(text)
        listed = self._table.get(text.casefold())
        if listed is not None:
            return datetime.combine(listed, time())
        try:
            # Other spellings of ISO, such as 20151231, are as likely to be a number.
            if text[4:5] == text[7:8] == "-":
                return self._at_home(datetime.fromisoformat(text))
        except (ValueError, OverflowError):
            pass
        candidates = dict.fromkeys((text, _in_english(text, r"(?:\.|\b)"), _in_english(text, "")))
        found = next(filter(None, map(self._by_format, candidates)), None)
        return found or (self._by_name(text) if self._period_day else None)

    def _by_name(self, text: str) -> datetime | None:
        """The day of a period under its name in the record, such as 2021-Q3."""
        try:
            period = period_named(text)
        except InvalidInput:
            return None
        return datetime.combine(period.begins_on if self._period_day == "first" else period.ends_on, time())

    def _of_span(self, begin: datetime, span: str) -> datetime | None:
        """The day that is meant by a month or a year; None when the mapping does not say which."""
        if self._period_day is None:
            return None
        month = begin.month if span == "month" else 12 if self._period_day == "last" else 1
        day = monthrange(begin.year, month)[1] if self._period_day == "last" else 1
        return begin.replace(month=month, day=day)

    def _by_format(self, text: str) -> datetime | None:
        for form, span in self._formats:
            try:
                found = datetime.strptime(text, form)  # noqa: DTZ007  # a civil day has no time zone
                if "%y" in form:
                    century_from = self._century_from
                    found = found.replace(year=century_from + (found.year - century_from) % 100)
                return self._at_home(found) if span == "day" else self._of_span(found, span or "year")
            except (ValueError, OverflowError):
                continue
        return None

    def _at_home(self, moment: datetime) -> datetime:
        """The hour on the clocks where the government sits, if it is an instant; else as it stands."""
        return moment if moment.tzinfo is None else moment.astimezone(self._zone).replace(tzinfo=None)


class NumberReader:
    """Reads numbers as a country, or a publisher, writes them; those of a workbook are numbers already."""

    unreadable = (
        "number-unreadable",
        "It is neither a number nor a phrase of the mapping that stands for none.",
    )

    def __init__(self, numbers: Numbers, *around: str) -> None:
        self._decimal = numbers.decimal
        self._around = (*numbers.around, *around)
        # Grouped in threes or not at all: `1,5` under a thousands comma is a slip, not fifteen.
        group = f"(?:{re.escape(numbers.thousands)}|\\s)" if numbers.thousands else "\\s"
        self._shape = re.compile(
            f"(?:[0-9]{{1,3}}(?:{group}[0-9]{{3}})*|[0-9]+)(?:{re.escape(numbers.decimal)}[0-9]+)?"
        )
        self._grouping = re.compile(group)
        self._remembered = lru_cache(MOST_REMEMBERED)(self._find)

    def __call__(self, cell: Cell) -> Decimal | None:
        """The number, or None when the cell is not one."""
        if isinstance(cell, str):
            return self._remembered(cell)
        if not isinstance(cell.value, Decimal) or (cell.percent and "%" not in self._around):
            return None
        return cell.value

    def _find(self, text: str) -> Decimal | None:
        bare, negative = self._bare(text)
        if self._shape.fullmatch(bare) is not None:
            value = Decimal(self._grouping.sub("", bare).replace(self._decimal, "."))
        elif re.fullmatch(r"[0-9](?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}", bare) is not None:
            # What spreadsheets make of very small and very large numbers, as in 1.5E-05.
            value = Decimal(bare)
        else:
            return None
        return tidy(-value if negative else value)

    def _bare(self, text: str) -> tuple[str, bool]:
        """The digits without what may stand around them, at either end and in any order, and whether they are owed."""
        bare, before, negative = text.strip(), None, False
        while bare != before:
            before = bare
            for word in self._around:
                bare = bare.removeprefix(word).removesuffix(word).strip()
            if not negative and bare[:1] in {"-", "−"}:
                bare, negative = bare[1:].lstrip(), True
            elif not negative and bare[:1] == "(" and bare[-1:] == ")":
                bare, negative = bare[1:-1].strip(), True
        return bare, negative


class PercentReader:
    """Reads shares as percentages, from 0 to 100.

    A number with a percent sign is one. A bare number counts to `scale`, which is what finished amounts to: 1 or 100,
    and 100 when nobody says.
    """

    unreadable = NumberReader.unreadable

    def __init__(self, numbers: Numbers, scale: Literal[1, 100] | None) -> None:
        self._number = NumberReader(numbers, "%")
        self._scale = scale
        self._largest = Decimal(0)

    def __call__(self, cell: Cell) -> Decimal | None:
        """The percentage, or None when the cell is not one."""
        value = self._number(cell)
        if value is None or "%" in text_of(cell):
            return value
        self._largest = max(self._largest, value)
        return tidy(value * 100) if self._scale == 1 else value

    @property
    def doubtful(self) -> bool:
        """Whether nobody said to what the numbers count, and none of those read so far was above 1."""
        return self._scale is None and 0 < self._largest <= 1


def amount_text(value: Decimal, multiplier: int) -> str:
    """An amount as the record writes it: plain decimal text, at most six decimals, no zeros to spare."""
    if abs(value) >= LARGEST_AMOUNT / multiplier:
        raise Unreadable(
            "number-too-large", "The record holds amounts of at most 18 digits before the point."
        )
    scaled = (value * multiplier).quantize(Decimal("0.000001")).normalize()
    return f"{scaled:f}" if scaled else "0"


def broken_cell(
    line: int, column: str, cell: Cell, says_nothing: Callable[[str, str], bool]
) -> RowError | None:
    """What is wrong with a cell whatever is asked of it; `says_nothing` is asked of a column and what stands there."""
    if isinstance(cell, TypedCell):
        return RowError(line, column, None, "cell-error", cell.problem) if cell.problem else None
    if "\0" in cell:
        reason = "There is a NUL character in the cell."
        return RowError(line, column, None, "text-not-storable", reason)
    if cell.lstrip()[:1] not in {"#", "E"} or ERROR_VALUES.fullmatch(cell.strip()) is None:
        return None
    if says_nothing(column, cell):
        return None
    reason = "A formula failed here: mend it, or name what it shows among the words that stand for no value."
    return RowError(line, column, cell, "cell-error", reason)


class Cells:
    """The cells of one row by the names of their columns; what is wrong with them gathers in `errors`.

    `said` is what was made of each column that was read: two rows that say the same may write it in different ways.
    """

    def __init__(self, row: Row, index: Mapping[str, int], no_value: NoValueReader) -> None:
        self._row = row
        self._index = index
        self._no_value = no_value
        self.errors: list[RowError] = []
        self.said: dict[str, object] = {}

    def cell(self, column: str) -> Cell:
        """What stands there, as what it is."""
        return self._row.cells[self._index[column]]

    def text(self, column: str) -> str:
        """What stands there, as a text."""
        text = text_of(self.cell(column))
        self.said.setdefault(column, plain(text))
        return text

    def fault(self, column: str | None, code: str, reason: str) -> None:
        """Note that something is wrong with a cell."""
        value = None if column is None else text_of(self.cell(column))
        self.errors.append(RowError(self._row.line, column, value, code, reason))

    def name(self, column: str, code: str, reason: str) -> str:
        """The text in one line; a fault when the cell says nothing."""
        text = plain(self.text(column))
        if self._no_value.is_blank(text):
            self.fault(column, code, reason)
        return text

    def prose(self, column: str | None, limit: int) -> str | None:
        """The text with its own line breaks, None when it says nothing; beyond `limit` characters it is a fault."""
        if column is None:
            return None
        text = text_of(self.cell(column))
        if self._no_value.is_blank(text):
            self.said.setdefault(column, None)
            return None
        if "\r" in text:
            text = re.sub(r"\r+\n?", "\n", text)
        text = text.strip()
        self.said.setdefault(column, text)
        self.within(column, text, limit)
        return text

    def value(self, column: str, read: Reader[V_co]) -> V_co | None:
        """The day or number there, None when the cell says that there is none; anything else is a fault."""
        cell = self.cell(column)
        value = read(cell)
        self.said[column] = value
        if value is None:
            text = text_of(cell)
            if self._no_value.is_prose(text):
                self.said[column] = plain(text)
            elif not self._no_value.is_blank(text):
                self.fault(column, *read.unreadable)
        return value

    def within(self, column: str, text: str, limit: int) -> None:
        """A fault of the cell when what was made of it has more than `limit` characters."""
        if len(text) > limit:
            self.fault(column, "text-too-long", f"At most {limit} characters fit; here are {len(text)}.")
