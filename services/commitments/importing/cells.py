"""What the words in a cell amount to: a day, a number, or nothing.

Each reader remembers what it made of a text, because a published table repeats itself a great deal.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from services.commitments.domain.guards import LONGEST_CODE
from services.commitments.importing.mapping import NoValue, Numbers
from shared.importing.text import plain, slug_of

MOST_REMEMBERED: Final = 50_000
LARGEST_AMOUNT: Final = Decimal(10) ** 18
_DIGEST: Final = 8


class Unreadable(ValueError):
    """A cell that is not what its column says; `code` names the reason for a report."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class NoValueReader:
    """Tells cells that hold a value from those that say there is none."""

    def __init__(self, *settings: NoValue) -> None:
        self._words = {plain(word).casefold() for setting in settings for word in setting.words} | {""}
        self._longest = max(map(len, self._words))
        phrases = [phrase for setting in settings for phrase in setting.phrases]
        self._phrases = (
            re.compile("|".join(f"(?:{phrase})" for phrase in phrases), re.IGNORECASE) if phrases else None
        )

    def is_blank(self, text: str) -> bool:
        """Whether the cell says nothing at all: it is empty, or one of the words that stand for that."""
        if len(text) > self._longest:
            text = text.strip()
            # Narratives are many and long: they are not taken apart to see that they are no such word.
            if len(text) > 4 * self._longest:
                return False
        return not text or plain(text).casefold() in self._words

    def is_prose(self, text: str) -> bool:
        """Whether the cell says in so many words that there is no value."""
        return self._phrases is not None and self._phrases.search(plain(text)) is not None


class DateReader:
    """Reads days written in any of several ways; `YYYY-MM-DD` is always understood."""

    def __init__(self, formats: Iterable[str], century_from: int, table: dict[str, date]) -> None:
        self._formats = tuple(formats)
        self._century_from = century_from
        self._table = {plain(text).casefold(): day for text, day in table.items()}
        self._read: dict[str, date | None] = {}

    def __call__(self, text: str) -> date | None:
        """The day, or None when the text is not one."""
        try:
            return self._read[text]
        except KeyError:
            found = self._find(plain(text))
            if len(self._read) < MOST_REMEMBERED:
                self._read[text] = found
            return found

    def _find(self, text: str) -> date | None:
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

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        thousands = f"(?:{re.escape(numbers.thousands)}[0-9]{{3}})*" if numbers.thousands else ""
        # Grouped in threes or not at all: `1,5` under a thousands comma is a slip, not fifteen.
        self._shape = re.compile(
            rf"(?:[0-9]{{1,3}}{thousands}|[0-9]+)(?:{re.escape(numbers.decimal)}[0-9]+)?"
            if thousands
            else rf"[0-9]+(?:{re.escape(numbers.decimal)}[0-9]+)?"
        )
        self._read: dict[str, Decimal | None] = {}

    def __call__(self, text: str) -> Decimal | None:
        """The number, or None when the text is not one."""
        try:
            return self._read[text]
        except KeyError:
            found = self._find(text)
            if len(self._read) < MOST_REMEMBERED:
                self._read[text] = found
            return found

    def _find(self, text: str) -> Decimal | None:
        bare = "".join(text.split())
        for word in self._numbers.around:
            bare = bare.replace(word, "")
        negative = bare.startswith(("-", "−")) or (bare.startswith("(") and bare.endswith(")"))
        bare = bare.strip("-−()")
        if self._shape.fullmatch(bare) is None:
            return self._scientific(bare, negative=negative)
        if self._numbers.thousands:
            bare = bare.replace(self._numbers.thousands, "")
        value = Decimal(bare.replace(self._numbers.decimal, "."))
        return -value if negative else value

    @staticmethod
    def _scientific(bare: str, *, negative: bool) -> Decimal | None:
        """What spreadsheets make of very small and very large numbers, as in 1.5E-05."""
        if re.fullmatch(r"[0-9](?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}", bare) is None:
            return None
        try:
            value = Decimal(bare)
        except InvalidOperation:
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


def make_code(cells: Iterable[str], prefix: str, *, slug: bool) -> str:
    """The code of a commitment. A slug that would be too long ends in eight digits that tell it from its like."""
    parts = [plain(cell) for cell in cells]
    if not slug:
        return prefix + "-".join(part for part in parts if part)
    code = prefix + "-".join(part for part in map(slug_of, parts) if part)
    if len(code) <= LONGEST_CODE:
        return code
    digest = hashlib.sha256(code.encode()).hexdigest()[:_DIGEST]
    return f"{code[: LONGEST_CODE - _DIGEST - 1].rstrip('-')}-{digest}"
