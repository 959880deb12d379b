"""What the words in the cells of a row amount to: a text, a day, a number, or nothing; and what is wrong with them.

Each reader of days or numbers remembers what it made of a text, because a published table repeats itself a great deal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from shared.tabular.mapping import DateFormats, NoValue, Numbers
from shared.tabular.reading import Row
from shared.tabular.report import RowError
from shared.tabular.text import by_word, folded, plain

MOST_REMEMBERED: Final = 50_000
LARGEST_AMOUNT: Final = Decimal(10) ** 18

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
    """Makes a value of a text; `unreadable` is the code and the sentence for a cell that is none."""

    unreadable: tuple[str, str]

    def __call__(self, text: str) -> V_co | None:
        """The value, or None when the text is not one."""


class DateReader:
    """Reads days written in any of several ways; `YYYY-MM-DD` is always understood."""

    unreadable = (
        "date-unreadable",
        "It is neither a day in a format of the mapping nor a phrase that stands for none.",
    )

    def __init__(self, formats: DateFormats) -> None:
        self._formats = formats.formats
        self._century_from = formats.century_from
        self._table = by_word(formats.table)
        self._remembered = lru_cache(MOST_REMEMBERED)(self._find)

    def __call__(self, text: str) -> date | None:
        """The day, or None when the text is not one."""
        return self._remembered(text)

    def _find(self, text: str) -> date | None:
        text = plain(text)
        listed = self._table.get(text.casefold())
        if listed is not None:
            return listed
        try:
            return date.fromisoformat(text) if len(text) == 10 else self._by_format(text)
        except ValueError:
            return self._by_format(text)

    def _by_format(self, text: str) -> date | None:
        for form in self._formats:
            try:
                day = datetime.strptime(text, form).date()  # noqa: DTZ007  # a civil day has no time zone
                if "%y" in form:
                    century_from = self._century_from
                    day = day.replace(year=century_from + (day.year - century_from) % 100)
            except ValueError:
                continue
            return day
        return None


class NumberReader:
    """Reads numbers as a country, or a publisher, writes them."""

    unreadable = (
        "number-unreadable",
        "It is neither a number nor a phrase of the mapping that stands for none.",
    )

    def __init__(self, numbers: Numbers, *around: str) -> None:
        self._numbers = numbers
        self._around = (*numbers.around, *around)
        # Grouped in threes or not at all: `1,5` under a thousands comma is a slip, not fifteen.
        grouped = f"[0-9]{{1,3}}(?:{re.escape(numbers.thousands)}[0-9]{{3}})*|" if numbers.thousands else ""
        self._shape = re.compile(f"(?:{grouped}[0-9]+)(?:{re.escape(numbers.decimal)}[0-9]+)?")
        self._remembered = lru_cache(MOST_REMEMBERED)(self._find)

    def __call__(self, text: str) -> Decimal | None:
        """The number, or None when the text is not one."""
        return self._remembered(text)

    def _find(self, text: str) -> Decimal | None:
        bare = "".join(text.split())
        for word in self._around:
            bare = bare.replace(word, "")
        negative = bare.startswith(("-", "−")) or (bare.startswith("(") and bare.endswith(")"))
        bare = bare.strip("-−()")
        if self._shape.fullmatch(bare) is not None:
            if self._numbers.thousands:
                bare = bare.replace(self._numbers.thousands, "")
            value = Decimal(bare.replace(self._numbers.decimal, "."))
        elif re.fullmatch(r"[0-9](?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}", bare) is not None:
            value = Decimal(
                bare
            )  # what spreadsheets make of very small and very large numbers, as in 1.5E-05
        else:
            return None
        return -value if negative else value


def amount_text(value: Decimal, multiplier: int) -> str:
    """An amount as the record writes it: plain decimal text, at most six decimals, no zeros to spare."""
    if abs(value) >= LARGEST_AMOUNT / multiplier:
        raise Unreadable(
            "number-too-large", "The record holds amounts of at most 18 digits before the point."
        )
    scaled = (value * multiplier).quantize(Decimal("0.000001")).normalize()
    return f"{scaled:f}" if scaled else "0"


class Cells:
    """The cells of one row by the names of their columns; what is wrong with them gathers in `errors`."""

    def __init__(self, row: Row, index: Mapping[str, int], no_value: NoValueReader) -> None:
        self._row = row
        self._index = index
        self._no_value = no_value
        self.errors: list[RowError] = []

    def text(self, column: str) -> str:
        """What stands there, as it stands."""
        return self._row.cells[self._index[column]]

    def fault(self, column: str | None, code: str, reason: str) -> None:
        """Note that something is wrong with a cell."""
        value = None if column is None else self.text(column)
        self.errors.append(RowError(self._row.line, column, value, code, reason))

    def name(self, column: str, code: str, reason: str) -> str:
        """The text in one line; a fault when the cell says nothing."""
        text = plain(self.text(column))
        if self._no_value.is_blank(text):
            self.fault(column, code, reason)
        return text

    def prose(self, column: str | None, limit: int) -> str | None:
        """The text with its own line breaks, None when it says nothing; beyond `limit` characters it is a fault."""
        if column is None or self._no_value.is_blank(text := self.text(column)):
            return None
        if "\r" in text:
            text = re.sub(r"\r+\n?", "\n", text)
        text = text.strip()
        self.within(column, text, limit)
        return text

    def value(self, column: str, read: Reader[V_co]) -> V_co | None:
        """The day or number there, None when the cell says that there is none; anything else is a fault."""
        text = self.text(column)
        value = read(text)
        if value is None and not (self._no_value.is_blank(text) or self._no_value.is_prose(text)):
            self.fault(column, *read.unreadable)
        return value

    def within(self, column: str, text: str, limit: int) -> None:
        """A fault of the cell when what was made of it has more than `limit` characters."""
        if len(text) > limit:
            self.fault(column, "text-too-long", f"At most {limit} characters fit; here are {len(text)}.")
